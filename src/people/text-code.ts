import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Random } from '../db/tx.ts'

/** What a code is for: a code of one purpose is worth nothing for another. */
type CodePurpose = 'sign-in' | 'step-up'

/** Six digits, all numbers equally likely. */
export function makeCode(random: Random): string {
  const limit = Math.floor(2 ** 32 / 1_000_000) * 1_000_000
  for (;;) {
    const value = Buffer.from(random(4)).readUInt32BE()
    if (value < limit) return String(value % 1_000_000).padStart(6, '0')
  }
}

/** What is stored of a code: HMAC-SHA-256 under a key of this party, bound to what it was sent for. */
export function hashCode(indexKey: Uint8Array, purpose: CodePurpose, id: string, code: string): Buffer {
  return createHmac('sha256', indexKey).update(`one-time-code\n${purpose}\n${id}\n${code}`).digest()
}

/** Whether `typed` is the code: blanks that phones put between digits do not count. */
export function isCode(
  hash: Uint8Array,
  given: { readonly indexKey: Uint8Array; readonly purpose: CodePurpose; readonly id: string; readonly typed: string },
): boolean {
  const typed = hashCode(given.indexKey, given.purpose, given.id, given.typed.replaceAll(/\s/g, ''))
  return typed.length === hash.length && timingSafeEqual(typed, hash)
}
