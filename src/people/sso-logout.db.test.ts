import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import pino from 'pino'
import { Registry } from 'prom-client'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addStaff } from '../../test/desk-bench.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { OidcWorld } from '../../test/oidc-world.ts'
import { abdmRules } from '../abdm/rules.ts'
import { type Machine, transact } from '../db/tx.ts'
import { makeOutbound, type Outbound } from '../http/outbound.ts'
import { makeServer, nativeRules } from '../http/server.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { isRefusal, must, refuse } from '../kernel/refusal.ts'
import { deskSsoRoutes } from '../native/desk-sso-routes.ts'
import { makePasswordGate } from './password-gate.ts'
import { mayDo } from './rules.ts'
import { listSessions } from './session-commands.ts'
import { logoutOfClaims } from './sso.ts'
import { linkBySso, makeQuestion, readAnswer, type SsoNeeds, signInBySso, startSso } from './sso-commands.ts'
import { makeSsoProvider } from './sso-provider.ts'
import { finishSignIn, issueTicket, openStaffSession, readActiveStaff } from './staff-sign-in.ts'

const ORIGIN = 'https://desk.example.org'
const PATH = '/v1/desk/sign-in/sso/logout'
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

let database: TestDatabase
let machine: Machine
let outbound: Outbound
let world: OidcWorld
let needs: SsoNeeds
let app: ReturnType<typeof makeServer>

describe('people/sso-logout', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = { ...makeTestMachine(database), now: () => new Date() }
    const real = makeOutbound({ allowPrivateNetworks: true, nowMs: () => Date.now() })
    // Nobody hangs here: a busy machine may take longer than we wait for a provider.
    outbound = { ...real, call: (wanted) => real.call({ ...wanted, timeoutMs: 60_000 }) }
    const nobody = async () => refuse('auth/no-session')
    const late = { sso: undefined as SsoNeeds['sso'] | undefined }
    const facility = { id: 'IN2710000011' as FacilityId, name: 'Tarangini Hospital' }
    const web = { party: facility.id, origins: [ORIGIN] }
    const desk = { indexKey: new Uint8Array(32).fill(7), facility, web, gate: makePasswordGate() }
    app = makeServer({
      machine,
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      routes: deskSsoRoutes({
        ...desk,
        get sso() {
          return late.sso as SsoNeeds['sso']
        },
      }),
      dialects: { native: nativeRules, abdm: abdmRules({}) },
      authenticate: {
        none: async () => ({ kind: 'anonymous' }),
        bridge: nobody,
        patient: nobody,
        exchange: nobody,
        operator: nobody,
        console: nobody,
        partner: nobody,
        staff: nobody,
      },
      mayDo,
      ready: async () => [],
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const logoutUri = `http://127.0.0.1:${port}${PATH}`
    world = await OidcWorld.start({ redirectUris: [`${ORIGIN}/desk/sso`], logoutUri })
    const { clientSecret, ...named } = world.settings
    const settings = {
      ...named,
      proof: { clientSecret },
      scope: 'openid profile email',
      login: { claim: 'preferred_username' },
      secondFactor: { acr: [], amr: ['otp'] },
    }
    late.sso = makeSsoProvider(settings, outbound)
    needs = { ...desk, sso: late.sso }
  })
  after(async () => {
    await app.close()
    await outbound.close()
    await world.stop()
    await database.close()
  })

  const inTx = <T>(work: Parameters<typeof transact<T>>[1]): Promise<T> => transact(machine, work)
  const live = async (id: Id<'staff'>) => (await inTx((tx) => listSessions(tx, 'staff', id))).map((one) => one.id)
  const send = async (token: string) =>
    app.inject({
      method: 'POST',
      url: PATH,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ logout_token: token }).toString(),
    })

  /** Somebody whose account is linked; `signIn` opens a session by the provider and answers its id and what the provider calls its own. */
  async function linked(sub: string) {
    const caller = await addStaff(machine, 'doctor', 'Meera Nair')
    const account = must(await inTx(async (tx) => (await readActiveStaff(tx, caller.id)) ?? refuse('staff/unknown')))
    const opened = await inTx((tx) =>
      openStaffSession(tx, needs, account, { how: 'password-totp', userAgent: undefined }),
    )
    world.person = { sub, preferred_username: account.login, amr: ['pwd', 'otp'] }
    const proof = async (session?: Id<'web-session'>) => {
      const question = must(await makeQuestion(machine, needs, ORIGIN))
      await inTx((tx) => startSso(tx, question, session))
      return must(await readAnswer(machine, needs, { query: await world.browse(question.url), state: question.state }))
    }
    const asked = await proof(opened.id)
    assert.equal(await inTx((tx) => linkBySso(tx, needs, { ...caller, session: opened.id }, asked)), undefined)
    const signIn = async () => {
      const answer = await proof()
      const session = must(await inTx((tx) => signInBySso(tx, needs, { answer, userAgent: undefined })))
      assert.ok('cookie' in session)
      return { id: session.id, sid: answer.identity.sid ?? assert.fail('the provider names no session') }
    }
    return { caller, own: opened.id, signIn }
  }

  test('who signs out at the provider is out here: the session that began there ends, recorded; others stay', async () => {
    const { caller, own, signIn } = await linked('one')
    const [first, second] = [await signIn(), await signIn()]
    assert.notEqual(first.sid, second.sid)
    await world.signOut('one', first.sid)
    assert.deepEqual(new Set(await live(caller.id)), new Set([own, second.id]))
    const told = await database.db
      .selectFrom('audit_event')
      .select('body')
      .where('bucket', '>=', 0)
      .where('type', '=', 'staff.sso-signed-out')
      .execute()
    assert.equal(told.length, 1)
    assert.match(told[0]?.body.toString('utf8') ?? '', new RegExp(caller.id))
    await world.signOut('one', first.sid)
    assert.deepEqual(new Set(await live(caller.id)), new Set([own, second.id]), 'over already is no fault')
  })

  test('a token without a session ends all that began with the person there, and not what began otherwise', async () => {
    const { caller, own, signIn } = await linked('two')
    await signIn()
    await signIn()
    const { issuer: iss, clientId: aud } = world.settings
    const iat = Math.floor(Date.now() / 1_000)
    const whole = { iss, aud, iat, exp: iat + 120, jti: 'all-of-two', sub: 'two', events: { [EVENT]: {} } }
    assert.equal((await send(await world.sign(whole))).statusCode, 200)
    assert.deepEqual(await live(caller.id), [own])
  })

  test('nothing else ends anything: another key, issuer, client or kind of token, an old one, or one that was used', async () => {
    const { caller, own, signIn } = await linked('three')
    const { id, sid } = await signIn()
    const { issuer: iss, clientId: aud } = world.settings
    const iat = Math.floor(Date.now() / 1_000)
    let count = 0
    const claims = (change: object = {}): Record<string, unknown> => ({
      iss,
      aud,
      iat,
      exp: iat + 120,
      jti: `three-${count++}`,
      sub: 'three',
      sid,
      events: { [EVENT]: {} },
      ...change,
    })
    const refused = async (token: string, why: string) => {
      const { statusCode, body } = await send(token)
      assert.equal(statusCode, 400, `${why}: ${body}`)
      assert.match(body, /staff\/logout-refused/, why)
    }
    const changes: Readonly<Record<string, object>> = {
      'another issuer': { iss: 'https://elsewhere.example' },
      'another client': { aud: 'another-desk' },
      'too old': { iat: iat - 3_600, exp: undefined },
      'from the future': { iat: iat + 3_600 },
      expired: { exp: iat - 60 },
      'no time': { iat: undefined },
      'no id': { jti: undefined },
      'no event': { events: undefined },
      'another event': { events: { 'http://schemas.openid.net/event/other': {} } },
      'an event that is no object': { events: { [EVENT]: true } },
      'a nonce, as an ID token has': { nonce: 'n' },
      nobody: { sub: undefined, sid: undefined },
    }
    for (const [why, change] of Object.entries(changes)) await refused(await world.sign(claims(change)), why)
    for (const typ of ['at+jwt', 'JWT']) await refused(await world.sign(claims(), typ), `a token of the kind ${typ}`)
    const [head, , signature] = (await world.sign(claims())).split('.')
    const forged = Buffer.from(JSON.stringify(claims())).toString('base64url')
    await refused(`${head}.${forged}.${signature}`, 'another signature')
    await refused(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${forged}.`, 'no signature')
    await refused('rubbish', 'no token')
    const stranger = await OidcWorld.start({ redirectUris: [`${ORIGIN}/desk/sso`] })
    await refused(await stranger.sign(claims()), 'another key')
    await stranger.stop()
    assert.deepEqual(new Set(await live(caller.id)), new Set([own, id]))
    const good = await world.sign(claims())
    assert.equal((await send(good)).statusCode, 200)
    assert.deepEqual(await live(caller.id), [own])
    const again = await signIn()
    await refused(good, 'used already')
    assert.ok((await live(caller.id)).includes(again.id))
  })

  test('a sign-in that waits for our second factor ends with it; one by password goes on', async () => {
    const caller = await addStaff(machine, 'doctor', 'Meera Nair')
    const { issuer, clientId: aud } = world.settings
    const [bySso, byPassword] = await inTx(async (tx) => [
      await issueTicket(tx, caller.id, { issuer, subject: 'four', sid: 's4' }),
      await issueTicket(tx, caller.id, undefined),
    ])
    const iat = Math.floor(Date.now() / 1_000)
    const claims = { iss: issuer, aud, iat, exp: iat + 120, jti: 'four', sid: 's4', events: { [EVENT]: {} } }
    assert.equal((await send(await world.sign(claims))).statusCode, 200)
    const finish = async (ticket: string) => {
      const given = { ticket, code: '000000', userAgent: undefined, source: '192.0.2.9' }
      const result = await inTx((tx) => finishSignIn(tx, needs, given))
      return isRefusal(result) ? result.code : 'signed in'
    }
    assert.equal(await finish(bySso?.ticket ?? ''), 'staff/sign-in-over')
    assert.equal(await finish(byPassword?.ticket ?? ''), 'staff/wrong-code')
  })

  test('when the keys of the provider cannot be had, the token is not called wrong: it may be sent again', async () => {
    const { clientSecret, ...named } = world.settings
    const settings = {
      ...named,
      proof: { clientSecret },
      scope: 'openid',
      login: { claim: 'preferred_username' },
      secondFactor: { acr: [], amr: ['otp'] },
    }
    const iat = Math.floor(Date.now() / 1_000)
    const claims = { iss: named.issuer, aud: named.clientId, iat, exp: iat + 120, jti: 'five', sub: 'five' }
    const token = await world.sign({ ...claims, events: { [EVENT]: {} } })
    let isAway = true
    const call: Outbound['call'] = (wanted) =>
      isAway ? Promise.resolve({ kind: 'failed', reason: 'ECONNREFUSED', tookMs: 1 }) : outbound.call(wanted)
    const provider = makeSsoProvider(settings, { ...outbound, call })
    const refused = await provider.logoutOf(new Date(), token)
    assert.equal(isRefusal(refused) && refused.code, 'staff/sso-unavailable')
    isAway = false
    assert.equal(must(await provider.logoutOf(new Date(), token)).subject, 'five')
  })

  test('the claims of a logout token, and of what is none', () => {
    const claims = { iss: 'https://login.example', iat: 1_795_000_000, jti: 'a', sub: 'x', events: { [EVENT]: {} } }
    assert.deepEqual(logoutOfClaims(claims), {
      issuer: 'https://login.example',
      subject: 'x',
      jti: 'a',
      issuedAt: new Date(1_795_000_000_000),
    })
    assert.equal(logoutOfClaims({ ...claims, sid: 7 }), undefined)
    assert.equal(logoutOfClaims({ ...claims, nonce: undefined }), undefined)
    assert.ok(!isRefusal(logoutOfClaims({ ...claims, sub: undefined, sid: 's' })))
  })
})
