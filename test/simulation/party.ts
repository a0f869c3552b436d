import type { Logger } from 'pino'
import { type BuiltParty, buildParty } from '../../src/app.ts'
import { openKeyring } from '../../src/app-keys.ts'
import type { PartyConfig } from '../../src/config.ts'
import { type Connection, connect } from '../../src/db/connect.ts'
import type { Reaction } from '../../src/db/tx.ts'
import { makeVeil } from '../../src/db/veil.ts'
import type { OutboundCall } from '../../src/http/outbound.ts'
import { claimJobs, type Job } from '../../src/jobs/queue.ts'
import type { Chore } from '../../src/jobs/schedule.ts'
import { runJob } from '../../src/jobs/worker.ts'
import type { PartyKeys } from '../../src/vault/key-file.ts'
import { FaultyDatabase, type Tamper } from './faulty-database.ts'
import type { Arrival, Post } from './post.ts'

export type Ground = {
  readonly post: Post
  readonly log: Logger
  readonly now: () => Date
  readonly random: (bytes: number) => Uint8Array
  /** Hears of every event that a party has committed, with the party's own time. */
  /** How the product is broken on purpose, in a test of the simulation itself. */
  readonly tamper: () => Tamper | undefined
  readonly committed: (party: SimParty, event: SeenEvent, at: Date) => void
}

/** An event of the log as the rooms announce it to one another. */
export type SeenEvent = Readonly<Record<string, unknown>> & { readonly type: string; readonly subject?: string }

type Life = { readonly connection: Connection; readonly database: FaultyDatabase; readonly built: BuiltParty }

/** One party of the simulation: the real product over its real database, with many lives. */
export class SimParty {
  readonly id: string
  readonly config: PartyConfig
  readonly keys: PartyKeys
  readonly #databaseUrl: string
  readonly #ground: Ground
  #life: Life | undefined
  #kept: Connection | undefined
  /** Counts lives: what an earlier one started is nothing to this one. */
  lives = 0
  /** How far its clock is off. */
  skewMs = 0
  /** Whether a look into the queue may find something. */
  mayHaveJobs = true
  claimed: Job[] = []
  /** Chores that wait for the network. */
  #underWay = new Set<string>()

  constructor(config: PartyConfig, keys: PartyKeys, databaseUrl: string, ground: Ground) {
    this.id = config.id
    this.config = config
    this.keys = keys
    this.#databaseUrl = databaseUrl
    this.#ground = ground
    ground.post.addHost(config.id, { receive: (call) => this.#receive(call), lifeOf: () => this.lives })
  }

  get isUp(): boolean {
    return this.#life !== undefined && !this.#life.database.isDead
  }

  get built(): BuiltParty {
    if (this.#life === undefined) throw new Error(`${this.id} is down`)
    return this.#life.built
  }

  get database(): FaultyDatabase {
    if (this.#life === undefined) throw new Error(`${this.id} is down`)
    return this.#life.database
  }

  now(): Date {
    return new Date(this.#ground.now().getTime() + this.skewMs)
  }

  /** A new life over the same database, with nothing remembered. */
  async start(): Promise<void> {
    const life = ++this.lives
    const connection = await this.#connect()
    let pending: { readonly event: SeenEvent; readonly at: Date }[] = []
    const database = new FaultyDatabase(
      connection,
      {
        committed: () => {
          const done = pending
          pending = []
          for (const { event, at } of done) this.#ground.committed(this, event, at)
        },
        rolledBack: () => (pending = []),
        crashed: () => this.#ended(life),
      },
      this.#ground.tamper(),
    )
    const footing = {
      keys: this.keys,
      keyring: await openKeyring(this.config, this.keys, {
        random: this.#ground.random,
        now: () => this.now(),
      }),
      connection,
      log: this.#ground.log,
      now: () => this.now(),
      random: this.#ground.random,
      outbound: this.#ground.post.outboundOf(this.id, life),
    }
    const built = await buildParty(this.config, footing, () => {
      if (this.lives === life) this.mayHaveJobs = true
    })
    this.#life = { connection, database, built }
    this.mayHaveJobs = true
    this.claimed = []
    this.#underWay = new Set()
    overhear(built, (event, at) => pending.push({ event, at }))
    await built.app.ready()
  }

  /** Sessions at the server outlive a life that left nothing open in them: they know all statements already. */
  async #connect(): Promise<Connection> {
    const kept = this.#kept
    this.#kept = undefined
    if (kept !== undefined && kept.pool.totalCount === kept.pool.idleCount) return kept
    await kept?.close()
    return connect({
      connectionString: this.#databaseUrl,
      veil: makeVeil(this.keys.indexKey, this.#ground.random),
      poolMax: 4,
      guardBuckets: true,
      onError: () => undefined,
    })
  }

  /** Ends this life at once. */
  async kill(): Promise<void> {
    if (this.isUp) {
      await this.#life?.database.die()
      this.#ended(this.lives)
    }
  }

  /** Lets go of what a life that ended left behind. */
  async bury(): Promise<void> {
    const life = this.#life
    await this.kill()
    this.#life = undefined
    await life?.built.app.close()
    if (life !== undefined) {
      life.database.leave()
      this.#kept = life.connection
    }
  }

  /** For good. */
  async close(): Promise<void> {
    await this.bury()
    await this.#kept?.close()
  }

  #ended(life: number): void {
    if (this.lives !== life) return
    this.lives++
    this.claimed = []
    this.#ground.post.abandon(this.id)
  }

  async #receive(call: OutboundCall): Promise<Arrival | undefined> {
    if (!this.isUp) return undefined
    const { pathname, search } = new URL(call.url)
    return this.inject(call.method, `${pathname}${search}`, call.headers, call.body)
  }

  /** One request at the door; undefined when the process ended before it could answer. */
  async inject(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Arrival | undefined> {
    const life = this.lives
    const answer = await this.built.app.inject({
      method,
      url: path,
      headers,
      ...(body === undefined ? {} : { payload: body }),
    })
    if (this.lives !== life || !this.isUp) return undefined
    const head = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
    return { status: answer.statusCode, headers: head, body: answer.rawPayload }
  }

  /** Takes due jobs out of the queue; they run when the scheduler says so. */
  async claim(limit: number): Promise<void> {
    this.mayHaveJobs = false
    const { machine } = this.built
    const jobs = await claimJobs(machine, limit).catch(() => undefined)
    if (jobs === undefined || jobs.length === limit) this.mayHaveJobs = true
    if (this.isUp) this.claimed.push(...(jobs ?? []))
  }

  async run(job: Job): Promise<void> {
    this.claimed = this.claimed.filter((one) => one.id !== job.id)
    const { machine, handlers } = this.built
    await runJob({ machine, handlers, log: this.#ground.log }, job)
    this.mayHaveJobs = true
  }

  get chores(): readonly Chore[] {
    return this.built.chores
  }

  /** As its schedule does: what is still under way is not begun again. */
  async doChore(chore: Chore): Promise<void> {
    const underWay = this.#underWay
    if (underWay.has(chore.name)) return
    underWay.add(chore.name)
    try {
      await chore.run()
    } finally {
      underWay.delete(chore.name)
    }
  }
}

/** Adds one more listener to every event that is announced in a party. */
function overhear(built: BuiltParty, hear: (event: SeenEvent, at: Date) => void): void {
  const reactions = built.machine.reactions as Map<string, readonly Reaction[]>
  const own = Map.prototype.get.bind(reactions) as (type: string) => readonly Reaction[] | undefined
  const listener: Reaction = async (tx, event) => hear(event, tx.now)
  reactions.get = (type) => [...(own(type) ?? []), listener]
}
