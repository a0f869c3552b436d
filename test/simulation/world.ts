import fs from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { openKeys } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { makeCosigner } from '../../src/crypto/cosignature.ts'
import { formatVkey, makeSigner } from '../../src/crypto/signed-note.ts'
import type { PartyKeys } from '../../src/vault/key-file.ts'
import { openTestDatabase, type TestDatabase, temporaryRoot } from '../database.ts'
import { partyName } from '../network.ts'
import type { Tamper } from './faulty-database.ts'
import { Operators } from './operators.ts'
import { type Ground, SimParty } from './party.ts'
import { type Arrival, hostOf, Post, urlOf } from './post.ts'
import { Snapshot } from './snapshot.ts'
import { Tasks } from './tasks.ts'
import { SeededBytes, VirtualTime } from './virtual-time.ts'
import { SimWitness, WITNESS } from './witness-party.ts'

export const EXCHANGE = 'sbx'
export const HOSPITALS = ['IN2710000011', 'IN2910000022'] as const
export type Hospital = (typeof HOSPITALS)[number]
/** The hospital behind a host name. */
export const hospitalOf = (host: string): Hospital | undefined => HOSPITALS.find((id) => hostOf(id) === host)
export const PARTIES = [EXCHANGE, ...HOSPITALS] as const
export type PartyId = (typeof PARTIES)[number]
/** The name of a party's log. */
export const originOf = (id: string): string => `${id.toLowerCase()}.amanat.example/log`
/** Who cosigns the log of a party: the witness by itself, and for hospitals the exchange too. */
export const witnessesOf = (id: PartyId): readonly string[] => (id === EXCHANGE ? [WITNESS] : [WITNESS, EXCHANGE])

/** Nobody outside sees it: the network is in memory. */
const OPERATOR_TOKEN = 'simulated-operator-token-0123456789abcdef'
export const AS_OPERATOR = { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' }

/** An exchange and two hospitals, each with its own database and keys, and a witness, that live in this process and can be set back to their start. */
export class World {
  readonly time = new VirtualTime()
  readonly bytes = new SeededBytes()
  readonly tasks = new Tasks()
  readonly operators = new Operators()
  readonly post: Post
  readonly #ground: Ground
  readonly #folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-simulation-'))
  readonly #databases: TestDatabase[] = []
  readonly #parties = new Map<PartyId, SimParty>()
  readonly #snapshots = new Map<PartyId, Snapshot>()
  readonly #keys = new Map<PartyId, PartyKeys>()
  #witness: SimWitness | undefined
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
      for (const id of PARTIES) world.#keys.set(id, await openKeys(world.#keysFolder(id)))
      await world.#addWitness()
      for (const id of PARTIES) await world.#add(id)
      await furnish(world)
      for (const party of world.parties) await party.bury()
      for (const snapshot of world.#snapshots.values()) await snapshot.take()
      world.witness.furnished()
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

  get witness(): SimWitness {
    if (this.#witness === undefined) throw new Error('there is no witness')
    return this.#witness
  }

  /** The keys of a party, which it keeps over all its lives. */
  keysOf(id: PartyId): PartyKeys {
    const keys = this.#keys.get(id)
    if (keys === undefined) throw new Error(`no keys of ${id}`)
    return keys
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
    await this.witness.setBack()
    this.time.ms = startMs
    this.bytes.reseed(seed)
    this.operators.setBack()
    await Promise.all([...this.#snapshots.values()].map((snapshot) => snapshot.setBack()))
    for (const party of this.parties) {
      party.skewMs = 0
      await party.start()
    }
  }

  /** An operator of the exchange posts something. */
  asOperator(path: string, body: string): Promise<Arrival | undefined> {
    const exchange = this.party(EXCHANGE)
    return exchange.inject('POST', path, { ...AS_OPERATOR, ...this.operators.proofFor(exchange, path) }, body)
  }

  async close(): Promise<void> {
    for (const party of this.parties) await party.close()
    await this.#witness?.kill()
    for (const snapshot of this.#snapshots.values()) await snapshot.close()
    for (const database of this.#databases) await database.close()
    fs.rmSync(this.#folder, { recursive: true, force: true })
  }

  async #add(id: PartyId): Promise<void> {
    const database = await openTestDatabase()
    this.#databases.push(database)
    this.#snapshots.set(id, await Snapshot.open(database.connectionString))
    const config = parseConfig(await this.#settings(id, database.connectionString), `simulated ${id}`)
    const party = new SimParty(config, this.keysOf(id), database.connectionString, this.#ground)
    this.#parties.set(id, party)
    await party.start()
    await this.operators.enrol(party)
  }

  async #addWitness(): Promise<void> {
    const machine = { now: this.time.now, random: this.bytes.bytes }
    const witness = await SimWitness.open(path.join(this.#folder, WITNESS), machine)
    this.#witness = witness
    for (const id of PARTIES) witness.add(this.#vkeyOf(id))
    this.post.addHost(WITNESS, { receive: (call) => witness.receive(call), lifeOf: () => 0 })
  }

  #vkeyOf(id: PartyId): string {
    return formatVkey(makeSigner(originOf(id), this.keysOf(id).logSeed).key)
  }

  #keysFolder(id: PartyId): string {
    return path.join(this.#folder, id)
  }

  /** Whom a party asks to cosign, and whose logs it cosigns. */
  #logSettings(id: PartyId): object {
    const cosigner = makeCosigner(`${originOf(EXCHANGE)}/witness`, this.keysOf(EXCHANGE).witnessSeed)
    const all = [
      { name: WITNESS, vkey: this.witness.vkey, url: urlOf(WITNESS) },
      { name: EXCHANGE, vkey: formatVkey(cosigner.key), url: `${urlOf(EXCHANGE)}/witness` },
    ]
    const others = PARTIES.filter((other) => witnessesOf(other).includes(id))
    return {
      origin: originOf(id),
      witnesses: all.filter(({ name }) => witnessesOf(id).includes(name)),
      witnessFor: others.map((other) => ({ origin: originOf(other), vkey: this.#vkeyOf(other) })),
    }
  }

  async #settings(id: PartyId, databaseUrl: string): Promise<object> {
    const shared = {
      id,
      name: `Party ${id}`,
      listen: { port: 1 },
      publicUrl: urlOf(id),
      database: { url: databaseUrl },
      keysFolder: this.#keysFolder(id),
      log: this.#logSettings(id),
      operatorToken: OPERATOR_TOKEN,
      textMessages: { kind: 'sandbox' },
    }
    if (id === EXCHANGE)
      return { role: 'exchange', contact: { name: 'Desk', email: 'desk@exchange.example' }, ...shared }
    const body = JSON.stringify({
      id,
      name: partyName('Hospital', id),
      url: urlOf(id),
      roles: ['hip', 'hiu'],
      facilityTypes: ['Hospital'],
    })
    const answer = await this.asOperator('/v1/bridges', body)
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
