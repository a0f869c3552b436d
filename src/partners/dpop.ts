import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, errors, type JWK, jwtVerify } from 'jose'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { parsePublicKey } from './key-set.ts'

/** A proved DPoP proof (RFC 9449): made with the key of this thumbprint, good once until `expiresAt`. */
export type DpopProof = { readonly jkt: string; readonly jti: string; readonly expiresAt: Date }

const unfit = (detail: string): Refusal => refuse('auth/invalid-dpop-proof', detail, 'DPoP')

/**
 * Checks a DPoP proof (RFC 9449 §4.3): one JWT of type `dpop+jwt`, signed by the public key in its header, for this method and
 * address, made within the last minute; with `token` also for that access token. Whether its `jti` was seen before is the caller's to ask.
 */
export async function proveDpop(
  proof: string,
  call: { readonly method: string; readonly url: string; readonly now: Date; readonly token?: string },
): Promise<DpopProof | Refusal> {
  if (proof.length > LIMITS.assertionCharsMax) return unfit('The proof is too long.')
  // Two headers of this name reach us as one, with a comma.
  const header = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof) ? readHeader(proof) : undefined
  const jwk = header?.['jwk']
  if (header === undefined || header['typ'] !== 'dpop+jwt' || typeof jwk !== 'object' || jwk === null)
    return unfit('The proof must be one JWT of type dpop+jwt with a public key.')
  const key = parsePublicKey({ ...jwk })
  if (key === undefined || isRefusal(key)) return unfit('The key of the proof is not one that is taken here.')
  try {
    const { payload } = await jwtVerify(proof, key.key, {
      algorithms: [key.alg],
      typ: 'dpop+jwt',
      currentDate: call.now,
      requiredClaims: ['iat', 'jti', 'htm', 'htu'],
    })
    const fault = faultOf(payload, call)
    if (fault !== undefined) return unfit(fault)
    const { iat = 0, jti = '' } = payload
    const jkt = await calculateJwkThumbprint(jwk as JWK, 'sha256')
    return { jkt, jti, expiresAt: new Date(iat * 1000 + LIMITS.dpopProofMs + LIMITS.clockSkewMs) }
  } catch (error) {
    if (error instanceof errors.JOSEError) return unfit('The proof is not signed by its own key, or lacks a claim.')
    throw error
  }
}

function readHeader(proof: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(proof.split('.')[0] ?? '', 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    // Not a JWT: the caller refuses.
    return undefined
  }
}

function faultOf(
  claims: Readonly<Record<string, unknown>>,
  { method, url, now, token }: { method: string; url: string; now: Date; token?: string },
): string | undefined {
  const { htm, htu, iat, jti, ath } = claims
  if (htm !== method) return 'The proof is for another method.'
  if (typeof htu !== 'string' || plainUrl(htu) !== plainUrl(url)) return 'The proof is for another address.'
  const ageMs = now.getTime() - Number(iat) * 1000
  if (!(ageMs <= LIMITS.dpopProofMs && ageMs >= -LIMITS.clockSkewMs)) return 'The proof is too old, or from the future.'
  if (typeof jti !== 'string' || jti === '' || jti.length > LIMITS.textCharsMax)
    return 'The proof must have a jti of its own.'
  return token === undefined || ath === hashOfToken(token) ? undefined : 'The proof is for another token.'
}

/** `ath` of a proof: base64url of the SHA-256 of the access token. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Without query and fragment, in normal form (RFC 9449 §4.3 no. 9); undefined for what is no URL. */
function plainUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
}
