import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signForAws } from './aws-signature.ts'

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

// From the worked example of Signature Version 4 in the AWS General Reference.
test('the worked example of AWS', () => {
  const { authorization } = signForAws(
    {
      method: 'GET',
      url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: '',
    },
    { region: 'us-east-1', service: 'iam', now: new Date('2015-08-30T12:36:00Z') },
    CREDENTIALS,
  )
  assert.equal(
    authorization,
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  )
})

test('a session token is signed too', () => {
  const sign = (sessionToken?: string) =>
    signForAws(
      { method: 'POST', url: 'https://kms.ap-south-1.amazonaws.com/', headers: {}, body: '{}' },
      { region: 'ap-south-1', service: 'kms', now: new Date('2026-11-22T06:30:00Z') },
      { ...CREDENTIALS, sessionToken },
    )
  const signed = sign('a token')
  assert.equal(signed['x-amz-security-token'], 'a token')
  assert.match(signed['authorization'] ?? '', /SignedHeaders=host;x-amz-date;x-amz-security-token,/)
  assert.notEqual(signed['authorization'], sign('another')['authorization'])
})
