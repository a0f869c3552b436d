import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { routeTables } from '../scripts/route-tables.ts'
import type { Route } from '../src/http/route.ts'
import { tieAll } from '../src/keys/tie-existing.ts'
import { mayDo } from '../src/people/rules.ts'
import { consoleRoutes } from '../src/sandbox/console-routes.ts'
import { frontPageRoutes } from '../src/sandbox/front-page.ts'
import { comeBack } from './come-back.ts'
import { at, textAt } from './json-path.ts'
import { CHILD, everyToken, GROWN, type Way, waysOf } from './matrix-callers.ts'
import { callJson, partyName, TestNetwork } from './network.ts'
import { partnerWays } from './partner-client.ts'
import { ASHA, RAVI } from './people.ts'
import { EVERYWHERE, EXCHANGE, type Permissions } from './permissions.ts'
import { FACILITY } from './permissions-facility.ts'
import { addStaff, everyRole, signInStaff } from './staff.ts'
import { leavesOf, put, validBody } from './valid-body.ts'

const HOSPITAL = 'IN2710000011'
const OTHER = 'IN2910000022'
/** A facility of ours, with staff of its own. */
const SECOND = 'IN2710000033'
const { everywhere, ...tables } = routeTables({ sandbox: true })
const none = {} as never
/** With what only a sandbox has. */
const atExchange = [...tables.exchange, ...frontPageRoutes(none), ...consoleRoutes(none)]
const nameOf = (route: Route): string => `${route.method} ${route.path}`

type Seen = { readonly status: number; readonly body: unknown; readonly type: string | null }

const isSignOut = (route: Route): boolean => nameOf(route) === 'DELETE /v1/session'
const hasBody = ({ body }: Route): boolean => body !== undefined
/** What a parser, a date or PostgreSQL might stumble over, by what a field holds; `test/security` mixes more of it. */
const hostileFor = (usual: unknown): readonly unknown[] => {
  if (typeof usual === 'number') return [1e308, null]
  if (typeof usual !== 'string') return [null, { constructor: { prototype: { x: 1 } } }]
  const ofTexts = ['a\u0000b', '\ud800', 'x'.repeat(5_000)]
  return /^\d{4}-\d{2}-\d{2}/.test(usual)
    ? ['0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', 'a\u0000b']
    : ofTexts
}

/** Of the ways that differ only in how a token is wrong, so many come to each route, in turn; all of them to the first of each kind. */
const VARIANTS_EACH = 4

describe('every route, as every kind of caller', () => {
  let network: TestNetwork
  let toExchange: readonly Way[]
  let toFacility: readonly Way[]
  /** Tokens of partners are good for five minutes: each time new ones. */
  const exchangeWays = async () => [...toExchange, ...(await partnerWays(network, 'sbx', SECOND))]
  const facilityWays = async () => [...toFacility, ...(await partnerWays(network, HOSPITAL, 'sbx'))]
  let sessions: { readonly hospital: string; readonly other: string }

  before(async () => {
    network = await TestNetwork.start({ facilities: [HOSPITAL, SECOND] })
    for (const person of [ASHA, RAVI]) await network.enrol(person)
    for (const child of [CHILD, GROWN]) {
      const enrolled = await network.operator('sbx', '/v1/patients', { ...child, guardian: ASHA.abhaAddress })
      assert.equal(enrolled.status, 201, JSON.stringify(enrolled.body))
    }
    sessions = { hospital: await sessionOf('IN2710000012'), other: await sessionOf(OTHER) }
    const tokens = await everyToken(network, { session: sessions.hospital, facility: HOSPITAL, other: OTHER })
    toExchange = [...waysOf(tokens, network.exchange.operatorToken), await consoleWay()]
    toFacility = [
      ...waysOf(tokens, network.party(HOSPITAL).operatorToken),
      ...(await staffWays()),
      {
        name: 'the sign-in page',
        headers: { origin: network.party(HOSPITAL).url, 'sec-fetch-site': 'same-origin' },
        proves: 'console',
      },
    ]
  })
  after(() => network.stop())

  async function sessionOf(id: string): Promise<string> {
    const input = { id, name: partyName('Bridge', id), url: 'http://127.0.0.1:9', roles: ['hip', 'hiu'] }
    const { body } = await network.operator('sbx', '/v1/bridges', input)
    const login = {
      clientId: textAt(body, 'clientId'),
      clientSecret: textAt(body, 'clientSecret'),
      grantType: 'client_credentials',
    }
    const session = await callJson(`${network.exchange.url}/api/hiecm/gateway/v3/sessions`, abdmHeaders(), login)
    return textAt(session.body, 'accessToken')
  }

  /** Staff of each role, and cookies that prove nothing here: of another facility, of who was suspended, made up. */
  async function staffWays(): Promise<readonly Way[]> {
    const own = (await everyRole(network, HOSPITAL)).map(
      ({ role, headers }): Way => ({ name: `the ${role}`, headers, proves: 'staff', role }),
    )
    const abroad = await signInStaff(network, SECOND, await addStaff(network, SECOND, 'doctor'))
    const foreign = { ...abroad, origin: new URL(network.party(HOSPITAL).url).origin }
    const renamed = foreign.cookie.replace(SECOND, HOSPITAL)
    const gone = await addStaff(network, HOSPITAL, 'doctor', 'was.here')
    const headers = await signInStaff(network, HOSPITAL, gone)
    const { machine } = network.party(HOSPITAL).running
    await machine.db
      .updateTable('staff')
      .set({ status: 'suspended', tie: '' })
      .where('login', '=', gone.login)
      .execute()
    await tieAll(machine.db)
    return [
      ...own,
      { name: 'a doctor of another facility', headers: foreign },
      { name: 'a doctor of another facility with a renamed cookie', headers: { ...foreign, cookie: renamed } },
      { name: 'a suspended doctor', headers },
      { name: 'a made-up cookie', headers: { ...headers, cookie: `amanat_desk_${HOSPITAL}=${'x'.repeat(43)}` } },
    ]
  }

  /** The page of the sandbox console, as a browser would send it. */
  async function consoleWay(): Promise<Way> {
    const origin = network.exchange.url
    const headers = { origin, 'sec-fetch-site': 'same-origin' }
    const { body } = await callJson(`${origin}/v1/console/session`, headers)
    return { name: 'the console', headers: { ...headers, 'X-CSRF': textAt(body, 'csrf') }, proves: 'console' }
  }

  function abdmHeaders(): Readonly<Record<string, string>> {
    return {
      'content-type': 'application/json',
      'REQUEST-ID': randomUUID(),
      TIMESTAMP: new Date().toISOString(),
      'X-CM-ID': 'sbx',
    }
  }

  async function call(
    base: string,
    route: Route,
    headers: Readonly<Record<string, string>>,
    body: unknown,
  ): Promise<Seen> {
    const path = route.path.replaceAll(/:\w+|\*/g, () => randomUUID())
    // All callers come at once here: who is told to come back does.
    const answer = await comeBack(`${base}${path}`, {
      method: route.method,
      headers: { ...abdmHeaders(), 'Idempotency-Key': randomUUID(), ...headers },
      ...(route.method === 'GET' || body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    // Live updates do not end by themselves.
    if (route.live && answer.status === 200) {
      await answer.body?.cancel()
      return { status: 200, body: undefined, type: answer.headers.get('content-type') }
    }
    const text = await answer.text()
    const type = answer.headers.get('content-type')
    return { status: answer.status, body: /json/.test(type ?? '') && text !== '' ? JSON.parse(text) : text, type }
  }

  const bodyOf = (route: Route): unknown => {
    if (route.body === undefined) return undefined
    const body = validBody(route.body)
    return body ?? {}
  }

  async function hold(base: string, routes: readonly Route[], table: Permissions, ways: readonly Way[]): Promise<void> {
    const usual = ways.filter((way) => way.isVariant === undefined)
    const variants = ways.filter((way) => way.isVariant)
    const met = new Set<string>()
    for (const [index, route] of routes.entries()) {
      const kind = `${route.auth} ${route.dialect}`
      const turn = Array.from(
        { length: VARIANTS_EACH },
        (_, i) => variants[(index * VARIANTS_EACH + i) % variants.length],
      )
      const callers = [...usual, ...(met.has(kind) ? turn.flatMap((way) => way ?? []) : variants)]
      met.add(kind)
      const permission = table[nameOf(route)]
      assert.ok(permission, `${nameOf(route)} stands in no table of test/permissions.ts: decide who may call it`)
      const body = bodyOf(route)
      const nobody = await call(base, route, {}, body)
      const open = permission.who === 'anybody' || permission.who === 'address'
      const alike = new Map<string | undefined, Seen>([[undefined, nobody]])
      for (const { origin } of callers.map((way) => way.headers))
        if (open && !alike.has(origin) && origin !== undefined)
          alike.set(origin, await call(base, route, { origin }, body))
      if (!open) assert.equal(nobody.status, 401, `${nameOf(route)} lets nobody in: ${JSON.stringify(nobody.body)}`)
      await Promise.all(
        callers.map(async (way) => {
          const seen = await call(base, route, way.headers, body)
          const told = `${nameOf(route)} as ${way.name}: ${seen.status} ${JSON.stringify(seen.body)?.slice(0, 200)}`
          assert.ok(seen.status < 500 || seen.status === 503, told)
          // A login that fails again and again is slowed down.
          if (open) {
            assert.ok([alike.get(way.headers['origin'])?.status, 429].includes(seen.status), told)
          } else if (way.proves === permission.who) {
            assert.notEqual(seen.status, 401, told)
            const isBarred = way.role !== undefined && route.act !== undefined && !mayDo(way.role, route.act)
            if (isBarred)
              assert.deepEqual([seen.status, at(seen.body, 'type')], [403, 'urn:amanat:problem:auth/forbidden'], told)
            else if (route.act !== undefined) assert.ok(!String(at(seen.body, 'detail')).startsWith('Your role'), told)
          } else assert.ok(seen.status === 401 || (seen.status === 403 && /guardian/.test(way.name)), told)
        }),
      )
    }
  }

  test('the tables name every route, and no route that is not there', () => {
    const sort = (names: readonly string[]) => [...names].sort()
    assert.deepEqual(sort(Object.keys(EXCHANGE)), sort(atExchange.map(nameOf)))
    assert.deepEqual(sort(Object.keys(FACILITY)), sort(tables.facility.map(nameOf)))
    assert.deepEqual(sort(Object.keys(EVERYWHERE)), sort(everywhere.map(nameOf)))
  })

  test('what a route asks for is what the table says', () => {
    const pairs = [
      [atExchange, EXCHANGE],
      [tables.facility, FACILITY],
      [everywhere, EVERYWHERE],
    ] as const
    for (const [routes, table] of pairs)
      for (const route of routes) {
        const { who, grave, light } = table[nameOf(route)] ?? {}
        assert.equal(route.auth, who === 'anybody' || who === 'address' ? 'none' : who, nameOf(route))
        assert.equal(route.grave, grave, `${nameOf(route)}: whether it asks for an operator by name`)
        const isDecided = (grave === undefined) !== (light === undefined)
        const mayChange = route.auth === 'operator' && route.method !== 'GET'
        assert.ok(
          mayChange ? isDecided : !grave && !light,
          `${nameOf(route)}: say whether it is grave, or why it is not`,
        )
      }
  })

  test('sessions of ABDM open no path of ours, and tokens of partners none of ABDM’s', () => {
    for (const { path, auth, dialect } of [...atExchange, ...tables.facility, ...everywhere]) {
      const isAbdms = path.startsWith('/api/')
      assert.ok(!isAbdms || dialect === 'abdm', path)
      assert.ok(!(isAbdms ? ['partner', 'staff'] : ['bridge']).includes(auth), path)
    }
  })

  test('the exchange lets in whom the table names, and nobody else', async () => {
    await hold(network.exchange.url, atExchange, EXCHANGE, await exchangeWays())
    await hold(network.exchange.url, everywhere, EVERYWHERE, await exchangeWays())
  })

  test('a facility lets in whom the table names, and nobody else; no value of any field is a fault there', async () => {
    // Signing out comes last: the sessions are needed until then.
    const [signOut, others] = [tables.facility.filter(isSignOut), tables.facility.filter((each) => !isSignOut(each))]
    await hold(network.party(HOSPITAL).url, others, FACILITY, await facilityWays())
    await hold(network.party(HOSPITAL).url, everywhere, EVERYWHERE, await facilityWays())
    await holdOut(network.party(HOSPITAL).url, others.filter(hasBody), await facilityWays())
    await hold(network.party(HOSPITAL).url, signOut, FACILITY, await facilityWays())
  })

  /** One hostile value at a time in every field: a refusal or an answer, never a fault. */
  async function holdOut(base: string, routes: readonly Route[], ways: readonly Way[]): Promise<void> {
    for (const route of routes) {
      const body = bodyOf(route)
      const way = ways.find(({ proves }) => proves === route.auth)
      const tries = leavesOf(body).flatMap((leaf) =>
        hostileFor(at(body, leaf.join('.'))).map((value) => ({ leaf, value })),
      )
      const one = async ({ leaf, value }: (typeof tries)[number]): Promise<void> => {
        const seen = await call(base, route, way?.headers ?? {}, put(body, leaf, value))
        const told = `${nameOf(route)} ${leaf.join('.')} = ${JSON.stringify(value)?.slice(0, 40)}: ${seen.status}`
        assert.ok(seen.status < 500, told)
      }
      // As many at once as a party has places would be turned away.
      for (let from = 0; from < tries.length; from += 64) await Promise.all(tries.slice(from, from + 64).map(one))
    }
  }

  test('no value of any field is a fault at the exchange', async () =>
    holdOut(network.exchange.url, tables.exchange.filter(hasBody), await exchangeWays()))

  test('a bridge that names a facility of another is refused', async () => {
    for (const route of tables.exchange) {
      const { of, at: place } = EXCHANGE[nameOf(route)] ?? {}
      if (of !== 'header' && of !== 'body' && of !== 'register') continue
      const body =
        place === undefined
          ? bodyOf(route)
          : put(
              bodyOf(route),
              place.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
              HOSPITAL,
            )
      const named = of === 'header' ? { 'X-HIP-ID': HOSPITAL, 'X-HIU-ID': HOSPITAL } : {}
      const seen = await call(
        network.exchange.url,
        route,
        { authorization: `Bearer ${sessions.other}`, ...named },
        body,
      )
      assert.equal(
        seen.status,
        of === 'register' ? 409 : 403,
        `${nameOf(route)}: ${seen.status} ${JSON.stringify(seen.body)}`,
      )
    }
  })

  test('a partner that names a facility of another is refused', async () => {
    for (const [base, routes, table, ways] of [
      [network.exchange.url, tables.exchange, EXCHANGE, await exchangeWays()],
      [network.party(HOSPITAL).url, tables.facility, FACILITY, await facilityWays()],
    ] as const)
      for (const route of routes) {
        const { who, of } = table[nameOf(route)] ?? {}
        if (who !== 'partner' || of !== 'facility' || route.body === undefined) continue
        const { headers } = ways.find(({ name }) => name === 'a partner for another facility') ?? { headers: {} }
        const seen = await call(base, route, { ...headers, 'X-HIP-ID': HOSPITAL, 'X-HIU-ID': HOSPITAL }, bodyOf(route))
        assert.ok([403, 404].includes(seen.status), `${nameOf(route)}: ${seen.status} ${JSON.stringify(seen.body)}`)
      }
  })
})
