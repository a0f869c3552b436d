import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { ASHA, CLINIC, HOSPITAL, INSURER, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { bodyOf, consentSteps, only } from '../../test/consent-steps.ts'
import { workOffJobs } from '../../test/work-off.ts'
import { exchangeSender } from '../abdm/exchange-sender.ts'
import type { Outgoing } from '../abdm/send.ts'
import type { Tx } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { grantSubscription, requestSubscription, subscriptionsOf } from '../linking/subscription-commands.ts'
import { confirmFacility, facilityById, registerBridge, revokeBridge, shutFacilityOut } from '../partners/commands.ts'
import { endShutOutJob } from './jobs.ts'
import { createPolicy, policiesOf } from './policy-commands.ts'
import { artefactsOf, listRequestsOf } from './readers.ts'

const OPERATOR = { kind: 'operator', id: 'meera' } as const
const HIP_NOTIFY = '/api/v3/consent/request/hip/notify'
const HIU_NOTIFY = '/api/v3/hiu/consent/request/notify'

describe('consent/shut-out', () => {
  let exchange: TestExchange
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const { consented, requested, approve, item } = consentSteps(() => exchange)
  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => exchange.inTx(work)
  const work = () => workOffJobs(exchange.machine, [endShutOutJob])
  const statusOf = async (id: string) =>
    (await inTx((tx) => artefactsOf(tx, ASHA))).items.find((artefact) => artefact.id === id)?.status
  const shutOut = (id: FacilityId) =>
    inTx((tx) => shutFacilityOut(tx, { id, reason: 'sold what it got', actor: OPERATOR }))
  const sender = () => exchangeSender({ signingKey: exchange.needs.signingKey, publicUrl: 'https://exchange.test' })

  const about = (sent: readonly Outgoing[], text: string) =>
    sent.filter(({ body }) => JSON.stringify(body).includes(text))

  async function standingApproval() {
    const source = {
      hiTypes: ['OPConsultation'] as const,
      purpose: 'CAREMGT',
      period: { from: new Date(0), to: new Date('2027-01-01') },
    }
    const terms = { isApplicableForAllHIPs: true, includedSources: [source], excludedSources: [] }
    const actor = { kind: 'patient', id: ASHA } as const
    return must(await inTx((tx) => createPolicy(tx, { patient: ASHA, hiu: CLINIC, terms, actor })))
  }

  async function subscription() {
    const period = { from: new Date(0), to: new Date('2027-01-01') }
    const request = {
      purpose: { code: 'CAREMGT', text: 'Care' },
      hips: [],
      categories: ['LINK', 'DATA'],
      period,
    } as const
    const { id } = must(await inTx((tx) => requestSubscription(tx, { hiu: CLINIC, patient: ASHA, request })))
    const answer = { isForAllHips: true, included: [{}], excluded: [] }
    const actor = { kind: 'patient', id: ASHA } as const
    return must(await inTx((tx) => grantSubscription(tx, { patient: ASHA, id, answer, actor })))
  }

  test('nobody else is touched', async () => {
    const consent = await consented()
    must(await shutOut(INSURER))
    await work()
    assert.equal(await statusOf(consent), 'GRANTED')
    assert.equal((await inTx((tx) => facilityById(tx, HOSPITAL)))?.standing, 'confirmed')
  })

  test('what was allowed to a facility that is shut out ends: holders are told, and what waits can be allowed no more', async () => {
    const consent = await consented()
    const other = await requested()
    const policy = await standingApproval()
    const { id: news } = await subscription()
    await exchange.takeSent()
    must(await shutOut(CLINIC))
    await work()
    assert.equal(await statusOf(consent), 'REVOKED')
    const sent = await exchange.takeSent()
    const told = only(about(sent, consent), HIP_NOTIFY)
    assert.equal(bodyOf(told)['notification']?.['status'], 'REVOKED')
    assert.equal(bodyOf(told)['notification']?.['consentId'], consent)
    const { items } = await inTx((tx) => listRequestsOf(tx, ASHA))
    assert.equal(items.find(({ id }) => id === other)?.status, 'EXPIRED')
    assert.equal((await approve(other, [item()])).status, 410)
    const [now] = (await inTx((tx) => policiesOf(tx, ASHA))).filter(({ id }) => id === policy.id)
    assert.equal(now?.enabled, false)
    const subscriptions = await inTx((tx) => subscriptionsOf(tx, ASHA))
    assert.equal(subscriptions.find(({ id }) => id === news)?.status, 'revoked')

    // The order to erase is kept for the day on which it is taken back.
    const order = only(about(sent, consent), HIU_NOTIFY)
    const waiting = await sender().address(exchange.machine, order)
    assert.ok('unreachable' in waiting && !waiting.final, JSON.stringify(waiting))
    const passing: Outgoing = { to: order.to, path: order.path, headers: {}, body: {}, requestId: order.requestId }
    const dropped = await sender().address(exchange.machine, passing)
    assert.ok('unreachable' in dropped && dropped.final)

    must(await inTx((tx) => confirmFacility(tx, { id: CLINIC, says: {}, actor: OPERATOR })))
    assert.ok('url' in (await sender().address(exchange.machine, order)))
    assert.equal(await statusOf(consent), 'REVOKED', 'what ended is not given back')
  })

  test('the patient reads that it was shut out, and who ended it stands in the log', async () => {
    const consent = await consented()
    must(await shutOut(CLINIC))
    await work()
    const { body } = await exchange.asPatient(ASHA, 'GET', '/v1/me/sharing')
    const receivers = body['receivers'] as { facility: { id: string; isShutOut?: true } }[]
    assert.equal(receivers.find(({ facility }) => facility.id === CLINIC)?.facility.isShutOut, true)
    const events = await exchange.asPatient(ASHA, 'GET', '/v1/me/events?limit=100')
    const ended = (events.body as unknown as { event: Record<string, unknown> }[])
      .map(({ event }) => event)
      .find(({ type, subject }) => type === 'consent.revoked' && subject === consent)
    assert.deepEqual([ended?.['actor'], ended?.['reason']], [OPERATOR, 'shut-out'])
    must(await inTx((tx) => confirmFacility(tx, { id: CLINIC, says: {}, actor: OPERATOR })))
  })

  test('who is taken back before everything has ended is not given back the rest; what is allowed later stays', async () => {
    const before = await consented()
    must(await shutOut(CLINIC))
    must(await inTx((tx) => confirmFacility(tx, { id: CLINIC, says: {}, actor: OPERATOR })))
    exchange.clock.advance(60_000)
    const after = await consented()
    exchange.clock.advance(600_000)
    await work()
    assert.deepEqual([await statusOf(before), await statusOf(after)], ['REVOKED', 'GRANTED'])
  })

  test('a consent that cannot be ended holds up no other, and is tried again by itself', async () => {
    const consents = [await consented(), await consented(), await consented()].sort()
    const [stuck = '', ...others] = consents
    const { db } = exchange.machine
    await sql`create function stick() returns trigger language plpgsql as $$ begin raise exception 'stuck'; end $$`.execute(
      db,
    )
    await sql`create trigger stick before update on consent_artefact for each row
      when (old.id = ${sql.lit(stuck)}) execute function stick()`.execute(db)
    must(await shutOut(CLINIC))
    await work()
    for (const id of others) assert.equal(await statusOf(id), 'REVOKED')
    assert.equal(await statusOf(stuck), 'GRANTED')
    const left = () => db.selectFrom('job').select('payload').where('kind', '=', endShutOutJob[0]).execute()
    const only = (await left()).map(({ payload }) => JSON.stringify(payload)).filter((text) => text.includes('"only"'))
    assert.ok(only.length === 1 && only[0]?.includes(stuck), only.join())
    await sql`drop trigger stick on consent_artefact`.execute(db)
    exchange.clock.advance(600_000)
    await work()
    assert.equal(await statusOf(stuck), 'REVOKED')
    must(await inTx((tx) => confirmFacility(tx, { id: CLINIC, says: {}, actor: OPERATOR })))
  })

  test('a bridge that is shut out takes the consents of all its facilities with it, more than one batch of them, and goes on after a crash', async () => {
    const many = 60
    const consents: string[] = []
    for (let i = 0; i < many; i++) consents.push(await consented({ acknowledge: false }))
    must(await inTx((tx) => revokeBridge(tx, { clientId: 'bridge-clinic', actor: OPERATOR })))
    // The first worker dies on its way.
    const [, handler] = endShutOutJob
    let calls = 0
    const dying = { ...exchange.machine, now: () => (++calls > 20 ? fail() : exchange.clock.now()) }
    const allowedUntil = exchange.clock.now().toISOString()
    const order = { facility: CLINIC, actor: OPERATOR, allowedUntil, after: {} }
    await handler(dying, { id: '' as never, kind: '', payload: order, attempt: 1 })
    assert.deepEqual(new Set(await Promise.all(consents.map(statusOf))), new Set(['REVOKED', 'GRANTED']))
    await work()
    for (const id of consents) assert.equal(await statusOf(id), 'REVOKED')
    const sent = await exchange.takeSent()
    const told = consents.map((id) => about(sent, id).filter(({ path, body }) => path === HIP_NOTIFY && isEnd(body)))
    assert.deepEqual(new Set(told.map(({ length }) => length)), new Set([1]), 'each once')

    // A hospital changes its software: the operator admits it with another bridge, and orders that wait go there.
    const services = [{ id: CLINIC, name: 'Lakeview Clinic', roles: ['hiu' as const], isActive: true }]
    const claimed = await inTx((tx) =>
      registerBridge(tx, {
        clientId: 'new-software',
        name: 'New',
        url: 'http://127.0.0.1:8',
        services,
        actor: OPERATOR,
      }),
    )
    assert.ok(!isRefusal(claimed))
    const found = await inTx((tx) => facilityById(tx, CLINIC))
    assert.deepEqual([found?.status, found?.bridge.clientId], ['active', 'new-software'])
  })
})

const isEnd = (body: object): boolean => JSON.stringify(body).includes('REVOKED')

function fail(): never {
  throw new Error('the process ended')
}
