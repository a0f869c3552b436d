import fs from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { openKeys } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { openTestDatabase, type TestDatabase, temporaryRoot } from '../database.ts'
import type { Tamper } from './faulty-database.ts'
import { type Ground, SimParty } from './party.ts'
import { hostOf, Post, urlOf } from './post.ts'
import { Snapshot } from './snapshot.ts'
import { Tasks } from './tasks.ts'
import { SeededBytes, VirtualTime } from './virtual-time.ts'

export const EXCHANGE = 'sbx'
export const HOSPITALS = ['IN2710000011', 'IN2910000022'] as const
export type Hospital = (typeof HOSPITALS)[number]
/** The hospital behind a host name. */
export const hospitalOf = (host: string): Hospital | undefined => HOSPITALS.find((id) => hostOf(id) === host)
export const PARTIES = [EXCHANGE, ...HOSPITALS] as const
export type PartyId = (typeof PARTIES)[number]

/** Nobody outside sees it: the network is in memory. */
const OPERATOR_TOKEN = 'simulated-operator-token-0123456789abcdef'
export const AS_OPERATOR = { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' }

/** An exchange and two hospitals, each with its own database and keys, that live in this process and can be set back to their start. */
export class World {
  readonly time = new VirtualTime()
  readonly bytes = new SeededBytes()
  readonly tasks = new Tasks()
  readonly post: Post
  readonly #ground: Ground
  readonly #folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-simulation-'))
  readonly #databases: TestDatabase[] = []
  readonly #parties = new Map<PartyId, SimParty>()
  readonly #snapshots = new Map<PartyId, Snapshot>()
  tamper: Tamper | undefined
  /** Hears of every committed event of every party. */
  committed: Ground['committed'] = () => undefined
  /** Whether a call that cannot wait in the post gets through now. */
  isLucky = (): boolean => true

  private constructor() {
    this.post = new Post(this.tasks, () => this.isLucky())
    this.#ground = {
      post: this.post,
      log: pino({ level: process.env['AMANAT_TEST_LOG'] ?? 'silent' }),
      now: this.time.now,
      random: this.bytes.bytes,
      tamper: () => this.tamper,
      committed: (party, event, at) => this.committed(party, event, at),
    }
    this.bytes.reseed(0)
  }

  /** Starts all parties; `furnish` then makes what every run begins with. */
  static async open(furnish: (world: World) => Promise<void>): Promise<World> {
    const world = new World()
    try {
      await world.#add(EXCHANGE)
      for (const id of HOSPITALS) await world.#add(id)
      await furnish(world)
      for (const party of world.parties) await party.bury()
      for (const snapshot of world.#snapshots.values()) await snapshot.take()
      return world
    } catch (error) {
      await world.close()
      throw error
    }
  }

  get parties(): readonly SimParty[] {
    return [...this.#parties.values()]
  }

  party(id: PartyId): SimParty {
    const found = this.#parties.get(id)
    if (found === undefined) throw new Error(`no party ${id}`)
    return found
  }

  /** The database of a party, past the party. */
  rows(id: PartyId): Snapshot {
    const found = this.#snapshots.get(id)
    if (found === undefined) throw new Error(`no database of ${id}`)
    return found
  }

  /** Everything as it was when the world was furnished, and a new life for every party. */
  async setBack(seed: number, startMs: number): Promise<void> {
    for (const party of this.parties) await party.bury()
    this.post.letters = []
    this.post.heal()
    this.time.ms = startMs
    this.bytes.reseed(seed)
    await Promise.all([...this.#snapshots.values()].map((snapshot) => snapshot.setBack()))
    for (const party of this.parties) {
      party.skewMs = 0
      await party.start()
    }
  }

  async close(): Promise<void> {
    for (const party of this.parties) await party.close()
    for (const snapshot of this.#snapshots.values()) await snapshot.close()
    for (const database of this.#databases) await database.close()
    fs.rmSync(this.#folder, { recursive: true, force: true })
  }

  async #add(id: PartyId): Promise<void> {
    const database = await openTestDatabase()
    this.#databases.push(database)
    this.#snapshots.set(id, await Snapshot.open(database.connectionString))
    const keysFolder = path.join(this.#folder, id)
    const keys = await openKeys(keysFolder)
    const config = parseConfig(await this.#settings(id, keysFolder, database.connectionString), `simulated ${id}`)
    const party = new SimParty(config, keys, database.connectionString, this.#ground)
    this.#parties.set(id, party)
    await party.start()
  }

  async #settings(id: PartyId, keysFolder: string, databaseUrl: string): Promise<object> {
    const shared = {
      id,
      name: `Party ${id}`,
      listen: { port: 1 },
      publicUrl: urlOf(id),
      database: { url: databaseUrl },
      keysFolder,
      log: { origin: `${id.toLowerCase()}.amanat.example/log` },
      operatorToken: OPERATOR_TOKEN,
      textMessages: { kind: 'sandbox' },
    }
    if (id === EXCHANGE)
      return { role: 'exchange', contact: { name: 'Desk', email: 'desk@exchange.example' }, ...shared }
    const body = JSON.stringify({
      id,
      name: `Hospital ${id}`,
      url: urlOf(id),
      roles: ['hip', 'hiu'],
      facilityTypes: ['Hospital'],
    })
    const answer = await this.party(EXCHANGE).inject('POST', '/v1/bridges', AS_OPERATOR, body)
    if (answer?.status !== 201) throw new Error(`register ${id}: ${answer?.status} ${answer?.body.toString()}`)
    const { clientId, clientSecret } = JSON.parse(answer.body.toString('utf8')) as Record<string, string>
    const exchange = {
      baseUrl: `${urlOf(EXCHANGE)}/api/hiecm`,
      nativeUrl: urlOf(EXCHANGE),
      cmId: EXCHANGE,
      clientId,
      clientSecret,
    }
    return { role: 'facility', exchange, ...shared }
  }
}
