import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  CONSENT_FAILURES,
  HOSPITAL,
  INSURER,
  RAVI,
  type Reply,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, only } from '../../test/consent-steps.ts'
import { markErased } from '../consent/end-commands.ts'
import { artefactsOf, noticesOf } from '../consent/readers.ts'
import type { Id } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'

let exchange: TestExchange
describe('abdm/exchange-notices', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const { ask, requested, item, labItem, approve, granted } = consentSteps(() => exchange)

  test('acknowledgements are read in every form that peers send, from the facility that was told only', async () => {
    const { request, consents, sent } = await granted([item(), labItem()])
    const [hospital = '', lab = ''] = consents
    const toHospital = sent.find(({ headers }) => headers['X-HIP-ID'] === HOSPITAL)
    const ack = (
      bridge: 'bridge-hip' | 'bridge-clinic' | 'bridge-insurer',
      party: 'hip' | 'hiu',
      body: object,
    ): Promise<Reply> => exchange.asBridge(bridge, `/consent/v3/request/${party}/on-notify`, body)
    const requestId = toHospital?.requestId ?? ''
    const foreign = await ack('bridge-insurer', 'hip', {
      acknowledgement: { status: 'OK', consentId: hospital },
      response: { requestId },
    })
    assert.equal(foreign.status, 404)
    const malformed = await ack('bridge-hip', 'hip', {
      acknowledgement: { status: 'OK', consentId: 'x' },
      response: { requestId },
    })
    assert.equal(malformed.status, 400)
    assert.ok(Array.isArray(malformed.body), 'a 400 of on-notify is an array')
    assert.equal(
      (
        await ack('bridge-hip', 'hip', {
          acknowledgement: { status: 'ok', consentId: hospital },
          response: { requestId },
        })
      ).status,
      202,
    )
    assert.equal(
      (
        await ack('bridge-hip', 'hip', {
          acknowledgement: [{ status: 'OK', consentId: lab }],
          response: { requestId: 'lost' },
          error: null,
        })
      ).status,
      202,
    )
    const ofHiu = only(sent, '/api/v3/hiu/consent/request/notify').requestId
    assert.equal(
      (
        await ack('bridge-clinic', 'hiu', {
          acknowledgement: consents.map((consentId) => ({ status: 'OK', consentId })),
          response: { requestId: ofHiu },
        })
      ).status,
      202,
    )
    const notices = must(await exchange.inTx((tx) => noticesOf(tx, ASHA, request as Id<'consent-request'>)))
    assert.equal(notices.length, 4)
    assert.ok(notices.every(({ acknowledgedAt }) => acknowledgedAt !== undefined))
    const before = (await exchange.eventTypes()).length
    assert.equal(
      (
        await ack('bridge-hip', 'hip', {
          acknowledgement: { status: 'OK', consentId: hospital },
          response: { requestId },
        })
      ).status,
      202,
    )
    assert.equal((await exchange.eventTypes()).length, before, 'a repetition changes nothing')
  })

  test('a refused or undelivered notice is kept with its reason; a late acknowledgement mends it', async () => {
    const { request, consents, sent } = await granted()
    const message = only(sent, '/api/v3/consent/request/hip/notify')
    const failure = CONSENT_FAILURES.get(message.failure?.kind ?? '')
    assert.ok(failure)
    await exchange.inTx((tx) => failure(tx, message.failure?.id ?? '', { message: 'answered 400' }))
    const notice = async () =>
      must(await exchange.inTx((tx) => noticesOf(tx, ASHA, request as Id<'consent-request'>))).find(
        ({ party }) => party === 'hip',
      )
    assert.equal((await notice())?.failure, 'not delivered: answered 400')
    await exchange.asBridge('bridge-hip', '/consent/v3/request/hip/on-notify', {
      acknowledgement: { status: 'OK', consentId: consents[0] },
      response: { requestId: message.requestId },
    })
    assert.deepEqual([(await notice())?.failure, (await notice())?.acknowledgedAt !== undefined], [undefined, true])
  })

  test('lists show the patient her own requests and consents, page by page', async () => {
    exchange.clock.advance(1_000)
    const { request, consents } = await granted([item()], ask({ patient: { id: ASHA } }))
    const list = await exchange.asPatient(ASHA, 'GET', '/consent/v3/request?limit=1&offset=0&status=granted')
    assert.equal(list.status, 200)
    assert.equal((list.body['requests'] as { requestId: string }[])[0]?.requestId, request)
    assert.ok(Number(list.body['size']) > 1)
    assert.deepEqual((await exchange.asPatient(RAVI, 'GET', '/consent/v3/request')).body['requests'], [])
    assert.equal((await exchange.asPatient(ASHA, 'GET', '/consent/v3/request?limit=0')).status, 400)
    const one = await exchange.asPatient(ASHA, 'GET', `/consent/v3/artefact/${consents[0]}`)
    assert.equal((one.body['consentDetail'] as { consentId: string }).consentId, consents[0])
    assert.equal((await exchange.asPatient(RAVI, 'GET', `/consent/v3/artefact/${consents[0]}`)).status, 404)
    const ofRequest = await exchange.asPatient(ASHA, 'GET', `/consent/v3/artefact/request/${request}`)
    assert.equal((ofRequest.body as unknown as unknown[]).length, 1)
    const all = await exchange.asPatient(ASHA, 'GET', '/consent/v3/artefact?status=ALL')
    const read = await exchange.inTx((tx) => artefactsOf(tx, ASHA))
    assert.equal(all.body['size'], read.size)
  })

  test('one call shows everything that was asked of the patient', async () => {
    exchange.clock.advance(1_000)
    const id = await requested()
    const { status, body } = await exchange.asPatient(
      ASHA,
      'GET',
      '/subscription-requests/v3/patients/requests?consentLimit=1&status=REQUESTED',
    )
    assert.equal(status, 200)
    const { consents, subscriptions } = body as Record<string, { requests: { requestId: string }[]; size: number }>
    assert.deepEqual(
      consents?.requests.map(({ requestId }) => requestId),
      [id],
    )
    assert.deepEqual(subscriptions?.requests, [])
    const other = await exchange.asPatient(RAVI, 'GET', '/subscription-requests/v3/patients/requests')
    assert.equal((other.body['consents'] as { size: number }).size, 0)
  })

  test('the HIU attests erasure once the consent has ended, not before, and for its own copy only', async () => {
    const { consents } = await granted()
    const consentId = consents[0] as Id<'artefact'>
    const attest = (hiu: typeof CLINIC) =>
      exchange.inTx((tx) => markErased(tx, { consentId, hiu, attestation: { documents: 3 } }))
    const early = await attest(CLINIC)
    assert.ok(isRefusal(early) && early.code === 'consent/still-granted')
    await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [consentId] })
    const foreign = await attest(INSURER)
    assert.ok(isRefusal(foreign) && foreign.code === 'consent/unknown-artefact')
    assert.notEqual(must(await attest(CLINIC)).erasedAt, undefined)
    const count = async (): Promise<number> =>
      (await exchange.eventTypes()).filter((type) => type === 'consent.data-erased').length
    const once = await count()
    must(await attest(CLINIC))
    assert.equal(await count(), once)
    assert.ok((await exchange.asPatient(ASHA, 'GET', `/consent/v3/artefact/${consentId}`)).body['dataErasedAt'])
    await exchange.takeSent()
  })

  test('two decisions at once: one holds; two consents of one request that end at once end the request', async () => {
    const id = await requested()
    const replies = await Promise.all([
      approve(id, [item(), labItem()]),
      approve(id, [item()]),
      exchange.asPatient(ASHA, 'POST', `/consent/v3/request/${id}/deny`, { reason: 'no' }),
    ])
    assert.deepEqual(
      replies.map(({ status }) => status).sort((a, b) => a - b),
      [202, 409, 409],
    )
    await exchange.takeSent()
    const { request, consents } = await granted([item(), labItem()])
    await Promise.all(
      consents.map((consent) => exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [consent] })),
    )
    assert.equal((await exchange.asPatient(ASHA, 'GET', `/consent/v3/request/${request}`)).body['status'], 'REVOKED')
    await exchange.takeSent()
  })

  test('what is recorded is what happened: each change has its event, about the patient, and nothing is sent without one', async () => {
    exchange.clock.advance(1_000)
    const before = (await exchange.eventTypes()).length
    const { consents } = await granted()
    await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents })
    await exchange.takeSent()
    assert.deepEqual((await exchange.eventTypes()).slice(before).sort(), [
      'consent.granted',
      'consent.requested',
      'consent.revoked',
    ])
  })
})
