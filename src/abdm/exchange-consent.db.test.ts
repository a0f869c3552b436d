import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INSURER,
  LAB,
  RAVI,
  type Reply,
  startTestExchange,
  strangerId,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { bodyOf, consentSteps, DAY_MS, errorCode, errorMessage, only, VISITS } from '../../test/consent-steps.ts'
import { verifyArtefact } from '../consent/artefact.ts'
import { sweepExpired } from '../consent/jobs.ts'
import { listRequestsOf } from '../consent/readers.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { consentOnFetch, hipConsentNotify, hiuConsentNotify } from './consent-messages.ts'
import type { Outgoing } from './send.ts'

let exchange: TestExchange
describe('abdm/exchange-consent', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const { inDays, permission, ask, init, requested, item, labItem, approve, granted } = consentSteps(() => exchange)

  test('a request is accepted, granted narrower for two providers, and everybody is told with what verifies', async () => {
    const { request, consents, sent } = await granted([item(), labItem()])
    assert.equal(consents.length, 2)
    const toHips = sent
      .filter((message) => message.path === '/api/v3/consent/request/hip/notify')
      .sort((a) => (a.headers['X-HIP-ID'] === HOSPITAL ? -1 : 1))
    assert.deepEqual(
      toHips.map(({ headers }) => headers),
      [{ 'X-HIP-ID': HOSPITAL }, { 'X-HIP-ID': LAB }],
    )
    for (const message of toHips) {
      const { notification } = hipConsentNotify.parse(message.body)
      assert.equal(notification.status, 'GRANTED')
      assert.equal(notification.signature?.length, 344)
      assert.equal(
        verifyArtefact(
          exchange.needs.signingKey.publicJwk,
          notification.consentDetail?.raw,
          notification.signature ?? '',
        ),
        true,
      )
      assert.equal(notification.consentDetail?.detail.purpose.text, 'Care Management')
      assert.match(JSON.stringify(notification.consentDetail?.raw), /"dataEraseAt":"[^"]*\.\d{3}Z"/)
    }
    const { notification } = hiuConsentNotify.parse(only(sent, '/api/v3/hiu/consent/request/notify').body)
    assert.deepEqual(
      { ...notification, consentArtefacts: notification.consentArtefacts?.map(({ id }) => id).sort() },
      { consentRequestId: request, status: 'GRANTED', consentArtefacts: consents.toSorted() },
    )

    await exchange.asBridge('bridge-clinic', '/consent/v3/fetch', { consentId: consents[0] }, { 'x-hiu-id': CLINIC })
    const fetched = consentOnFetch.parse(only(await exchange.takeSent(), '/api/v3/hiu/consent/on-fetch').body)
    assert.deepEqual(
      fetched.consent?.consentDetail?.raw,
      hipConsentNotify.parse(toHips[0]?.body).notification.consentDetail?.raw,
    )
    assert.equal(fetched.consent?.signature, hipConsentNotify.parse(toHips[0]?.body).notification.signature)
    assert.ok((await exchange.eventTypes()).includes('consent.fetched'))
  })

  test('status tells the HIU its request and artefacts, before and after the decision', async () => {
    const id = await requested()
    const status = async (): Promise<Record<string, unknown> | undefined> => {
      await exchange.asBridge(
        'bridge-clinic',
        '/consent/v3/request/status',
        { consentRequestId: id },
        { 'x-hiu-id': CLINIC },
      )
      return bodyOf(only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-status'))['consentRequest']
    }
    assert.deepEqual(await status(), { id, status: 'REQUESTED', consentArtefacts: [] })
    const reply = await approve(id, [item()])
    await exchange.takeSent()
    assert.deepEqual(await status(), { id, status: 'GRANTED', consentArtefacts: reply.body['consentIds'] })
  })

  test('what cannot be asked is refused: by form at once, by substance in on-init', async () => {
    const soon = permission()
    const atOnce: readonly [object, string][] = [
      [{ hiTypes: [] }, 'hiTypes'],
      [{ hiTypes: ['Horoscope'] }, 'hiTypes'],
      [{ permission: { ...soon, frequency: { unit: 'FORTNIGHT', value: 1, repeats: 1 } } }, 'frequency.unit'],
      [{ permission: { ...soon, frequency: { unit: 'DAY', value: 0, repeats: 1 } } }, 'frequency.value'],
      [{ permission: { ...soon, dateRange: { from: soon.dateRange.to, to: soon.dateRange.from } } }, 'dateRange'],
      [{ permission: { ...soon, accessMode: 'TAKE' } }, 'accessMode'],
      [{ patient: { id: 'not an address' } }, 'patient.id'],
      [{ requester: {} }, 'requester.name'],
    ]
    for (const [change, field] of atOnce) {
      const reply = await init(ask(change))
      assert.equal(reply.status, 400, field)
      assert.match(errorMessage(reply), new RegExp(field.replace('.', '\\.')))
    }
    const later: readonly [object, string][] = [
      [{ purpose: { text: 'x', code: 'MARKETING' } }, 'ABDM-1047'],
      [{ patient: { id: 'nobody.here@sbx' } }, 'ABDM-1010'],
      [{ hip: { id: 'IN0000000000' } }, 'ABDM-1035'],
      [{ hip: { id: CLINIC } }, 'ABDM-1035'],
      [{ permission: { ...soon, dataEraseAt: inDays(-1) } }, 'ABDM-1063'],
    ]
    for (const [change, code] of later) {
      const reply = await init(ask(change))
      assert.equal(reply.status, 202)
      const body = bodyOf(only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-init'))
      assert.equal(body['error']?.['code'], code)
      assert.equal(body['consentRequest'], undefined)
      assert.deepEqual(body['response'], { requestId: reply.requestId })
    }
  })

  test('nobody asks, or looks, in the name of another facility', async () => {
    assert.equal((await init(ask({ hiu: { id: INSURER } }))).status, 403)
    const { request, consents } = await granted()
    assert.equal(
      (
        await exchange.asBridge(
          'bridge-insurer',
          '/consent/v3/fetch',
          { consentId: consents[0] },
          { 'x-hiu-id': CLINIC },
        )
      ).status,
      403,
    )
    assert.equal(
      (await exchange.asBridge('bridge-insurer', '/consent/v3/fetch', { consentId: consents[0] })).status,
      400,
    )
    const answers: unknown[] = []
    for (const consentId of [consents[0], strangerId(exchange, ASHA)]) {
      await exchange.asBridge('bridge-insurer', '/consent/v3/fetch', { consentId }, { 'x-hiu-id': INSURER })
      answers.push(bodyOf(only(await exchange.takeSent(), '/api/v3/hiu/consent/on-fetch'))['error'])
    }
    assert.deepEqual(answers[0], answers[1], "another facility's consent answers as one that does not exist")
    await exchange.asBridge(
      'bridge-insurer',
      '/consent/v3/request/status',
      { consentRequestId: request },
      { 'x-hiu-id': INSURER },
    )
    assert.equal(
      bodyOf(only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-status'))['error']?.['code'],
      'ABDM-1039',
    )
  })

  test('a grant wider than the request is refused by the name of each field, and nothing changes', async () => {
    const asked = ask({
      hip: { id: HOSPITAL },
      hiTypes: ['OPConsultation'],
      careContexts: [VISITS[0]],
      permission: { ...permission(), accessMode: 'STORE' },
    })
    const id = await requested(asked)
    const wide = { ...permission(), accessMode: 'STORE' }
    const cases: readonly [object, string, string][] = [
      [labItem({ hiTypes: ['OPConsultation'] }), 'ABDM-1035', 'consents[0].hip.id'],
      [item({ hiTypes: ['OPConsultation', 'Invoice'] }), 'ABDM-1058', 'consents[0].hiTypes'],
      [item({ careContexts: [VISITS[0], VISITS[1]] }), 'ABDM-1057', 'consents[0].careContexts[1]'],
      [
        item({ careContexts: [{ patientReference: 'MRN-2', careContextReference: 'visit-9' }] }),
        'ABDM-1057',
        'consents[0].careContexts[0]',
      ],
      [
        item({ permission: { ...wide, dateRange: { ...wide.dateRange, from: '2023-12-31T00:00:00.000Z' } } }),
        'ABDM-1063',
        'permission.dateRange.from',
      ],
      [
        item({ permission: { ...wide, dateRange: { ...wide.dateRange, to: '2026-11-02T00:00:00.000Z' } } }),
        'ABDM-1063',
        'permission.dateRange.to',
      ],
      [item({ permission: { ...wide, dataEraseAt: inDays(31) } }), 'ABDM-1031', 'permission.dataEraseAt'],
      [item({ permission: { ...wide, dataEraseAt: inDays(-1) } }), 'ABDM-1063', 'permission.dataEraseAt'],
      [
        item({ permission: { ...wide, frequency: { unit: 'HOUR', value: 1, repeats: 3 } } }),
        'ABDM-1031',
        'permission.frequency',
      ],
      [item({ permission: { ...wide, accessMode: 'STREAM' } }), 'ABDM-1031', 'permission.accessMode'],
    ]
    for (const [consent, code, field] of cases) {
      const reply = await approve(id, [consent])
      assert.equal(errorCode(reply), code, field)
      assert.ok(errorMessage(reply).includes(field), errorMessage(reply))
      assert.ok(reply.status >= 400 && reply.status < 500)
    }
    assert.equal(errorCode(await approve(id, [item(), item()])), 'ABDM-1006', 'one item for each provider')
    assert.deepEqual(await exchange.takeSent(), [], 'nobody was told anything')
    const both = errorMessage(
      await approve(id, [item({ hiTypes: ['Invoice'], permission: { ...wide, accessMode: 'STREAM' } })]),
    )
    assert.match(both, /hiTypes.*accessMode/)
    assert.equal((await approve(id, [item()])).status, 202, 'VIEW is less than STORE')
    await exchange.takeSent()
  })

  test('only the patient asked may decide, and only once', async () => {
    const id = await requested()
    assert.equal((await approve(id, [item()], RAVI)).status, 404)
    assert.equal(
      (await exchange.asPatient(RAVI, 'POST', `/consent/v3/request/${id}/deny`, { reason: 'no' })).status,
      404,
    )
    assert.equal((await exchange.asPatient(RAVI, 'GET', `/consent/v3/request/${id}`)).status, 404)
    assert.equal((await exchange.asPatient(ASHA, 'POST', `/consent/v3/request/${id}/deny`, { reason: '' })).status, 400)
    assert.equal(
      (await exchange.asPatient(ASHA, 'POST', `/consent/v3/request/${id}/deny`, { reason: 'I do not know them' }))
        .status,
      202,
    )
    const { notification } = hiuConsentNotify.parse(
      only(await exchange.takeSent(), '/api/v3/hiu/consent/request/notify').body,
    )
    assert.deepEqual(
      [notification.status, notification.reason, notification.consentArtefacts],
      ['DENIED', 'I do not know them', []],
    )
    const again = await exchange.asPatient(ASHA, 'POST', `/consent/v3/request/${id}/deny`, { reason: 'no' })
    assert.deepEqual([again.status, errorCode(again)], [409, 'ABDM-2406'])
    assert.equal((await approve(id, [item()])).status, 409)
    assert.equal((await approve('not-a-uuid', [item()])).status, 404)
  })

  test('the same message twice has its effect once; the same id with another body is refused', async () => {
    const requestId = '0a1b2c3d-0000-4000-8000-00000000000a'
    const first = await exchange.asBridge('bridge-clinic', '/consent/v3/request/init', ask(), {
      'request-id': requestId,
    })
    assert.equal(first.status, 202)
    assert.equal(
      (await exchange.asBridge('bridge-clinic', '/consent/v3/request/init', ask(), { 'request-id': requestId })).status,
      202,
    )
    assert.equal((await exchange.takeSent()).length, 1)
    const other = await exchange.asBridge('bridge-clinic', '/consent/v3/request/init', ask({ hiTypes: ['Invoice'] }), {
      'request-id': requestId,
    })
    assert.deepEqual([other.status, errorCode(other)], [409, 'ABDM-1064'])
  })

  test('revoking one of two consents keeps the request granted; revoking the last ends it; all are told in order', async () => {
    const { request, consents } = await granted([item(), labItem()])
    const [hospital = '', lab = ''] = consents
    const revoke = (who: AbhaAddress, ids: readonly string[]): Promise<Reply> =>
      exchange.asPatient(who, 'POST', '/consent/v3/revoke', { consents: ids })
    assert.equal((await revoke(RAVI, [hospital])).status, 404)
    assert.equal((await revoke(ASHA, [hospital, strangerId(exchange, ASHA)])).status, 404, 'all or none')
    assert.deepEqual(await exchange.takeSent(), [])
    assert.equal((await revoke(ASHA, [hospital])).status, 202)
    const sent = await exchange.takeSent()
    const toHip = only(sent, '/api/v3/consent/request/hip/notify')
    const told = hipConsentNotify.parse(toHip.body).notification
    assert.equal(told.status, 'REVOKED')
    assert.equal(
      verifyArtefact(exchange.needs.signingKey.publicJwk, told.consentDetail?.raw, told.signature ?? ''),
      true,
      'detail and signature on every status',
    )
    assert.equal((toHip as Outgoing & { lane: string }).lane, `consent:${hospital}`)
    const hiu = hiuConsentNotify.parse(only(sent, '/api/v3/hiu/consent/request/notify').body).notification
    assert.deepEqual([hiu.status, hiu.consentArtefacts], ['REVOKED', [{ id: hospital }]])
    const statusOf = async (): Promise<unknown> =>
      (await exchange.asPatient(ASHA, 'GET', `/consent/v3/request/${request}`)).body['status']
    assert.equal(await statusOf(), 'GRANTED')
    const again = await revoke(ASHA, [hospital])
    assert.deepEqual([again.status, errorCode(again)], [409, 'ABDM-1062'])
    assert.equal((await revoke(ASHA, [lab])).status, 202)
    assert.equal(await statusOf(), 'REVOKED')
    await exchange.takeSent()
  })

  test('a request whose time is over expires, by the sweep and at the first try to decide it', async () => {
    const swept = await requested()
    const tried = await requested(ask({ permission: { ...permission(), dataEraseAt: inDays(60) } }))
    exchange.clock.advance(7 * DAY_MS)
    const late = await approve(tried, [item({ permission: { ...permission(), dataEraseAt: inDays(20) } })])
    assert.equal(late.status, 410)
    await sweepExpired(exchange.machine)
    await sweepExpired(exchange.machine)
    const told = (await exchange.takeSent()).map((message) => hiuConsentNotify.parse(message.body).notification)
    const ours = told.filter(({ consentRequestId }) => [swept, tried].includes(consentRequestId))
    assert.deepEqual(
      ours.map(({ status }) => status),
      ['EXPIRED', 'EXPIRED'],
      'each is told once',
    )
    assert.equal((await approve(swept, [item()])).status, 410)
  })

  test('a consent ends at dataEraseAt: HIP and HIU are told, and the request ends with its last consent', async () => {
    const short = { ...permission(), dataEraseAt: inDays(1) }
    const { request, consents } = await granted([item({ permission: short }), labItem()])
    const [hospital = '', lab = ''] = consents
    exchange.clock.advance(DAY_MS)
    const late = await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [hospital] })
    assert.deepEqual([late.status, errorMessage(late)], [409, 'This consent is EXPIRED already.'])
    await sweepExpired(exchange.machine)
    const sent = await exchange.takeSent()
    assert.equal(
      hipConsentNotify.parse(only(sent, '/api/v3/consent/request/hip/notify').body).notification.status,
      'EXPIRED',
    )
    assert.equal(
      hiuConsentNotify.parse(only(sent, '/api/v3/hiu/consent/request/notify').body).notification.status,
      'EXPIRED',
    )
    assert.equal((await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [lab] })).status, 202)
    const { body } = await exchange.asPatient(ASHA, 'GET', `/consent/v3/request/${request}`)
    assert.equal(body['status'], 'EXPIRED', 'one ran its time, so the request is EXPIRED rather than REVOKED')
    await exchange.takeSent()
  })

  test('sixty requests at once: a few wait for the patient, the others are refused with what to do', async () => {
    await exchange.takeSent()
    const patient = RAVI
    const replies = await Promise.all(Array.from({ length: 60 }, () => init(ask({ patient: { id: patient } }))))
    assert.ok(replies.every(({ status }) => status === 202))
    const bodies = (await exchange.takeSent()).map(bodyOf)
    const refused = bodies.filter((body) => body['error'] !== undefined)
    assert.equal(bodies.length - refused.length, LIMITS.requestsWaitingMax)
    assert.deepEqual(new Set(refused.map((body) => body['error']?.['code'])), new Set(['ABDM-1022']))
    const { items } = await exchange.inTx((tx) => listRequestsOf(tx, patient, { status: 'REQUESTED' }))
    assert.equal(items.length, LIMITS.requestsWaitingMax)
    // Once one is decided there is room for one.
    const denied = await exchange.asPatient(patient, 'POST', `/consent/v3/request/${items[0]?.id}/deny`, {
      reason: 'no',
    })
    assert.ok(denied.status < 300, JSON.stringify(denied.body))
    await exchange.takeSent()
    for (const expected of [undefined, 'ABDM-1022']) {
      await init(ask({ patient: { id: patient } }))
      const [answer] = (await exchange.takeSent()).map(bodyOf)
      assert.equal(answer?.['error']?.['code'], expected)
    }
  })
})
