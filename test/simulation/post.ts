import type { CallOutcome, Outbound, OutboundCall } from '../../src/http/outbound.ts'
import type { Tasks } from './tasks.ts'

/** What a party answers, or that it is not there. */
export type Arrival = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}
export type Receive = (call: OutboundCall) => Promise<Arrival | undefined>

/** A message under way: a request until it arrives, an answer after. */
export type Letter = {
  readonly number: number
  readonly from: string
  readonly to: string
  readonly path: string
  readonly call: OutboundCall
  /** Which life of the sender waits for the answer; a copy has nobody who waits. */
  readonly life: number
  readonly resume: ((outcome: CallOutcome) => Promise<void>) | undefined
  arrival: Arrival | 'nothing' | undefined
}

type Host = { readonly receive: Receive; readonly lifeOf: () => number }

/** Fetched while a transaction is open, or by several that wait for one another: never waits in the post. */
const AT_ONCE = /^\/oauth\/|\/gateway\/v3\/(?:sessions|certs)$|\/\.well-known\//

/** The network: nothing moves in it until the scheduler says so. */
export class Post {
  readonly #tasks: Tasks
  readonly #hosts = new Map<string, Host>()
  readonly #cut = new Set<string>()
  /** Whether a call that cannot wait gets through. */
  readonly #isLucky: () => boolean
  #count = 0
  letters: Letter[] = []
  /** Told of every message that leaves a party, before it leaves. */
  onLeave: (letter: Letter) => void = () => undefined
  /** Told of every message that arrived, whether or not its answer will. */
  onArrival: (letter: Letter) => Promise<void> = async () => undefined
  /** How somebody cheats on the wire, in a test of the simulation itself. */
  forge: (from: string, call: OutboundCall) => OutboundCall = (_from, call) => call

  constructor(tasks: Tasks, isLucky: () => boolean) {
    this.#tasks = tasks
    this.#isLucky = isLucky
  }

  addHost(id: string, host: Host): void {
    this.#hosts.set(hostOf(id), host)
  }

  cut(id: string): void {
    this.#cut.add(id)
  }

  heal(): void {
    this.#cut.clear()
  }

  isCut(id: string): boolean {
    return this.#cut.has(id)
  }

  /** The way out of one life of a party. */
  outboundOf(id: string, life: number): Outbound {
    const lifeOf = this.#hosts.get(hostOf(id))?.lifeOf
    const call = async (wanted: OutboundCall): Promise<CallOutcome> => {
      if (lifeOf?.() !== life) return lost('this process has ended')
      const to = new URL(wanted.url).hostname
      if (AT_ONCE.test(new URL(wanted.url).pathname)) return this.#atOnce(id, to, wanted)
      return this.#tasks.park((resume) => {
        const letter: Letter = {
          number: ++this.#count,
          from: id,
          to,
          path: new URL(wanted.url).pathname,
          call: this.forge(id, wanted),
          life,
          resume,
          arrival: undefined,
        }
        this.onLeave(letter)
        this.letters.push(letter)
      })
    }
    return { call, close: async () => undefined }
  }

  /** Hands a request to whom it is for; its answer then is under way. Nobody there: a failure is. */
  async deliver(letter: Letter): Promise<void> {
    const host = this.#hosts.get(letter.to)
    const isThere = host !== undefined && !this.#isBetween(letter.from, letter.to)
    letter.arrival = (isThere ? await host.receive(letter.call) : undefined) ?? 'nothing'
    if (letter.resume === undefined) this.#forget(letter)
    await this.onArrival(letter)
  }

  /** Another of the same, which nobody waits for: it arrives when the scheduler says so. */
  copy(letter: Letter): void {
    this.letters.push({ ...letter, number: ++this.#count, resume: undefined, arrival: undefined })
  }

  /** Brings the answer home. */
  async answer(letter: Letter): Promise<void> {
    this.#forget(letter)
    const { arrival } = letter
    const isHome = this.#hosts.get(hostOf(letter.from))?.lifeOf() === letter.life
    if (!isHome || letter.resume === undefined) return
    await letter.resume(
      arrival === undefined || arrival === 'nothing'
        ? lost('ECONNREFUSED: nobody is there')
        : { kind: 'answered', ...arrival, tookMs: 1 },
    )
  }

  /** Nobody hears what became of it. */
  async lose(letter: Letter): Promise<void> {
    letter.arrival = 'nothing'
    await this.answer(letter)
  }

  /** What a life that ended had asked, nobody waits for any more; the requests may arrive all the same. */
  abandon(id: string): void {
    this.letters = this.letters
      .filter((letter) => letter.from !== id || letter.arrival === undefined)
      .map((letter) => (letter.from === id ? { ...letter, resume: undefined } : letter))
  }

  #forget(letter: Letter): void {
    this.letters = this.letters.filter((one) => one.number !== letter.number)
  }

  #isBetween(from: string, to: string): boolean {
    return [...this.#cut].some((id) => hostOf(id) === to || id === from)
  }

  async #atOnce(from: string, to: string, wanted: OutboundCall): Promise<CallOutcome> {
    if (this.#isBetween(from, to) || !this.#isLucky()) return lost('no answer in time')
    const arrival = await this.#hosts.get(to)?.receive(wanted)
    return arrival === undefined ? lost('ECONNREFUSED: nobody is there') : { kind: 'answered', ...arrival, tookMs: 1 }
  }
}

export const hostOf = (id: string): string => `${id.toLowerCase()}.sim`
export const urlOf = (id: string): string => `http://${hostOf(id)}`

function lost(reason: string): CallOutcome {
  return { kind: 'failed', reason, tookMs: 1 }
}
