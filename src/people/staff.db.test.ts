import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DESK, useStaffAccounts } from '../../test/staff-accounts.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must, type Refusal } from '../kernel/refusal.ts'
import { tieAll } from '../keys/tie-existing.ts'
import { codeOfSecret } from './authenticator.ts'
import {
  changeRole,
  inviteStaff,
  letStaffGo,
  listStaff,
  readStaff,
  resetSecondFactor,
  restoreStaff,
  suspendStaff,
} from './staff-commands.ts'
import { checkInvitedPassword, joinAndSignIn, readInvitation, shareInvitationSecret } from './staff-invitation.ts'
import { changePassword, endStaffSession } from './staff-session.ts'
import { beginSignIn, codeForSandbox, finishSignIn } from './staff-sign-in.ts'

const ACTOR = { kind: 'operator', id: 'test' } as const
/** This machine: counted as nobody's, so that tests of accounts do not slow each other down. */
const SOURCE = '127.0.0.1'
const PASSWORD = DESK.password

describe('people/staff', () => {
  const desk = useStaffAccounts()
  const { inTx, codeOf, invite, joined, session, events } = desk
  type Person = Awaited<ReturnType<typeof joined>>
  const begin = (login: string, password: string) =>
    inTx((tx) => beginSignIn(tx, desk.needs, { login, password, source: SOURCE }))
  const finish = (ticket: string, code: string) =>
    inTx((tx) => finishSignIn(tx, desk.needs, { ticket, code, userAgent: undefined, source: SOURCE }))
  const ticketOf = async ({ staff }: Person): Promise<string> => must(await begin(staff.login, PASSWORD)).ticket
  const codeNow = ({ secret }: Person): string => codeOfSecret(secret, desk.clock.now())
  const caller = async ({ opened }: Person) => must(await session(opened)).caller

  test('who joins by an invitation is signed in, and signs in again with password and the next code', async () => {
    const person = await joined()
    const found = must(await session(person.opened))
    assert.equal(found.caller.role, 'doctor')
    assert.equal(found.session.how, 'password-totp')
    const opened = must(await finish(await ticketOf(person), codeNow(person)))
    assert.equal(must(await session(opened)).caller.id, person.staff.id)
    const seen = await events()
    for (const type of ['staff.invited', 'staff.joined', 'staff.signed-in']) assert.ok(seen.includes(type), type)
  })

  test('nothing of the password, the secret or a code of an invitation stands in the database in plain', async () => {
    const { code } = await invite()
    const person = await joined()
    const rows = await Promise.all([
      desk.database.db.selectFrom('staff').selectAll().execute(),
      desk.database.db.selectFrom('staff_invitation').selectAll().execute(),
      desk.database.db.selectFrom('web_session').selectAll().execute(),
    ])
    const text = JSON.stringify(rows, (_key, value: unknown) =>
      typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
        ? Buffer.from(value.data as number[]).toString('latin1')
        : value,
    )
    for (const secret of [PASSWORD, person.secret, code, person.opened.cookie.split('=')[1]?.split(';')[0] ?? '-'])
      assert.ok(!text.includes(secret))
    assert.match(text, /\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  test('a code is good once, also one step later, and a step of the clock off is forgiven', async () => {
    const person = await joined()
    const code = codeNow(person)
    must(await finish(await ticketOf(person), code))
    const again = (await finish(await ticketOf(person), code)) as Refusal
    assert.equal(again.code, 'staff/wrong-code')
    assert.match(again.detail, /used already/)
    desk.clock.advance(60_000)
    const older = codeOfSecret(person.secret, new Date(desk.clock.now().getTime() - 30_000))
    assert.equal(codeOf(await finish(await ticketOf(person), older)), 'ok')
    desk.clock.advance(300_000)
    const tooOld = codeOfSecret(person.secret, new Date(desk.clock.now().getTime() - 90_000))
    assert.equal(codeOf(await finish(await ticketOf(person), tooOld)), 'staff/wrong-code')
  })

  test('two who use the same code at the same moment do not both get in', async () => {
    const person = await joined()
    const [first, second] = [await ticketOf(person), await ticketOf(person)]
    const code = codeNow(person)
    const both = await Promise.all([finish(first, code), finish(second, code)])
    assert.deepEqual(both.map(codeOf).sort(), ['ok', 'staff/wrong-code'])
  })

  test('a login that nobody has hears what a wrong password hears, slowed down alike, and for no less work', async () => {
    const { staff } = await joined()
    const known: unknown[] = []
    const unknown: unknown[] = []
    for (let i = 0; i <= LIMITS.staffGuessesFree + 1; i++) {
      known.push(await begin(staff.login, `wrong password ${i}`))
      unknown.push(await begin('nobody.here', `wrong password ${i}`))
    }
    assert.deepEqual(known, unknown)
    assert.equal(codeOf(known[0]), 'staff/bad-credentials')
    assert.equal(codeOf(known.at(-1)), 'request/too-many')
    assert.deepEqual((known.at(-1) as Refusal).retryAfterS, 1)
    const failed = (await events()).filter((type) => type === 'staff.sign-in-failed').length
    assert.ok(failed >= 2 * LIMITS.staffGuessesFree)
  })

  test('guessing slows down up to a minute and never locks out: the right password works after the wait', async () => {
    const person = await joined()
    const { login } = person.staff
    const waits: number[] = []
    for (let i = 0; i < 30; i++) {
      const answer = (await begin(login, `wrong password ${i}`)) as Refusal
      if (answer.code !== 'request/too-many') continue
      waits.push(answer.retryAfterS ?? 0)
      desk.clock.advance((answer.retryAfterS ?? 0) * 1000)
    }
    assert.deepEqual(waits.slice(0, 9), [1, 2, 4, 8, 16, 32, 60, 60, 60])
    desk.clock.advance(LIMITS.staffPasswordWaitMsMax)
    assert.equal(codeOf(await begin(login, 'wrong once more')), 'staff/bad-credentials')
    assert.equal(codeOf(await begin(login, PASSWORD)), 'request/too-many')
    desk.clock.advance(LIMITS.staffPasswordWaitMsMax)
    assert.equal(codeOf(await begin(login, PASSWORD)), 'ok')
    assert.equal(codeOf(await begin(login, 'wrong, and counted anew')), 'staff/bad-credentials')
    assert.equal(codeOf(await begin(login, PASSWORD)), 'ok')
  })

  test('wrong codes end a sign-in and slow down; a right one after the longest wait still gets in', async () => {
    const person = await joined()
    const ticket = await ticketOf(person)
    const answers: string[] = []
    for (let i = 0; i < LIMITS.staffSignInTriesMax; i++) answers.push(codeOf(await finish(ticket, '000000')))
    assert.deepEqual(answers.at(-1), 'staff/sign-in-over')
    assert.equal(codeOf(await finish(ticket, codeNow(person))), 'staff/sign-in-over')
    for (let i = 0; i < 20; i++) {
      await finish(await ticketOf(person), '000000')
      desk.clock.advance(LIMITS.staffCodeWaitMsMax)
    }
    assert.equal(codeOf(await finish(await ticketOf(person), codeNow(person))), 'ok')
  })

  test('a ticket is over after five minutes', async () => {
    const person = await joined()
    const ticket = await ticketOf(person)
    desk.clock.advance(LIMITS.staffSignInMs)
    assert.equal(codeOf(await finish(ticket, codeNow(person))), 'staff/sign-in-over')
    assert.equal(codeOf(await finish('made up', codeNow(person))), 'staff/sign-in-over')
  })

  test('an invitation is good once, for a week, and until a newer one', async () => {
    const { code, staff } = await invite()
    assert.equal(must(await inTx((tx) => readInvitation(tx, code))).name, 'Meera Nair')
    assert.equal(codeOf(await inTx((tx) => readInvitation(tx, `${code}x`))), 'staff/unknown-invitation')
    const newer = must(await inTx((tx) => resetSecondFactor(tx, { id: staff.id, actor: ACTOR })))
    assert.equal(codeOf(await inTx((tx) => readInvitation(tx, code))), 'staff/invitation-over')
    const shared = must(await inTx((tx) => shareInvitationSecret(tx, desk.needs, newer.code)))
    const join = (password: string, oneTime: string) =>
      inTx((tx) =>
        joinAndSignIn(tx, desk.needs, { invitation: newer.code, password, code: oneTime, userAgent: undefined }),
      )
    const right = codeOfSecret(shared.text, desk.clock.now())
    assert.equal(codeOf(await join(PASSWORD, '000000')), 'staff/wrong-code')
    assert.equal(codeOf(await join('too short', right)), 'staff/weak-password')
    for (const [tried, says] of [
      ['Sunshine-2026', 'staff/known-password'],
      [PASSWORD, 'ok'],
    ] as const) {
      const checked = await inTx((tx) =>
        checkInvitedPassword(tx, desk.needs, { invitation: newer.code, password: tried }),
      )
      assert.equal(codeOf(checked), says, 'told before anything is set up')
    }
    assert.equal(codeOf(await join(`${staff.login} meera nair`, right)), 'staff/weak-password')
    const both = await Promise.all([join(PASSWORD, right), join(PASSWORD, right)])
    assert.deepEqual(both.map(codeOf).sort(), ['ok', 'staff/invitation-over'])
    const late = await invite()
    desk.clock.advance(LIMITS.staffInvitationMs)
    assert.equal(codeOf(await inTx((tx) => readInvitation(tx, late.code))), 'staff/invitation-over')
  })

  test('a secret that was shown again replaces the one before', async () => {
    const { code } = await invite()
    const join = (text: string) => ({
      invitation: code,
      password: PASSWORD,
      code: codeOfSecret(text, desk.clock.now()),
      userAgent: undefined,
    })
    assert.equal(
      codeOf(await inTx((tx) => joinAndSignIn(tx, desk.needs, { ...join('AAAA'), code: '123456' }))),
      'staff/wrong-code',
    )
    const first = must(await inTx((tx) => shareInvitationSecret(tx, desk.needs, code)))
    const second = must(await inTx((tx) => shareInvitationSecret(tx, desk.needs, code)))
    assert.match(second.uri, /^otpauth:\/\/totp\/Tarangini%20Hospital:person\d+\?issuer=Tarangini%20Hospital&secret=/)
    assert.equal(codeOf(await inTx((tx) => joinAndSignIn(tx, desk.needs, join(first.text)))), 'staff/wrong-code')
    assert.equal(codeOf(await inTx((tx) => joinAndSignIn(tx, desk.needs, join(second.text)))), 'ok')
  })

  test('who is suspended is out at once, may not sign in, and comes back as she was', async () => {
    const person = await joined('nurse')
    const ticket = await ticketOf(person)
    const { id } = person.staff
    must(await inTx((tx) => suspendStaff(tx, { id, actor: ACTOR })))
    assert.equal(codeOf(await session(person.opened)), 'auth/no-session')
    assert.equal(codeOf(await finish(ticket, codeNow(person))), 'staff/sign-in-over')
    // The password alone says nothing: who has both is told.
    assert.equal(
      codeOf(await finish(must(await begin(person.staff.login, PASSWORD)).ticket, codeNow(person))),
      'staff/suspended',
    )
    assert.equal(codeOf(await begin(person.staff.login, 'a wrong password')), 'staff/bad-credentials')
    must(await inTx((tx) => restoreStaff(tx, { id, actor: ACTOR })))
    assert.equal(codeOf(await session(person.opened)), 'auth/no-session')
    desk.clock.advance(60_000)
    assert.equal(codeOf(await finish(await ticketOf(person), codeNow(person))), 'ok')
  })

  test('who left, left for good: her name stays, her login too, her ways to sign in are gone', async () => {
    const person = await joined()
    const { id, login } = person.staff
    must(await inTx((tx) => letStaffGo(tx, { id, actor: ACTOR })))
    assert.equal(codeOf(await begin(login, PASSWORD)), 'staff/bad-credentials')
    for (const move of [suspendStaff, restoreStaff, resetSecondFactor])
      assert.equal(codeOf(await inTx<unknown>((tx) => move(tx, { id, actor: ACTOR }))), 'staff/not-now')
    assert.equal(codeOf(await inTx((tx) => changeRole(tx, { id, role: 'nurse', actor: ACTOR }))), 'staff/not-now')
    const again = { login, name: 'Somebody Else', role: 'doctor', actor: ACTOR } as const
    assert.equal(codeOf(await inTx((tx) => inviteStaff(tx, again))), 'staff/login-taken')
    assert.equal((await inTx((tx) => readStaff(tx, id)))?.status, 'left')
  })

  test('the last administrator stays one: also when two suspend each other at the same time', async () => {
    await desk.database.db.updateTable('staff').set({ role: 'nurse', tie: '' }).execute()
    await tieAll(desk.database.db)
    const [first, second] = [await joined('administrator'), await joined('administrator')]
    const suspend = ({ staff }: Person) => inTx((tx) => suspendStaff(tx, { id: staff.id, actor: ACTOR }))
    const both = await Promise.all([suspend(first), suspend(second)])
    assert.deepEqual(both.map(codeOf).sort(), ['ok', 'staff/last-administrator'])
    const active = (await inTx(listStaff)).find(({ role, status }) => role === 'administrator' && status === 'active')
    assert.ok(active)
    const change = { id: active.id, actor: ACTOR }
    assert.equal(codeOf(await inTx((tx) => letStaffGo(tx, change))), 'staff/last-administrator')
    assert.equal(codeOf(await inTx((tx) => resetSecondFactor(tx, change))), 'staff/last-administrator')
    assert.equal(codeOf(await inTx((tx) => changeRole(tx, { ...change, role: 'doctor' }))), 'staff/last-administrator')
    assert.equal(codeOf(await inTx((tx) => changeRole(tx, { ...change, role: 'administrator' }))), 'ok')
  })

  test('another role counts from the next call on', async () => {
    const person = await joined('nurse')
    const { id } = person.staff
    must(await inTx((tx) => changeRole(tx, { id, role: 'doctor', registration: 'MMC-1', actor: ACTOR })))
    const { role, registration } = await caller(person)
    assert.deepEqual([role, registration], ['doctor', 'MMC-1'])
    const unknown = { id: '0190aaaa-0000-7000-8000-000000000000' as typeof id, role: 'doctor', actor: ACTOR } as const
    assert.equal(codeOf(await inTx((tx) => changeRole(tx, unknown))), 'staff/unknown')
  })

  test('who lost her phone is set up anew: password, codes and sessions are gone', async () => {
    const person = await joined()
    const { code } = must(await inTx((tx) => resetSecondFactor(tx, { id: person.staff.id, actor: ACTOR })))
    assert.equal(codeOf(await session(person.opened)), 'auth/no-session')
    assert.equal(codeOf(await begin(person.staff.login, PASSWORD)), 'staff/bad-credentials')
    assert.equal(must(await inTx((tx) => readInvitation(tx, code))).login, person.staff.login)
  })

  test('a session ends by itself after half an hour without use, and after half a day in any case', async () => {
    const person = await joined()
    desk.clock.advance(LIMITS.staffWebSessionIdleMs)
    assert.equal(codeOf(await session(person.opened)), 'auth/no-session')
    const opened = must(await finish(await ticketOf(person), codeNow(person)))
    const started = desk.clock.now().getTime()
    while (desk.clock.now().getTime() < started + LIMITS.staffWebSessionMs - 20 * 60_000) {
      desk.clock.advance(20 * 60_000)
      assert.equal(codeOf(await session(opened)), 'ok')
    }
    desk.clock.advance(20 * 60_000)
    assert.equal(codeOf(await session(opened)), 'auth/no-session')
  })

  test('a call that changes something needs the page’s origin and word', async () => {
    const { opened } = await joined()
    assert.equal(codeOf(await session(opened, 'POST')), 'auth/cross-site')
    assert.equal(codeOf(await session(opened, 'POST', { origin: DESK.origin, 'x-csrf': 'x' })), 'auth/cross-site')
    assert.equal(codeOf(await session(opened, 'POST', { origin: DESK.origin, 'x-csrf': opened.csrf })), 'ok')
    const elsewhere = { origin: 'https://evil.example', 'x-csrf': opened.csrf }
    assert.equal(codeOf(await session(opened, 'POST', elsewhere)), 'auth/cross-site')
  })

  test('sessions of hers she ends, those of others do not exist for her', async () => {
    const [person, other] = [await joined(), await joined()]
    const me = await caller(person)
    assert.equal(
      codeOf(await inTx((tx) => endStaffSession(tx, DESK.facility, me, other.opened.id))),
      'request/not-found',
    )
    assert.equal(await inTx((tx) => endStaffSession(tx, DESK.facility, me, person.opened.id)), undefined)
    assert.equal(codeOf(await session(person.opened)), 'auth/no-session')
    assert.equal(codeOf(await session(other.opened)), 'ok')
  })

  test('a new password needs the old one; other sessions end, this one stays', async () => {
    const person = await joined()
    const elsewhere = must(await finish(await ticketOf(person), codeNow(person)))
    const me = await caller(person)
    const change = (password: string, newPassword: string) =>
      inTx((tx) => changePassword(tx, desk.needs, me, { password, newPassword }))
    assert.equal(codeOf(await change('not the old one', 'eight lamps in the well')), 'staff/wrong-password')
    const weak = (await change(PASSWORD, '123456789012')) as Refusal
    assert.deepEqual([weak.code, weak.field], ['staff/weak-password', 'newPassword'])
    const known = (await change(PASSWORD, 'Sunshine-2026')) as Refusal
    assert.deepEqual([known.code, known.field], ['staff/known-password', 'newPassword'])
    const leaked = { has: (tried: string) => tried === 'nine lamps in the well' }
    const among = { ...desk.needs, leaked }
    const stolen = await inTx((tx) =>
      changePassword(tx, among, me, { password: PASSWORD, newPassword: 'nine lamps in the well' }),
    )
    assert.equal(stolen?.code, 'staff/known-password')
    const unreadable = { ...desk.needs, leaked: { has: (): boolean => assert.fail('EIO') } }
    const unsure = await inTx((tx) =>
      changePassword(tx, unreadable, me, { password: PASSWORD, newPassword: 'eight lamps in the well' }),
    )
    assert.equal(unsure?.code, 'machine/unavailable', 'a password that cannot be looked up is not taken')
    assert.equal(await change(PASSWORD, 'eight lamps in the well'), undefined)
    assert.equal(codeOf(await session(person.opened)), 'ok')
    assert.equal(codeOf(await session(elsewhere)), 'auth/no-session')
    assert.equal(codeOf(await begin(person.staff.login, PASSWORD)), 'staff/bad-credentials')
    assert.equal(codeOf(await begin(person.staff.login, 'eight lamps in the well')), 'ok')
  })

  test('a sandbox shows a code that works, also right after one was used', async () => {
    const person = await joined()
    for (let i = 0; i < 3; i++) {
      const shown = await inTx((tx) => codeForSandbox(tx, person.staff.login))
      assert.ok(shown)
      desk.clock.set(shown.from)
      assert.equal(codeOf(await finish(await ticketOf(person), shown.code)), 'ok')
    }
    assert.equal(await inTx((tx) => codeForSandbox(tx, 'nobody.here')), undefined)
  })

  test('many at once wait a moment rather than exhaust the machine', async () => {
    const answers = await Promise.all(
      Array.from({ length: LIMITS.passwordsAtOnceMax + 6 }, (_, i) => begin(`guess${i}`, 'whatever it is')),
    )
    const codes = new Set(answers.map(codeOf))
    assert.ok(codes.has('staff/bad-credentials') && codes.size <= 2, [...codes].join(' '))
  })
})
