import { createHmac } from 'node:crypto'
import type { Random } from '../db/tx.ts'
import { plainDigits } from '../kernel/digits.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'

/** Crockford's base 32: no letter that is read as a digit or as another letter on a printed page. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUP_CHARS = 4
const CHARS = 12
const PLAIN = new RegExp(`^[${LETTERS}]{${CHARS}}$`)
const MISREAD: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' }

/** Codes for paper, such as `7K2M-90QD-XA4T`: 60 bits each, so that nobody guesses one, whatever the pace. */
export function makeRecoveryCodes(random: Random): readonly string[] {
  return Array.from({ length: LIMITS.recoveryCodesMade }, () => {
    const letters = Array.from(random(CHARS), (byte) => LETTERS[byte % LETTERS.length]).join('')
    return letters.replaceAll(new RegExp(`(.{${GROUP_CHARS}})(?!$)`, 'g'), '$1-')
  })
}

/** A typed code in its one form; capital letters or not, with or without dashes, misread letters mended; undefined when it is none. */
export function plainRecoveryCode(typed: string): string | undefined {
  const plain = plainDigits(typed)
    .toUpperCase()
    .replaceAll(/[\s‐-―-]/g, '')
    .replaceAll(/[OIL]/g, (letter) => MISREAD[letter] ?? letter)
  return PLAIN.test(plain) ? plain : undefined
}

/**
 * What is stored of a code, given in its one form: HMAC-SHA-256 under a key of this party, bound to the person. A slow hash is for words
 * that people choose; 60 random bits need none.
 */
export function digestOfRecoveryCode(indexKey: Uint8Array, staff: Id<'staff'>, plain: string): Buffer {
  return createHmac('sha256', indexKey).update(`staff_recovery_code\n${staff}\n${plain}`).digest()
}
