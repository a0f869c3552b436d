import { createHash } from 'node:crypto'
import { Violation } from './model.ts'
import type { Snapshot } from './snapshot.ts'

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

const BUNDLE = 256

/** The entries of a bundle, each after its length in two bytes (C2SP tlog-tiles). */
function entriesOf(bundle: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let i = 0; i < bundle.length; ) {
    const end = i + 2 + bundle.readUInt16BE(i)
    found.push(bundle.subarray(i + 2, end))
    i = end
  }
  return found
}

type Node = { readonly height: number; readonly hash: Buffer }

/** The log of a party as somebody outside grows it, leaf by leaf: so a checkpoint that does not extend the one before is noticed. */
export class LogMirror {
  readonly #party: string
  readonly #rows: Snapshot
  #peaks: readonly Node[] = []
  #size = 0
  /** The peaks at each size. */
  readonly #grown: (readonly Node[])[] = [[]]

  constructor(party: string, rows: Snapshot) {
    this.#party = party
    this.#rows = rows
  }

  /** Reads what is new, and insists that the newest checkpoint is of exactly these leaves. */
  async follow(): Promise<void> {
    const [latest] = await this.#rows.rows<{ size: string; root: Buffer }>(
      'select size, root from log_checkpoint order by size desc limit 1',
    )
    const first = Math.floor(this.#size / BUNDLE)
    const bundles = await this.#rows.rows<{ place: string; entries: Buffer }>(
      'select bundle_index as place, entries from log_bundle where bundle_index >= $1 order by bundle_index',
      [first],
    )
    for (const [i, { place, entries }] of bundles.entries()) {
      if (Number(place) !== first + i) throw new Violation(`${this.#party}: bundle ${first + i} of the log is missing`)
      for (const entry of entriesOf(entries).slice(this.#size - Number(place) * BUNDLE)) this.#append(entry)
    }
    if (latest === undefined && this.#size === 0) return
    if (latest === undefined || Number(latest.size) !== this.#size)
      throw new Violation(`${this.#party}: the checkpoint is of ${latest?.size} leaves, the log has ${this.#size}`)
    if (!latest.root.equals(rootOf(this.#peaks)))
      throw new Violation(`${this.#party}: the checkpoint at ${this.#size} does not extend the one before`)
  }

  /** The root of the first leaves, in base64; undefined when there are not so many. */
  rootAt(size: number): string | undefined {
    const peaks = this.#grown[size]
    return peaks && rootOf(peaks).toString('base64')
  }

  /** Insists that every recorded event has exactly one place: a leaf, or the queue. */
  async insistOnAll(): Promise<void> {
    const [found] = await this.#rows.rows<{ events: number; leaves: number; queued: number }>(
      `select (select count(*) from audit_event)::int as events, (select count(*) from log_leaf)::int as leaves,
        (select count(*) from log_queue)::int as queued`,
    )
    if (found === undefined || found.events !== found.leaves + found.queued)
      throw new Violation(`${this.#party}: ${JSON.stringify(found)}: not every event has its place in the log`)
  }

  #append(entry: Buffer): void {
    let node: Node = { height: 0, hash: sha256(LEAF, entry) }
    const peaks = [...this.#peaks]
    for (let last = peaks.at(-1); last?.height === node.height; last = peaks.at(-1)) {
      peaks.pop()
      node = { height: node.height + 1, hash: sha256(NODE, last.hash, node.hash) }
    }
    this.#peaks = [...peaks, node]
    this.#size++
    this.#grown.push(this.#peaks)
  }
}

function rootOf(peaks: readonly Node[]): Buffer {
  const [last, ...rest] = peaks.toReversed()
  if (last === undefined) return sha256()
  return rest.reduce((right, left) => sha256(NODE, left.hash, right), last.hash)
}
