import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { sql } from 'kysely'
import { type Logger, pino } from 'pino'
import { openKeys, type RunningParty, startParty } from '../src/app.ts'
import { REPLAYS_OF } from '../src/app-replay.ts'
import { checkEverybody } from '../src/audit/replay-check.ts'
import { parseConfig } from '../src/config.ts'
import { makeCosigner } from '../src/crypto/cosignature.ts'
import { formatVkey, makeSigner } from '../src/crypto/signed-note.ts'
import type { CallRates } from '../src/http/door.ts'
import { LIMITS } from '../src/kernel/limits.ts'
import { comeBack } from './come-back.ts'
import { openTestDatabase, type TestDatabase, temporaryRoot } from './database.ts'
import { FakeBridge, type Fault } from './fake-bridge.ts'
import type { Personality } from './fake-demands.ts'
import { FakeHip } from './fake-hip.ts'
import { FakeHiu } from './fake-hiu.ts'
import { listAt, textAt } from './json-path.ts'

export type { Fault }
export type TestParty = {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly operatorToken: string
  readonly running: RunningParty
  readonly databaseUrl: string
}
export type Person = {
  readonly abhaAddress: string
  readonly abhaNumber: string
  readonly name: string
  readonly gender: 'M' | 'F' | 'O'
  readonly birthDate: string
  readonly mobile: string
}
export type ThirdParty = { readonly bridge: FakeBridge; readonly hip: FakeHip; readonly hiu: FakeHiu }
export type Answer = { readonly status: number; readonly body: unknown; readonly headers: Headers }

type Options = {
  readonly facilities?: readonly string[]
  readonly folders?: Readonly<Record<string, string>>
  /** How the staff of the facilities may sign in beside their own ways. */
  readonly signIn?: object
  readonly allowPrivateNetworks?: boolean
  /** Gets every line of the parties' logs, of all levels. */
  readonly logTo?: (line: string) => void
  /** What the register calls the facilities. */
  readonly names?: Readonly<Record<string, string>>
  /** What kind the register calls the facilities: only some may break the glass. */
  readonly kinds?: Readonly<Record<string, readonly string[]>>
  /** The facilities witness the log of the exchange. */
  readonly witnessed?: boolean
  /** Without it, so many that no test meets them. */
  readonly callsPerSecond?: CallRates
  /** Parties speak TLS: settings of each one's door, and what a facility presents to the exchange. */
  readonly tls?: (id: string) => { readonly door: object; readonly certificate: object }
  /** Whose `X-Forwarded-For` is believed. */
  readonly trustedProxies?: readonly string[]
  /** Whose `Client-Cert` is believed. */
  readonly certificateProxies?: readonly string[]
  /** The test changes the databases through the program alone: at the end their rows must be what the logs say. */
  readonly changesNoRows?: true
}

async function insistOnLog({ id, running: { machine, config } }: TestParty): Promise<void> {
  const { found } = await checkEverybody(machine, REPLAYS_OF[config.role])
  if (found.length > 0) throw new Error(`${id}: ${found.map(({ detail }) => detail).join(' ')}`)
}

/** A network of real parties in this process: own databases, own keys, own ports, HTTP between them. */
export class TestNetwork {
  readonly #databases: TestDatabase[] = []
  readonly #parties: TestParty[] = []
  readonly #bridges: FakeBridge[] = []
  /** Where each party will be, and its operator's token: the sandbox console of the exchange must know them all. */
  readonly #places = new Map<string, { readonly url: string; readonly operatorToken: string }>()
  readonly #folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-journey-'))
  readonly #log: Logger
  readonly #options: Options

  private constructor(options: Options) {
    this.#options = options
    this.#log =
      options.logTo === undefined
        ? pino({ level: process.env['AMANAT_TEST_LOG'] ?? 'silent' })
        : pino({ level: 'trace' }, { write: options.logTo })
  }

  /** An exchange `sbx`, and a facility of ours for each id. */
  static async start(options: Options = {}): Promise<TestNetwork> {
    const network = new TestNetwork(options)
    try {
      for (const id of ['sbx', ...(options.facilities ?? [])]) await network.#placeParty(id)
      await network.#startParty('sbx', 'exchange')
      for (const id of options.facilities ?? []) await network.#startParty(id, 'facility')
      return network
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  get exchange(): TestParty {
    return this.party('sbx')
  }

  party(id: string): TestParty {
    const found = this.#parties.find((one) => one.id === id)
    if (found === undefined) throw new Error(`no party ${id}`)
    return found
  }

  /** A party goes away for good. */
  async part(id: string): Promise<void> {
    await this.party(id).running.stop()
    this.#parties.splice(this.#parties.indexOf(this.party(id)), 1)
  }

  /** Where a party's keys lie. */
  keysFolder(id: string): string {
    return path.join(this.#folder, id)
  }

  /**
   * Facilities first, the exchange still answers them; then what the third parties found wrong is thrown, and, where the test changed no
   * row by hand, rows that are not what the log of their party says.
   */
  async stop(): Promise<void> {
    const ends: PromiseSettledResult<unknown>[] = await Promise.allSettled([
      ...this.#bridges.map((bridge) => bridge.stop()),
      ...(this.#options.changesNoRows === true ? this.#parties.map((party) => insistOnLog(party)) : []),
    ])
    for (const party of this.#parties.toReversed()) await party.running.stop()
    for (const database of this.#databases) await database.close()
    fs.rmSync(this.#folder, { recursive: true, force: true })
    const fault = ends.find((end) => end.status === 'rejected')
    if (fault !== undefined) throw fault.reason
  }

  /** A third-party bridge that joined with what the sandbox gave it, and nothing else. */
  async join(personality: Personality, id: string, name = partyName('Third party', id)): Promise<ThirdParty> {
    const bridge = await new FakeBridge(personality, id).start()
    this.#bridges.push(bridge)
    const { clientId, clientSecret } = await this.#register(id, name, bridge.url)
    bridge.join({ baseUrl: `${this.exchange.url}/api/hiecm`, clientId, clientSecret })
    return { bridge, hip: new FakeHip(bridge), hiu: new FakeHiu(bridge) }
  }

  async enrol(person: Person): Promise<void> {
    const { status, body } = await this.operator('sbx', '/v1/patients', person)
    if (status !== 201) throw new Error(`enrol: ${status} ${JSON.stringify(body)}`)
  }

  async patientToken(patient: string): Promise<string> {
    return textAt((await this.operator('sbx', '/v1/sandbox/tokens', { patient })).body, 'token')
  }

  /** A call of the patient's app at the exchange. */
  async asPatient(
    token: string,
    at: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const own = {
      'X-AUTH-TOKEN': token,
      'REQUEST-ID': randomUUID(),
      TIMESTAMP: new Date().toISOString(),
      'X-CM-ID': 'sbx',
      ...headers,
    }
    return callJson(`${this.exchange.url}${at}`, own, body)
  }

  /** Lets the waiting time of retries pass at a party, not of what waits for a date; with `lastTry`, the tries as well. */
  async hurry(id: string, lastTry = false): Promise<void> {
    const { db, wake } = this.party(id).running.machine
    const attempts = lastTry ? sql`${LIMITS.lastingAttemptsMax - 1}` : sql`attempts`
    await sql`update job set run_at = now() - interval '1 second', attempts = ${attempts} where status = 'waiting' and run_at > now() and (attempts > 0 or kind = 'hiu.ask-again') and claimed_until is null`.execute(
      db,
    )
    wake()
  }

  /** What waits to leave a party, and its dead letters. */
  async jobs(id: string): Promise<readonly unknown[]> {
    return listAt({ body: (await this.operator(id, '/v1/jobs')).body }, 'body')
  }

  /** A call of an operator at a party's native API. */
  async operator(
    id: string,
    at: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const party = this.party(id)
    return callJson(
      `${party.url}${at}`,
      { authorization: `Bearer ${party.operatorToken}`, 'idempotency-key': randomUUID(), ...headers },
      body,
    )
  }

  async #placeParty(id: string): Promise<void> {
    const url = `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${await freePort()}`
    if ([...this.#places.values()].some((place) => place.url === url)) return this.#placeParty(id)
    this.#places.set(id, { url, operatorToken: randomBytes(32).toString('base64url') })
  }

  #placeOf(id: string): { readonly url: string; readonly operatorToken: string } {
    const place = this.#places.get(id)
    if (place === undefined) throw new Error(`no place for ${id}`)
    return place
  }

  async #startParty(id: string, role: 'exchange' | 'facility'): Promise<void> {
    const database = await openTestDatabase()
    this.#databases.push(database)
    const { url, operatorToken } = this.#placeOf(id)
    const name = role === 'exchange' ? 'Test exchange' : (this.#options.names?.[id] ?? partyName('Facility', id))
    const credentials = role === 'exchange' ? undefined : await this.#register(id, name, url)
    const keysFolder = this.keysFolder(id)
    await openKeys(keysFolder)
    const tls = this.#options.tls?.(id)
    const shared = {
      ...(tls === undefined ? {} : { tls: tls.door }),
      role,
      id,
      name,
      listen: {
        port: Number(new URL(url).port),
        trustedProxies: this.#options.trustedProxies ?? [],
        certificateProxies: this.#options.certificateProxies ?? [],
      },
      publicUrl: url,
      database: { url: database.connectionString },
      keysFolder,
      log: { origin: originOf(id), ...(await this.#witnessing(role)) },
      operatorToken,
      callsPerSecond: this.#options.callsPerSecond ?? { caller: 10_000, address: 10_000 },
      allowPrivateNetworks: this.#options.allowPrivateNetworks ?? true,
      textMessages: { kind: 'sandbox' },
      sandbox: true,
    }
    const folder = this.#options.folders?.[id]
    const own =
      credentials === undefined
        ? { sandboxParties: [...this.#places].map(([party, place]) => ({ id: party, ...place })) }
        : {
            exchange: {
              baseUrl: `${this.exchange.url}/api/hiecm`,
              nativeUrl: this.exchange.url,
              cmId: 'sbx',
              ...credentials,
              ...(tls === undefined ? {} : { certificate: tls.certificate }),
            },
            records: folder === undefined ? {} : { folder },
            signIn: this.#options.signIn ?? {},
          }
    const running = await startParty(
      parseConfig({ ...shared, ...own }, `the test party ${id}`),
      database.connectionString,
      this.#log,
    )
    this.#parties.push({ id, name, url, operatorToken, running, databaseUrl: database.connectionString })
  }

  /** Who cosigns whose log; the keys of all parties are made before the first one starts. */
  async #witnessing(role: 'exchange' | 'facility'): Promise<object> {
    if (this.#options.witnessed !== true) return {}
    if (role === 'facility') {
      const { logSeed } = await openKeys(this.keysFolder('sbx'))
      const origin = originOf('sbx')
      return { witnessFor: [{ origin, vkey: formatVkey(makeSigner(origin, logSeed).key) }] }
    }
    const witnesses = (this.#options.facilities ?? []).map(async (id) => {
      const { witnessSeed } = await openKeys(this.keysFolder(id))
      const name = `${originOf(id)}/witness`
      const vkey = formatVkey(makeCosigner(name, witnessSeed).key)
      return { name, vkey, url: `${this.#placeOf(id).url}/witness` }
    })
    return { witnesses: await Promise.all(witnesses) }
  }

  async #register(id: string, name: string, url: string): Promise<{ clientId: string; clientSecret: string }> {
    const { status, body } = await this.operator('sbx', '/v1/bridges', {
      id,
      name,
      url,
      roles: ['hip', 'hiu'],
      facilityTypes: this.#options.kinds?.[id] ?? [],
    })
    if (status !== 201) throw new Error(`register: ${status} ${JSON.stringify(body)}`)
    return { clientId: textAt(body, 'clientId'), clientSecret: textAt(body, 'clientSecret') }
  }
}

/** A name by which parties are told apart; one that text messages may show has no five digits in a row. */
export const partyName = (kind: string, id: string): string => `${kind} ${id.replaceAll(/\d{4}(?=\d)/g, '$&x')}`

const originOf = (id: string): string => `${id.toLowerCase()}.amanat.example/log`

/** GET without a body, POST with one; the answer's JSON, or its text. */
export async function callJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const answer = await comeBack(url, {
    method: body === undefined ? 'GET' : 'POST',
    ...(signal === undefined ? {} : { signal }),
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: readJson(text) }
}

function readJson(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return text
  }
}

/** Below the range from which the system takes ports for outgoing calls. */
export async function freePort(): Promise<number> {
  return freePorts(1)
}

const PORTS_FROM = 20_000
/** Processes of tests that run at once take their ports from different ranges: what one found free stays free until it listens there. */
const RANGES = 12
/** `scripts/test.ts` gives the two that run at once different ones. */
const RANGE = Number(process.env['AMANAT_TEST_PORTS'] ?? process.pid) % RANGES
const RANGE_PORTS = 1_000
const given = new Set<number>()

/** The first of so many free ports in a row; none of them was given before. */
export async function freePorts(count: number): Promise<number> {
  const from = PORTS_FROM + RANGE * RANGE_PORTS
  for (;;) {
    const first = from + randomInt(RANGE_PORTS - count)
    const wanted = Array.from({ length: count }, (_, i) => first + i)
    if (given.size < RANGE_PORTS / 2 && wanted.some((port) => given.has(port))) continue
    const free = await Promise.all(wanted.map(isFree))
    if (!free.every(Boolean)) continue
    for (const port of wanted) given.add(port)
    return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (!listens) return false
  server.close()
  await once(server, 'close')
  return true
}
