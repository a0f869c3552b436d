import { createHash, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import type { Random } from '../db/tx.ts'

/** scrypt with N = 2^14, r = 8, p = 1: 16 MiB, some 40 ms. The secrets have 256 bits of chance; this is for the day they leak. */
const COST = { N: 16_384, r: 8, p: 1 } as const
const SALT_BYTES = 16
const KEY_BYTES = 32

/** A fresh secret: 256 bits, base64url. */
export function makeSecret(random: Random): string {
  return Buffer.from(random(KEY_BYTES)).toString('base64url')
}

/** `scrypt$N$r$p$salt$key`, the binary parts in base64url. */
export async function hashSecret(random: Random, secret: string): Promise<string> {
  const salt = Buffer.from(random(SALT_BYTES))
  const key = await derive(secret, salt, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Whether `secret` is the one that was hashed. With no hash it takes as long and says no. */
export async function isSecretOf(secret: string, hash: string | undefined): Promise<boolean> {
  const [, n = '', r = '', p = '', salt = '', key = ''] = (
    hash ?? `scrypt$${COST.N}$${COST.r}$${COST.p}$AAAA$AAAA`
  ).split('$')
  const expected = Buffer.from(key, 'base64url')
  const derived = await derive(secret, Buffer.from(salt, 'base64url'), { N: Number(n), r: Number(r), p: Number(p) })
  return expected.length === derived.length && timingSafeEqual(expected, derived)
}

/** What the database keeps of a refresh token. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function derive(secret: string, salt: Uint8Array, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret.normalize('NFKC'), salt, KEY_BYTES, cost, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
