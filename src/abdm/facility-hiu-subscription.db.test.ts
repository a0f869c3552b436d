import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { HIP, HIU, type HiuBench, newId, openHiuBench, PATIENT } from '../../test/hiu-bench.ts'
import { subscriptionEventOnNotify, subscriptionInit, subscriptionOnNotify } from './subscription-messages.ts'

const ORDER = {
  patient: PATIENT,
  purpose: 'CAREMGT',
  categories: ['DATA'],
  hips: [HIP],
  period: { from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' },
}
type Subscription = {
  readonly id: string
  readonly status: string
  readonly reason?: string
  readonly subscriptionId?: string
}

describe('a facility subscribes to news of records', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  const ask = async (): Promise<{ readonly own: string; readonly exchange: string }> => {
    const { id: own } = (await bench.native('POST', '/v1/subscriptions', ORDER)).json as { id: string }
    await bench.drain()
    const exchange = newId(bench.machine)
    await bench.callback('/api/v3/hiu/hiecm/subscription-requests/on-init', {
      subscriptionRequest: { id: exchange },
      response: { requestId: own },
    })
    return { own, exchange }
  }
  const read = async (own: string): Promise<Subscription> => {
    const { subscriptions } = (await bench.native('GET', '/v1/subscriptions')).json as { subscriptions: Subscription[] }
    const found = subscriptions.find(({ id }) => id === own)
    assert.ok(found)
    return found
  }
  const notify = (subscriptionRequestId: string, status: string, id: string) =>
    bench.callback('/api/v3/hiu/subscription-requests/hiu/notify', {
      notification: {
        subscriptionRequestId,
        status,
        subscription: {
          id,
          patient: { id: PATIENT },
          hiu: { id: HIU },
          sources: [{ categories: ['DATA'], period: ORDER.period }],
        },
      },
    })
  const news = (id: string, subscriptionId: string, patient: string = PATIENT) =>
    bench.callback('/api/v3/hiu/subscription/notify', {
      event: {
        id,
        published: '2026-11-22T06:00:00.000Z',
        category: 'DATA',
        subscriptionId,
        content: {
          patient: { id: patient },
          hip: { id: HIP },
          contexts: [
            { careContexts: [{ patientReference: 'MR-7', careContextReference: 'visit-4' }], hiType: 'Prescription' },
          ],
        },
      },
    })

  it('asks, acknowledges the decision and each piece of news, and keeps the news once', async () => {
    const { own, exchange } = await ask()
    const init = subscriptionInit.parse(bench.last('/subscription-requests/v3/init')?.body).subscription
    assert.deepEqual([init.patient.id, init.hiu.id, init.categories, init.hips?.[0]?.id], [PATIENT, HIU, ['DATA'], HIP])
    assert.equal((await read(own)).status, 'requested')
    const subscriptionId = newId(bench.machine)
    const notice = await notify(exchange, 'GRANTED', subscriptionId)
    await bench.drain()
    const acknowledged = subscriptionOnNotify.parse(bench.last('/subscription-requests/v3/hiu/on-notify')?.body)
    assert.deepEqual(
      [acknowledged.acknowledgement?.subscriptionRequestId, acknowledged.response.requestId],
      [exchange, notice.requestId],
    )
    assert.deepEqual([(await read(own)).status, (await read(own)).subscriptionId], ['granted', subscriptionId])
    const eventId = newId(bench.machine)
    const first = await news(eventId, subscriptionId)
    assert.equal((await news(eventId, subscriptionId)).status, 202)
    await bench.drain()
    const told = bench.sent
      .filter(({ path }) => path.endsWith('care-context/on-notify'))
      .map(({ body }) => subscriptionEventOnNotify.parse(body))
    assert.deepEqual(
      told.map(({ acknowledgement }) => acknowledgement?.eventId),
      [eventId, eventId],
    )
    assert.equal(told[0]?.response.requestId, first.requestId)
    const { events } = (await bench.native('GET', `/v1/subscriptions/${own}/events`)).json as {
      events: { id: string; content: { contexts: { hiType: string }[] } }[]
    }
    assert.deepEqual(
      events.map(({ id, content }) => [id, content.contexts[0]?.hiType]),
      [[eventId, 'Prescription']],
    )
  })

  it('takes denied and revoked as final, and keeps the words of an exchange that refuses', async () => {
    const { own, exchange } = await ask()
    await notify(exchange, 'DENIED', newId(bench.machine))
    await notify(exchange, 'GRANTED', newId(bench.machine))
    assert.equal((await read(own)).status, 'denied')
    const { id: refused } = (await bench.native('POST', '/v1/subscriptions', ORDER)).json as { id: string }
    await bench.callback('/api/v3/hiu/hiecm/subscription-requests/on-init', {
      error: { code: 'ABDM-1047', message: 'No such purpose' },
      response: { requestId: refused },
    })
    assert.deepEqual(
      [(await read(refused)).status, (await read(refused)).reason],
      ['failed', 'ABDM-1047: No such purpose'],
    )
  })

  it('refuses news of subscriptions and patients that it did not ask for', async () => {
    assert.equal((await news(newId(bench.machine), newId(bench.machine))).status, 404)
    const { exchange } = await ask()
    assert.equal((await news(newId(bench.machine), exchange, 'other@sbx')).status, 404)
    assert.equal((await notify(newId(bench.machine), 'GRANTED', newId(bench.machine))).status, 404)
    assert.equal(
      (
        await bench.native('POST', '/v1/subscriptions', {
          ...ORDER,
          period: { from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z' },
        })
      ).status,
      400,
    )
  })
})
