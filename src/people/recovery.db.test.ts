import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from '../../test/machine.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { codeOfSecret } from './authenticator.ts'
import { makePasswordGate } from './password-gate.ts'
import {
  makeNewRecoveryCodes,
  readRecoveryState,
  replaceAuthenticator,
  startNewAuthenticator,
} from './recovery-commands.ts'
import { listSessions, type OpenedSession } from './session-commands.ts'
import { endSessionsOfStaff, inviteStaff, resetSecondFactor } from './staff-commands.ts'
import { joinAndSignIn, shareInvitationSecret } from './staff-invitation.ts'
import { openStaffStepUp, proveStaffStepUp } from './staff-proofs.ts'
import { endOtherStaffSessions, readStaffSession } from './staff-session.ts'
import { beginSignIn, type DeskNeeds, finishSignIn, type SecondFactor } from './staff-sign-in.ts'

const FACILITY = parseFacilityId('IN2710000011')
if (FACILITY === undefined) throw new Error('not a facility')
const ORIGIN = 'https://desk.example.org'
const PLACE = { origin: ORIGIN, rpId: 'desk.example.org' }
const ACTOR = { kind: 'operator', id: 'test' } as const
const PASSWORD = 'seven mangoes on the roof'
const SOURCE = '203.0.113.9'

let database: TestDatabase
let clock: TestClock
let machine: Machine
let needs: DeskNeeds
let count = 0
describe('people/recovery', () => {
  before(async () => {
    database = await openTestDatabase()
  })
  after(() => database.close())
  beforeEach(() => {
    clock = makeTestClock()
    machine = makeTestMachine(database, { clock })
    needs = {
      indexKey: new Uint8Array(32).fill(7),
      facility: { id: FACILITY, name: 'Tarangini Hospital' },
      web: { party: FACILITY, origins: [ORIGIN] },
      gate: makePasswordGate(),
    }
  })

  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  const codeOf = (value: unknown): string => (isRefusal(value) ? value.code : 'ok')

  async function callerOf({ cookie }: OpenedSession): Promise<StaffCaller> {
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    return must(await inTx((tx) => readStaffSession(tx, needs.web, { method: 'GET', headers }))).caller
  }
  async function joined() {
    count += 1
    const login = `recover${count}`
    const made = must(await inTx((tx) => inviteStaff(tx, { login, name: 'Meera Nair', role: 'doctor', actor: ACTOR })))
    const shared = must(await inTx((tx) => shareInvitationSecret(tx, needs, made.code)))
    const code = codeOfSecret(shared.text, clock.now())
    const input = { invitation: made.code, password: PASSWORD, code, userAgent: undefined }
    const caller = await callerOf(must(await inTx((tx) => joinAndSignIn(tx, needs, input))))
    clock.advance(60_000)
    return { login, id: made.staff.id, secret: shared.text, caller }
  }
  type Person = Awaited<ReturnType<typeof joined>>

  const newCodes = ({ caller }: Person) => inTx((tx) => makeNewRecoveryCodes(tx, needs, caller))
  const stateOf = ({ id }: Person) => inTx((tx) => readRecoveryState(tx, id))
  async function signIn({ login }: Person, second: SecondFactor) {
    const begun = must(await inTx((tx) => beginSignIn(tx, needs, { login, password: PASSWORD, source: SOURCE })))
    const given = { ...second, ticket: begun.ticket, userAgent: undefined, source: SOURCE }
    return inTx((tx) => finishSignIn(tx, needs, given))
  }
  async function events(): Promise<readonly string[]> {
    const { rows } = await sql<{ type: string }>`/* all buckets: a test */ select type from audit_event`.execute(
      database.db,
    )
    return rows.map(({ type }) => type)
  }

  test('a recovery code stands in for the app, once; the session says so, and the count goes down', async () => {
    const person = await joined()
    assert.deepEqual(await stateOf(person), { left: 0, madeAt: undefined, lastUsedAt: undefined })
    const codes = await newCodes(person)
    assert.equal(codes.length, LIMITS.recoveryCodesMade)
    const [first = '', second = ''] = codes
    const opened = must(await signIn(person, { recovery: first.toLowerCase().replaceAll('-', ' ') }))
    const sessions = await inTx((tx) => listSessions(tx, 'staff', person.id))
    assert.equal(sessions.find(({ id }) => id === opened.id)?.how, 'password-recovery')
    const state = await stateOf(person)
    assert.deepEqual([state.left, state.lastUsedAt], [9, clock.now()])
    assert.equal(codeOf(await signIn(person, { recovery: first })), 'staff/wrong-code')
    assert.equal(codeOf(await signIn(person, { recovery: second })), 'ok')
    const seen = await events()
    for (const type of ['staff.recovery-codes-made', 'staff.recovery-code-used']) assert.ok(seen.includes(type), type)
  })

  test('codes of somebody else, older ones and made-up ones let nobody in; no code stands in the database', async () => {
    const [person, other] = [await joined(), await joined()]
    const [old = ''] = await newCodes(person)
    const [hers = ''] = await newCodes(other)
    const codes = await newCodes(person)
    for (const recovery of [old, hers, 'AAAA-BBBB-CCCC', '', 'not a code'])
      assert.equal(codeOf(await signIn(person, { recovery })), 'staff/wrong-code', recovery)
    const rows = await database.db.selectFrom('staff_recovery_code').selectAll().execute()
    const text = rows.map(({ digest }) => `${digest.toString('latin1')} ${digest.toString('hex')}`).join(' ')
    for (const code of codes) assert.ok(!text.includes(code) && !text.includes(code.replaceAll('-', '')))
  })

  test('two who use the same code at the same moment do not both get in', async () => {
    const person = await joined()
    const [recovery = ''] = await newCodes(person)
    const both = await Promise.all([signIn(person, { recovery }), signIn(person, { recovery })])
    assert.deepEqual(both.map(codeOf).sort(), ['ok', 'staff/wrong-code'])
  })

  test('guessing at recovery codes is slowed down like guessing at codes of the app', async () => {
    const person = await joined()
    await newCodes(person)
    const heard: string[] = []
    for (let i = 0; i <= LIMITS.staffGuessesFree + 1; i++) heard.push(codeOf(await signIn(person, { recovery: 'x' })))
    assert.equal(heard.at(-1), 'request/too-many')
  })

  test('who lost her phone proves by a recovery code, sets up a new app, and the old one counts no more', async () => {
    const person = await joined()
    const [first = '', second = ''] = await newCodes(person)
    const caller = await callerOf(must(await signIn(person, { recovery: first })))
    const wanted = { act: 'authenticator.replace', subject: caller.id } as const
    const asked = must(await inTx((tx) => openStaffStepUp(tx, needs, PLACE, caller, wanted)))
    assert.deepEqual(asked.methods, ['code', 'recovery'])
    const proof = { id: asked.id, place: PLACE, proof: { recovery: second } }
    assert.equal(await inTx((tx) => proveStaffStepUp(tx, needs, caller, proof)), undefined)
    const shared = must(await inTx((tx) => startNewAuthenticator(tx, needs, caller)))
    const replace = (code: string) => inTx((tx) => replaceAuthenticator(tx, needs, caller, code))
    assert.equal(codeOf(await replace(codeOfSecret(person.secret, clock.now()))), 'staff/wrong-code')
    assert.equal(await replace(codeOfSecret(shared.text, clock.now())), undefined)
    assert.equal(codeOf(await replace(codeOfSecret(shared.text, clock.now()))), 'staff/sign-in-over')
    clock.advance(60_000)
    assert.equal(codeOf(await signIn(person, { code: codeOfSecret(person.secret, clock.now()) })), 'staff/wrong-code')
    assert.equal(codeOf(await signIn(person, { code: codeOfSecret(shared.text, clock.now()) })), 'ok')
    // The session in which the old app signed in is over.
    const left = await inTx((tx) => listSessions(tx, 'staff', person.id))
    assert.ok(left.every(({ id }) => id !== person.caller.session))
  })

  test('a new app that is confirmed too late, or from another session, does not count', async () => {
    const person = await joined()
    const shared = must(await inTx((tx) => startNewAuthenticator(tx, needs, person.caller)))
    const other = await callerOf(must(await signIn(person, { code: codeOfSecret(person.secret, clock.now()) })))
    const code = () => codeOfSecret(shared.text, clock.now())
    assert.equal(codeOf(await inTx((tx) => replaceAuthenticator(tx, needs, other, code()))), 'staff/sign-in-over')
    clock.advance(LIMITS.codeSetupMs)
    assert.equal(
      codeOf(await inTx((tx) => replaceAuthenticator(tx, needs, person.caller, code()))),
      'staff/sign-in-over',
    )
  })

  test('who is set up anew has no recovery codes any more', async () => {
    const person = await joined()
    await newCodes(person)
    must(await inTx((tx) => resetSecondFactor(tx, { id: person.id, actor: ACTOR })))
    assert.equal((await stateOf(person)).left, 0)
  })

  test('all others end at once, by herself or by an administrator', async () => {
    const person = await joined()
    await newCodes(person)
    const open = async () => must(await signIn(person, { code: codeOfSecret(person.secret, clock.now()) }))
    await open()
    clock.advance(60_000)
    await open()
    const live = async () => (await inTx((tx) => listSessions(tx, 'staff', person.id))).map(({ id }) => id)
    assert.equal((await live()).length, 3)
    await inTx((tx) => endOtherStaffSessions(tx, needs.facility.id, person.caller))
    assert.deepEqual(await live(), [person.caller.session])
    must(await inTx((tx) => endSessionsOfStaff(tx, { id: person.id, actor: ACTOR })))
    assert.deepEqual(await live(), [])
    const seen = await events()
    for (const type of ['staff.signed-out-elsewhere', 'staff.sessions-ended']) assert.ok(seen.includes(type), type)
  })

  test('one address that guesses at many accounts is slowed down, whoever it guesses at; others are not', async () => {
    const person = await joined()
    const guess = (login: string, source: string) =>
      inTx((tx) => beginSignIn(tx, needs, { login, password: 'a wrong one', source }))
    for (let i = 0; i <= LIMITS.sourceGuessesFree; i++)
      assert.equal(codeOf(await guess(`nobody.${i}`, SOURCE)), 'staff/bad-credentials')
    assert.equal(codeOf(await guess(person.login, SOURCE)), 'request/too-many')
    assert.equal(codeOf(await guess(person.login, '203.0.113.10')), 'staff/bad-credentials')
    clock.advance(LIMITS.sourceWaitMsMax)
    assert.equal(codeOf(await signIn(person, { code: codeOfSecret(person.secret, clock.now()) })), 'ok')
  })
})
