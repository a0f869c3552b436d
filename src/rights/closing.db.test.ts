import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INDEX_KEY,
  RAVI,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, DAY_MS, only } from '../../test/consent-steps.ts'
import { TEST_VEIL } from '../../test/database.ts'
import { copyDatabase, restoreCopy } from '../../test/database-copy.ts'
import { codeOf, meSteps } from '../../test/me-steps.ts'
import { workOffJobs } from '../../test/work-off.ts'
import { vkeyOf } from '../audit/log.ts'
import { receiptFor, receiptsAbout } from '../audit/receipts.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { verifyReceipt } from '../audit/verify.ts'
import { byPatientTables } from '../db/tables.generated.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, AbhaNumber, Id } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { requestSubscription, subscriptionsOf } from '../linking/subscription-commands.ts'
import { closedAccounts, reopenAccount } from '../people/closing-commands.ts'
import { enrolPatient, issuePatientToken, readPatient, readPatientsByMobile } from '../people/commands.ts'
import { markErased } from '../vault/erasures.ts'
import { closeAccount, eraseAccountAgain } from './closing-commands.ts'
import { closeAccountJob, eraseClosedAccounts } from './closing-jobs.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
const TARA = 'tara.rao@sbx' as AbhaAddress
const TOKEN = TEST_VEIL.cover(ASHA)
let exchange: TestExchange
let raw: pg.Client
const steps = consentSteps(() => exchange)
const me = meSteps(() => exchange)
describe('rights/closing', () => {
  before(async () => {
    exchange = await startTestExchange()
    raw = new pg.Client({ connectionString: exchange.connectionString })
    await raw.connect()
  })
  after(async () => {
    await raw.end()
    await exchange.close()
  })

  const needs = () => ({ ...exchange.needs, indexKey: INDEX_KEY })
  const knows = (patient: AbhaAddress) => exchange.inTx((tx) => readPatient(tx, patient))
  const close = async () => me.post('closing', { stepUp: await me.proved('account.close', ASHA) })
  /** The worker's part: all that ends by the job. */
  const workOff = () => workOffJobs(exchange.machine, [closeAccountJob])
  const reopen = () =>
    exchange.inTx((tx) => reopenAccount(tx, { patient: ASHA, actor: OPERATOR, wish: 'letter 12/2026' }))
  /** What a facility hears that asks for records of this patient. */
  async function answerAbout(patient: string): Promise<unknown> {
    await exchange.takeSent()
    await steps.init(steps.ask({ patient: { id: patient } }))
    return only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-init').body
  }
  const codeOfAnswer = (body: unknown): unknown => (body as { error?: { code?: string } }).error?.code

  /** What she allows: a consent, a request that waits, a standing approval, two subscriptions. */
  async function allowed(): Promise<{ readonly consent: string; readonly waiting: string }> {
    const request = await steps.requested()
    const reply = await me.allow(request)
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    const waiting = await steps.requested()
    const period = { from: '2020-01-01T00:00:00.000Z', to: '2030-01-01T00:00:00.000Z' }
    const policy = { hiu: CLINIC, purpose: 'CAREMGT', hiTypes: ['Prescription'], period }
    const made = await me.post('policies', { ...policy, stepUp: await me.proved('policy.save', CLINIC) })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    for (const isGranted of [true, false]) {
      const dates = { from: new Date(period.from), to: new Date(period.to) }
      const wanted = { purpose: { code: 'CAREMGT', text: '' }, hips: [], categories: ['LINK'], period: dates } as const
      const asked = must(
        await exchange.inTx((tx) => requestSubscription(tx, { hiu: CLINIC, patient: ASHA, request: wanted })),
      )
      if (!isGranted) continue
      const stepUp = await me.proved('policy.save', asked.id)
      assert.equal((await me.post(`subscriptions/${asked.id}/approve`, { stepUp })).status, 200)
    }
    const [consent] = (await me.get('sharing')).body['items'] as { id: string }[]
    assert.ok(consent)
    return { consent: consent.id, waiting }
  }

  test('she reads what closing ends, proves who she is, and everything ends; she is as unknown as a stranger', async () => {
    const { waiting } = await allowed()
    const facts = (await me.get('closing')).body
    assert.deepEqual(
      [facts['sharing'], facts['waiting'], facts['policies'], facts['subscriptions'], facts['decidesFor']],
      [1, 1, 1, 1, []],
    )
    await exchange.takeSent()
    assert.match(codeOf(await me.post('closing', { stepUp: randomUUID() })), /^auth\//)
    assert.match(codeOf(await me.post('closing', { stepUp: await me.proved('account.close', RAVI) })), /^auth\//)
    assert.notEqual(await knows(ASHA), undefined)
    const closed = await close()
    assert.equal(closed.status, 200, JSON.stringify(closed.body))
    assert.equal(closed.body['ended'], false)
    const twice = await exchange.inTx((tx) => closeAccount(tx, needs(), { patient: ASHA, actor: OPERATOR, wish: 'a' }))
    assert.ok(isRefusal(twice) && twice.code === 'people/closed-already', 'an operator does not wonder who she is')
    const early = await reopen()
    assert.ok(isRefusal(early) && early.code === 'people/still-closing')
    await workOff()
    const keptDays = (Date.parse(String(closed.body['keptUntil'])) - exchange.clock.now().getTime()) / DAY_MS
    assert.ok(keptDays >= 365 && keptDays <= 367, 'a year (DPDP r.8(3))')
    const told = (await exchange.takeSent()).map(({ path, to }) => [path, 'facility' in to ? to.facility : ''])
    for (const to of [CLINIC, HOSPITAL])
      assert.ok(
        told.some(([path, facility]) => path?.endsWith('/notify') && facility === to),
        `${to} is told of the end: ${JSON.stringify(told)}`,
      )
    assert.equal(await knows(ASHA), undefined)
    const token = await exchange.inTx((tx) =>
      issuePatientToken(
        tx,
        { exchange: exchange.needs.exchange, signingKey: exchange.needs.signingKey },
        { patient: ASHA, actor: OPERATOR },
      ),
    )
    assert.ok(isRefusal(token) && token.code === 'people/unknown-patient')
    assert.deepEqual(await exchange.inTx((tx) => readPatientsByMobile(tx, needs(), '9000000000')), [])
    const stranger = codeOfAnswer(await answerAbout('nobody.here@sbx'))
    assert.notEqual(stranger, undefined)
    assert.equal(codeOfAnswer(await answerAbout(ASHA)), stranger)
    const states = await raw.query(
      `select 'a' as of, status from consent_artefact where patient = $1 union select 'r', status from consent_request where patient = $1
     union select 's', status from subscription where patient = $1 union select 'p', enabled::text from approval_policy where patient = $1`,
      [TOKEN],
    )
    assert.deepEqual(
      states.rows.map(({ of, status }) => `${of} ${status}`).toSorted(),
      ['a REVOKED', 'p false', 'r DENIED', 'r REVOKED', 's denied', 's revoked'],
      waiting,
    )
    const [kept] = (await exchange.inTx((tx) => closedAccounts(tx, { limit: 10 }))).accounts
    assert.deepEqual([kept?.patient, kept?.status], [ASHA, 'held'])
    const texts = await raw.query(`select count(*) from job where kind = 'text-message'`)
    assert.notEqual(texts.rows[0].count, '0', 'her phone is told')
  })

  test('until the day she comes back on her wish: she signs in as before, and what ended stays ended', async () => {
    exchange.clock.advance(300 * DAY_MS)
    await eraseClosedAccounts(exchange.machine)
    const profile = {
      abhaAddress: ASHA,
      abhaNumber: '91000000000099' as AbhaNumber,
      name: 'Somebody',
      gender: 'F',
    } as const
    const taken = await exchange.inTx((tx) =>
      enrolPatient(tx, needs(), {
        profile: { ...profile, birthDate: '1990-01-01', mobile: '9111111111', language: 'en' },
        actor: OPERATOR,
      }),
    )
    assert.ok(isRefusal(taken) && taken.code === 'people/already-enrolled', 'nobody else gets her address meanwhile')
    assert.equal(await reopen(), ASHA)
    assert.equal((await knows(ASHA))?.status, 'active')
    const again = await reopen()
    assert.ok(isRefusal(again) && again.code === 'people/not-closed')
    const live = await raw.query(`select 1 from consent_artefact where patient = $1 and status = 'GRANTED'`, [TOKEN])
    assert.equal(live.rowCount, 0)
    const subscriptions = await exchange.inTx((tx) => subscriptionsOf(tx, ASHA))
    assert.ok(subscriptions.every(({ status }) => status !== 'granted'))
  })

  test('who decides for a child closes the child’s account first', async () => {
    const profile = { abhaAddress: TARA, abhaNumber: '91000000000077' as AbhaNumber, name: 'Tara Rao' } as const
    const rest = { gender: 'F', birthDate: '2020-05-01', mobile: '9000000000', guardian: RAVI, language: 'en' } as const
    must(await exchange.inTx((tx) => enrolPatient(tx, needs(), { profile: { ...profile, ...rest }, actor: OPERATOR })))
    assert.deepEqual((await me.get('closing', RAVI)).body['decidesFor'], ['Tara Rao'])
    const proof = await me.proved('account.close', RAVI)
    assert.equal(codeOf(await me.post('closing', { stepUp: proof }, {}, RAVI)), 'people/decides-for-others')
    const forChild = { stepUp: await me.proved('account.close', TARA) }
    assert.equal((await me.post('closing', forChild, { 'x-guardian': RAVI }, TARA)).status, 200)
    assert.equal((await me.post('closing', { stepUp: proof }, {}, RAVI)).status, 200)
    await workOff()
  })

  /** Tables of a facility: an exchange has no row in them. */
  const FACILITY =
    /^(hip_|hiu_|clinical_record|desk_look|emergency_access|joined_treatment|facility_patient|patient_identifier|received_question|visit)/
  /** Events in the log, which nobody reads without her key, and when the key was destroyed. */
  const STAYS = new Set<string>(['audit_event', 'data_key'])
  /** Forgotten after days, whomever they name. */
  const SWEPT = new Set(['job', 'seen_request'])
  const exchangeTables = byPatientTables.filter((table) => !FACILITY.test(table))

  /** Rows in her bucket, and rows anywhere that hold her pseudonym. */
  async function rowsOf(table: string): Promise<number> {
    const { rows } = await raw.query<{ count: string }>(
      `select count(*) from ${table} as t where t.bucket = $1 or strpos(t::text, $2) > 0`,
      [bucketOf(ASHA), TOKEN],
    )
    return Number(rows[0]?.count)
  }

  const PLAIN: Readonly<Record<string, unknown>> = {
    uuid: '01a20000-0000-7000-8000-000000000001',
    text: 'x',
    bytea: Buffer.alloc(4),
    jsonb: '{}',
    boolean: false,
    ARRAY: [],
    'timestamp with time zone': new Date('2026-11-22T06:30:00.000Z'),
  }

  /** A row with something in each column that needs it. */
  async function fill(table: string, values: Readonly<Record<string, unknown>>): Promise<void> {
    const { rows } = await raw.query<{ column_name: string; data_type: string }>(
      `select column_name, data_type from information_schema.columns
     where table_schema = 'public' and table_name = $1 and is_nullable = 'NO' and column_default is null`,
      [table],
    )
    const row: Record<string, unknown> = { ...values }
    for (const { column_name: name, data_type: type } of rows) row[name] ??= PLAIN[type] ?? 1
    const names = Object.keys(row)
    await raw.query(
      `insert into ${table} (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      Object.values(row),
    )
  }

  /** Rows of what a long life leaves, beside what {@link allowed} leaves. */
  async function fillTheRest(): Promise<void> {
    const bucket = bucketOf(ASHA)
    const hers = { bucket, patient: TOKEN }
    await fill('data_request', { ...hers, hip_status: 'REQUESTED' })
    await fill('linking_attempt', { bucket, kind: 'link-token', subject: TOKEN })
    await fill('linking_transaction', { ...hers, status: 'failed' })
    await fill('own_fetch', hers)
    const below = { bucket, own_fetch: PLAIN['uuid'], hip: HOSPITAL }
    await fill('own_fetch_holder', { ...below, status: 'failed' })
    await fill('own_fetch_page', below)
    await fill('request_text', { ...hers, hiu: CLINIC, kind: 'waiting' })
    await fill('emergency_text', { ...hers, hiu: CLINIC })
    await fill('profile_share', { ...hers, status: 'accepted' })
    await fill('question', { ...hers, status: 'answered' })
    await fill('withheld_look', { ...hers, status: 'lifted' })
    await fill('passkey', { bucket, kind: 'patient', person: TOKEN })
    const { rows } = await raw.query<{ id: string }>('select id from subscription where patient = $1', [TOKEN])
    await fill('subscription_event', { ...hers, subscription: rows[0]?.id, category: 'LINK', status: 'published' })
    const session = { kind: 'patient', person: TOKEN, how: 'otp', id: randomUUID() }
    await fill('web_session', session)
    await fill('step_up', { session: session.id, act: 'account.close', subject: TOKEN, status: 'spent' })
    await fill('sign_in_code', { abha_address: TOKEN, status: 'used', id: randomUUID() })
  }

  test('when the year is over her key is destroyed and no table has a row of her; receipts that others hold still verify; a restore of last week’s database changes nothing', async () => {
    await allowed()
    const { ownLog, machine } = exchange
    await sequenceNow(machine, ownLog.signer)
    const [event] = await exchange.inTx((tx) => receiptsAbout(tx, ASHA, { limit: 1 }))
    assert.ok(event)
    const receipt = must(await exchange.inTx((tx) => receiptFor(tx, ownLog, event.id as Id<'event'>, ASHA)))
    must(
      await exchange.inTx((tx) =>
        closeAccount(tx, needs(), { patient: ASHA, actor: OPERATOR, wish: 'letter 13/2026, file 4' }),
      ),
    )
    await workOff()
    await fillTheRest()
    for (const table of exchangeTables)
      assert.ok(
        (await rowsOf(table)) > 0,
        `${table}: this test must give her a row in it (or it is a table of facilities)`,
      )
    exchange.clock.advance(365 * DAY_MS)
    await eraseClosedAccounts(machine)
    assert.ok((await rowsOf('patient')) > 0, 'a day too early')
    const lastWeek = await copyDatabase(exchange.connectionString)
    exchange.clock.advance(DAY_MS)
    await eraseClosedAccounts(machine)
    await assertGone()
    const types = await exchange.eventTypes()
    assert.ok(types.includes('people.account-erased'))
    assert.deepEqual(await exchange.inTx((tx) => receiptsAbout(tx, ASHA, { limit: 10 })), [])
    const gone = await exchange.inTx((tx) => receiptFor(tx, ownLog, event.id as Id<'event'>, ASHA))
    assert.ok(isRefusal(gone) && gone.code === 'request/not-found')
    const checked = verifyReceipt(JSON.stringify(receipt), { log: vkeyOf(ownLog) })
    assert.ok(!isRefusal(checked), JSON.stringify(checked))

    await restoreCopy(exchange.connectionString, lastWeek)
    assert.ok((await rowsOf('consent_artefact')) > 0, 'the rows came back')
    assert.equal(await knows(ASHA), undefined)
    const erased: string[] = []
    const marked = await markErased(machine, async (tx, { patient, scope }) => {
      if (scope === 'patient') await eraseAccountAgain(tx, patient as AbhaAddress)
      erased.push(patient)
    })
    assert.equal(marked, 3)
    assert.deepEqual(erased.toSorted(), [ASHA, RAVI, TARA], 'the others had closed theirs the same day')
    await assertGone()
    assert.equal(await markErased(machine, async () => undefined), 0)
  })

  async function assertGone(): Promise<void> {
    for (const table of exchangeTables) if (!STAYS.has(table)) assert.equal(await rowsOf(table), 0, table)
    const { rows } = await raw.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    )
    for (const { name } of rows) {
      if (STAYS.has(name) || SWEPT.has(name)) continue
      const found = await raw.query(`select 1 from ${name} as t where strpos(t::text, $1) > 0`, [TOKEN])
      assert.equal(found.rowCount, 0, `${name} names her`)
    }
    const keys = await raw.query(`select wrapped from data_key where patient = $1`, [TOKEN])
    assert.deepEqual(keys.rows, [{ wrapped: null }], 'the tombstone of her key')
  }
})
