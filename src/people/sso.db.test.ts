import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { type Account, OidcWorld } from '../../test/oidc-world.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { makeOutbound, type Outbound } from '../http/outbound.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must, type Refusal } from '../kernel/refusal.ts'
import { codeOfSecret } from './authenticator.ts'
import { makePasswordGate } from './password-gate.ts'
import { listSessions, type OpenedSession } from './session-commands.ts'
import type { SsoSettings } from './sso.ts'
import {
  linkBySso,
  makeQuestion,
  permitSso,
  readAnswer,
  readSsoLink,
  type SsoNeeds,
  signInBySso,
  startSso,
  unlinkSso,
} from './sso-commands.ts'
import { makeSsoProvider } from './sso-provider.ts'
import { inviteStaff, suspendStaff } from './staff-commands.ts'
import { joinAndSignIn, shareInvitationSecret } from './staff-invitation.ts'
import { readStaffSession } from './staff-session.ts'
import { finishSignIn, type SignInTicket } from './staff-sign-in.ts'

const FACILITY = parseFacilityId('IN2710000011')
if (FACILITY === undefined) throw new Error('not a facility')
const facility = { id: FACILITY, name: 'Tarangini Hospital' }
const ORIGIN = 'https://desk.example.org'
const ACTOR = { kind: 'operator', id: 'test' } as const
const MFA = ['pwd', 'otp']

let database: TestDatabase
let world: OidcWorld
let outbound: Outbound
let machine: Machine
let needs: SsoNeeds
/** Wall time: the provider lives by it. */
let laterMs = 0
/** What becomes of an answer of the provider on its way here. */
let tamper: ((url: string, body: Record<string, unknown>) => Promise<Record<string, unknown>>) | undefined
let count = 0
/** How many connections to the database were in use, at each call of the provider. */
const connectionsHeld: number[] = []

describe('people/sso', () => {
  before(async () => {
    database = await openTestDatabase()
    world = await OidcWorld.start({ redirectUris: [`${ORIGIN}/desk/sso`] })
    outbound = makeOutbound({ allowPrivateNetworks: true, nowMs: () => Date.now() })
  })
  after(async () => {
    await outbound.close()
    await world.stop()
    await database.close()
  })
  beforeEach(() => {
    laterMs = 0
    tamper = undefined
    machine = { ...makeTestMachine(database), now: () => new Date(Date.now() + laterMs) }
    needs = needsWith({ amr: ['otp'] })
  })

  const through: Outbound = {
    close: async () => undefined,
    call: async (call) => {
      connectionsHeld.push(database.pool.totalCount - database.pool.idleCount)
      // Nobody hangs here: a busy machine may take longer than we wait for a provider.
      const outcome = await outbound.call({ ...call, timeoutMs: 60_000 })
      if (tamper === undefined || outcome.kind !== 'answered') return outcome
      const changed = await tamper(call.url, JSON.parse(outcome.body.toString()) as Record<string, unknown>)
      return { ...outcome, body: Buffer.from(JSON.stringify(changed)) }
    },
  }
  function needsWith(given: {
    readonly amr?: readonly string[]
    readonly login?: SsoSettings['login']
    readonly at?: OidcWorld
  }): SsoNeeds {
    const { clientSecret, ...named } = (given.at ?? world).settings
    const settings: SsoSettings = {
      ...named,
      proof: { clientSecret },
      scope: 'openid profile email',
      login: given.login ?? { claim: 'preferred_username' },
      secondFactor: { acr: [], amr: given.amr ?? [] },
    }
    return {
      indexKey: new Uint8Array(32).fill(7),
      facility,
      web: { party: facility.id, origins: [ORIGIN] },
      gate: makePasswordGate(),
      sso: makeSsoProvider(settings, through),
    }
  }

  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  const codeOf = (value: unknown): string => (isRefusal(value) ? value.code : 'ok')
  const callerOf = async ({ cookie }: OpenedSession): Promise<StaffCaller> => {
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    return must(await inTx((tx) => readStaffSession(tx, needs.web, { method: 'GET', headers }))).caller
  }

  /** Somebody of the staff, and the same person at the provider. */
  async function joined() {
    count += 1
    const login = `sso.person${count}`
    const invited = { login, name: 'Meera Nair', role: 'doctor', actor: ACTOR } as const
    const made = must(await inTx((tx) => inviteStaff(tx, invited)))
    const shared = must(await inTx((tx) => shareInvitationSecret(tx, needs, made.code)))
    const code = codeOfSecret(shared.text, machine.now())
    const input = { invitation: made.code, password: 'seven mangoes on the roof', code, userAgent: undefined }
    const caller = await callerOf(must(await inTx((tx) => joinAndSignIn(tx, needs, input))))
    const account: Account = { sub: `subject-${count}`, preferred_username: login, amr: MFA }
    return { login, id: made.staff.id, secret: shared.text, caller, account }
  }
  type Person = Awaited<ReturnType<typeof joined>>

  /** Begins a single sign-on, as the door does. */
  async function ask(session?: StaffCaller['session']) {
    const question = await makeQuestion(machine, needs, ORIGIN)
    if (!isRefusal(question)) await inTx((tx) => startSso(tx, question, session))
    return question
  }
  type Given = { readonly query: string; readonly state: string | undefined }
  const link = async ({ caller }: Pick<Person, 'caller'>, given: Given): Promise<Refusal | undefined> => {
    const proof = await readAnswer(machine, needs, given)
    return isRefusal(proof) ? proof : inTx((tx) => linkBySso(tx, needs, caller, proof))
  }

  /** The provider's answer for a browser in which `person` signs in there, and what the browser's cookie says. */
  async function asked(person: Account, session?: StaffCaller['session']) {
    world.person = person
    const { url, state } = must(await ask(session))
    return { query: await world.browse(url), state, url }
  }
  const answer = async (given: Given) => {
    const proof = await readAnswer(machine, needs, given)
    return inTx((tx) => signInBySso(tx, needs, { answer: proof, userAgent: undefined }))
  }
  const signIn = async (person: Account) => answer(await asked(person))
  const permit = (person: Person) => inTx((tx) => permitSso(tx, { id: person.id, actor: ACTOR }))
  async function linked(): Promise<Person> {
    const person = await joined()
    const given = await asked(person.account, person.caller.session)
    assert.equal(await link(person, given), undefined)
    return person
  }
  function asSession(value: OpenedSession | SignInTicket | Refusal): OpenedSession {
    const opened = must(value)
    assert.ok('cookie' in opened)
    return opened
  }

  test('who linked her account signs in; the address asks for a code with PKCE, state and nonce', async () => {
    const person = await linked()
    const given = await asked(person.account)
    const { searchParams } = new URL(given.url)
    assert.deepEqual(
      ['response_type', 'code_challenge_method', 'scope', 'state'].map((name) => searchParams.get(name)),
      ['code', 'S256', 'openid profile email', given.state],
    )
    for (const name of ['code_challenge', 'nonce']) assert.match(searchParams.get(name) ?? '', /^[\w-]{43}$/)
    const opened = asSession(await answer(given))
    assert.equal((await callerOf(opened)).id, person.id)
    const sessions = await inTx((tx) => listSessions(tx, 'staff', person.id))
    assert.equal(sessions.find(({ id }) => id === opened.id)?.how, 'sso')
    assert.ok((await inTx((tx) => readSsoLink(tx, needs, person.id)))?.usedAt)
  })

  test('no connection to the database is held while the provider is asked', async () => {
    const person = await linked()
    connectionsHeld.length = 0
    needs = needsWith({ amr: ['otp'] })
    asSession(await signIn(person.account))
    assert.deepEqual([...new Set(connectionsHeld)], [0])
    // The description, the code, the keys.
    assert.ok(connectionsHeld.length >= 3)
  })

  test('nothing of a question stands in the database that would answer it', async () => {
    const { state } = await asked({ sub: 'x' })
    const rows = await database.db.selectFrom('sso_sign_in').selectAll().execute()
    const text = rows.map((row) => `${row.digest.toString('latin1')}${row.digest.toString('base64url')}`).join()
    assert.ok(rows.length > 0 && !text.includes(state))
  })

  test('without a second factor there, ours is asked for', async () => {
    const person = await linked()
    const ticket = must(await signIn({ ...person.account, amr: ['pwd'] }))
    assert.ok('ticket' in ticket)
    laterMs += 60_000
    const code = codeOfSecret(person.secret, machine.now())
    const given = { ticket: ticket.ticket, code, userAgent: undefined, source: '127.0.0.1' }
    const opened = must(await inTx((tx) => finishSignIn(tx, needs, given)))
    const sessions = await inTx((tx) => listSessions(tx, 'staff', person.id))
    assert.equal(sessions.find(({ id }) => id === opened.id)?.how, 'sso-totp')
    needs = needsWith({})
    assert.ok(
      'ticket' in must(await signIn(person.account)),
      'nothing that the provider says counts unless the settings say so',
    )
  })

  test('an answer is good once, in the browser that asked, and for a while', async () => {
    const person = await linked()
    const given = await asked(person.account)
    asSession(await answer(given))
    assert.equal(codeOf(await answer(given)), 'staff/sso-refused')
    const stolen = await asked(person.account)
    assert.equal(codeOf(await answer({ query: stolen.query, state: undefined })), 'staff/sso-refused')
    const late = await asked(person.account)
    laterMs += LIMITS.ssoMs
    assert.equal(codeOf(await answer(late)), 'staff/sso-refused')
  })

  test('a code that was stolen, or used, is worth nothing in an answer to another question', async () => {
    const person = await linked()
    const [hers, mine] = [await asked(person.account), await asked({ sub: 'thief' })]
    const code = (query: string) => new URLSearchParams(query).get('code') ?? ''
    const forged = new URLSearchParams(mine.query)
    forged.set('code', code(hers.query))
    assert.equal(codeOf(await answer({ query: forged.toString(), state: mine.state })), 'staff/sso-refused')
    const used = await asked(person.account)
    asSession(await answer(used))
    const again = await asked(person.account)
    const replayed = new URLSearchParams(again.query)
    replayed.set('code', code(used.query))
    assert.equal(codeOf(await answer({ query: replayed.toString(), state: again.state })), 'staff/sso-refused')
  })

  test('another state, another issuer in the answer, or none, is refused; so is a provider’s no', async () => {
    const person = await linked()
    const changes: readonly ((query: URLSearchParams) => void)[] = [
      (query) => query.set('state', 'another'),
      (query) => query.delete('state'),
      (query) => query.set('iss', 'https://elsewhere.example'),
      (query) => query.delete('iss'),
      (query) => query.append('code', 'a second one'),
      (query) => {
        query.delete('code')
        query.set('error', 'access_denied')
      },
    ]
    for (const change of changes) {
      const { query, state } = await asked(person.account)
      const changed = new URLSearchParams(query)
      change(changed)
      assert.equal(codeOf(await answer({ query: changed.toString(), state })), 'staff/sso-refused', changed.toString())
    }
  })

  test('an ID token with another nonce, issuer, audience or signature, or past its time, is refused', async () => {
    const person = await linked()
    const changes: Readonly<Record<string, (claims: Record<string, unknown>) => Record<string, unknown>>> = {
      nonce: (claims) => ({ ...claims, nonce: 'another' }),
      'no nonce': ({ nonce: _nonce, ...claims }) => claims,
      issuer: (claims) => ({ ...claims, iss: 'https://elsewhere.example' }),
      audience: (claims) => ({ ...claims, aud: 'another-desk' }),
      expired: (claims) => ({ ...claims, exp: Math.floor(Date.now() / 1000) - 120 }),
    }
    for (const [name, change] of Object.entries(changes)) {
      tamper = async (_url, body) =>
        typeof body['id_token'] === 'string'
          ? { ...body, id_token: await world.resign(body['id_token'], change) }
          : body
      assert.equal(codeOf(await signIn(person.account)), 'staff/sso-refused', name)
    }
    tamper = async (_url, body) => {
      const [head, claims] = String(body['id_token']).split('.')
      return 'id_token' in body ? { ...body, id_token: `${head}.${claims}.${'A'.repeat(342)}` } : body
    }
    assert.equal(codeOf(await signIn(person.account)), 'staff/sso-refused', 'signature')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    tamper = async (_url, body) =>
      'id_token' in body ? { ...body, id_token: `${none}.${String(body['id_token']).split('.')[1]}.` } : body
    assert.equal(codeOf(await signIn(person.account)), 'staff/sso-refused', 'alg none')
    tamper = undefined
    asSession(await signIn(person.account))
  })

  test('the provider changes its keys: the new ones count at once, the old ones no more', async () => {
    const person = await linked()
    asSession(await signIn(person.account))
    world.rotate()
    asSession(await signIn(person.account))
  })

  test('a description that names another issuer is not believed', async () => {
    tamper = async (_url, body) => ('issuer' in body ? { ...body, issuer: 'https://elsewhere.example' } : body)
    assert.equal(codeOf(await ask()), 'staff/sso-unavailable')
  })

  test('nobody gets an account, nor somebody else’s, by what the provider says about a name', async () => {
    const person = await joined()
    const before = await database.db.selectFrom('staff').select('id').execute()
    const known = await signIn(person.account)
    const unknown = await signIn({ sub: 'stranger', preferred_username: 'stranger', amr: MFA })
    assert.deepEqual(known, unknown)
    assert.equal(codeOf(known), 'staff/sso-not-linked')
    assert.equal((await database.db.selectFrom('staff').select('id').execute()).length, before.length)
    // The name of a linked colleague leads nowhere either: the subject counts.
    const colleague = await linked()
    assert.equal(codeOf(await signIn({ ...colleague.account, sub: 'somebody else' })), 'staff/sso-not-linked')
  })

  test('an administrator allows the first use to link, once, for a week; it needs the login', async () => {
    const person = await joined()
    must(await permit(person))
    assert.equal(
      codeOf(await signIn({ sub: 'another', preferred_username: 'another', amr: MFA })),
      'staff/sso-not-linked',
    )
    asSession(await signIn(person.account))
    asSession(await signIn({ ...person.account, preferred_username: 'renamed.there' }))
    const late = await joined()
    must(await permit(late))
    await database.db
      .updateTable('staff_sso_permit')
      .set({ expires_at: machine.now(), tie: '' })
      .where('staff', '=', late.id)
      .execute()
    assert.equal(codeOf(await signIn(late.account)), 'staff/sso-not-linked')
  })

  test('an e-mail address counts when it is verified, and of the facility’s domain', async () => {
    needs = needsWith({ amr: ['otp'], login: { claim: 'email', domain: 'hospital.example' } })
    const person = await joined()
    must(await permit(person))
    const email = `${person.login}@hospital.example`
    const { sub } = person.account
    for (const account of [
      { sub, amr: MFA, email, email_verified: false },
      { sub, amr: MFA, email },
      { sub, amr: MFA, email: `${person.login}@elsewhere.example`, email_verified: true },
      { sub, amr: MFA, email: `${person.login}@evil-hospital.example`, email_verified: true },
    ])
      assert.equal(codeOf(await signIn(account)), 'staff/sso-not-linked', account.email)
    asSession(await signIn({ sub, amr: MFA, email: email.toUpperCase(), email_verified: true }))
  })

  test('what is linked to one is not linked to another; who unlinks is not let in', async () => {
    const [person, other] = [await linked(), await joined()]
    const tryToLink = async (who: Person, account: Account) =>
      codeOf(await link(who, await asked(account, who.caller.session)))
    assert.equal(await tryToLink(other, person.account), 'staff/sso-taken')
    assert.equal(await tryToLink(person, { sub: 'a second one', amr: MFA }), 'staff/sso-taken')
    const colleague = await joined()
    assert.equal(await tryToLink(other, colleague.account), 'staff/sso-taken')
    await inTx((tx) => unlinkSso(tx, needs, person.caller))
    assert.equal(codeOf(await signIn(person.account)), 'staff/sso-not-linked')
  })

  test('the answer to a linking signs nobody in, and links in its own session only', async () => {
    const [person, other] = [await linked(), await joined()]
    assert.equal(codeOf(await answer(await asked(person.account, person.caller.session))), 'staff/sso-refused')
    const fresh: Account = { sub: 'fresh', amr: MFA }
    const given = await asked(fresh, person.caller.session)
    assert.equal(codeOf(await link(other, given)), 'staff/sso-refused')
    const door = await asked(fresh)
    assert.equal(codeOf(await link(other, door)), 'staff/sso-refused')
  })

  test('who is suspended is told so, and not let in', async () => {
    const person = await linked()
    must(await inTx((tx) => suspendStaff(tx, { id: person.id, actor: ACTOR })))
    assert.equal(codeOf(await signIn(person.account)), 'staff/suspended')
  })

  test('a provider that tells the rest only when asked is asked; one that is down is said to be', async () => {
    const quiet = await OidcWorld.start({ redirectUris: [`${ORIGIN}/desk/sso`], tellsAll: false })
    needs = needsWith({ at: quiet })
    const person = await joined()
    must(await permit(person))
    quiet.person = person.account
    const first = must(await ask())
    assert.ok('ticket' in must(await answer({ query: await quiet.browse(first.url), state: first.state })))
    const second = must(await ask())
    const query = await quiet.browse(second.url)
    await quiet.stop()
    assert.equal(codeOf(await answer({ query, state: second.state })), 'staff/sso-unavailable')
    needs = needsWith({ at: quiet })
    assert.equal(codeOf(await ask()), 'staff/sso-unavailable')
  })
})
