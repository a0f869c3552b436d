import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { exchangeRoutes } from '../../src/app-exchange.ts'
import type { Route } from '../../src/http/route.ts'
import { comeBack } from '../come-back.ts'
import { textAt } from '../json-path.ts'
import { callJson } from '../network.ts'
import { daysFromNow, RAVI } from '../people.ts'
import { EXCHANGE } from '../permissions.ts'
import { consented, HIP, HIU, startWorld, type World } from '../third-party-world.ts'
import { leavesOf, put, validBody } from '../valid-body.ts'

const OUTSIDER = 'IN2710000077'
const AT_ONCE = 32
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** For who does not take part in it, a thing answers as one that does not exist (CONTRIBUTING, "Forms"). */
describe('ids of others', () => {
  let world: World
  let ids: readonly string[]
  let ravi: Readonly<Record<string, string>>
  let outsider: Readonly<Record<string, string>>

  before(async () => {
    world = await startWorld()
    const { network, asha, clinic } = world
    const consent = await consented(world)
    await clinic.hiu.request(consent.id, consent.range)
    const period = { from: daysFromNow(-100).toISOString(), to: daysFromNow(100).toISOString() }
    const source = { hiTypes: ['OPConsultation'], purpose: { text: '', code: 'CAREMGT' }, period }
    const policy = { hiu: { id: HIU }, isApplicableForAllHIPs: true, includedSources: [source], excludedSources: [] }
    const approved = await asha.call('/api/hiecm/consent/v3/auto/approve', policy)
    assert.equal(approved.status, 202, JSON.stringify(approved.body))
    await asha.call('/api/hiecm/user-initiated-linking/v3/patient/care-context/discover', {
      hip: { id: HIP },
      unverifiedIdentifiers: [],
    })
    ids = await everyId()
    assert.ok(ids.length > 10, `${ids.length} ids`)
    // Only now, so that nothing of theirs is among the ids.
    await network.enrol(RAVI)
    ravi = { 'X-AUTH-TOKEN': await network.patientToken(RAVI.abhaAddress) }
    outsider = await sessionOf(OUTSIDER)
  })
  after(() => world.stop())

  async function sessionOf(id: string): Promise<Readonly<Record<string, string>>> {
    const input = { id, name: 'Outsider', url: 'http://127.0.0.1:9', roles: ['hip', 'hiu'] }
    const { body } = await world.network.operator('sbx', '/v1/bridges', input)
    const login = { clientId: textAt(body, 'clientId'), clientSecret: textAt(body, 'clientSecret') }
    const session = await callJson(
      `${world.network.exchange.url}/api/hiecm/gateway/v3/sessions`,
      {},
      { ...login, grantType: 'client_credentials' },
    )
    return { authorization: `Bearer ${textAt(session.body, 'accessToken')}`, 'X-HIP-ID': id, 'X-HIU-ID': id }
  }

  /** Every id in the tables of the exchange. */
  async function everyId(): Promise<readonly string[]> {
    const client = new pg.Client({ connectionString: world.network.exchange.databaseUrl })
    await client.connect()
    try {
      const { rows } = await client.query<{ t: string; c: string }>(
        `select table_name as t, column_name as c from information_schema.columns where table_schema = 'public'
         and data_type in ('uuid', 'text') and (column_name = 'id' or column_name like '%_request' or column_name like '%transaction%')
         and table_name not in ('job', 'message')`,
      )
      const found = new Set<string>()
      for (const { t, c } of rows) {
        const held = await client.query<{ id: string }>(
          `select distinct ${c}::text as id from ${t} where ${c} is not null limit 40`,
        )
        for (const { id } of held.rows) if (UUID.test(id)) found.add(id)
      }
      return [...found]
    } finally {
      await client.end()
    }
  }

  async function ask(
    route: Route,
    headers: Readonly<Record<string, string>>,
    id: string,
    template: unknown,
  ): Promise<string> {
    const places = leavesOf(template).filter(
      (place) => /id$/i.test(String(place.at(-1))) && typeof read(template, place) === 'string',
    )
    const asIs = /facility|hi[pu]\.id|patient\.id|notifier\.id/i
    const body = places
      .filter((place) => !asIs.test(place.join('.')))
      .reduce((made, place) => put(made, place, id), template)
    const answer = await comeBack(`${world.network.exchange.url}${route.path.replaceAll(/:\w+/g, id)}`, {
      method: route.method,
      headers: {
        'content-type': 'application/json',
        'REQUEST-ID': randomUUID(),
        TIMESTAMP: new Date().toISOString(),
        ...headers,
      },
      ...(route.method === 'GET' || body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return `${answer.status} ${(await answer.text()).replaceAll(id, '<id>').replace(/"trace":"[^"]+"/, '')}`
  }

  const read = (value: unknown, place: readonly PropertyKey[]): unknown =>
    place.reduce<unknown>((inner, step) => (inner as Readonly<Record<PropertyKey, unknown>> | undefined)?.[step], value)

  const routesOf = (who: 'patient' | 'bridge') =>
    exchangeRoutes({ sandbox: true } as never).filter((route) => {
      const permission = EXCHANGE[`${route.method} ${route.path}`]
      return permission?.who === who && (permission.of === 'object' || /\/v1\/(accesses|erasures)$/.test(route.path))
    })

  for (const who of ['patient', 'bridge'] as const) {
    test(`another ${who} hears of a thing exactly what it hears of nothing`, async () => {
      const headers = who === 'patient' ? ravi : outsider
      for (const route of routesOf(who)) {
        const template = route.body === undefined ? undefined : validBody(route.body)
        const ofNothing = await ask(route, headers, randomUUID(), template)
        assert.match(ofNothing, /^4/, `${route.method} ${route.path}: ${ofNothing}`)
        const one = async (id: string): Promise<void> =>
          assert.equal(await ask(route, headers, id, template), ofNothing, `${route.method} ${route.path} with ${id}`)
        // As many at once as a party has places would be turned away.
        for (let from = 0; from < ids.length; from += AT_ONCE)
          await Promise.all(ids.slice(from, from + AT_ONCE).map(one))
      }
    })
  }

  test('and nothing of it changed what is shared', async () => {
    const { body } = await world.asha.call('/api/hiecm/consent/v3/artefact?limit=10&offset=0&status=GRANTED')
    assert.match(JSON.stringify(body), /"size":1/)
  })
})
