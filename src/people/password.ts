import { hash, verify } from '@node-rs/argon2'
import { LIMITS } from '../kernel/limits.ts'

/** Argon2id is the library's default; it works on threads of its own. */
const COST = { memoryCost: LIMITS.passwordMemoryKiB, timeCost: LIMITS.passwordPasses, parallelism: 1 } as const

/** Equal work for a login that nobody has: the hash of a word that no password can be (it is shorter than any). */
let nobodysHash: Promise<string> | undefined

/** Argon2id in PHC form (RFC 9106), with a salt of its own. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), COST)
}

/** Whether `password` is the one that was hashed. With no hash it takes as long, and says no. */
export async function isPasswordOf(password: string, phc: string | undefined): Promise<boolean> {
  nobodysHash ??= hash('', COST)
  const matches = await verify(phc ?? (await nobodysHash), password.normalize('NFKC'))
  return matches && phc !== undefined
}
