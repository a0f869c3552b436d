import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { routeTables } from '../../scripts/route-tables.ts'
import { type RunningParty, startParty } from '../../src/app.ts'
import { run } from '../../src/cli.ts'
import { parseConfig } from '../../src/config.ts'
import { transact } from '../../src/db/tx.ts'
import type { Route } from '../../src/http/route.ts'
import { must } from '../../src/kernel/refusal.ts'
import { enrolOperator } from '../../src/operators/commands.ts'
import { codeOfSecret } from '../../src/people/authenticator.ts'
import { comeBack } from '../come-back.ts'
import { openTestDatabase, type TestDatabase, temporaryRoot } from '../database.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { callJson, freePort } from '../network.ts'
import { validBody } from '../valid-body.ts'

type Place = {
  readonly running: RunningParty
  readonly database: TestDatabase
  readonly url: string
  readonly file: string
  readonly grave: readonly Route[]
}
type Seen = { readonly status: number; readonly body: unknown; readonly code: string }

const TOKEN = 'o'.repeat(43)
const bearer = { authorization: `Bearer ${TOKEN}` }
const { everywhere, exchange: ofExchange, facility: ofFacility } = routeTables({ sandbox: false })
const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const jwks = { keys: [{ ...jwk, kid: 'one', use: 'sig', alg: 'ES256' }] }
/** Where a schema alone does not say what is good. */
const BODIES: Readonly<Record<string, object>> = {
  '/v1/partners': { name: 'Claims', facilities: ['IN2710000055'], scopes: ['system/Consent.rs'], jwks },
  '/v1/partners/:client/keys': { jwks },
  '/v1/bridges': { id: 'IN2710000077', name: 'Bridge', url: 'http://127.0.0.1:9/', roles: ['hip'] },
}
const bodyOf = ({ path, body }: Route): unknown => BODIES[path] ?? (body && (validBody(body) ?? {}))
const isGrave = (route: Route): boolean => route.grave === true

/** Parties in real operation, not of a sandbox. */
describe('operators of parties', () => {
  let folder: string
  let exchange: Place
  let facility: Place

  before(async () => {
    folder = fs.mkdtempSync(join(temporaryRoot(), 'amanat-operators-'))
    const contact = { name: 'Data protection officer', email: 'dpo@exchange.example' }
    exchange = await start('sbx', [...ofExchange, ...everywhere], { role: 'exchange', contact })
    const client = { cmId: 'sbx', clientId: 'c', clientSecret: 's' }
    const its = { baseUrl: `${exchange.url}/api/hiecm`, ...client }
    facility = await start('IN2710000011', [...ofFacility, ...everywhere], { role: 'facility', exchange: its })
  })
  after(async () => {
    for (const { running, database } of [exchange, facility]) {
      await running.stop()
      await database.close()
    }
    fs.rmSync(folder, { recursive: true, force: true })
  })

  async function start(id: string, routes: readonly Route[], own: object): Promise<Place> {
    const database = await openTestDatabase()
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const settings = {
      id,
      name: `Party ${id}`,
      listen: { port },
      publicUrl: url,
      database: { url: database.connectionString },
      keysFolder: join(folder, id),
      log: { origin: `${id.toLowerCase()}.example/log` },
      operatorToken: TOKEN,
      allowPrivateNetworks: true,
      textMessages: { kind: 'sandbox' },
      ...own,
    }
    const file = join(folder, `${id}.json`)
    fs.writeFileSync(file, JSON.stringify(settings))
    const running = await startParty(parseConfig(settings, file), database.connectionString, pino({ level: 'silent' }))
    return { running, database, url, file, grave: routes.filter(isGrave) }
  }

  async function call(place: Place, route: Route, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
    const answer = await comeBack(`${place.url}${route.path.replaceAll(/:\w+/g, () => randomUUID())}`, {
      method: route.method,
      headers: { ...bearer, 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
      ...(route.body === undefined ? {} : { body: JSON.stringify(bodyOf(route)) }),
    })
    const text = await answer.text()
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const type = at(body, 'type')
    const code = typeof type === 'string' ? type.replace('urn:amanat:problem:', '') : ''
    return { status: answer.status, body, code }
  }

  /** Every change is an event. The party makes some by itself (its log, its keys, its chores), whenever their time comes: not these. */
  async function events({ database }: Place): Promise<readonly string[]> {
    const { rows } = await database.pool.query<{ body: Buffer }>(
      `select body from audit_event where actor_kind <> 'system' order by id`,
    )
    return rows.map(({ body }) => body.toString('utf8'))
  }

  const enrol = (place: Place, name: string): Promise<string> =>
    transact(place.running.machine, async (tx) => {
      const actor = { kind: 'operator', id: 'test' } as const
      const { secret } = must(await enrolOperator(tx, { name, again: false, party: 'x', actor }))
      return `${name}:${codeOfSecret(secret, new Date())}`
    })

  async function commandLine(t: TestContext, words: readonly string[]): Promise<{ code: number; text: string }> {
    const said: string[] = []
    const print = (chunk: unknown): boolean => said.push(String(chunk)) > 0
    const out = t.mock.method(process.stdout, 'write', print)
    const err = t.mock.method(process.stderr, 'write', print)
    try {
      return { code: await run(words), text: said.join('') }
    } finally {
      out.mock.restore()
      err.mock.restore()
    }
  }

  test('before anybody is enrolled every grave act is refused, and says what to do', async () => {
    for (const place of [exchange, facility]) {
      const before = await events(place)
      for (const route of place.grave) {
        const { status, code, body } = await call(place, route, { 'x-operator-code': 'asha:123456' })
        assert.deepEqual([status, code], [403, 'operator/none-enrolled'], route.path)
        assert.match(textAt(body, 'detail'), /amanat operator enrol --config FILE --name NAME/)
      }
      assert.deepEqual(await events(place), before, 'nothing was done')
      const { body } = await callJson(`${place.url}/health/ready`, bearer)
      assert.match(String(listAt(body, 'alarms')), /Run amanat operator enrol/)
    }
  })

  test('amanat operator enrol, status and end; grave commands take --code', async (t) => {
    const config = ['--config', exchange.file]
    const nobody = await commandLine(t, ['operator', 'status', ...config])
    assert.deepEqual([nobody.code, /Grave acts are refused/.test(nobody.text)], [1, true])
    const shown = await commandLine(t, ['operator', 'enrol', ...config, '--name', 'Asha.Rao'])
    assert.equal(shown.code, 0, shown.text)
    assert.match(shown.text, /uri +otpauth:\/\/totp\/Party%20sbx:asha\.rao\?/)
    const secret = /secret +([A-Z2-7]{32})/.exec(shown.text)?.[1] ?? ''
    const taken = await commandLine(t, ['operator', 'enrol', ...config, '--name', 'asha.rao'])
    assert.deepEqual([taken.code, /operator\/name-taken/.test(taken.text)], [1, true])

    const unproved = await commandLine(t, ['keys', 'rotate', ...config])
    assert.deepEqual([unproved.code, /--code NAME:CODE.*operator\/proof-needed/.test(unproved.text)], [1, true])
    const proof = ['--code', `asha.rao:${codeOfSecret(secret, new Date())}`]
    const rotated = await commandLine(t, ['keys', 'rotate', ...config, ...proof])
    assert.equal(rotated.code, 0, rotated.text)
    const event = (await events(exchange)).find((each) => each.includes('"keys.rotated"')) ?? ''
    assert.match(event, /"actor":\{"id":"asha\.rao","kind":"operator"\}/)
    const twice = await commandLine(t, ['keys', 'rotate', ...config, ...proof])
    assert.deepEqual([twice.code, /operator\/wrong-code/.test(twice.text)], [1, true])
    assert.equal((await events(exchange)).filter((each) => each.includes('"keys.rotated"')).length, 1)

    const status = await commandLine(t, ['operator', 'status', ...config])
    assert.deepEqual([status.code, /^asha\.rao +active +enrolled \S+ +last code 20/m.test(status.text)], [0, true])
    const ended = await commandLine(t, ['operator', 'end', 'asha.rao', ...config])
    assert.equal(ended.code, 0, ended.text)
    const again = await commandLine(t, ['operator', 'enrol', ...config, '--name', 'asha.rao', '--again', '--json'])
    assert.equal(again.code, 0, again.text)
    assert.notEqual(textAt(JSON.parse(again.text), 'secret'), secret)
    const nowhere = await commandLine(t, ['operator', 'status', '--party', 'nowhere'])
    assert.equal(nowhere.code, 1)
  })

  test('each grave act needs a code of its own, and the log says whose it was', async () => {
    for (const place of [exchange, facility]) {
      await enrol(place, 'first.one')
      for (const [index, route] of place.grave.entries()) {
        const act = `${route.method} ${route.path}`
        const name = `operator.${index}`
        const code = await enrol(place, name)
        const before = await events(place)
        const without = await call(place, route)
        assert.deepEqual([without.status, without.code], [403, 'operator/proof-needed'], act)
        assert.deepEqual(await events(place), before, `${act} did something without a code`)
        const done = await call(place, route, { 'x-operator-code': code })
        assert.ok(done.status < 500 && !done.code.startsWith('operator/'), `${act}: ${JSON.stringify(done)}`)
        if (!route.path.includes(':') && !/destroy|withholdings/.test(route.path))
          assert.ok(done.status < 300, `${act}: ${JSON.stringify(done)}`)
        // In one millisecond events have no order; those of chores come in between.
        const what = (await events(place)).filter(
          (each) => !before.includes(each) && each.includes('"kind":"operator"'),
        )
        assert.ok(what.some((each) => each.includes('"operator.proved"') && each.includes(`"act":"${act}"`)))
        for (const each of what) assert.ok(each.includes(`"id":"${name}"`), `${act}: ${each}`)
        const again = await call(place, route, { 'x-operator-code': code })
        assert.deepEqual([again.status, again.code], [403, 'operator/wrong-code'], act)
      }
    }
  })

  test('what an act answered once is told again only to who proves anew', async () => {
    const invite = facility.grave.find((route) => route.path === '/v1/staff')
    assert.ok(invite)
    const body = { login: 'meera.nair', name: 'Meera Nair', role: 'administrator' }
    const key = randomUUID()
    const ask = (code: string) =>
      callJson(`${facility.url}/v1/staff`, { ...bearer, 'idempotency-key': key, 'x-operator-code': code }, body)
    const code = await enrol(facility, 'who.invites')
    const first = await ask(code)
    assert.equal(first.status, 201)
    assert.equal((await ask(code)).status, 403)
    assert.deepEqual((await ask(await enrol(facility, 'who.asks.again'))).body, first.body)
  })
})
