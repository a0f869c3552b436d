/** Where every simulated run begins. */
export const EPOCH_MS = Date.parse('2026-11-22T06:30:00.000Z')

/** Time that stands still until the scheduler moves it. */
export class VirtualTime {
  ms = EPOCH_MS
  readonly now = (): Date => new Date(this.ms)
  advance(ms: number): void {
    this.ms += ms
  }
}

/** Random bytes of a seed (xorshift128): the same again for the same seed. */
export class SeededBytes {
  #state = new Uint32Array(4)

  reseed(seed: number): void {
    this.#state = Uint32Array.of(seed ^ 0x9e3779b9, seed + 0x243f6a88, ~seed, 0xb7e15162)
    for (let i = 0; i < 16; i++) this.#next()
  }

  readonly bytes = (count: number): Uint8Array => {
    const made = new Uint8Array(count)
    for (let i = 0; i < count; i++) made[i] = this.#next() & 0xff
    return made
  }

  #next(): number {
    const s = this.#state
    let t = s[3] ?? 0
    t ^= t << 11
    t ^= t >>> 8
    s[3] = s[2] ?? 0
    s[2] = s[1] ?? 0
    s[1] = s[0] ?? 0
    s[0] = t ^ (s[0] ?? 0) ^ ((s[0] ?? 0) >>> 19)
    return (s[0] ?? 0) >>> 8
  }
}
