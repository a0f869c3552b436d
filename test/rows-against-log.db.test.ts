import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { REPLAYS_OF } from '../src/app-replay.ts'
import type { Disagreement, Replay } from '../src/audit/replay.ts'
import { checkEverybody, checkNobody, checkPatient } from '../src/audit/replay-check.ts'
import { makePatientReplay, replayChores, reportDisagreements } from '../src/audit/replay-jobs.ts'
import { sequenceNow } from '../src/audit/sequencer.ts'
import { listAlarms } from '../src/audit/watch/alarm.ts'
import { makeSigner } from '../src/crypto/signed-note.ts'
import { changeAttendants, endVisit, startVisit } from '../src/desk/commands.ts'
import { must } from '../src/kernel/refusal.ts'
import { confirmFacility, shutFacilityOut } from '../src/partners/commands.ts'
import { switchAccount } from '../src/people/account-commands.ts'
import { changeRole, letStaffGo, resetSecondFactor, restoreStaff, suspendStaff } from '../src/people/staff-commands.ts'
import { addPatient } from '../src/records/commands.ts'
import { ASHA, CLINIC, HOSPITAL, RAVI, startTestExchange, type TestExchange } from './consent-exchange.ts'
import { consentSteps } from './consent-steps.ts'
import { useStaffAccounts } from './staff-accounts.ts'

const OPERATOR = { kind: 'operator', id: 'meera' } as const
const ADMINISTRATOR = { kind: 'facility', id: HOSPITAL, person: { name: 'Prakash', role: 'administrator' } } as const
const told = (found: readonly Disagreement[]) =>
  found.map(({ kind, name, what }) => `${kind} ${name} ${what}`).toSorted()

describe('what stands in the database of an exchange is what its log says', () => {
  let exchange: TestExchange
  /** Who may write everything in the database. */
  let dba: pg.Client
  before(async () => {
    exchange = await startTestExchange()
    dba = new pg.Client({ connectionString: exchange.connectionString })
    await dba.connect()
  })
  after(async () => {
    await dba.end()
    await exchange.close()
  })

  const { requested, granted, item, labItem } = consentSteps(() => exchange)
  const replays: readonly Replay[] = REPLAYS_OF.exchange
  const everything = async () => (await checkEverybody(exchange.machine, replays)).found
  const sequence = () => sequenceNow(exchange.machine, makeSigner('exchange.test/log', new Uint8Array(32).fill(1)))
  const revoke = (consents: readonly string[]) => exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents })

  test('everything that happens to consents, standing approvals, accounts and partners agrees, in the tree or before it', async () => {
    const { consents } = await granted([item(), labItem()])
    await granted()
    await requested()
    assert.deepEqual(await everything(), [], 'nothing is in the tree yet')
    await sequence()
    assert.equal((await revoke([consents[0] ?? ''])).status, 202)
    assert.deepEqual(await everything(), [], 'the newest is not in the tree')
    assert.equal((await revoke([consents[1] ?? ''])).status, 202)
    const needs = { exchange: { name: 'Exchange' } }
    for (const status of ['deactivated', 'active', 'deactivated', 'active'] as const)
      await exchange.inTx((tx) => switchAccount(tx, needs, { patient: RAVI, status, reason: 'lost', actor: OPERATOR }))
    must(await exchange.inTx((tx) => shutFacilityOut(tx, { id: CLINIC, reason: 'sold it', actor: OPERATOR })))
    must(await exchange.inTx((tx) => confirmFacility(tx, { id: CLINIC, says: {}, actor: OPERATOR })))
    assert.deepEqual(await everything(), [])
    await sequence()
    assert.deepEqual(await everything(), [])
  })

  test('a revoked consent that is granted again in the database is found, told once, and its patient is not named', async () => {
    const { consents, request } = await granted()
    const [id = ''] = consents
    assert.equal((await revoke([id])).status, 202)
    await dba.query(`update consent_artefact set status = 'GRANTED' where id = $1`, [id])
    await dba.query(`update consent_request set status = 'GRANTED' where id = $1`, [request])
    const found = await everything()
    assert.deepEqual(told(found), [`consent artefact ${id} differs`, `consent request ${request} differs`])
    assert.match(
      found[1]?.detail ?? '',
      /: status is GRANTED in the row and REVOKED in the log, last in event [-0-9a-f]+\.$/,
    )
    const turn = makePatientReplay(exchange.machine, replays, 100)
    const fresh = [...(await turn()), ...(await turn())]
    assert.equal(fresh.length, 2)
    const alarms = (await listAlarms(exchange.machine.db, { open: true, limit: 10 })).filter(
      ({ kind }) => kind === 'differs',
    )
    assert.equal(alarms.length, 2)
    assert.ok(alarms.every(({ own, detail }) => own && !detail.includes('asha')))
    assert.equal((await exchange.eventTypes()).filter((type) => type === 'row.differs').length, 2)
    // Put right and wrong again: another row, another alarm.
    await dba.query(`update consent_artefact set status = 'REVOKED' where id = $1`, [id])
    await dba.query(`update consent_request set status = 'REVOKED' where id = $1`, [request])
    assert.deepEqual(await everything(), [])
    await dba.query(`update consent_artefact set status = 'GRANTED' where id = $1`, [id])
    assert.equal((await reportDisagreements(exchange.machine, await everything())).length, 1)
    await dba.query(`update consent_artefact set status = 'REVOKED' where id = $1`, [id])
  })

  test('a consent that is given to somebody else in the database, or deleted, is found', async () => {
    const [id = ''] = (await granted()).consents
    await dba.query('update consent_artefact set hiu = $2 where id = $1', [id, 'IN2710000022'])
    assert.deepEqual(told(await everything()), [`consent artefact ${id} differs`])
    await dba.query('create temp table kept_artefact as select * from consent_artefact where id = $1', [id])
    await dba.query('delete from consent_artefact where id = $1', [id])
    assert.deepEqual(told(await everything()), [`consent artefact ${id} is gone`])
    await dba.query('update kept_artefact set hiu = $1', [CLINIC])
    await dba.query('insert into consent_artefact select * from kept_artefact')
    assert.deepEqual(await everything(), [])
  })

  test('a facility that was shut out and is put back as it was, or deleted, is found', async () => {
    const shutOut = () => exchange.inTx((tx) => shutFacilityOut(tx, { id: CLINIC, reason: 'sold it', actor: OPERATOR }))
    await dba.query('create temp table kept_facility as select * from facility where id = $1', [CLINIC])
    must(await shutOut())
    assert.deepEqual(await everything(), [])
    await dba.query('delete from facility where id = $1', [CLINIC])
    assert.deepEqual(told(await everything()), [`facility ${CLINIC} is gone`])
    // With the tie that it had: it opens doors, and is found all the same.
    await dba.query('insert into facility select * from kept_facility')
    assert.deepEqual(told(await everything()), [`facility ${CLINIC} differs`])
  })

  test('an event that somebody put among the others, without a place in the log, changes nothing', async () => {
    await dba.query('begin')
    await dba.query(
      `create temp table copied as select * from audit_event where type = 'partners.facility-confirmed' limit 1`,
    )
    const before = told(await everything())
    await dba.query(`update copied set id = gen_random_uuid()`)
    await dba.query('insert into audit_event select * from copied')
    await dba.query('commit')
    assert.deepEqual(told(await everything()), before)
  })

  test('events about nobody are found by their own index, which has every type that is read', async () => {
    const { rows } = await dba.query<{ indexdef: string }>(
      `select indexdef from pg_indexes where indexname = 'audit_event_standing'`,
    )
    const types = new Set([...(rows[0]?.indexdef ?? '').matchAll(/'([^']+)'::text/g)].map(([, type = '']) => type))
    const read = [...REPLAYS_OF.exchange, ...REPLAYS_OF.facility].flatMap((kind) =>
      kind.about === 'nobody' ? Object.keys(kind.says) : [],
    )
    assert.deepEqual(types, new Set(read))
    await dba.query('set enable_seqscan = off')
    const plan = await dba.query<{ 'QUERY PLAN': string }>(
      `explain select id from audit_event where patient_tag is null and type in ('operator.enrolled', 'bridge-x')`,
    )
    assert.doesNotMatch(
      JSON.stringify(plan.rows),
      /audit_event_standing/,
      'a type that is not in it cannot be found by it',
    )
    const own = await dba.query<{ 'QUERY PLAN': string }>(
      `explain select id from audit_event where patient_tag is null and type in ('operator.enrolled', 'operator.ended')`,
    )
    assert.match(JSON.stringify(own.rows), /audit_event_standing/)
  })
})

describe('what stands in the database of a facility is what its log says', () => {
  const desk = useStaffAccounts()
  const sql = (text: string, values: unknown[] = []) => desk.database.pool.query(text, values)
  const { inTx, invite, joined } = desk
  const replays: readonly Replay[] = REPLAYS_OF.facility
  const staffNow = async () => told(await checkNobody(desk.machine, replays))

  test('whatever happens to accounts of the staff agrees', async () => {
    const { staff } = await joined('doctor')
    const by = { id: staff.id, actor: ADMINISTRATOR }
    assert.deepEqual(await staffNow(), [])
    must(await inTx((tx) => suspendStaff(tx, by)))
    must(await inTx((tx) => restoreStaff(tx, by)))
    must(await inTx((tx) => changeRole(tx, { ...by, role: 'billing' })))
    must(await inTx((tx) => changeRole(tx, { ...by, role: 'doctor' })))
    must(await inTx((tx) => changeRole(tx, { id: staff.id, actor: OPERATOR, role: 'nurse' })))
    must(await inTx((tx) => resetSecondFactor(tx, by)))
    assert.deepEqual(await staffNow(), [])
    must(await inTx((tx) => letStaffGo(tx, by)))
    await invite('lab')
    assert.deepEqual(await staffNow(), [])
  })

  test('a suspended person who puts her active row back, with its tie, is found; so is an older role, and a confirmation', async () => {
    const { staff } = await joined('billing')
    const by = { id: staff.id, actor: ADMINISTRATOR }
    const keep = (table: string, id: string) =>
      sql(`create table kept_${table} as select * from ${table} where ${id} = '${staff.id}'`)
    await keep('staff', 'id')
    await keep('staff_confirmation', 'staff')
    must(await inTx((tx) => changeRole(tx, { ...by, role: 'doctor' })))
    must(await inTx((tx) => suspendStaff(tx, by)))
    assert.deepEqual(await staffNow(), [])
    await sql(`update staff s set status = k.status, role = k.role, tie = k.tie from kept_staff k where s.id = k.id`)
    assert.equal(((await inTx((tx) => restoreStaff(tx, by))) as { status?: string }).status, 'active', 'it is believed')
    const found = await checkNobody(desk.machine, replays)
    assert.deepEqual(told(found), [`account of the staff ${staff.id} differs`])
    assert.match(
      found[0]?.detail ?? '',
      /status is active in the row and suspended in the log; role is billing in the row and doctor in the log/,
    )
    await sql(
      `update staff_confirmation s set status = k.status, confirmed_at = k.confirmed_at, tie = k.tie from kept_staff_confirmation k where s.staff = k.staff`,
    )
    assert.deepEqual(await staffNow(), [
      `account of the staff ${staff.id} differs`,
      `confirmation of an account ${staff.id} differs`,
    ])
    const lines: unknown[] = []
    const logger = { error: (line: unknown) => void lines.push(line) } as never
    for (const chore of replayChores(desk.machine, replays, logger)) await chore.run()
    for (const chore of replayChores(desk.machine, replays, logger)) await chore.run()
    assert.equal(lines.length, 2, 'each once')
    await sql('delete from staff_confirmation; delete from staff_invitation; delete from staff')
  })

  test('who puts herself beside a patient, or opens an ended visit again, is found', async () => {
    const { staff } = await joined('doctor')
    const software = { actor: { kind: 'operator', id: 'his' } } as const
    const needs = { facility: { id: HOSPITAL }, indexKey: new Uint8Array(32) }
    const patient = { reference: 'P-1', name: 'Visitor', gender: 'male', birthDate: '1990-01-01' } as const
    must(await inTx((tx) => addPatient(tx, needs, software.actor, patient)))
    const begin = async () =>
      must(await inTx((tx) => startVisit(tx, software, { patient: 'P-1', kind: 'outpatient', attendants: ['lab'] })))
    const now = async () => told(await checkPatient(desk.machine, replays, 'P-1'))
    const first = await begin()
    must(await inTx((tx) => changeAttendants(tx, software, first, { add: [staff.id], remove: ['lab'] })))
    must(await inTx((tx) => changeAttendants(tx, software, first, { add: ['lab'], remove: [] })))
    assert.deepEqual(await now(), [])
    must(await inTx((tx) => endVisit(tx, software, first)))
    const second = await begin()
    assert.deepEqual(await now(), [])
    await sql(
      'insert into visit_attendant select bucket, visit, $2, from_at, null, null from visit_attendant where visit = $1',
      [second, staff.id],
    )
    assert.deepEqual(await now(), [`visit ${second} differs`])
    await sql('delete from visit_attendant where visit = $1 and attendant = $2', [second, staff.id])
    await sql(`update visit set status = 'open', ended_at = null where id = $1`, [first])
    assert.deepEqual(await now(), [`visit ${first} differs`])
    await sql(
      `insert into visit select bucket, gen_random_uuid(), patient_reference, kind, 'open', null, started_at, null from visit where id = $1`,
      [second],
    )
    assert.equal((await now()).filter((what) => what.endsWith('nothing recorded it')).length, 1)
  })
})
