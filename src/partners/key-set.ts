import { createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'

/** SMART Backend Services asks for RS384 and ES384; the others are as strong. Neither `none` nor anything symmetric. */
export const PARTNER_ALGS = ['ES384', 'RS384', 'ES256', 'EdDSA'] as const
export type PartnerAlg = (typeof PARTNER_ALGS)[number]

/** A public key that a partner signs with. */
export type PartnerKey = { readonly kid: string; readonly alg: PartnerAlg; readonly key: KeyObject }

const jwk = z.record(z.string(), z.unknown())
const keySet = z.object({ keys: z.array(jwk).max(LIMITS.partnerKeysMax) })
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const RSA_BITS_MIN = 2048

/**
 * Reads a JWK set (RFC 7517). Keys for other uses are left out. Refuses what shows private or symmetric keys, weak keys, keys without
 * a name or two of one name, and a set that leaves nothing.
 */
export function parseKeySet(value: unknown): readonly PartnerKey[] | Refusal {
  const parsed = keySet.safeParse(value)
  if (!parsed.success)
    return refuse('partners/invalid-keys', `A key set is {"keys": […]} with at most ${LIMITS.partnerKeysMax} keys.`)
  const keys: PartnerKey[] = []
  for (const one of parsed.data.keys) {
    const read = parsePublicKey(one)
    if (isRefusal(read)) return read
    if (read === undefined) continue
    const { kid } = one
    if (typeof kid !== 'string' || kid === '' || kid.length > LIMITS.textCharsMax)
      return refuse('partners/invalid-keys', 'Each key must have a "kid".')
    if (keys.some((other) => other.kid === kid))
      return refuse('partners/invalid-keys', `Two keys have the name ${kid.slice(0, 40)}.`)
    keys.push({ kid, ...read })
  }
  return keys.length > 0 ? keys : refuse('partners/invalid-keys', 'There is no key that a partner may sign with.')
}

/** One public JWK; undefined when it is for another use or of a kind that is not used here. */
export function parsePublicKey(
  one: Readonly<Record<string, unknown>>,
): { readonly alg: PartnerAlg; readonly key: KeyObject } | undefined | Refusal {
  if (one['kty'] === 'oct' || PRIVATE_MEMBERS.some((member) => member in one))
    return refuse(
      'partners/invalid-keys',
      'A private or symmetric key was shown: make new keys, and publish public ones.',
    )
  if (one['use'] !== undefined && one['use'] !== 'sig') return undefined
  const alg = algOf(one)
  if (alg === undefined) return undefined
  if (one['alg'] !== undefined && one['alg'] !== alg && !(alg === 'EdDSA' && one['alg'] === 'Ed25519')) return undefined
  const key = readKey(one)
  if (key === undefined)
    return refuse('partners/invalid-keys', 'A key cannot be read: it is no point on its curve, or cut short.')
  const bits = key.asymmetricKeyDetails?.modulusLength
  return bits !== undefined && bits < RSA_BITS_MIN
    ? refuse('partners/invalid-keys', `RSA keys must have at least ${RSA_BITS_MIN} bits.`)
    : { alg, key }
}

function algOf({ kty, crv }: Readonly<Record<string, unknown>>): PartnerAlg | undefined {
  if (kty === 'RSA') return 'RS384'
  if (kty === 'EC') return crv === 'P-384' ? 'ES384' : crv === 'P-256' ? 'ES256' : undefined
  return kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : undefined
}

/** Only the members that make the key: a certificate chain or an address inside a JWK is nothing to us. */
function readKey({ kty, crv, x, y, n, e }: Readonly<Record<string, unknown>>): KeyObject | undefined {
  const members = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }
  try {
    return createPublicKey({ key: members as never, format: 'jwk' })
  } catch {
    // Not a key: the caller says so.
    return undefined
  }
}
