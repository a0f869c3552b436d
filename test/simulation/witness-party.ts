import fs from 'node:fs'
import path from 'node:path'
import { monitorName } from '../../src/audit/witness.ts'
import { addLog } from '../../src/audit/witness-role/known-logs.ts'
import { openWitness, type StandaloneWitness } from '../../src/audit/witness-role/witness.ts'
import { formatVkey } from '../../src/crypto/signed-note.ts'
import type { Random } from '../../src/db/tx.ts'
import type { OutboundCall } from '../../src/http/outbound.ts'
import type { Arrival } from './post.ts'

export const WITNESS = 'witness'
const KEY_NAME = 'witness.amanat.example'
const MEMORY = 'seen.log'

/** A checkpoint as somebody outside reads it; the root in base64. */
export type Seen = { readonly origin: string; readonly size: number; readonly root: string }

/** How the process ends at the next checkpoint: before it is remembered, after it, or while the disk has half of the line. */
export type WitnessEnd = 'before' | 'after' | 'torn'

type Machine = { readonly now: () => Date; readonly random: Random }

/** A witness that belongs to no party, as `amanat witness` runs it: its real memory on the disk, with many lives. */
export class SimWitness {
  readonly #folder: string
  readonly #machine: Machine
  #life: StandaloneWitness | undefined
  #armed: WitnessEnd | undefined
  #furnished = Buffer.alloc(0)
  vkey = ''
  /** Broken on purpose, in a test of the simulation itself: it begins each life with an empty memory. */
  forgets = false

  private constructor(folder: string, machine: Machine) {
    this.#folder = folder
    this.#machine = machine
  }

  static async open(folder: string, machine: Machine): Promise<SimWitness> {
    const witness = new SimWitness(folder, machine)
    await witness.start()
    return witness
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  /** Takes a log among those that it cosigns. */
  add(vkey: string): void {
    addLog(this.#folder, vkey)
  }

  async start(): Promise<void> {
    this.#armed = undefined
    if (this.forgets) fs.truncateSync(this.#memory, fs.readFileSync(this.#memory).indexOf('\n') + 1)
    this.#life = await openWitness(this.#folder, KEY_NAME, this.#machine)
    this.vkey = formatVkey(this.#life.cosigner.key)
  }

  /** Ends this life at once. */
  async kill(): Promise<void> {
    const life = this.#life
    this.#life = undefined
    await life?.close()
  }

  arm(end: WitnessEnd | undefined): void {
    this.#armed = end
  }

  /** Remembers its memory as what every run begins with. */
  furnished(): void {
    this.#furnished = fs.readFileSync(this.#memory)
  }

  async setBack(): Promise<void> {
    await this.kill()
    fs.writeFileSync(this.#memory, this.#furnished)
    await this.start()
  }

  /** One request; undefined when nobody is there, or the process ended before it could answer. */
  async receive({ method, url, body }: OutboundCall): Promise<Arrival | undefined> {
    const life = this.#life
    if (life === undefined) return undefined
    const { pathname } = new URL(url)
    if (method !== 'POST' || pathname !== '/add-checkpoint') return { status: 404, headers: {}, body: Buffer.of() }
    const armed = this.#armed
    if (armed === 'before') await this.kill()
    if (armed === 'before') return undefined
    const { status, headers = {}, body: answer } = await life.addCheckpoint(Buffer.from(body ?? ''))
    if (armed === undefined || status !== 200) return { status, headers, body: Buffer.from(String(answer)) }
    await this.kill()
    if (armed === 'torn') this.#tear()
    return undefined
  }

  /** What it shows monitors of a log; undefined when it is down, or has seen nothing of it. */
  seen(origin: string): Seen | undefined {
    const answer = this.#life?.monitor(monitorName(origin))
    return answer?.status === 200 ? readCheckpoint(String(answer.body)) : undefined
  }

  /** The disk took half of the last line: its cosignature had not left. */
  #tear(): void {
    const bytes = fs.readFileSync(this.#memory)
    const lineAt = bytes.lastIndexOf('\n', bytes.length - 2) + 1
    fs.truncateSync(this.#memory, Math.floor((lineAt + bytes.length) / 2))
  }

  get #memory(): string {
    return path.join(this.#folder, MEMORY)
  }
}

/** The first three lines of a checkpoint (C2SP tlog-checkpoint). */
export function readCheckpoint(note: string): Seen {
  const [origin = '', size = '', root = ''] = note.split('\n')
  return { origin, size: Number(size), root }
}
