import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { ASHA, CLINIC, type Reply, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { consentSteps, RANGE } from '../../test/consent-steps.ts'
import { sweepExpired } from '../consent/jobs.ts'
import { makeKeyMaterial, makeNonce } from '../crypto/key-agreement.ts'
import { makeKeyPair } from '../crypto/sealing.ts'

let exchange: TestExchange
describe('abdm/exchange-races', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const ROUTED = '/api/v3/hip/health-information/request'
  const { consented, requested, approve, item } = consentSteps(() => exchange)
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  const times = <T>(count: number, make: (n: number) => Promise<T>): Promise<readonly T[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => make(n)))

  function dataRequest(consentId: string): object {
    const expiry = new Date(exchange.clock.now().getTime() + 3_600_000)
    return {
      hiRequest: {
        consent: { id: consentId },
        dateRange: RANGE,
        dataPushUrl: 'https://clinic.example.org/push/abc',
        keyMaterial: makeKeyMaterial(makeKeyPair(random), makeNonce(random), expiry, 'raw'),
      },
    }
  }
  const ask = (body: object, headers: Record<string, string> = {}): Promise<Reply> =>
    exchange.asBridge('bridge-clinic', '/data-flow/v3/health-information/request', body, {
      'x-hiu-id': CLINIC,
      ...headers,
    })
  const revoke = (consentId: string): Promise<Reply> =>
    exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [consentId] })
  const statuses = (replies: readonly Reply[]): readonly number[] =>
    [...new Set(replies.map(({ status }) => status))].sort((a, b) => a - b)

  test('a hundred data requests at once under a consent for one: exactly one is routed', async () => {
    const consentId = await consented({ frequency: { unit: 'YEAR', value: 1, repeats: 1 } })
    const body = dataRequest(consentId)
    // Each waits for those before it: on a slow machine some are told to come back, and do.
    const insist = async (): Promise<Reply> => {
      const reply = await ask(body)
      return reply.status === 503 ? insist() : reply
    }
    assert.deepEqual(statuses(await times(100, insist)), [202])
    const sent = await exchange.takeSent()
    assert.equal(sent.filter(({ path }) => path === ROUTED).length, 1)
    assert.equal(sent.filter(({ body: told }) => 'error' in told).length, 99)
  })

  test('one message sent twenty times at once has its effect once', async () => {
    const consentId = await consented()
    const body = dataRequest(consentId)
    const requestId = randomUUID()
    assert.deepEqual(statuses(await times(20, () => ask(body, { 'request-id': requestId }))), [202])
    assert.equal((await exchange.takeSent()).filter(({ path }) => path === ROUTED).length, 1)
  })

  test('data requests and a revocation at once: after the revocation was answered nothing more is routed', async () => {
    for (let round = 0; round < 5; round++) {
      const consentId = await consented()
      const body = dataRequest(consentId)
      const [revoked, ...asked] = await Promise.all([revoke(consentId), ...Array.from({ length: 6 }, () => ask(body))])
      assert.equal(revoked.status, 202)
      assert.deepEqual(statuses(asked), [202])
      await exchange.takeSent()
      await ask(body)
      assert.equal((await exchange.takeSent()).filter(({ path }) => path === ROUTED).length, 0)
    }
  })

  test('twenty revocations at once: one ends the consent, no fault', async () => {
    const consentId = await consented()
    const replies = await times(20, () => revoke(consentId))
    assert.equal(
      replies.filter(({ status }) => status === 202).length,
      1,
      JSON.stringify(replies.map(({ status }) => status)),
    )
    assert.ok(replies.every(({ status }) => status === 202 || status === 409))
    await exchange.takeSent()
  })

  test('grants, and the end of the time to decide, at once: the request ends once, in one of both', async () => {
    for (let round = 0; round < 3; round++) {
      const id = await requested()
      const items = [item()]
      exchange.clock.advance(8 * 86_400_000)
      const [, ...replies] = await Promise.all([
        sweepExpired(exchange.machine),
        ...Array.from({ length: 5 }, () => approve(id, items)),
      ])
      assert.ok(
        replies.every(({ status }) => status >= 400 && status < 500),
        'its time was over before',
      )
      const { body } = await exchange.asPatient(ASHA, 'GET', `/consent/v3/request/${id}`)
      assert.equal(body['status'], 'EXPIRED')
      await exchange.takeSent()
    }
  })
})
