import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  CONSENT_FAILURES,
  HOSPITAL,
  INSURER,
  type Reply,
  startTestExchange,
  strangerId,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, DAY_MS, RANGE } from '../../test/consent-steps.ts'
import { makeKeyMaterial, makeNonce } from '../crypto/key-agreement.ts'
import { makeKeyPair } from '../crypto/sealing.ts'
import type { Id } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { saveServices } from '../partners/commands.ts'
import { setPatientStatus } from '../people/commands.ts'
import { transferById, transfersOf } from '../transfer/commands.ts'
import { dataOnRequest, hipDataRequest } from './data-messages.ts'
import type { Outgoing } from './send.ts'

let exchange: TestExchange
describe('abdm/exchange-data', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const HOUR_MS = 3_600_000
  const { consented } = consentSteps(() => exchange)
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  const at = (ms: number): Date => new Date(exchange.clock.now().getTime() + ms)

  function keyMaterial(): ReturnType<typeof makeKeyMaterial> {
    return makeKeyMaterial(makeKeyPair(random), makeNonce(random), at(HOUR_MS), 'raw')
  }

  function hiRequest(consentId: string, change: object = {}): object {
    return {
      hiRequest: {
        consent: { id: consentId },
        dateRange: RANGE,
        dataPushUrl: 'https://clinic.example.org/push/abc',
        keyMaterial: keyMaterial(),
        ...change,
      },
    }
  }

  const post = (body: object, as: 'bridge-clinic' | 'bridge-insurer' = 'bridge-clinic'): Promise<Reply> =>
    exchange.asBridge(as, '/data-flow/v3/health-information/request', body, {
      'x-hiu-id': as === 'bridge-clinic' ? CLINIC : INSURER,
    })

  type Asked = {
    readonly transaction?: string
    readonly code?: string
    readonly message?: string
    readonly toHip: readonly Outgoing[]
    readonly requestId: string
  }

  /** Asks for data and reads what came back to the HIU and went on to the HIP. */
  async function ask(body: object, as: 'bridge-clinic' | 'bridge-insurer' = 'bridge-clinic'): Promise<Asked> {
    const reply = await post(body, as)
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    const sent = await exchange.takeSent()
    const answer = dataOnRequest.parse(
      sent.find(({ path }) => path === '/api/v3/hiu/health-information/on-request')?.body,
    )
    assert.equal(answer.response.requestId, reply.requestId)
    const toHip = sent.filter(({ path }) => path === '/api/v3/hip/health-information/request')
    assert.equal(toHip.length, answer.error ? 0 : 1, 'a refused request never reaches the HIP')
    return {
      ...(answer.hiRequest ? { transaction: answer.hiRequest.transactionId } : {}),
      ...(answer.error ? { code: answer.error.code, message: answer.error.message } : {}),
      toHip,
      requestId: reply.requestId,
    }
  }

  const routedRange = ({ toHip: [message] }: Asked): unknown =>
    message && (message.body as { hiRequest: { dateRange: object } }).hiRequest.dateRange

  const onRequest = (body: object): Promise<Reply> =>
    exchange.asBridge('bridge-hip', '/data-flow/v3/health-information/hip/on-request', body)

  function notification(
    side: 'HIP' | 'HIU',
    consentId: string,
    transactionId: string,
    sessionStatus: string,
    hiStatus = 'OK',
  ): object {
    const statusResponses = [{ careContextReference: 'visit-1', hiStatus, description: 'done' }]
    return {
      notification: {
        consentId,
        transactionId,
        doneAt: exchange.clock.now().toISOString(),
        notifier: { type: side, id: side === 'HIP' ? HOSPITAL : CLINIC },
        statusNotification: { sessionStatus, hipId: HOSPITAL, statusResponses },
      },
    }
  }
  const notify = (as: 'bridge-hip' | 'bridge-clinic' | 'bridge-insurer', body: object): Promise<Reply> =>
    exchange.asBridge(as, '/data-flow/v3/health-information/notify', body)

  async function state(transaction: string | undefined) {
    const request = await exchange.inTx((tx) => transferById(tx, transaction as Id<'transaction'>))
    return [request?.hipStatus, request?.hiuStatus]
  }

  test('a request is routed to the provider as it came, and both sides report how it ended', async () => {
    const consentId = await consented()
    const key = keyMaterial()
    const { transaction = '', toHip } = await ask(hiRequest(consentId, { keyMaterial: key }))
    const routed = toHip[0]
    assert.deepEqual(routed?.headers, { 'X-HIP-ID': HOSPITAL })
    assert.deepEqual(routed?.body, {
      transactionId: transaction,
      hiRequest: {
        consent: { id: consentId },
        dateRange: RANGE,
        dataPushUrl: 'https://clinic.example.org/push/abc',
        keyMaterial: key,
      },
    })
    assert.ok(hipDataRequest.safeParse(routed?.body).success)
    const taken = await onRequest({
      hiRequest: { transactionId: transaction, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId: routed?.requestId },
    })
    assert.equal(taken.status, 200, 'care_abdm insists on 200')
    assert.deepEqual(await state(transaction), ['ACKNOWLEDGED', undefined])
    assert.equal(
      (await notify('bridge-hip', notification('HIP', consentId, transaction, 'TRANSFERRED', 'DELIVERED'))).status,
      202,
    )
    assert.equal((await notify('bridge-clinic', notification('HIU', consentId, transaction, 'RECEIVED'))).status, 202)
    assert.deepEqual(await state(transaction), ['TRANSFERRED', 'RECEIVED'])
    const answer = await exchange.app.inject({
      method: 'GET',
      url: `/api/hiecm/data-flow/v3/health-information/request/status/${transaction}`,
      headers: { authorization: 'Bearer bridge-hip' },
    })
    assert.equal((answer.json() as { hiRequest: { sessionStatus: string } }).hiRequest.sessionStatus, 'TRANSFERRED')
    const foreign = await exchange.app.inject({
      method: 'GET',
      url: `/api/hiecm/data-flow/v3/health-information/request/status/${transaction}`,
      headers: { authorization: 'Bearer bridge-insurer' },
    })
    assert.equal(foreign.statusCode, 404)
    const listed = await exchange.inTx((tx) => transfersOf(tx, ASHA, { consents: [consentId as Id<'artefact'>] }))
    assert.deepEqual(
      listed.map(({ id }) => id),
      [transaction],
    )
  })

  test('before the provider acknowledged the consent, nothing is routed', async () => {
    const consentId = await consented({ acknowledge: false })
    assert.equal((await ask(hiRequest(consentId))).code, 'ABDM-1402')
  })

  test("another facility's consent answers as one that does not exist", async () => {
    const consentId = await consented()
    const foreign = await ask(hiRequest(consentId), 'bridge-insurer')
    const unknown = await ask(hiRequest(strangerId(exchange, ASHA)), 'bridge-insurer')
    assert.deepEqual([foreign.code, foreign.message], [unknown.code, unknown.message])
    assert.equal(
      (
        await exchange.asBridge('bridge-insurer', '/data-flow/v3/health-information/request', hiRequest(consentId), {
          'x-hiu-id': CLINIC,
        })
      ).status,
      403,
    )
  })

  test('dates must lie inside the consent; absent dates mean all of it', async () => {
    const consentId = await consented()
    for (const dateRange of [
      { from: '2023-12-31T23:59:59.999Z', to: RANGE.to },
      { from: RANGE.from, to: '2026-11-01T00:00:00.001Z' },
      { from: '2020-01-01T00:00:00.000Z', to: '2021-01-01T00:00:00.000Z' },
    ]) {
      const { code, message } = await ask(hiRequest(consentId, { dateRange }))
      assert.equal(code, 'ABDM-1063')
      assert.match(message ?? '', /2024-01-01.*2026-11-01/)
    }
    assert.equal((await post(hiRequest(consentId, { dateRange: { from: RANGE.to, to: RANGE.from } }))).status, 400)
    const inside = await ask(
      hiRequest(consentId, { dateRange: { from: '2025-01-01T00:00:00.000Z', to: '2025-02-01T00:00:00.000Z' } }),
    )
    assert.deepEqual(routedRange(inside), {
      from: '2025-01-01T00:00:00.000Z',
      to: '2025-02-01T00:00:00.000Z',
    })
    const whole = await ask(hiRequest(consentId, { dateRange: undefined }))
    assert.deepEqual(routedRange(whole), RANGE)
  })

  test('no more requests than the frequency permits, in any window; the refusal says when the next one is', async () => {
    const consentId = await consented({ frequency: { unit: 'DAY', value: 1, repeats: 2 } })
    const first = exchange.clock.now().getTime()
    assert.ok((await ask(hiRequest(consentId))).transaction)
    exchange.clock.advance(5 * HOUR_MS)
    const second = await ask(hiRequest(consentId))
    assert.ok(second.transaction)
    exchange.clock.advance(19 * HOUR_MS - 1)
    const third = await ask(hiRequest(consentId))
    assert.equal(third.code, 'ABDM-1022')
    assert.ok(third.message?.includes(new Date(first + DAY_MS).toISOString()), third.message)
    exchange.clock.advance(1)
    assert.ok((await ask(hiRequest(consentId))).transaction, 'a whole window after the first')
    assert.equal((await ask(hiRequest(consentId))).code, 'ABDM-1022')
    await onRequest({
      error: { code: 'ABDM-1028', message: 'our system is down' },
      response: { requestId: second.transaction },
    })
    await exchange.takeSent()
    assert.ok(
      (await ask(hiRequest(consentId))).transaction,
      'a request that the provider could not serve does not count',
    )
  })

  test('repeats 0 and 1 both mean one', async () => {
    for (const repeats of [0, 1]) {
      const consentId = await consented({ frequency: { unit: 'HOUR', value: 2, repeats } })
      assert.ok((await ask(hiRequest(consentId))).transaction)
      assert.equal((await ask(hiRequest(consentId))).code, 'ABDM-1022')
    }
  })

  test('an ended consent admits nothing, to the millisecond, also before the sweep', async () => {
    const revoked = await consented()
    await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [revoked] })
    await exchange.takeSent()
    assert.equal((await ask(hiRequest(revoked))).code, 'ABDM-1062')
    const short = await consented({ lifeMs: HOUR_MS })
    exchange.clock.advance(HOUR_MS - 1)
    assert.ok((await ask(hiRequest(short))).transaction)
    exchange.clock.advance(1)
    assert.equal((await ask(hiRequest(short))).code, 'ABDM-1061')
  })

  test('key material must be fit: algorithm, curve, point, nonce, and not expired', async () => {
    const consentId = await consented()
    const key = keyMaterial()
    const withKey = (change: object): object => hiRequest(consentId, { keyMaterial: { ...key, ...change } })
    const dh = (change: object): object => withKey({ dhPublicKey: { ...key.dhPublicKey, ...change } })
    const cases: readonly [object, RegExp][] = [
      [withKey({ cryptoAlg: 'RSA' }), /cryptoAlg/],
      [withKey({ curve: 'P-256' }), /Curve25519/],
      [withKey({ nonce: Buffer.alloc(31).toString('base64') }), /32 bytes/],
      [dh({ keyValue: Buffer.alloc(32, 9).toString('base64') }), /X25519/],
      [
        dh({ keyValue: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64') }),
        /not a point on the curve/,
      ],
      [dh({ keyValue: 'not base64!' }), /base64/],
      [dh({ expiry: exchange.clock.now().toISOString() }), /expired/],
    ]
    for (const [body, words] of cases) {
      const { code, message } = await ask(body)
      assert.equal(code, 'ABDM-1006')
      assert.match(message ?? '', words)
    }
    assert.ok((await ask(withKey({ curve: 'curve25519', cryptoAlg: 'ecdh' }))).transaction, 'either case')
    for (const dataPushUrl of [
      'file:///etc/passwd',
      'https://user:pw@clinic.example.org/',
      'push',
      'https://clinic.example.org/%00',
    ]) {
      assert.equal((await post(hiRequest(consentId, { dataPushUrl }))).status, 400, dataPushUrl)
    }
  })

  test('a suspended provider and a deactivated patient stop requests', async () => {
    const consentId = await consented()
    const actor = { kind: 'operator', id: 'test' } as const
    const service = (isActive: boolean) => ({
      clientId: 'bridge-hip',
      services: [{ id: HOSPITAL, name: 'City Hospital', roles: ['hip'] as const, isActive }],
      actor,
    })
    await exchange.inTx(async (tx) => must(await saveServices(tx, service(false))))
    assert.match((await ask(hiRequest(consentId))).message ?? '', /unknown or suspended/)
    await exchange.inTx(async (tx) => must(await saveServices(tx, service(true))))
    await exchange.inTx(async (tx) => must(await setPatientStatus(tx, { patient: ASHA, status: 'deactivated', actor })))
    assert.equal((await ask(hiRequest(consentId))).code, 'ABDM-1407')
    await exchange.inTx(async (tx) => must(await setPatientStatus(tx, { patient: ASHA, status: 'active', actor })))
    assert.ok((await ask(hiRequest(consentId))).transaction)
  })

  test('a request that the provider refuses, or that does not reach it, comes back to the HIU as the error of its call', async () => {
    const consentId = await consented()
    const refused = await ask(hiRequest(consentId))
    await onRequest({
      error: { code: 3502, message: 'no such record' },
      response: { requestId: refused.toHip[0]?.requestId },
    })
    const [told] = await exchange.takeSent()
    const answer = dataOnRequest.parse(told?.body)
    assert.deepEqual([answer.error?.code, answer.response.requestId], ['3502', refused.requestId])
    assert.match(answer.error?.message ?? '', /no such record/)
    const lost = await ask(hiRequest(consentId))
    const failure = CONSENT_FAILURES.get(lost.toHip[0]?.failure?.kind ?? '')
    assert.ok(failure)
    await exchange.inTx((tx) => failure(tx, lost.toHip[0]?.failure?.id ?? '', { message: 'no answer in time' }))
    const [undelivered] = await exchange.takeSent()
    assert.equal(dataOnRequest.parse(undelivered?.body).error?.code, 'ABDM-1028')
    assert.deepEqual(await state(lost.transaction), ['FAILED', undefined])
    await notify('bridge-hip', notification('HIP', consentId, lost.transaction ?? '', 'TRANSFERRED'))
    assert.deepEqual(
      await state(lost.transaction),
      ['TRANSFERRED', undefined],
      'failed, yet applied: what took place is noted',
    )
  })

  test('reports that come twice, late or out of order end in the same state', async () => {
    const consentId = await consented()
    const { transaction = '', toHip } = await ask(hiRequest(consentId))
    await notify('bridge-clinic', notification('HIU', consentId, transaction, 'PARTIAL_TRANSFERRED'))
    await notify('bridge-hip', notification('HIP', consentId, transaction, 'transferred'))
    const late = await onRequest({
      hiRequest: { transactionId: transaction, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId: toHip[0]?.requestId },
    })
    assert.equal(late.status, 200)
    await notify('bridge-hip', notification('HIP', consentId, transaction, 'FAILED'))
    await notify('bridge-clinic', notification('HIU', consentId, transaction, 'TRANSFERRED'))
    assert.deepEqual(await state(transaction), ['TRANSFERRED', 'RECEIVED'])
    const before = (await exchange.eventTypes()).length
    await notify('bridge-hip', notification('HIP', consentId, transaction, 'TRANSFERRED'))
    assert.equal((await exchange.eventTypes()).length, before)
  })

  test('only the two sides of a transfer may speak about it', async () => {
    const consentId = await consented()
    const other = await consented()
    const { transaction = '' } = await ask(hiRequest(consentId))
    const asInsurer = notification('HIU', consentId, transaction, 'TRANSFERRED') as {
      notification: { notifier: { id: string } }
    }
    assert.equal((await notify('bridge-insurer', asInsurer)).status, 403, 'in the name of another facility')
    asInsurer.notification.notifier.id = INSURER
    assert.equal((await notify('bridge-insurer', asInsurer)).status, 404)
    assert.equal(
      (await notify('bridge-hip', notification('HIP', other, transaction, 'TRANSFERRED'))).status,
      404,
      'another consent',
    )
    assert.equal((await notify('bridge-hip', notification('HIP', consentId, transaction, 'BEAMED'))).status, 400)
    const foreign = await exchange.asBridge('bridge-insurer', '/data-flow/v3/health-information/hip/on-request', {
      hiRequest: { transactionId: transaction, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId: transaction },
    })
    assert.equal(foreign.status, 404)
    assert.deepEqual(await state(transaction), ['REQUESTED', undefined])
  })

  test('two requests at once under a consent for one: one is routed, one is refused', async () => {
    const consentId = await consented({ frequency: { unit: 'YEAR', value: 1, repeats: 1 } })
    const replies = await Promise.all([
      post(hiRequest(consentId)),
      post(hiRequest(consentId)),
      post(hiRequest(consentId)),
    ])
    assert.deepEqual(
      replies.map(({ status }) => status),
      [202, 202, 202],
    )
    const sent = await exchange.takeSent()
    assert.equal(sent.filter(({ path }) => path === '/api/v3/hip/health-information/request').length, 1)
    const codes = sent.flatMap(({ body }) => ('error' in body ? [(body.error as { code: string }).code] : []))
    assert.deepEqual(codes, ['ABDM-1022', 'ABDM-1022'])
  })
})
