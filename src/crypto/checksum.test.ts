import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checksumOf, compareChecksum } from './checksum.ts'

test('is MD5 of the UTF-8 bytes (RFC 1321 A.5)', () => {
  assert.equal(checksumOf(''), 'd41d8cd98f00b204e9800998ecf8427e')
  assert.equal(checksumOf('message digest'), 'f96b697d7cb7938d525a2f31aaf161d0')
  assert.equal(checksumOf('आ'), checksumOf(Buffer.from('आ')))
})

test('compares hex and base64, and knows what is no checksum', () => {
  assert.equal(compareChecksum('F96B697D7CB7938D525A2F31AAF161D0', 'message digest'), 'same')
  assert.equal(compareChecksum('+WtpfXy3k41SWi8xqvFh0A==', 'message digest'), 'same')
  assert.equal(compareChecksum('f96b697d7cb7938d525a2f31aaf161d1', 'message digest'), 'different')
  assert.equal(compareChecksum('AAAAAAAAAAAAAAAAAAAAAA==', 'message digest'), 'different')
  for (const text of ['', 'string', 'MD5', 'f96b69', 'z'.repeat(32)]) assert.equal(compareChecksum(text, 'x'), 'absent')
})
