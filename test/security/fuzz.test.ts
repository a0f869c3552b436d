import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import { Pool } from 'undici'
import type { Route } from '../../src/http/route.ts'
import { type Seeded, seeded } from '../seeded.ts'
import { validBody } from '../valid-body.ts'
import { faultOfAnswer, type Seen } from './answer.ts'
import { type Callers, callersAt } from './callers.ts'
import { furnish, idsOf } from './furnished.ts'
import { Known, queryNames } from './known.ts'
import { type Hostile, mutate, NEVER_A_MESSAGE, PHASES, type Phase } from './mutations.ts'
import { AT_EXCHANGE, AT_FACILITY, abdmHeaders, HOSPITAL, nameOf, startWorld, type World } from './world.ts'

/**
 * Hostile calls of every route, as somebody who may call it. The seed is printed; the same seed makes the same calls.
 * More by hand: `AMANAT_FUZZ_SEED=7 AMANAT_FUZZ_ROUNDS=50 npm test -- test/security/fuzz.test.ts`
 */
const SEED = Number(process.env['AMANAT_FUZZ_SEED'] ?? 20_261_122)
const ROUNDS = Number(process.env['AMANAT_FUZZ_ROUNDS'] ?? 1)
/** A regular expression that backtracks takes minutes on what is sent here; a busy machine takes some of this. */
const ANSWER_MS_MAX = 5_000
const AT_ONCE = 8
/** How often it is looked whether calls change something. */
const ROUNDS_MAX = 3
const ID = '3f1c2f6e-1d8e-4c39-9a51-0d6f5d0a7c00'
/** What tells that a call was made, and no more; and what parties do by themselves meanwhile. */
const BOOKKEEPING =
  /^(message|message_content|web_session|step_up|partner_proof_used|job|log_.*|seen_.*|checkpoint.*|witness.*)$/

/** Another hospital, which went away. */
const OTHER = 'IN2910000022'

/** Whose proofs are good for every call; a bridge or patient may need more than one. */
const KNOWN_AT_THE_DOOR: ReadonlySet<string> = new Set(['partner', 'exchange', 'operator', 'staff'])
const USUAL_HEADERS: ReadonlySet<Phase> = new Set<Phase>(['example', 'boundary', 'type', 'shape', 'text', 'size'])

type Side = { readonly url: string; readonly known: Known; readonly callers: Callers }
type Payload = { readonly method: string; readonly path: string; readonly body?: unknown }
const { payloads } = JSON.parse(fs.readFileSync('test/vectors/abdm/v3-payloads.json', 'utf8')) as {
  payloads: Payload[]
}

/** A body that the route takes: the sample of ABDM where there is one, else one made from the schema; mostly about what there is. */
function bodyFor(route: Route, known: Known, random: Seeded): unknown {
  if (route.body === undefined) return undefined
  const sample = payloads.find(({ method, path }) => method === route.method && route.path.endsWith(path))?.body
  const made = validBody(route.body)
  const body = sample !== undefined && (made === undefined || random.next() < 0.5) ? sample : (made ?? {})
  return random.next() < 0.8 ? known.body(route, body, random) : body
}

/** A path that was changed leads to no route, or to another one, which may speak the other dialect. */
function faultIn(seen: Seen, route: Route, phase: Phase): string | undefined {
  const fault = faultOfAnswer(seen, route)
  const other = { ...route, dialect: route.dialect === 'abdm' ? ('native' as const) : ('abdm' as const) }
  return fault !== undefined && phase === 'path' ? faultOfAnswer(seen, other) : fault
}

describe('every route, called by somebody who means no good', () => {
  let world: World
  const pools: Pool[] = []
  const sides = {} as Record<'exchange' | 'hospital', Side>

  before(async () => {
    world = await startWorld({ facilities: [HOSPITAL, OTHER], certificateProxies: ['127.0.0.1'] })
    const secrets = await furnish(world.network, HOSPITAL, OTHER)
    for (const [name, id] of [
      ['exchange', 'sbx'],
      ['hospital', HOSPITAL],
    ] as const)
      sides[name] = {
        url: world[name].url,
        known: new Known(await idsOf(world.network, id), [HOSPITAL, OTHER], secrets),
        callers: await callersAt(world, id, [HOSPITAL, OTHER]),
      }
  })
  after(async () => {
    for (const pool of pools) await pool.close()
    await world.network.stop()
  })

  async function call(
    pool: Pool,
    route: Route,
    proof: Readonly<Record<string, string>>,
    hostile: Hostile,
  ): Promise<Seen & { readonly tookMs: number }> {
    const startedMs = performance.now()
    const answer = await pool.request({
      method: route.method,
      path: hostile.path,
      headers: { ...abdmHeaders(), 'Idempotency-Key': randomUUID(), ...proof, ...hostile.headers },
      ...(route.method === 'GET' || hostile.body === undefined ? {} : { body: hostile.body }),
    })
    // Live updates do not end by themselves.
    if (route.live !== undefined && answer.statusCode === 200) {
      answer.body.destroy()
      return { status: 200, headers: answer.headers, text: '', tookMs: performance.now() - startedMs }
    }
    const text = await answer.body.text()
    return { status: answer.statusCode, headers: answer.headers, text, tookMs: performance.now() - startedMs }
  }

  /** How many rows each table has; bookkeeping, and what a party records by itself when its time comes (its log, its keys, counted refusals), apart. */
  async function rowsOf(id: string): Promise<Readonly<Record<string, string>>> {
    const { db } = world.network.party(id).running.machine
    const { rows } = await sql<{ name: string; count: string }>`
      select relname as name, (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I %s', relname,
          case relname when 'audit_event' then 'where actor_kind <> ''system''' else '' end), false, true, '')))[1]::text as count
      from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`.execute(db)
    return Object.fromEntries(
      rows.filter(({ name }) => !BOOKKEEPING.test(name)).map(({ name, count }) => [name, count]),
    )
  }

  async function fuzz(
    { url, known, callers }: Side,
    routes: readonly Route[],
    phases: readonly Phase[],
  ): Promise<{ readonly calls: number; readonly faults: readonly string[]; readonly reached: ReadonlySet<string> }> {
    const pool = new Pool(url, { connections: AT_ONCE })
    pools.push(pool)
    const faults: string[] = []
    const reached = new Set<string>()
    let calls = 0
    const one = async (route: Route, index: number): Promise<void> => {
      const random = seeded(SEED + index * 7_919)
      for (const phase of Array.from({ length: ROUNDS }, () => phases).flat()) {
        const hostile = mutate(random, phase, {
          path: known.path(route, random, ID),
          body: bodyFor(route, known, random),
          queryNames: queryNames(route),
        })
        if (hostile === undefined) continue
        const isProved = random.next() < 0.9
        const make = async () => call(pool, route, isProved ? await callers(route, hostile.path, random) : {}, hostile)
        const seen = await make()
        calls++
        if (isProved) reached.add(`${route.auth} ${Math.floor(seen.status / 100)}`)
        // A busy machine stalls now and then; what is slow by itself is slow again.
        const isSlow = seen.tookMs > ANSWER_MS_MAX && (await make()).tookMs > ANSWER_MS_MAX
        const fault = faultIn(seen, route, phase) ?? (isSlow ? `took ${Math.round(seen.tookMs)} ms` : undefined)
        const broke =
          NEVER_A_MESSAGE.has(phase) && route.method !== 'GET' && seen.status < 400
            ? 'took what is no message'
            : isProved && seen.status === 401 && KNOWN_AT_THE_DOOR.has(route.auth) && USUAL_HEADERS.has(phase)
              ? 'keeps out who may come in: nothing behind the door was tried'
              : undefined
        if (fault !== undefined || broke !== undefined)
          faults.push(
            `${nameOf(route)} ${phase} (${hostile.told}): ${seen.status} ${fault ?? broke}: ${seen.text.slice(0, 200)}`,
          )
      }
    }
    const queue = [...routes.entries()]
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await one(next[1], next[0])
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return { calls, faults, reached }
  }

  const parties = [
    ['the exchange', () => sides.exchange, AT_EXCHANGE, 'sbx'],
    ['a hospital', () => sides.hospital, AT_FACILITY, HOSPITAL],
  ] as const
  for (const [name, party, routes, id] of parties) {
    // Ending the session comes last: it is needed until then.
    const all = routes.filter((route) => !nameOf(route).startsWith('DELETE /v1/session'))

    test(`what is no message at all changes nothing at ${name}`, async () => {
      const withBody = all.filter(({ body }) => body !== undefined)
      for (let round = 1; ; round++) {
        const before = await rowsOf(id)
        const { faults } = await fuzz(party(), withBody, [...NEVER_A_MESSAGE])
        assert.deepEqual(faults, [], `seed ${SEED}`)
        const now = await rowsOf(id)
        // What a party finished meanwhile by itself it does not do again; what these calls change they change each time.
        if (isDeepStrictEqual(now, before)) return
        if (round === ROUNDS_MAX) assert.deepEqual(now, before)
      }
    })

    test(`${name} answers everything in its documented forms, in good time`, async (t) => {
      const startedMs = performance.now()
      const { calls, faults, reached } = await fuzz(
        party(),
        all,
        PHASES.filter((phase) => !NEVER_A_MESSAGE.has(phase)),
      )
      t.diagnostic(`seed ${SEED}: ${calls} calls in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
      assert.deepEqual(faults, [], `seed ${SEED}`)
      // What lies behind the doors was met, not the doors alone.
      for (const auth of new Set(all.map((route) => route.auth)))
        assert.ok(reached.has(`${auth} 2`), `nothing of ${auth} was answered with success`)
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
      assert.deepEqual(Object.keys(Object.prototype), [])
    })
  }
})
