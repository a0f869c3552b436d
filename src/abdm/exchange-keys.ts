import { createPublicKey, type KeyObject } from 'node:crypto'
import { errors, type JWK, jwtVerify } from 'jose'
import { verifyDetached } from '../crypto/signature.ts'
import type { Outbound } from '../http/outbound.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'

/** The exchange's public keys as a facility knows them: fetched from its JWKS, kept, fetched anew when an unknown key signs. */
export type ExchangeKeys = {
  /** The JWT of a callback: RS256 by a key of the exchange, audience `account`, not expired. */
  readonly verifyCallback: (token: string) => Promise<true | Refusal>
  /** The signature of an artefact over the canonical bytes of its detail (docs/artefact.md). */
  readonly verifyArtefact: (detail: unknown, signature: string) => Promise<true | Refusal>
}

type Needs = {
  readonly outbound: Outbound
  readonly jwksUrl: string
  readonly headers: () => Promise<Readonly<Record<string, string>>>
  readonly now: () => Date
  /** Whom the `sub` of a callback token must name: else a bridge could play the token of its own callback to us. */
  readonly facility?: string
  /** `not-checked` is for a gateway that does not publish how it signs (docs/integrate/abdm.md). */
  readonly artefactSignature: 'rs256-jcs' | 'not-checked'
}

type KnownKey = { readonly kid: string | undefined; readonly key: KeyObject; readonly spkiPem: string }

/** At most one fetch in this time, so that forged key ids cannot make us hammer the exchange. */
const REFETCH_MS_MIN = 10_000
const KEPT_MS_MAX = 3_600_000

export function makeExchangeKeys(needs: Needs): ExchangeKeys {
  let known: readonly KnownKey[] = []
  let fetchedAtMs = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | undefined

  const fetchKeys = async (): Promise<void> => {
    fetchedAtMs = needs.now().getTime()
    const outcome = await needs.outbound.call({
      method: 'GET',
      url: needs.jwksUrl,
      headers: { accept: 'application/json', ...(await needs.headers()) },
    })
    if (outcome.kind !== 'answered' || outcome.status !== 200) return
    const parsed = readJwks(outcome.body.toString('utf8'))
    if (parsed.length > 0) known = parsed
  }
  const refresh = async (ageMsMin: number): Promise<void> => {
    const ageMs = needs.now().getTime() - fetchedAtMs
    // From the future: our clock was ahead then, and is right now.
    if (ageMs >= 0 && ageMs < ageMsMin) return underWay
    underWay ??= fetchKeys().finally(() => (underWay = undefined))
    return underWay
  }
  const keysFor = async (fits: (key: KnownKey) => boolean): Promise<readonly KnownKey[]> => {
    await refresh(KEPT_MS_MAX)
    if (!known.some(fits)) await refresh(REFETCH_MS_MIN)
    return known.filter(fits)
  }
  return {
    verifyCallback: async (token) => {
      const kid = kidOf(token)
      const keys = await keysFor((key) => kid === undefined || key.kid === kid)
      if (known.length === 0) return unavailable()
      for (const { key } of keys) {
        const verdict = await checkJwt(token, key, needs.now(), needs.facility)
        if (verdict === true || verdict.code !== 'auth/invalid-token') return verdict
      }
      return refuse('auth/invalid-token', 'The callback is not signed by the exchange.')
    },
    verifyArtefact: async (detail, signature) => {
      if (needs.artefactSignature === 'not-checked') return true
      const check = (keys: readonly KnownKey[]): boolean =>
        keys.some(({ spkiPem }) => !isRefusal(verifyDetached(spkiPem, detail, signature)))
      if (check(await keysFor(() => true))) return true
      if (known.length === 0) return unavailable()
      // The exchange may have changed its key since we last looked.
      await refresh(REFETCH_MS_MIN)
      // Not knowing any key is no proof against the artefact: the caller tries again.
      if (known.length === 0)
        return refuse('machine/unavailable', 'The keys of the exchange cannot be fetched at present.')
      return check(known)
        ? true
        : refuse(
            'crypto/signature-invalid',
            'The artefact is not signed by the exchange, or was changed after signing.',
          )
    },
  }
}

/** Without the exchange's keys nothing is decided: the exchange, or our own job, tries again. */
const unavailable = (): Refusal => refuse('machine/unavailable', 'The keys of the exchange could not be fetched.')

function readJwks(text: string): readonly KnownKey[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  const keys =
    typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys)
      ? (value.keys as JWK[])
      : []
  return keys
    .filter((jwk) => jwk.kty === 'RSA' && (jwk.alg === undefined || jwk.alg === 'RS256'))
    .map((jwk) => {
      const key = createPublicKey({ key: jwk as never, format: 'jwk' })
      return { kid: jwk.kid, key, spkiPem: key.export({ type: 'spki', format: 'pem' }).toString() }
    })
}

function kidOf(token: string): string | undefined {
  const head = token.split('.')[0] ?? ''
  try {
    const header = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as unknown
    return typeof header === 'object' && header !== null && 'kid' in header && typeof header.kid === 'string'
      ? header.kid
      : undefined
  } catch {
    return undefined
  }
}

async function checkJwt(
  token: string,
  key: KeyObject,
  now: Date,
  facility: string | undefined,
): Promise<true | Refusal> {
  try {
    await jwtVerify(token, key, {
      algorithms: ['RS256'],
      audience: 'account',
      currentDate: now,
      clockTolerance: 60,
      requiredClaims: ['exp'],
      ...(facility === undefined ? {} : { subject: facility }),
    })
    return true
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'sub')
      return refuse('auth/wrong-audience', 'The callback token was made for another facility.')
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') return refuse('auth/wrong-audience')
    if (error instanceof errors.JWTExpired) return refuse('auth/invalid-token', 'The callback token has expired.')
    return refuse('auth/invalid-token', 'The callback is not signed by the exchange.')
  }
}
