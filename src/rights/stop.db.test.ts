import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { sql } from 'kysely'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INSURER,
  RAVI,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, DAY_MS } from '../../test/consent-steps.ts'
import { waitFor } from '../../test/wait.ts'
import { askConsent } from '../consent/commands.ts'
import { createPolicy, policiesOf, switchPolicy } from '../consent/policy-commands.ts'
import { sharedArtefactsOf } from '../consent/readers.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { grantSubscription, requestSubscription, subscriptionsOf } from '../linking/subscription-commands.ts'
import { ownApp } from '../partners/commands.ts'
import { ownConsents } from '../transfer/own-consents.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import type { Stopped } from './stop-commands.ts'
import type { ReceiverView } from './views.ts'

const BY_ASHA = { kind: 'patient', id: ASHA } as const

describe('rights/stop', () => {
  let exchange: TestExchange
  const { granted, item, labItem, init, ask } = consentSteps(() => exchange)
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const receivers = async (): Promise<readonly ReceiverView[]> =>
    (await exchange.asPatient(ASHA, 'GET', '/v1/me/sharing')).body['receivers'] as ReceiverView[]
  async function stop(what: string, body: object = {}, who = ASHA): Promise<Stopped> {
    const reply = await exchange.asPatient(who, 'POST', `/v1/me/sharing/${what}/stop`, body)
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    return reply.body as unknown as Stopped
  }
  const live = async (): Promise<number> => (await exchange.inTx((tx) => sharedArtefactsOf(tx, ASHA, 0))).live.length
  const period = { from: new Date(0), to: new Date('2030-01-01') }
  const terms = {
    isApplicableForAllHIPs: true,
    includedSources: [{ hiTypes: ['OPConsultation'] as const, purpose: 'CAREMGT', period }],
    excludedSources: [],
  }
  const allowBeforehand = (hiu: FacilityId) =>
    exchange.inTx(async (tx) => must(await createPolicy(tx, { patient: ASHA, hiu, terms, actor: BY_ASHA })))
  const tellNews = (hiu: FacilityId) =>
    exchange.inTx(async (tx) => {
      const to = new Date(tx.now.getTime() + 300 * DAY_MS)
      const request = {
        purpose: { code: 'CAREMGT' as const, text: '' },
        hips: [],
        categories: ['DATA' as const],
        period: { from: tx.now, to },
      }
      const { id } = must(await requestSubscription(tx, { hiu, patient: ASHA, request }))
      const answer = { isForAllHips: true, included: [], excluded: [] }
      return must(await grantSubscription(tx, { patient: ASHA, id, actor: BY_ASHA, answer }))
    })
  const askAgain = () => init({ consent: { ...ask().consent, hiTypes: ['OPConsultation'] } })
  const standing = async () =>
    exchange.inTx(async (tx) => ({
      policies: (await policiesOf(tx, ASHA)).filter(({ enabled }) => enabled).map(({ hiu }) => hiu),
      told: (await subscriptionsOf(tx, ASHA)).filter(({ status }) => status === 'granted').map(({ hiu }) => hiu),
    }))

  /** For a lock of another transaction. */
  async function isSomebodyWaiting(): Promise<boolean> {
    const waiting = sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    return (await waiting.execute(exchange.machine.db)).rows.length > 0
  }

  beforeEach(async () => {
    await exchange.asPatient(ASHA, 'POST', `/v1/me/sharing/${CLINIC}/stop`, {})
    await exchange.takeSent()
  })

  /** As many consents of her own app as a picture shows: each look makes one an hour for each hospital. */
  async function lookForYears(): Promise<void> {
    await exchange.inTx(async (tx) => {
      const app = await ownApp(tx, exchange.needs)
      const contexts = Map.groupBy(await careContextsOf(tx, ASHA), ({ hip }) => hip)
      must(
        await ownConsents(tx, exchange.needs, {
          patient: ASHA,
          name: 'Asha',
          actor: BY_ASHA,
          app: app.id,
          hiTypes: undefined,
          contexts,
        }),
      )
      const own = tx.db.selectFrom('consent_artefact').selectAll().where('bucket', '=', bucketOf(ASHA))
      const row = await own.where('hiu', '=', app.id).limit(1).executeTakeFirstOrThrow()
      const place = (id: string) => ({ table: 'consent_artefact', column: 'detail', row: id, patient: ASHA })
      const detail = await openJson(tx, place(row.id), row.detail)
      const rows: (typeof row)[] = []
      while (rows.length < LIMITS.sharingConsentsMax) {
        const id = randomUUID()
        rows.push({ ...row, id, detail: Buffer.from(await sealJson(tx, place(id), detail)) })
      }
      await tx.db.insertInto('consent_artefact').values(rows).execute()
    })
  }

  test('what a patient shares is seen and stopped, however often she looked at her own records since', async () => {
    const { consents } = await granted([item(), labItem()])
    exchange.clock.advance(3_600_000)
    await lookForYears()
    assert.deepEqual(
      (await receivers()).map(({ facility, live }) => [facility.id, live.toSorted()]),
      [[CLINIC, consents.toSorted()]],
    )
    assert.deepEqual((await stop(consents[0] ?? '')).stopped, [consents[0]])
    assert.deepEqual((await stop(CLINIC)).stopped, [consents[1]])
    const again = await stop(CLINIC)
    assert.deepEqual([again.stopped, again.already.toSorted()], [[], consents.toSorted()])
    assert.equal((await exchange.asPatient(RAVI, 'POST', `/v1/me/sharing/${CLINIC}/stop`, {})).status, 404)
  })

  test('what is over is shown as far as a page goes, what is in force always', async () => {
    for (let i = 0; i < 2; i++) {
      await granted([item()])
      await stop(CLINIC)
    }
    const { consents } = await granted([item(), labItem()])
    const shown = await exchange.inTx((tx) => sharedArtefactsOf(tx, ASHA, 1))
    assert.deepEqual([shown.live.map(({ id }) => id).toSorted(), shown.ended.length], [consents.toSorted(), 1])
  })

  test('who is stopped gets nothing by what was allowed beforehand, and hears of nothing new', async () => {
    const policy = await allowBeforehand(CLINIC)
    const other = await allowBeforehand(INSURER)
    const news = await tellNews(CLINIC)
    await askAgain()
    assert.equal(await live(), 1)
    const [clinic] = await receivers()
    assert.deepEqual([clinic?.facility.isAllowedBeforehand, clinic?.facility.isToldOfNews], [true, true])
    const stopped = await stop(CLINIC)
    assert.deepEqual([stopped.stopped.length, stopped.policies, stopped.subscriptions], [1, [policy.id], [news.id]])
    exchange.clock.advance(1_000)
    await askAgain()
    assert.equal(await live(), 0)
    const now = (await receivers()).find(({ facility }) => facility.id === CLINIC)?.facility
    assert.deepEqual([now?.isAllowedBeforehand, now?.isToldOfNews], [undefined, undefined])
    assert.deepEqual((await standing()).policies, [INSURER])
    await exchange.inTx(async (tx) =>
      must(await switchPolicy(tx, { patient: ASHA, id: other.id, enabled: false, actor: BY_ASHA })),
    )
  })

  test('a narrower stop leaves what stands, unless she says so; who has got nothing yet can be stopped, too', async () => {
    await allowBeforehand(CLINIC)
    await tellNews(CLINIC)
    const { request, consents } = await granted([item(), labItem()])
    const part = await stop(consents[0] ?? '')
    assert.deepEqual([part.stopped, part.policies, part.subscriptions], [[consents[0]], [], []])
    assert.deepEqual(await standing(), { policies: [CLINIC], told: [CLINIC] })
    const whole = await stop(request, { standing: true })
    assert.deepEqual([whole.stopped, whole.policies.length, whole.subscriptions.length], [[consents[1]], 1, 1])
    assert.deepEqual(await standing(), { policies: [], told: [] })
    const first = await allowBeforehand(INSURER)
    assert.deepEqual(await stop(INSURER), { stopped: [], already: [], policies: [first.id], subscriptions: [] })
    assert.equal((await exchange.asPatient(ASHA, 'POST', `/v1/me/sharing/${HOSPITAL}/stop`, {})).status, 404)
  })

  test('what she switches off while it grants a request is off when she hears so: it grants nothing afterwards', async () => {
    await allowBeforehand(CLINIC)
    let stopping: Promise<Stopped> | undefined
    const waits = await exchange.inTx(async (tx) => {
      const permission = {
        accessMode: 'VIEW' as const,
        dateRange: period,
        dataEraseAt: new Date(tx.now.getTime() + 30 * DAY_MS),
        frequency: { unit: 'HOUR' as const, value: 1, repeats: 1 },
      }
      const proposal = {
        purpose: { code: 'CAREMGT' },
        patient: ASHA,
        hiu: CLINIC,
        careContexts: [],
        requester: { name: 'Dr X' },
        hiTypes: ['OPConsultation' as const],
        permission,
      }
      must(await askConsent(tx, exchange.needs, { proposal, requestId: randomUUID() }))
      stopping = stop(CLINIC)
      return Promise.race([
        waitFor('the stop to wait', isSomebodyWaiting),
        stopping.then(() => 'answered while the request was being granted'),
      ])
    })
    assert.equal(waits, true)
    const stopped = await stopping
    assert.deepEqual([stopped?.stopped.length, stopped?.policies.length, await live()], [1, 1, 0])
  })
})
