import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { z } from 'zod'
import * as consent from './consent-messages.ts'
import * as data from './data-messages.ts'

type Sample = { readonly id: string; readonly body: Record<string, unknown> }
const VECTORS = path.join(import.meta.dirname, '../../test/vectors/abdm/v3-payloads.json')
const samples = (JSON.parse(readFileSync(VECTORS, 'utf8')) as { payloads: readonly Sample[] }).payloads
const sample = (id: string): Record<string, unknown> =>
  structuredClone(samples.find((one) => one.id === id)?.body ?? assert.fail(`no sample ${id}`))

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  'consent-init': consent.consentInit,
  'consent-on-init': consent.consentOnInit,
  'consent-status': consent.consentStatus,
  'consent-on-status': consent.consentOnStatus,
  'hiu-consent-notify': consent.hiuConsentNotify,
  'hiu-on-notify': consent.consentOnNotify,
  'hip-consent-notify-granted': consent.hipConsentNotify,
  'hip-consent-notify-revoked': consent.hipConsentNotify,
  'hip-consent-notify-expired': consent.hipConsentNotify,
  'hip-consent-notify-revoked-short': consent.hipConsentNotify,
  'hip-on-notify': consent.consentOnNotify,
  'consent-fetch': consent.consentFetch,
  'consent-on-fetch': consent.consentOnFetch,
  'phr-approve': consent.consentApprove,
  'phr-deny': consent.consentDeny,
  'phr-revoke': consent.consentRevoke,
  'hi-request': data.dataRequest,
  'hi-on-request': data.dataOnRequest,
  'hip-hi-request': data.hipDataRequest,
  'hip-on-request': data.hipDataOnRequest,
  'data-push': data.dataPush,
  'hi-notify-hip': data.dataNotify,
  'hi-notify-hiu': data.dataNotify,
}

test('each sample of the protocol is read, also with fields that nobody knows, which are dropped', () => {
  for (const { id, body } of samples) {
    const schema = SCHEMAS[id]
    if (schema === undefined) continue
    const plain = schema.safeParse(body)
    assert.ok(plain.success, `${id}: ${plain.error?.message}`)
    const odd = schema.safeParse({ ...body, requestId: '', timestamp: '', resp: null, somethingNew: { deep: [1] } })
    assert.ok(odd.success, id)
    assert.ok(!JSON.stringify(odd.data).includes('somethingNew'), `${id} keeps what it does not know`)
  }
})

test('dataEraseAt and frequency are read inside permission and beside it', () => {
  const notify = sample('hip-consent-notify-granted') as { notification: { consentDetail: Record<string, unknown> } }
  const detail = notify.notification.consentDetail
  const { dataEraseAt, frequency, ...rest } = detail['permission'] as Record<string, unknown>
  const beside = consent.consentDetail.parse({ ...detail, permission: rest, dataEraseAt, frequency })
  assert.deepEqual(beside, consent.consentDetail.parse(detail))
  assert.ok(!consent.consentDetail.safeParse({ ...detail, permission: rest }).success)
})

test('the received detail stays as it was sent beside what was read of it', () => {
  const notify = sample('hip-consent-notify-granted') as { notification: { consentDetail: Record<string, unknown> } }
  notify.notification.consentDetail['addedByThem'] = { x: 1 }
  const read = consent.hipConsentNotify.parse(notify).notification.consentDetail
  assert.deepEqual(read?.raw, notify.notification.consentDetail)
  assert.ok(read !== null && read !== undefined && !('addedByThem' in read.detail))
  notify.notification.consentDetail['patient'] = { id: 'nonsense' }
  const refused = consent.hipConsentNotify.safeParse(notify)
  assert.deepEqual(refused.error?.issues[0]?.path, ['notification', 'consentDetail', 'patient', 'id'])
})

test('acknowledgements: array or object, any case, none', () => {
  const consentId = 'c0a8f3d1-0000-4000-8000-0000000000a1'
  const response = { requestId: 'x' }
  const read = (acknowledgement: unknown) =>
    consent.consentOnNotify.parse({ acknowledgement, response }).acknowledgement
  const one = [{ status: 'OK', consentId }]
  assert.deepEqual(read({ status: 'ok', consentId }), one)
  assert.deepEqual(read([{ status: 'OK', consentId }]), one)
  assert.deepEqual(read(null), [])
  assert.ok(!consent.consentOnNotify.safeParse({ acknowledgement: 'OK', response }).success)
})

test('a push: pages may be absent, an entry has content or a link and not both', () => {
  const push = sample('data-push') as { entries: Record<string, unknown>[] }
  const { pageNumber, pageCount, ...unpaged } = push as Record<string, unknown>
  assert.ok(pageNumber === 0 && pageCount === 1)
  assert.ok(data.dataPush.safeParse(unpaged).success)
  const entry = push.entries[0] ?? {}
  const withEntry = (change: object): boolean =>
    data.dataPush.safeParse({ ...push, entries: [{ ...entry, ...change }] }).success
  assert.deepEqual(
    [
      withEntry({ content: undefined, link: 'https://h.example/1' }),
      withEntry({ link: 'https://h.example/1' }),
      withEntry({ content: undefined }),
      withEntry({ checksum: '', media: null }),
    ],
    [true, false, false, true],
  )
  assert.ok(!data.dataPush.safeParse({ ...push, pageNumber: -1 }).success)
})

test('bodies of the wrong type are refused with the path of the fault, never thrown', () => {
  for (const schema of new Set(Object.values(SCHEMAS))) {
    for (const rubbish of [null, [], 'x', 7, { consent: [] }, { notification: 'x' }, { hiRequest: 1, consents: {} }]) {
      const read = schema.safeParse(rubbish)
      if (!read.success) assert.ok(read.error.issues.length > 0)
    }
  }
})
