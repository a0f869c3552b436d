import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { makeTestPasskey, type TestPasskey } from '../../test/authenticator.ts'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { isRefusal, must, type Refusal } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { startPasskeySignIn } from './passkey-commands.ts'
import { makePasswordGate } from './password-gate.ts'
import type { OpenedSession } from './session-commands.ts'
import { inviteStaff, resetSecondFactor, suspendStaff } from './staff-commands.ts'
import { joinByPasskey, startInvitedPasskey } from './staff-invitation.ts'
import {
  addStaffPasskey,
  openStaffStepUp,
  proveStaffStepUp,
  removeStaffPasskey,
  signInStaffWithPasskey,
  startStaffPasskey,
} from './staff-proofs.ts'
import { readStaffSession } from './staff-session.ts'
import type { DeskNeeds } from './staff-sign-in.ts'
import { spendStepUp } from './step-up-commands.ts'

const FACILITY = parseFacilityId('IN2710000011')
if (FACILITY === undefined) throw new Error('not a facility')
const ORIGIN = 'https://desk.example.org'
const PLACE = { origin: ORIGIN, rpId: 'desk.example.org' }
const ACTOR = { kind: 'operator', id: 'test' } as const

let database: TestDatabase
let machine: Machine
let needs: DeskNeeds
let count = 0
describe('people/staff-proofs', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock: makeTestClock() })
    needs = {
      indexKey: new Uint8Array(32).fill(7),
      facility: { id: FACILITY, name: 'Tarangini Hospital' },
      web: { party: FACILITY, origins: [ORIGIN] },
      gate: makePasswordGate(),
    }
  })
  after(() => database.close())

  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  const codeOf = (value: unknown): string => (isRefusal(value) ? value.code : 'ok')
  type Creation = Parameters<TestPasskey['attest']>[0]

  async function invite(role: StaffRole = 'doctor') {
    count += 1
    return must(
      await inTx((tx) => inviteStaff(tx, { login: `person${count}`, name: 'Meera Nair', role, actor: ACTOR })),
    )
  }
  /** The browser's answer to what an invitation asks, and the id of the question. */
  async function made(code: string, passkey: TestPasskey) {
    const asked = must(await inTx((tx) => startInvitedPasskey(tx, needs, PLACE, code)))
    const attestation = passkey.attest(asked.options as Creation, {}) as RegistrationResponseJSON
    return { id: asked.id, name: 'Laptop', attestation }
  }
  const joinWith = (invitation: string, passkey: Awaited<ReturnType<typeof made>>) =>
    inTx((tx) => joinByPasskey(tx, needs, PLACE, { invitation, passkey, userAgent: undefined }))
  async function joined(role: StaffRole = 'doctor') {
    const { code, staff } = await invite(role)
    const passkey = makeTestPasskey({ origin: ORIGIN })
    const opened = must(await joinWith(code, await made(code, passkey)))
    return { staff, passkey, opened, caller: await callerOf(opened) }
  }
  async function callerOf({ cookie }: OpenedSession): Promise<StaffCaller> {
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    return must(await inTx((tx) => readStaffSession(tx, needs.web, { method: 'GET', headers }))).caller
  }
  async function signIn(passkey: TestPasskey): Promise<OpenedSession | Refusal> {
    const asked = must(await inTx((tx) => startPasskeySignIn(tx, needs, PLACE)))
    const assertion = passkey.assert(asked.options) as AuthenticationResponseJSON
    return inTx((tx) => signInStaffWithPasskey(tx, needs, PLACE, { id: asked.id, assertion, userAgent: undefined }))
  }

  test('a passkey is enough to join and to sign in', async () => {
    const { passkey, staff, caller } = await joined()
    assert.equal(caller.id, staff.id)
    const opened = must(await signIn(passkey))
    assert.equal((await callerOf(opened)).id, staff.id)
  })

  test('a passkey made for one invitation joins nobody else', async () => {
    const [mine, hers] = [await invite(), await invite()]
    const passkey = await made(hers.code, makeTestPasskey({ origin: ORIGIN }))
    assert.equal(codeOf(await joinWith(mine.code, passkey)), 'people/passkey-refused')
  })

  test('who is suspended, or set up anew, has no use of a passkey', async () => {
    const suspended = await joined()
    must(await inTx((tx) => suspendStaff(tx, { id: suspended.staff.id, actor: ACTOR })))
    assert.equal(codeOf(await signIn(suspended.passkey)), 'staff/suspended')
    const reset = await joined()
    must(await inTx((tx) => resetSecondFactor(tx, { id: reset.staff.id, actor: ACTOR })))
    assert.equal(codeOf(await signIn(reset.passkey)), 'people/passkey-refused')
  })

  /** A proof anew by passkey, for one act on one thing. */
  async function prove(
    { caller, passkey }: Awaited<ReturnType<typeof joined>>,
    act: 'staff.change' | 'passkey.add' | 'emergency.open',
    subject: string,
  ): Promise<string | Refusal> {
    const asked = await inTx((tx) => openStaffStepUp(tx, needs, PLACE, caller, { act, subject }))
    if (isRefusal(asked)) return asked
    assert.deepEqual(asked.methods, ['passkey'])
    const assertion = passkey.assert(asked.passkey ?? { challenge: '' }) as AuthenticationResponseJSON
    const given = { id: asked.id, place: PLACE, proof: { assertion } }
    return (await inTx((tx) => proveStaffStepUp(tx, needs, caller, given))) ?? asked.id
  }

  test('a proof is good once, for its act on its thing, in its session', async () => {
    const person = await joined('administrator')
    const id = must(await prove(person, 'staff.change', 'meera'))
    const spend = (caller: StaffCaller, subject: string) =>
      inTx((tx) => spendStepUp(tx, caller, { id, act: 'staff.change', subject }))
    assert.equal(codeOf(await spend(person.caller, 'ravi')), 'auth/step-up-needed')
    const elsewhere = await callerOf(must(await signIn(person.passkey)))
    assert.equal(codeOf(await spend(elsewhere, 'meera')), 'auth/step-up-needed')
    assert.equal(await spend(person.caller, 'meera'), undefined)
    assert.equal(codeOf(await spend(person.caller, 'meera')), 'auth/step-up-needed')
  })

  test('a role proves nothing for acts that it may not do; a code is no proof where there is no app', async () => {
    const nurse = await joined('nurse')
    assert.equal(codeOf(await prove(nurse, 'staff.change', 'meera')), 'auth/forbidden')
    const asked = must(
      await inTx((tx) => openStaffStepUp(tx, needs, PLACE, nurse.caller, { act: 'emergency.open', subject: 'p-1' })),
    )
    const given = { id: asked.id, place: PLACE, proof: { code: '123456' } }
    assert.equal(codeOf(await inTx((tx) => proveStaffStepUp(tx, needs, nurse.caller, given))), 'staff/wrong-code')
    const other = await joined('doctor')
    const assertion = other.passkey.assert(asked.passkey ?? { challenge: '' }) as AuthenticationResponseJSON
    const stolen = { id: asked.id, place: PLACE, proof: { assertion } }
    assert.equal(codeOf(await inTx((tx) => proveStaffStepUp(tx, needs, nurse.caller, stolen))), 'people/wrong-code')
  })

  test('another passkey may take the place of the first; the last one of who has no password stays', async () => {
    const person = await joined()
    const { caller } = person
    const remove = (id: string) => inTx((tx) => removeStaffPasskey(tx, needs, caller, id))
    assert.equal(codeOf(await remove(person.passkey.id)), 'staff/not-now')
    const asked = must(await inTx((tx) => startStaffPasskey(tx, needs, PLACE, caller)))
    const second = makeTestPasskey({ origin: ORIGIN })
    const attestation = second.attest(asked.options as Creation, {}) as RegistrationResponseJSON
    must(await inTx((tx) => addStaffPasskey(tx, needs, PLACE, caller, { id: asked.id, name: 'Phone', attestation })))
    const stranger = await joined()
    assert.equal(
      codeOf(await inTx((tx) => removeStaffPasskey(tx, needs, stranger.caller, second.id))),
      'request/not-found',
    )
    assert.equal(await remove(person.passkey.id), undefined)
    assert.equal(codeOf(await signIn(person.passkey)), 'people/passkey-refused')
    assert.equal(codeOf(await signIn(second)), 'ok')
  })
})
