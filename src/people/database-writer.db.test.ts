import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { sql } from 'kysely'
import pg from 'pg'
import { makeTestPasskey } from '../../test/authenticator.ts'
import { DESK, useStaffAccounts } from '../../test/staff-accounts.ts'
import { listAlarms } from '../audit/watch/alarm.ts'
import { must, refuse } from '../kernel/refusal.ts'
import { codeOfSecret } from './authenticator.ts'
import { addPasskey, startPasskeyAdding, startPasskeySignIn } from './passkey-commands.ts'
import { hashPassword } from './password.ts'
import { makeNewRecoveryCodes } from './recovery-commands.ts'
import { cookieNameOf } from './session.ts'
import { isSessionLive } from './session-commands.ts'
import { signInWithCode } from './sign-in-commands.ts'
import { insertSignIn } from './sign-in-store.ts'
import { findStaffOfIdentity, insertIdentity, savePermit, takePermit } from './sso-store.ts'
import { changeRole, endSessionsOfStaff, listStaff, restoreStaff, suspendStaff } from './staff-commands.ts'
import { readInvitation } from './staff-invitation.ts'
import { signInStaffWithPasskey } from './staff-proofs.ts'
import { changePassword } from './staff-session.ts'
import { beginSignIn, finishSignIn } from './staff-sign-in.ts'
import { findStepUp, openStepUp } from './step-up-commands.ts'
import { hashCode } from './text-code.ts'

const ACTOR = { kind: 'operator', id: 'test' } as const
const PLACE = { origin: DESK.origin, rpId: new URL(DESK.origin).hostname }
const SOURCE = '203.0.113.9'
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

describe('who may write everything in the database, and has none of the keys', () => {
  let dba: pg.Client
  // First of all: a connection that is open when its database is dropped says so, and that ends the whole run as failed.
  after(() => dba.end())
  const desk = useStaffAccounts()
  const { inTx, codeOf, joined, invite, session } = desk
  type Person = Awaited<ReturnType<typeof joined>>
  before(async () => {
    dba = new pg.Client({ connectionString: desk.database.connectionString })
    await dba.connect()
  })

  const alarms = () => listAlarms(desk.machine.db, { open: true, limit: 100 })
  const recorded = async (): Promise<number> =>
    (await desk.events()).filter((type) => type === 'credential.tampered').length

  /** What was done is refused with this code; one alarm more stands there, about this table, and one event more, once. */
  async function assertFound(table: string, attempt: () => Promise<unknown>, code: string): Promise<void> {
    const before = { alarms: await alarms(), recorded: await recorded() }
    assert.equal(codeOf(await attempt()), code)
    assert.equal(codeOf(await attempt()), code, 'and again')
    const known = new Set(before.alarms.map(({ id }) => id))
    const raised = (await alarms()).filter(({ id }) => !known.has(id))
    assert.deepEqual(
      raised.map(({ kind }) => kind),
      ['tampered'],
      `an alarm about ${table}`,
    )
    assert.match(raised[0]?.detail ?? '', new RegExp(`row of ${table}\\b`))
    assert.equal(await recorded(), before.recorded + 1)
  }

  const begin = (login: string, password: string = DESK.password) =>
    inTx((tx) => beginSignIn(tx, desk.needs, { login, password, source: SOURCE }))
  const callerOf = async ({ opened }: Person) => must(await session(opened)).caller

  test('a session of her own making, with a tie from another row, opens nothing', async () => {
    const [own, boss] = [await joined(), await joined('administrator')]
    const value = randomBytes(32).toString('base64url')
    await dba.query(
      `insert into web_session (digest, id, kind, person, how, device, opened_at, seen_at, expires_at, tie)
       select $1, $2, kind, $3, how, device, opened_at, seen_at, expires_at, tie from web_session where person = $4`,
      [sha256(value), randomUUID(), boss.staff.id, own.staff.id],
    )
    const cookie = `__Host-${cookieNameOf('staff', DESK.facility)}=${value}`
    await assertFound('web_session', () => session({ ...own.opened, cookie }), 'auth/no-session')
  })

  test('her own session under another name, made longer, or taken up after its end, is over', async () => {
    const [own, boss] = [await joined(), await joined('administrator')]
    await dba.query('update web_session set person = $1 where person = $2', [boss.staff.id, own.staff.id])
    await assertFound('web_session', () => session(own.opened), 'auth/no-session')
    const longer = await joined()
    await dba.query(`update web_session set expires_at = expires_at + interval '1 year' where id = $1`, [
      longer.opened.id,
    ])
    await assertFound('web_session', () => session(longer.opened), 'auth/no-session')
    const rested = await joined()
    desk.clock.advance(2 * 3_600_000)
    await dba.query('update web_session set seen_at = $1 where id = $2', [desk.clock.now(), rested.opened.id])
    await assertFound('web_session', () => session(rested.opened), 'auth/no-session')
    const ended = await joined()
    must(await inTx((tx) => endSessionsOfStaff(tx, { id: ended.staff.id, actor: ACTOR })))
    await dba.query('update web_session set ended_at = null where id = $1', [ended.opened.id])
    await assertFound('web_session', () => session(ended.opened), 'auth/no-session')
    assert.equal(await inTx((tx) => isSessionLive(tx, 'staff', ended.opened.id)), false)
  })

  test('a password that she put in place of another’s lets nobody in', async () => {
    const boss = await joined('administrator')
    const hash = await hashPassword('a password of my own choosing')
    await dba.query('update staff set password_hash = $1 where id = $2', [hash, boss.staff.id])
    await assertFound('staff', () => begin(boss.staff.login, 'a password of my own choosing'), 'staff/bad-credentials')
  })

  test('a role that she raised gives no right, is not listed, and no change by the program makes it true', async () => {
    const own = await joined()
    const caller = await callerOf(own)
    await dba.query(`update staff set role = 'administrator' where id = $1`, [own.staff.id])
    await assertFound('staff', () => session(own.opened), 'auth/no-session')
    assert.ok(!(await inTx(listStaff)).some(({ id }) => id === own.staff.id))
    const given = { password: DESK.password, newPassword: 'nine mangoes under the roof' }
    assert.equal(codeOf(await inTx((tx) => changePassword(tx, desk.needs, caller, given))), 'auth/no-session')
    const change = { id: own.staff.id, actor: ACTOR, role: 'nurse' } as const
    assert.equal(codeOf(await inTx((tx) => changeRole(tx, change))), 'staff/unknown')
    // Put back as it was, it is good again.
    await dba.query(`update staff set role = 'doctor' where id = $1`, [own.staff.id])
    assert.equal(codeOf(await session(own.opened)), 'ok')
  })

  test('an account that she enabled again, or added, is none', async () => {
    const [own, friend] = [await joined(), await joined('administrator')]
    must(await inTx((tx) => suspendStaff(tx, { id: own.staff.id, actor: ACTOR })))
    await dba.query(`update staff set status = 'active' where id = $1`, [own.staff.id])
    await assertFound('staff', () => begin(own.staff.login), 'staff/bad-credentials')
    assert.equal(codeOf(await inTx((tx) => restoreStaff(tx, { id: own.staff.id, actor: ACTOR }))), 'staff/unknown')
    await dba.query(
      `insert into staff select $1, 'mallory', name, role, registration, status, password_hash, code_key, sealed_code_secret,
         code_step_used, added_at, changed_at, tie from staff where id = $2`,
      [randomUUID(), friend.staff.id],
    )
    await assertFound('staff', () => begin('mallory'), 'staff/bad-credentials')
  })

  test('an invitation, or a sign-in whose first step she says was proved, is none', async () => {
    const { staff } = await invite('administrator')
    const at = desk.clock.now()
    await dba.query(
      `insert into staff_invitation (digest, staff, status, made_at, expires_at, tie) select $1, $2, 'open', $3, $4, tie
       from staff_invitation where staff = $2`,
      [sha256('my own code'), staff.id, at, new Date(at.getTime() + 3_600_000)],
    )
    const read = () => inTx((tx) => readInvitation(tx, 'my own code'))
    await assertFound('staff_invitation', read, 'staff/unknown-invitation')
    const boss = await joined('administrator')
    await dba.query(
      `insert into staff_sign_in (digest, staff, wrong_tries, expires_at, proved_by, tie) values ($1, $2, 0, $3, 'sso', '')`,
      [sha256('my own ticket'), boss.staff.id, new Date(desk.clock.now().getTime() + 60_000)],
    )
    const code = codeOfSecret(boss.secret, desk.clock.now())
    const given = { ticket: 'my own ticket', code, userAgent: undefined, source: SOURCE }
    await assertFound('staff_sign_in', () => inTx((tx) => finishSignIn(tx, desk.needs, given)), 'staff/sign-in-over')
  })

  test('a code on paper that was used stays used, and one that is not hers is none', async () => {
    const own = await joined()
    const codes = await inTx(async (tx) => makeNewRecoveryCodes(tx, desk.needs, await callerOf(own)))
    const signIn = async (recovery = '') => {
      const { ticket } = must(await begin(own.staff.login))
      return inTx((tx) => finishSignIn(tx, desk.needs, { ticket, recovery, userAgent: undefined, source: SOURCE }))
    }
    assert.equal(codeOf(await signIn(codes[0])), 'ok')
    await dba.query('update staff_recovery_code set used_at = null where staff = $1', [own.staff.id])
    await assertFound('staff_recovery_code', () => signIn(codes[0]), 'staff/wrong-code')
    desk.clock.advance(600_000)
    assert.equal(codeOf(await signIn(codes[1])), 'ok')
  })

  test('her passkey in another’s name signs nobody in', async () => {
    const [own, boss] = [await joined(), await joined('administrator')]
    const passkey = makeTestPasskey({ origin: DESK.origin })
    const owner = { kind: 'staff', person: own.staff.id } as const
    const adding = { owner, session: own.opened.id, userName: 'own', displayName: 'Own' }
    const needs = { indexKey: desk.needs.indexKey, service: 'test' }
    const asked = must(await inTx((tx) => startPasskeyAdding(tx, needs, PLACE, adding)))
    const attestation = passkey.attest(asked.options as never, {}) as RegistrationResponseJSON
    const by = { owner, event: { actor: ACTOR }, session: own.opened.id }
    must(await inTx((tx) => addPasskey(tx, needs, PLACE, by, { id: asked.id, name: 'mine', attestation })))
    const signIn = async () => {
      const { id, options } = must(await inTx((tx) => startPasskeySignIn(tx, needs, PLACE)))
      const assertion = passkey.assert(options) as AuthenticationResponseJSON
      return inTx((tx) => signInStaffWithPasskey(tx, desk.needs, PLACE, { id, assertion, userAgent: undefined }))
    }
    assert.equal(codeOf(await signIn()), 'ok')
    await dba.query('update passkey set person = $1 where person = $2', [boss.staff.id, own.staff.id])
    await assertFound('passkey', signIn, 'people/passkey-refused')
  })

  test('a link to her own identity at the provider, or a leave to link it, is none', async () => {
    const [own, boss] = [await joined(), await joined('administrator')]
    const identity = { issuer: 'https://id.example', subject: 'own' }
    await inTx((tx) => insertIdentity(tx, {} as never, identity, own.staff.id))
    await dba.query('update staff_identity set staff = $1', [boss.staff.id])
    const linked = async () => (await inTx((tx) => findStaffOfIdentity(tx, identity))) ?? refuse('staff/sso-not-linked')
    await assertFound('staff_identity', linked, 'staff/sso-not-linked')
    const expires = new Date(desk.clock.now().getTime() + 60_000)
    await inTx((tx) => savePermit(tx, {} as never, own.staff.id, expires))
    await dba.query('update staff_sso_permit set staff = $1', [boss.staff.id])
    assert.equal(await inTx((tx) => takePermit(tx, boss.staff.id)), false)
  })

  test('a patient’s code that came to her own phone is none for another’s account, and guesses stay counted', async () => {
    const id = randomUUID() as never
    const expiresAt = new Date(desk.clock.now().getTime() + 60_000)
    const source = Buffer.alloc(32)
    const codeHash = hashCode(desk.needs.indexKey, 'sign-in', id, '123456')
    await inTx((tx) => insertSignIn(tx, { id, abhaAddress: 'own@sbx', source, codeHash, expiresAt }))
    await dba.query(`update sign_in_code set abha_address = 'asha@sbx' where id = $1`, [id])
    const needs = { ...desk.needs, exchange: { name: 'test' } }
    const given = { id, code: '123456', userAgent: undefined }
    await assertFound('sign_in_code', () => inTx((tx) => signInWithCode(tx, needs, given)), 'people/unknown-sign-in')
    const next = randomUUID() as never
    await inTx((tx) => insertSignIn(tx, { id: next, abhaAddress: 'own@sbx', source, codeHash, expiresAt }))
    const wrong = () => inTx((tx) => signInWithCode(tx, needs, { ...given, id: next, code: '000000' }))
    assert.equal(codeOf(await wrong()), 'people/wrong-code')
    await dba.query('update sign_in_code set wrong_tries = 0 where id = $1', [next])
    await assertFound('sign_in_code', wrong, 'people/unknown-sign-in')
  })

  test('a fresh proof that she says was given is none', async () => {
    const own = await joined('administrator')
    const caller = await callerOf(own)
    const subject = 'IN-1'
    const by = {
      owner: { kind: 'staff', person: caller.id },
      session: caller.session,
      event: { actor: ACTOR },
    } as const
    const { id } = must(await inTx((tx) => openStepUp(tx, by, PLACE, { act: 'staff.change', subject })))
    await dba.query(`update step_up set status = 'proved' where id = $1`, [id])
    const found = () => inTx((tx) => findStepUp(tx, caller, { id, act: 'staff.change', subject }))
    await assertFound('step_up', found, 'auth/step-up-needed')
  })

  test('neither an empty tie nor a text that she had sealed as her own words is one', async () => {
    const own = await joined()
    const { rows } = await dba.query<{ tie: string }>('select tie from staff where id = $1', [own.staff.id])
    const tie = rows[0]?.tie ?? ''
    assert.match(tie, /^tie1\./)
    // Typed into a form it is sealed as words, and reads back as them.
    await sql`insert into setting (name, value, changed_at) values ('test', to_jsonb(${tie}::text), now())`.execute(
      desk.database.db,
    )
    const stored = await dba.query<{ value: string }>(`select value from setting where name = 'test'`)
    assert.match(stored.rows[0]?.value ?? '', /^st1\./)
    for (const forged of ['', 'over', tie.slice(0, -2), `${tie}A`]) {
      await dba.query('update staff set tie = $1 where id = $2', [forged, own.staff.id])
      await assertFound('staff', () => session(own.opened), 'auth/no-session')
    }
  })
})
