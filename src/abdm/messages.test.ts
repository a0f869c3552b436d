import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { z } from 'zod'
import { bridgeServices, bridgeUrl, sessionRequest } from './gateway-messages.ts'
import * as linking from './linking-messages.ts'
import { onShare, profileShare } from './share-messages.ts'
import * as subscriptions from './subscription-messages.ts'
import { isoDate } from './wire.ts'

const VECTORS = path.join(import.meta.dirname, '../../test/vectors/abdm/v3-payloads.json')
type Sample = { readonly id: string; readonly body: object }
const samples = (JSON.parse(fs.readFileSync(VECTORS, 'utf8')) as { payloads: readonly Sample[] }).payloads

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  sessions: sessionRequest,
  'generate-token': linking.generateToken,
  'on-generate-token': linking.onGenerateToken,
  'link-carecontext': linking.linkCareContext,
  on_carecontext: linking.onLinkCareContext,
  'context-notify': linking.contextNotify,
  'context-on-notify': linking.contextOnNotify,
  'sms-notify2': linking.smsNotify,
  'sms-on-notify': linking.smsOnNotify,
  'phr-discover': linking.discover,
  'hip-discover': linking.hipDiscover,
  'on-discover': linking.onDiscover,
  'on-discover-error': linking.onDiscover,
  'phr-link-init': linking.linkInit,
  'hip-link-init': linking.hipLinkInit,
  'on-init': linking.onInit,
  'phr-link-confirm': linking.linkConfirm,
  'hip-link-confirm': linking.hipLinkConfirm,
  'on-confirm': linking.onConfirm,
  'phr-share': profileShare,
  'hip-share': profileShare,
  'on-share': onShare,
  'subscription-init': subscriptions.subscriptionInit,
  'subscription-approve': subscriptions.subscriptionApprove,
  'subscription-hiu-on-notify': subscriptions.subscriptionOnNotify,
  'subscription-event': subscriptions.subscriptionEvent,
  'subscription-event-ack': subscriptions.subscriptionEventOnNotify,
}

const sample = (id: string): Record<string, unknown> => {
  const found = samples.find((each) => each.id === id)
  assert.ok(found, `no sample ${id}`)
  return structuredClone(found.body) as Record<string, unknown>
}
const field = (schema: z.ZodType, value: unknown): string => {
  const result = schema.safeParse(value)
  assert.ok(!result.success, 'should have been refused')
  return result.error.issues[0]?.path.join('.') ?? ''
}

for (const [id, schema] of Object.entries(SCHEMAS)) {
  test(`the sample ${id} is read, an unknown field is dropped, and error: null is as good as none`, () => {
    const body = { ...sample(id), surprise: { nested: true } }
    const withNull = 'error' in body || id.startsWith('phr') || id === 'sessions' ? body : { ...body, error: null }
    const result = schema.safeParse(withNull)
    assert.ok(result.success, JSON.stringify(result.error?.issues))
    assert.ok(!JSON.stringify(result.data).includes('surprise'))
  })
}

test('a day that does not exist is refused, not moved into the next month', () => {
  for (const bad of [
    '2026-02-30T00:00:00.000Z',
    '2026-02-29',
    '2025-06-31T10:00:00+05:30',
    '2026-13-01T00:00:00Z',
    '2026-00-10',
  ])
    assert.equal(isoDate.safeParse(bad).success, false, bad)
  for (const good of ['2028-02-29', '2026-02-28T23:59:59.999Z', '2026-12-31T23:59:59+05:30', '2026-01-31T10:00:00'])
    assert.equal(isoDate.safeParse(good).success, true, good)
})

test('aliases are read as their present names', () => {
  assert.equal(linking.discover.parse({ hipId: 'IN0710000001' }).hip, 'IN0710000001')
  assert.equal(
    linking.linkCareContext.parse({ ...sample('link-carecontext'), abhaNumber: 91000000000001 }).abhaNumber,
    '91000000000001',
  )
  const share = profileShare.parse(sample('phr-share'))
  assert.equal(share.profile.patient.yearOfBirth, 1990)
  assert.equal(linking.identifierType.parse('abhaAddress'), 'ABHA_ADDRESS')
  assert.equal(linking.smsNotify.parse(sample('sms-notify2')).notification.phoneNo, '9999999999')
  assert.equal(linking.onInit.parse(withType('MEDIATE')).link?.authenticationType, 'MEDIATED')
  assert.deepEqual(bridgeServices.parse({ id: 'IN1', name: 'Both', type: 'HIP_AND_HIU' })[0]?.types, ['HIP', 'HIU'])
  assert.equal(bridgeServices.parse([{ id: 'IN1', name: 'One', types: ['HIP'] }]).length, 1)
})

function withType(authenticationType: string): unknown {
  const body = sample('on-init') as { link: { authenticationType: string } }
  body.link.authenticationType = authenticationType
  return body
}

test('a faulty message is refused at the field that is at fault', () => {
  const { abhaNumber: _number, abhaAddress: _address, ...nobody } = sample('generate-token')
  assert.equal(field(linking.generateToken, nobody), 'abhaAddress')
  assert.equal(field(linking.generateToken, { ...sample('generate-token'), gender: 'X' }), 'gender')
  const group = (sample('link-carecontext')['patient'] as Record<string, unknown>[])[0] ?? {}
  const link = (change: object) => ({ ...sample('link-carecontext'), patient: [{ ...group, ...change }] })
  assert.equal(field(linking.linkCareContext, link({ hiType: ['OPConsultation'] })), 'patient.0.hiType')
  assert.equal(field(linking.linkCareContext, link({ hiType: 'Selfie' })), 'patient.0.hiType')
  for (const count of [0, 21, 1.5, '1'])
    assert.equal(field(linking.linkCareContext, link({ count })), 'patient.0.count')
  assert.equal(field(linking.onDiscover, { ...sample('on-discover'), patient: undefined }), 'patient')
  assert.equal(field(linking.discover, {}), 'hip.id')
  assert.equal(field(sessionRequest, { clientId: 'a', grantType: 'refresh_token' }), 'refreshToken')
  assert.equal(field(sessionRequest, { clientId: 'a', grantType: 'client_credentials' }), 'clientSecret')
  assert.equal(field(bridgeUrl, {}), 'url')
  assert.equal(
    field(linking.smsNotify, { notification: { phoneNo: '12', hip: { id: 'IN1' } } }),
    'notification.phoneNo',
  )
})
