import { createHash } from 'node:crypto'
import { PUSH_PATH } from '../../src/hiu/requests.ts'
import { type Seeded, seeded } from '../seeded.ts'
import { Clients } from './clients.ts'
import { Commands } from './commands.ts'
import { logChores } from './drain.ts'
import { finish } from './finish.ts'
import { LogMirror } from './log-mirror.ts'
import { Model, Violation } from './model.ts'
import type { SimParty } from './party.ts'
import { hostOf, type Letter } from './post.ts'
import { registerOf, type Stage } from './stage.ts'
import { WITNESS, type WitnessEnd } from './witness-party.ts'
import { Witnesses } from './witnesses.ts'
import { EXCHANGE, hospitalOf, PARTIES, type PartyId, type World } from './world.ts'

export type Outcome = {
  readonly seed: number
  readonly steps: number
  readonly tookMs: number
  /** The same for the same seed: SHA-256 over the trace. */
  readonly traceHash: string
  readonly trace: readonly string[]
  readonly violation: Error | undefined
  /** How often each kind of thing happened. */
  readonly kinds: ReadonlyMap<string, number>
}

const COMMANDS = 26
const HOUR_MS = 3_600_000
/** Chores that matter to the laws, beside those of the log; the others sweep what is old. */
const CHORES = [
  'consent-expiry',
  'hip.expire-artefacts',
  'hiu: erase at dataEraseAt',
  'hiu: erase what no law keeps any more',
  'hiu: ask for silent transfers',
  'hiu: report overdue transfers',
  'hiu: early notices',
  'end emergencies',
]

type Choice = { readonly weight: number; readonly go: () => Promise<void> }

/** So many of the faults are those of the witness. */
const WITNESS_FAULTS = 0.15

/** One run of one seed: commands, messages, jobs, chores and faults in an order that the seed chooses, then peace, then the reckoning. */
export class Simulation {
  readonly world: World
  readonly model: Model
  readonly clients: Clients
  readonly logs: ReadonlyMap<PartyId, LogMirror>
  readonly witnesses: Witnesses
  readonly trace: string[] = []
  readonly #dice: Seeded
  readonly commands: Commands
  readonly #kinds = new Map<string, number>()
  readonly #down = new Map<string, number>()
  #left = COMMANDS
  #calm = 0
  steps = 0

  constructor(stage: Stage, seed: number) {
    const { world } = stage
    this.world = world
    this.model = new Model(registerOf(world))
    this.#dice = seeded(seed)
    this.clients = new Clients(world)
    this.commands = new Commands(world, this.model, this.#dice, stage.teams)
    this.logs = new Map(PARTIES.map((id) => [id, new LogMirror(id, world.rows(id))]))
    this.witnesses = new Witnesses(world, this.logs)
    for (const [patient, token] of stage.tokens) this.clients.tokens.set(patient, token)
    for (const [name, held] of stage.records) this.model.records.set(name, held)
    for (const line of stage.linked) this.model.linked.add(line)
    world.isLucky = () => this.#dice.next() > 0.04
    world.post.onLeave = (letter) => this.#leaves(letter)
    world.post.onArrival = (letter) => this.#arrived(letter)
    world.committed = (party, event, at) => {
      this.model.see(party.id as PartyId, event, at)
      if (event.type === 'linking.subscription-requested')
        this.commands.subscriptionAsked(String(event.subject), String(event['patient']))
    }
  }

  /** Runs to the end, or to the first violation. */
  async run(): Promise<void> {
    await this.witnesses.look(WITNESS)
    await this.witnesses.look(EXCHANGE)
    while (this.#left > 0 || this.#calm < 20) {
      if (this.#left <= 0) this.#calm++
      await this.#one()
      this.model.insist()
    }
    await finish(this)
  }

  /** Counts and notes one step. */
  note(kind: string, what: string): void {
    this.steps++
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
    this.trace.push(`${this.steps} ${Math.round(this.world.time.ms / 1000)} ${kind} ${what}`)
  }

  /** Adds to the last note what came of it. */
  came(result: string): void {
    this.trace.push(`${this.trace.pop() ?? ''} → ${result}`)
  }

  get kinds(): ReadonlyMap<string, number> {
    return this.#kinds
  }

  async #one(): Promise<void> {
    const choices = this.#choices()
    let left = this.#dice.next() * choices.reduce((sum, { weight }) => sum + weight, 0)
    for (const { weight, go } of choices) {
      left -= weight
      if (left <= 0) return go()
    }
  }

  #choices(): readonly Choice[] {
    const { letters } = this.world.post
    const up = this.world.parties.filter((one) => one.isUp)
    const working = up.filter((one) => one.claimed.length > 0)
    const curious = up.filter((one) => one.mayHaveJobs && one.claimed.length < 3)
    const idle = letters.length === 0 && working.length === 0 && curious.length === 0
    const some = (when: boolean, weight: number, go: () => Promise<void>): Choice[] => (when ? [{ weight, go }] : [])
    const [firstDown] = [...this.#down].filter(([, until]) => this.steps >= until)
    if (firstDown !== undefined) return [{ weight: 1, go: () => this.#restart(firstDown[0]) }]
    return [
      ...some(this.#left > 0, idle ? 3 : 1, () => this.#command()),
      ...some(this.clients.doubtful.length > 0, 1, () => this.#repeat()),
      ...some(letters.length > 0, 4, () => this.#carry(this.#dice.pick(letters))),
      ...some(working.length > 0, 4, () => this.#work(this.#dice.pick(working))),
      ...some(curious.length > 0, 6, () => this.#look(this.#dice.pick(curious))),
      { weight: idle ? 2 : 0.25, go: () => this.#pass() },
      // In some runs every process is down at once.
      ...some(up.length > 0, 0.4, () => this.#chore(this.#dice.pick(up), () => CHORES)),
      ...some(up.length > 0, 0.8, () => this.#chore(this.#dice.pick(up), logChores)),
      ...some(this.#left > 0, 0.45, () => this.#fault()),
    ]
  }

  async #command(): Promise<void> {
    this.#left--
    const call = this.commands.next()
    this.note('command', call.name)
    await this.#act(call.name, async () => this.came(await this.clients.make(call)))
  }

  async #repeat(): Promise<void> {
    const call = this.#dice.pick(this.clients.doubtful)
    this.note('again', call.name)
    await this.#act(call.name, async () => this.came(await this.clients.make(call)))
  }

  async #work(party: SimParty): Promise<void> {
    const job = this.#dice.pick(party.claimed)
    const { path = '' } = job.payload as { readonly path?: string }
    this.note('job', `${party.id} ${job.kind} ${path} ${job.attempt}`)
    await this.#act(job.kind, () => party.run(job))
  }

  /** Looking into the queue is no step: nothing happens. */
  async #look(party: SimParty): Promise<void> {
    await this.#act('claim', () => party.claim(1 + Math.floor(this.#dice.next() * 4)))
  }

  async #chore(party: SimParty, namesOf: (id: PartyId) => readonly string[]): Promise<void> {
    const names = namesOf(party.id as PartyId)
    const chore = this.#dice.pick(party.chores.filter(({ name }) => names.includes(name)))
    this.note('chore', `${party.id} ${chore.name}`)
    await this.#act(chore.name, async () => {
      await party.doChore(chore).catch((error: unknown) => this.came(String(error)))
    })
    if (chore.name === 'log sequencer') await this.logs.get(party.id as PartyId)?.follow()
  }

  async #carry(letter: Letter): Promise<void> {
    const chance = this.#dice.next()
    const { post } = this.world
    const name = `${letter.from} → ${letter.to} ${pathOf(letter)}`
    if (letter.arrival !== undefined) {
      this.note('answer', name)
      return chance < 0.06 ? post.lose(letter) : post.answer(letter)
    }
    if (chance < 0.05) {
      this.note('lost', name)
      return post.lose(letter)
    }
    if (chance < 0.1) {
      this.note('too late', name)
      post.copy(letter)
      return post.lose(letter)
    }
    if (chance < 0.18) post.copy(letter)
    this.note(chance < 0.18 ? 'twice' : 'deliver', name)
    await this.#act('deliver', () => post.deliver(letter))
    this.came(letter.arrival === undefined || letter.arrival === 'nothing' ? 'nothing' : statusOf(letter))
    this.#heard(letter)
    // The next step may come before the answer does.
    if (letter.resume !== undefined && this.#dice.next() < 0.7) await post.answer(letter)
  }

  /** Time passes: a little, or until something is due. */
  async #pass(): Promise<void> {
    const ms = this.#dice.pick([500, 3_000, 20_000, 120_000, 600_000])
    this.world.time.advance(Math.round(ms * (0.5 + this.#dice.next())))
    for (const party of this.world.parties) party.mayHaveJobs = true
  }

  async #fault(): Promise<void> {
    if (this.#dice.next() < WITNESS_FAULTS) return this.#witnessFault()
    const party = this.#dice.pick(this.world.parties)
    const id = party.id as PartyId
    const kind = this.#dice.pick([
      'kill',
      'crash',
      'crash',
      'crash',
      'disk',
      'disk',
      'lost',
      'lost',
      'clock',
      'cut',
      'heal',
    ])
    if (!party.isUp && kind !== 'heal') return
    this.note('fault', `${kind} ${id}`)
    const count = Math.floor(this.#dice.next() * 12)
    switch (kind) {
      case 'kill':
        await party.kill()
        return this.#isDown(id)
      case 'crash':
        return party.database.arm({ kind: 'crash', when: this.#dice.next() < 0.5 ? 'before' : 'after' })
      case 'disk':
        return party.database.arm({
          kind: 'disk-full',
          writes: 1 + count,
          table: this.#dice.next() < 0.5 ? 'audit_event' : '',
        })
      case 'lost':
        return party.database.arm({ kind: 'connection-lost', statements: count, atCommit: this.#dice.next() < 0.4 })
      case 'clock':
        party.skewMs = party.skewMs === 0 ? this.#dice.pick([-HOUR_MS, HOUR_MS]) : 0
        return
      case 'cut':
        return this.world.post.cut(id)
      default:
        return this.world.post.heal()
    }
  }

  async #witnessFault(): Promise<void> {
    const { witness, post } = this.world
    const kind = this.#dice.pick(['kill', 'before', 'before', 'after', 'after', 'torn', 'torn', 'cut'])
    if (!witness.isUp) return
    this.note('fault', `${kind} ${WITNESS}`)
    if (kind === 'cut') return post.cut(WITNESS)
    if (kind !== 'kill') return witness.arm(kind as WitnessEnd)
    await witness.kill()
    this.#isDown(WITNESS)
  }

  #isDown(id: string): void {
    this.#down.set(id, this.steps + 1 + Math.floor(this.#dice.next() * 12))
  }

  async #restart(id: string): Promise<void> {
    this.note('restart', id)
    this.#down.delete(id)
    if (id === WITNESS) {
      await this.world.witness.start()
      return this.witnesses.look(WITNESS)
    }
    const party = this.world.party(id as PartyId)
    await party.bury()
    await party.start()
  }

  /** Runs one thing to its rest; a party that ended in it is started again later. */
  async #act(name: string, work: () => Promise<void>): Promise<void> {
    await this.world.tasks.start(name, work)
    const ended = this.world.parties.filter(({ isUp }) => !isUp).map(({ id }) => id)
    for (const id of [...ended, ...(this.world.witness.isUp ? [] : [WITNESS])])
      if (!this.#down.has(id)) {
        this.came(`${id} ends`)
        this.#isDown(id)
      }
  }

  /** What a message brought about where it arrived. */
  async #arrived(letter: Letter): Promise<void> {
    const { from, to, path, arrival } = letter
    if (to === hostOf(EXCHANGE) && path.startsWith('/v1/') && arrival !== undefined && arrival !== 'nothing')
      this.model.suspensions.answered(from, path, arrival.status)
    await this.witnesses.arrived(letter)
  }

  /** What leaves a hospital must be in its log before. */
  #leaves({ from, to, call, path }: Letter): void {
    const told = from === EXCHANGE ? hospitalOf(to) : undefined
    if (told !== undefined && this.model.suspensions.off.has(told) && !path.startsWith('/.well-known/'))
      this.model.faults.push(`the exchange calls ${told}, which is suspended: ${path}`)
    if (!path.includes(PUSH_PATH)) return
    const { transactionId } = JSON.parse(call.body ?? '{}') as { readonly transactionId?: string }
    if (!this.model.recorded.has(`${from} ${transactionId}`))
      this.model.faults.push(`${from} sends a page of ${transactionId}, and its log does not say so`)
  }

  /** A hospital that answered 2xx to the end of a consent has heard of it. */
  #heard(letter: Letter): void {
    const { arrival, call, path } = letter
    if (arrival === undefined || arrival === 'nothing' || arrival.status >= 300 || letter.from !== EXCHANGE) return
    const id = hospitalOf(letter.to)
    if (id === undefined || !/\/consent\/request\/(?:hip\/)?notify$/.test(path)) return
    const { notification } = JSON.parse(call.body ?? '{}') as { notification?: Notification }
    if (notification?.status !== 'REVOKED' && notification?.status !== 'EXPIRED') return
    const ended = [notification.consentId, ...(notification.consentArtefacts ?? []).map((one) => one.id)]
    for (const consent of ended) if (consent !== undefined) this.model.told.add(`${id} ${consent}`)
  }
}

type Notification = {
  readonly status: string
  readonly consentId?: string
  readonly consentArtefacts?: readonly { readonly id: string }[]
}

/** Paths of pushes hold a random token. */
const pathOf = ({ path }: Letter): string => path.replace(/[\w-]{30,}/g, '…')
const statusOf = ({ arrival }: Letter): string =>
  arrival === undefined || arrival === 'nothing' ? 'nothing' : String(arrival.status)

/** Sets the stage back, and runs a seed. */
export async function simulate(stage: Stage, seed: number): Promise<Outcome> {
  const startedMs = performance.now()
  await stage.world.setBack(seed, stage.startMs)
  const simulation = new Simulation(stage, seed)
  let violation: Error | undefined
  try {
    await simulation.run()
  } catch (error) {
    violation = error instanceof Violation ? error : new Error(`seed ${seed}: ${String(error)}`, { cause: error })
  }
  const { steps, trace, kinds } = simulation
  const traceHash = createHash('sha256').update(trace.join('\n')).digest('hex').slice(0, 16)
  return { seed, steps, tookMs: performance.now() - startedMs, traceHash, trace, violation, kinds }
}
