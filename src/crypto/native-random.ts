import { randomBytes, randomFillSync } from 'node:crypto'

const POOL_BYTES = 2_048
/** Nonces and ids come from the pool; what is as long as a key never waits in memory before it is used. */
const POOLED_BYTES_MAX = 16

/** Random bytes of the operating system; short ones in one call for many, since each call costs more than its bytes. */
export function makeRandom(): (bytes: number) => Uint8Array {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return (bytes) => {
    if (bytes > POOLED_BYTES_MAX) return new Uint8Array(randomBytes(bytes))
    if (used + bytes > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const taken = pool.slice(used, used + bytes)
    pool.fill(0, used, used + bytes)
    used += bytes
    return taken
  }
}
