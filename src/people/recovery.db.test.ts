import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DESK, useStaffAccounts } from '../../test/staff-accounts.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { codeOfSecret } from './authenticator.ts'
import {
  makeNewRecoveryCodes,
  readRecoveryState,
  replaceAuthenticator,
  startNewAuthenticator,
} from './recovery-commands.ts'
import { listSessions, type OpenedSession } from './session-commands.ts'
import { endSessionsOfStaff, resetSecondFactor } from './staff-commands.ts'
import { openStaffStepUp, proveStaffStepUp } from './staff-proofs.ts'
import { endOtherStaffSessions } from './staff-session.ts'
import { beginSignIn, finishSignIn, type SecondFactor } from './staff-sign-in.ts'

const PLACE = { origin: DESK.origin, rpId: 'desk.example.org' }
const ACTOR = { kind: 'operator', id: 'test' } as const
const PASSWORD = DESK.password
const SOURCE = '203.0.113.9'

describe('people/recovery', () => {
  const desk = useStaffAccounts()
  const { inTx, codeOf, events } = desk
  const callerOf = async (opened: OpenedSession): Promise<StaffCaller> => must(await desk.session(opened)).caller
  async function joined() {
    const { staff, secret, opened } = await desk.joined()
    return { login: staff.login, id: staff.id, secret, caller: await callerOf(opened) }
  }
  type Person = Awaited<ReturnType<typeof joined>>

  const newCodes = ({ caller }: Person) => inTx((tx) => makeNewRecoveryCodes(tx, desk.needs, caller))
  const stateOf = ({ id }: Person) => inTx((tx) => readRecoveryState(tx, id))
  async function signIn({ login }: Person, second: SecondFactor) {
    const begun = must(await inTx((tx) => beginSignIn(tx, desk.needs, { login, password: PASSWORD, source: SOURCE })))
    const given = { ...second, ticket: begun.ticket, userAgent: undefined, source: SOURCE }
    return inTx((tx) => finishSignIn(tx, desk.needs, given))
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
    assert.deepEqual([state.left, state.lastUsedAt], [9, desk.clock.now()])
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
    const rows = await desk.database.db.selectFrom('staff_recovery_code').selectAll().execute()
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
    const asked = must(await inTx((tx) => openStaffStepUp(tx, desk.needs, PLACE, caller, wanted)))
    assert.deepEqual(asked.methods, ['code', 'recovery'])
    const proof = { id: asked.id, place: PLACE, proof: { recovery: second } }
    assert.equal(await inTx((tx) => proveStaffStepUp(tx, desk.needs, caller, proof)), undefined)
    const shared = must(await inTx((tx) => startNewAuthenticator(tx, desk.needs, caller)))
    const replace = (code: string) => inTx((tx) => replaceAuthenticator(tx, desk.needs, caller, code))
    assert.equal(codeOf(await replace(codeOfSecret(person.secret, desk.clock.now()))), 'staff/wrong-code')
    assert.equal(await replace(codeOfSecret(shared.text, desk.clock.now())), undefined)
    assert.equal(codeOf(await replace(codeOfSecret(shared.text, desk.clock.now()))), 'staff/sign-in-over')
    desk.clock.advance(60_000)
    assert.equal(
      codeOf(await signIn(person, { code: codeOfSecret(person.secret, desk.clock.now()) })),
      'staff/wrong-code',
    )
    assert.equal(codeOf(await signIn(person, { code: codeOfSecret(shared.text, desk.clock.now()) })), 'ok')
    // The session in which the old app signed in is over.
    const left = await inTx((tx) => listSessions(tx, 'staff', person.id))
    assert.ok(left.every(({ id }) => id !== person.caller.session))
  })

  test('a new app that is confirmed too late, or from another session, does not count', async () => {
    const person = await joined()
    const shared = must(await inTx((tx) => startNewAuthenticator(tx, desk.needs, person.caller)))
    const other = await callerOf(must(await signIn(person, { code: codeOfSecret(person.secret, desk.clock.now()) })))
    const code = () => codeOfSecret(shared.text, desk.clock.now())
    assert.equal(codeOf(await inTx((tx) => replaceAuthenticator(tx, desk.needs, other, code()))), 'staff/sign-in-over')
    desk.clock.advance(LIMITS.codeSetupMs)
    assert.equal(
      codeOf(await inTx((tx) => replaceAuthenticator(tx, desk.needs, person.caller, code()))),
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
    const open = async () => must(await signIn(person, { code: codeOfSecret(person.secret, desk.clock.now()) }))
    await open()
    desk.clock.advance(60_000)
    await open()
    const live = async () => (await inTx((tx) => listSessions(tx, 'staff', person.id))).map(({ id }) => id)
    assert.equal((await live()).length, 3)
    await inTx((tx) => endOtherStaffSessions(tx, desk.needs.facility.id, person.caller))
    assert.deepEqual(await live(), [person.caller.session])
    must(await inTx((tx) => endSessionsOfStaff(tx, { id: person.id, actor: ACTOR })))
    assert.deepEqual(await live(), [])
    const seen = await events()
    for (const type of ['staff.signed-out-elsewhere', 'staff.sessions-ended']) assert.ok(seen.includes(type), type)
  })

  test('one address that guesses at many accounts is slowed down, whoever it guesses at; others are not', async () => {
    const person = await joined()
    const guess = (login: string, source: string) =>
      inTx((tx) => beginSignIn(tx, desk.needs, { login, password: 'a wrong one', source }))
    for (let i = 0; i <= LIMITS.sourceGuessesFree; i++)
      assert.equal(codeOf(await guess(`nobody.${i}`, SOURCE)), 'staff/bad-credentials')
    assert.equal(codeOf(await guess(person.login, SOURCE)), 'request/too-many')
    assert.equal(codeOf(await guess(person.login, '203.0.113.10')), 'staff/bad-credentials')
    desk.clock.advance(LIMITS.sourceWaitMsMax)
    assert.equal(codeOf(await signIn(person, { code: codeOfSecret(person.secret, desk.clock.now()) })), 'ok')
  })
})
