import { errors, jwtVerify } from 'jose'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { PARTNER_ALGS, type PartnerAlg, type PartnerKey } from './key-set.ts'

/** What a client assertion says of itself before anything of it is proved: only where to look for its key. */
export type Claimed = { readonly clientId: string; readonly kid: string; readonly alg: PartnerAlg }

/** A proved assertion. `jti` is good once, until `expiresAt`. */
export type Assertion = { readonly jti: string; readonly expiresAt: Date; readonly purposes: readonly string[] }

const unproved = (detail: string): Refusal => refuse('auth/client-unproved', detail, 'client_assertion')

/**
 * Reads who claims to speak. Members of the header that bring or name keys (`jwk`, `jku`, `x5u`, `x5c`) are not looked at: keys are
 * what was registered.
 */
export function readClaimed(assertion: string): Claimed | Refusal {
  if (assertion.length > LIMITS.assertionCharsMax) return unproved('The assertion is too long.')
  const [header, claims, signature, ...rest] = assertion.split('.')
  if (signature === undefined || signature === '' || rest.length > 0)
    return unproved('The assertion is not a signed JWT.')
  const { alg, kid } = readPart(header)
  const { iss, sub } = readPart(claims)
  if (!PARTNER_ALGS.some((one) => one === alg))
    return unproved(`The assertion must be signed by ${PARTNER_ALGS.join(', ')}.`)
  if (typeof kid !== 'string' || kid === '' || kid.length > LIMITS.textCharsMax)
    return unproved('The header of the assertion must name its key: kid.')
  if (typeof sub !== 'string' || sub === '' || sub.length > LIMITS.textCharsMax || iss !== sub)
    return unproved('iss and sub of the assertion must both be the client id.')
  return { clientId: sub, kid, alg: alg as PartnerAlg }
}

function readPart(part: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    // Nothing of it can be proved then; the caller refuses.
    return {}
  }
}

/** Proves an assertion (RFC 7523, SMART Backend Services): signed by the named key of the client, for this token endpoint alone, for at most five minutes. */
export async function proveAssertion(
  assertion: string,
  claimed: Claimed,
  expected: { readonly keys: readonly PartnerKey[]; readonly tokenUrl: string; readonly now: Date },
): Promise<Assertion | Refusal> {
  const key = expected.keys.find(({ kid, alg }) => kid === claimed.kid && alg === claimed.alg)
  if (key === undefined) return unproved('The assertion is not signed by a key of this client.')
  try {
    const { payload } = await jwtVerify(assertion, key.key, {
      algorithms: [key.alg],
      issuer: claimed.clientId,
      subject: claimed.clientId,
      audience: expected.tokenUrl,
      currentDate: expected.now,
      clockTolerance: LIMITS.clockSkewMs / 1000,
      requiredClaims: ['exp', 'jti'],
    })
    const fault = faultOfClaims(payload, expected)
    if (fault !== undefined) return unproved(fault)
    return {
      jti: payload.jti ?? '',
      expiresAt: new Date((payload.exp ?? 0) * 1000 + LIMITS.clockSkewMs),
      purposes: purposesIn(payload['extensions']),
    }
  } catch (error) {
    if (error instanceof errors.JWTExpired) return unproved('The assertion has expired.')
    if (error instanceof errors.JWTClaimValidationFailed) return unproved(`The assertion has a wrong ${error.claim}.`)
    if (error instanceof errors.JOSEError) return unproved('The assertion is not signed by a key of this client.')
    throw error
  }
}

function faultOfClaims(
  { exp = 0, iat, jti, aud }: { exp?: number; iat?: number; jti?: string; aud?: string | string[] },
  { now, tokenUrl }: { readonly now: Date; readonly tokenUrl: string },
): string | undefined {
  const nowMs = now.getTime()
  // One that is good at another server too could be played on by that one.
  if ([aud].flat().some((one) => one !== tokenUrl)) return `The assertion must be for ${tokenUrl} alone.`
  if (exp * 1000 > nowMs + LIMITS.assertionMs + LIMITS.clockSkewMs)
    return `The assertion may live ${LIMITS.assertionMs / 60_000} minutes.`
  if (iat !== undefined && (iat * 1000 > nowMs + LIMITS.clockSkewMs || (exp - iat) * 1000 > LIMITS.assertionMs))
    return 'The assertion was made in the future, or lives too long.'
  return typeof jti === 'string' && jti !== '' && jti.length <= LIMITS.textCharsMax
    ? undefined
    : 'The assertion must have a jti of its own.'
}

/** `extensions.hl7-b2b.purpose_of_use` of the UDAP B2B authorization extension: codes, kept as they are. */
function purposesIn(extensions: unknown): readonly string[] {
  const b2b =
    typeof extensions === 'object' && extensions !== null && 'hl7-b2b' in extensions ? extensions['hl7-b2b'] : {}
  const said = typeof b2b === 'object' && b2b !== null && 'purpose_of_use' in b2b ? b2b.purpose_of_use : []
  return Array.isArray(said)
    ? said.filter((one) => typeof one === 'string' && one.length <= LIMITS.textCharsMax).slice(0, LIMITS.scopesMax)
    : []
}
