import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ASHA, CLINIC, RAVI, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { consentSteps } from '../../test/consent-steps.ts'
import type { Caller } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must, type Refusal } from '../kernel/refusal.ts'
import { withholdingRoutes } from '../native/withholding-routes.ts'
import type { Withholding } from './withholding.ts'
import { confirmWithholding, liftWithholding, proposeWithholding, withholdingsOf } from './withholding-commands.ts'

const DAY_MS = 86_400_000
const ORDER = {
  authority: 'Superintendent of Police, Pune (Rural)',
  number: 'CR/118/2026',
  dated: '2026-11-20',
  law: 'BNSS s.94; DPDP Rules 2025 r.23(2)',
}
const OPERATOR = { kind: 'operator', id: 'test' } as const
let exchange: TestExchange
const steps = consentSteps(() => exchange)
describe('rights/withholding', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  type Look = { readonly id: Id<'event'> }
  const mine = async (path: string, who = ASHA) => (await exchange.asPatient(who, 'GET', path)).body as unknown
  const looks = async () => ((await mine('/v1/me/looks')) as readonly Look[]).map(({ id }) => id)
  const events = async () => ((await mine('/v1/me/events?limit=100')) as readonly Look[]).map(({ id }) => id)
  const count = async (who = ASHA) => ((await mine('/v1/me/looks/withheld', who)) as { count: number }).count
  const codeOf = (answer: object) => (isRefusal(answer) ? (answer as Refusal).code : 'done')

  async function looked(): Promise<Id<'event'>> {
    const { consents } = await steps.granted()
    const before = await looks()
    const report = {
      consentId: consents[0],
      at: exchange.clock.now().toISOString(),
      person: { name: 'Dr. Meera Iyer', role: 'physician' },
      purpose: 'CAREMGT',
      what: [{ hiType: 'OPConsultation', careContextReference: 'visit-1' }],
    }
    const told = await exchange.asBridge('bridge-clinic', '/v1/accesses', report, { 'x-hiu-id': CLINIC })
    assert.equal(told.status, 202)
    const fresh = (await looks()).find((id) => !before.includes(id))
    assert.ok(fresh)
    return fresh
  }

  const propose = (event: Id<'event'>, more: object = {}) =>
    exchange.inTx((tx) =>
      proposeWithholding(tx, {
        patient: ASHA,
        event,
        order: ORDER,
        until: new Date(tx.now.getTime() + 30 * DAY_MS),
        by: 'S. Kulkarni',
        actor: OPERATOR,
        ...more,
      }),
    )

  test('a withheld look is told nowhere, and counted; one that is only entered is told', async () => {
    const open = await looked()
    const event = await looked()
    const order = must(await propose(event))
    assert.ok((await looks()).includes(event), 'one person alone withholds nothing')
    assert.equal(await count(), 0)
    must(await exchange.inTx((tx) => confirmWithholding(tx, { id: order.id, by: 'R. Deshpande', actor: OPERATOR })))
    assert.deepEqual(await looks(), [open])
    assert.ok(!(await events()).includes(event))
    assert.equal((await exchange.asPatient(ASHA, 'GET', `/v1/me/receipts/${event}`)).status, 404)
    const asked = await exchange.asPatient(ASHA, 'POST', `/v1/me/looks/${event}/question`, {
      text: 'Why did you look?',
    })
    assert.equal(asked.status, 404)
    assert.equal(await count(), 1)
    assert.equal(await count(RAVI), 0)
    const text = JSON.stringify(await mine('/v1/me/events?limit=100'))
    assert.ok(!text.includes('withholding'), 'her own events do not tell of the order')

    exchange.clock.advance(30 * DAY_MS + 1)
    assert.deepEqual((await looks()).length, 2, 'the order ended by itself')
    assert.equal(await count(), 0)
  })

  test('who entered an order does not confirm it; it is lifted by one person alone', async () => {
    const event = await looked()
    const order = must(await propose(event))
    const confirm = (by: string) => exchange.inTx((tx) => confirmWithholding(tx, { id: order.id, by, actor: OPERATOR }))
    assert.equal(codeOf(await confirm(' s. kulkarni ')), 'rights/same-person')
    assert.equal(codeOf(await propose(event)), 'rights/withheld-already')
    must(await confirm('R. Deshpande'))
    assert.equal(codeOf(await confirm('T. Shaikh')), 'rights/unknown-withholding')
    assert.ok(!(await looks()).includes(event))
    must(await exchange.inTx((tx) => liftWithholding(tx, { id: order.id, by: 'T. Shaikh', actor: OPERATOR })))
    assert.ok((await looks()).includes(event))
    const again = await exchange.inTx((tx) => liftWithholding(tx, { id: order.id, by: 'T. Shaikh', actor: OPERATOR }))
    assert.equal(codeOf(again), 'rights/unknown-withholding')
  })

  test('where operators prove who they are, two of them do it, whatever names they write', async () => {
    const event = await looked()
    const by = (name: string): Caller => ({ kind: 'operator', name, proved: true })
    const act = async (path: string, caller: Caller, body: object, id?: string) => {
      const row = withholdingRoutes().find((one) => one.path === path && one.method === 'POST')
      assert.ok(row?.grave)
      return exchange.inTx((tx) => row.handle({ tx, caller, body, params: { id } } as never))
    }
    const until = new Date(exchange.clock.now().getTime() + DAY_MS).toISOString()
    const entry = { patient: ASHA, event, order: ORDER, until, by: 'S. Kulkarni' }
    const { id, proposedBy } = must(await act('/v1/withholdings', by('lata'), entry)).body as Record<string, string>
    assert.equal(proposedBy, 'lata')
    const confirm = (name: string) => act('/v1/withholdings/:id/confirm', by(name), { by: 'R. Deshpande' }, id)
    assert.equal(codeOf(await confirm('lata')), 'rights/same-person')
    const { confirmedBy } = must(await confirm('ravi')).body as Record<string, string>
    assert.equal(confirmedBy, 'ravi')
    must(await act('/v1/withholdings/:id/lift', by('lata'), { by: 'anybody' }, id))
  })

  test('an operator reads the orders about a patient by the page, newest first, each once', async () => {
    for (let n = 0; n < 3; n++) must(await propose(await looked()))
    const all = await exchange.inTx((tx) => withholdingsOf(tx, ASHA, { limit: LIMITS.pageSizeMax }))
    assert.ok(all.length >= 3)
    const paged: Withholding[] = []
    for (;;) {
      const page = await exchange.inTx((tx) => withholdingsOf(tx, ASHA, { before: paged.at(-1)?.id, limit: 2 }))
      paged.push(...page)
      if (page.length < 2) break
    }
    assert.deepEqual(paged, all)
  })

  test('what is no look of this patient, or an end that cannot be, is refused by name', async () => {
    const event = await looked()
    assert.equal(codeOf(await propose(event, { patient: RAVI })), 'rights/unknown-look')
    assert.equal(codeOf(await propose('01a20000-0000-7000-8000-000000000001' as Id<'event'>)), 'rights/unknown-look')
    const now = exchange.clock.now().getTime()
    assert.equal(codeOf(await propose(event, { until: new Date(now) })), 'rights/invalid-until')
    assert.equal(codeOf(await propose(event, { until: new Date(now + 400 * DAY_MS) })), 'rights/invalid-until')
  })
})
