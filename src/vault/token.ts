import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose'
import type { SigningKey } from '../crypto/signature.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

/** What a token of ours is for. A token of one kind is worth nothing where another is asked for. */
export type TokenAudience = 'amanat:session' | 'amanat:patient' | 'amanat:link' | 'amanat:partner'
export type Claims = Readonly<Record<string, unknown>>

type Order = {
  readonly issuer: string
  readonly audience: TokenAudience
  readonly now: Date
  readonly lifeMs: number
  readonly claims: Claims
}

/** Makes a JWT, RS256 by this party's own key (RFC 7519). `claims` hold at least `sub`. */
export async function signToken(key: SigningKey, order: Order): Promise<string> {
  const issuedAtS = Math.floor(order.now.getTime() / 1000)
  return new SignJWT({ ...order.claims })
    .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'JWT' })
    .setIssuer(order.issuer)
    .setAudience(order.audience)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + Math.floor(order.lifeMs / 1000))
    .sign(key.privateKey)
}

/** The claims of a token that we made for `audience`, not expired; else `auth/invalid-token` or `auth/wrong-audience`. */
export async function verifyToken(
  key: SigningKey,
  token: string,
  expected: { readonly issuer: string; readonly audience: TokenAudience; readonly now: Date },
): Promise<Claims | Refusal> {
  try {
    const { payload } = await jwtVerify(token, keyNamed(key, token), {
      algorithms: ['RS256'],
      issuer: expected.issuer,
      audience: expected.audience,
      currentDate: expected.now,
      requiredClaims: ['exp', 'iat', 'sub'],
    })
    return payload
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') return refuse('auth/wrong-audience')
    if (error instanceof errors.JWTExpired) return refuse('auth/invalid-token', 'The token has expired.')
    if (error instanceof errors.JOSEError) return refuse('auth/invalid-token')
    throw error
  }
}

/** The key of ours that a token names; what names none is held against the current one. */
function keyNamed({ publicJwk, older = [] }: SigningKey, token: string): SigningKey['publicJwk'] {
  if (older.length === 0) return publicJwk
  try {
    const { kid } = decodeProtectedHeader(token)
    return older.find((one) => one.kid === kid) ?? publicJwk
  } catch {
    // No token at all: whoever verifies it says so.
    return publicJwk
  }
}

/** The token in an `Authorization` or `X-AUTH-TOKEN` header, with or without `Bearer ` (protocol sheet 1.4). */
export function bearerOf(header: string | undefined): string | undefined {
  const token = header?.replace(/^Bearer\s+/i, '').trim()
  return token === '' ? undefined : token
}
