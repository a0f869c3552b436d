import type { LogMirror } from './log-mirror.ts'
import { Violation } from './model.ts'
import { hostOf, type Letter } from './post.ts'
import { readCheckpoint, type Seen, WITNESS } from './witness-party.ts'
import { EXCHANGE, originOf, PARTIES, type PartyId, type World, witnessesOf } from './world.ts'

/** Paths at which checkpoints are cosigned: the witness by itself, and a party that witnesses others. */
const COSIGNING = /^(?:\/witness)?\/add-checkpoint$/

/**
 * The law of witnesses: what one cosigned it remembers over every end of its process, it never goes back, no two trees of one size are
 * cosigned by anybody, and each is the tree that the log itself has.
 */
export class Witnesses {
  readonly #world: World
  readonly #logs: ReadonlyMap<PartyId, LogMirror>
  /** The largest tree that a witness cosigned: `witness origin`. */
  readonly #largest = new Map<string, number>()
  /** What was cosigned by anybody: `origin size`. */
  readonly #roots = new Map<string, string>()

  constructor(world: World, logs: ReadonlyMap<PartyId, LogMirror>) {
    this.#world = world
    this.#logs = logs
  }

  /** A message arrived, was answered or not: holds what was cosigned against what is remembered. */
  async arrived({ to, path, call, arrival }: Letter): Promise<void> {
    if (!COSIGNING.test(path)) return
    const asked = readCheckpoint((call.body ?? '').split('\n\n')[1] ?? '')
    const witness = to === hostOf(EXCHANGE) ? EXCHANGE : WITNESS
    if (arrival !== undefined && arrival !== 'nothing' && arrival.status === 200) await this.#cosigned(witness, asked)
    await this.look(witness)
  }

  /** Holds the memory of a witness against all that it ever cosigned. */
  async look(witness: string): Promise<void> {
    for (const log of PARTIES) {
      if (!witnessesOf(log).includes(witness)) continue
      const origin = originOf(log)
      const remembered = await this.#remembered(witness, origin)
      if (remembered === 'down') continue
      const largest = this.#largest.get(`${witness} ${origin}`) ?? 0
      if ((remembered?.size ?? 0) < largest)
        throw new Violation(`${witness} cosigned ${largest} leaves of ${log}, and remembers ${remembered?.size ?? 0}`)
      if (remembered !== undefined) await this.#cosigned(witness, remembered)
    }
  }

  /** Every log has the cosignatures of all its witnesses at its newest checkpoint. */
  async insistOnAll(): Promise<void> {
    for (const log of PARTIES) {
      const missing = await missingCosignatures(this.#world, log)
      if (missing.length > 0)
        throw new Violation(`${missing.join(', ')} did not cosign the newest checkpoint of ${log}`)
    }
  }

  async #cosigned(witness: string, { origin, size, root }: Seen): Promise<void> {
    const log = PARTIES.find((id) => originOf(id) === origin)
    const mirror = log && this.#logs.get(log)
    if (mirror === undefined) throw new Violation(`${witness} cosigned ${origin}, which is no log of the network`)
    const name = `${witness} ${origin}`
    const largest = this.#largest.get(name) ?? 0
    if (size < largest) throw new Violation(`${witness} went back from ${largest} leaves of ${log} to ${size}`)
    this.#largest.set(name, size)
    const known = this.#roots.get(`${origin} ${size}`)
    if (known !== undefined && known !== root) throw new Violation(`two trees of ${size} leaves of ${log} are cosigned`)
    this.#roots.set(`${origin} ${size}`, root)
    await mirror.follow()
    if (mirror.rootAt(size) !== root)
      throw new Violation(`${witness} cosigned another tree of ${size} leaves than ${log} has`)
  }

  async #remembered(witness: string, origin: string): Promise<Seen | undefined | 'down'> {
    if (witness === WITNESS) return this.#world.witness.isUp ? this.#world.witness.seen(origin) : 'down'
    const [row] = await this.#world
      .rows(EXCHANGE)
      .rows<{ size: string; root: Buffer }>('select size, root from witnessed_log where origin = $1', [origin])
    return row === undefined ? undefined : { origin, size: Number(row.size), root: row.root.toString('base64') }
  }
}

/** Witnesses of a log that have not cosigned its newest checkpoint. */
export async function missingCosignatures(world: World, log: PartyId): Promise<readonly string[]> {
  const rows = await world
    .rows(log)
    .rows<{ witness: string }>(
      `select witness from log_cosignature where size = (select max(size) from log_checkpoint)`,
    )
  return witnessesOf(log).filter((name) => !rows.some(({ witness }) => witness === name))
}
