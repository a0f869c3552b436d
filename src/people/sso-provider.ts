import { createLocalJWKSet, decodeJwt, importJWK, type JSONWebKeySet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import type { Outbound } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse, refuseFor } from '../kernel/refusal.ts'
import {
  hasSecondFactor,
  loginOfClaims,
  logoutOfClaims,
  type SsoIdentity,
  type SsoLogout,
  type SsoSettings,
} from './sso.ts'

/** What ties an answer to its question: the provider repeats `state` and `nonce`, and takes the code only with `verifier` (RFC 7636). */
export type SsoSecrets = { readonly state: string; readonly nonce: string; readonly verifier: string }

/** The provider, called through the guarded way out, never inside a transaction. `staff/sso-unavailable` when it does not answer. */
export type SsoProvider = {
  readonly settings: Pick<SsoSettings, 'name' | 'issuer'>
  /** Where the browser goes to sign in; it comes back to `redirectUri`. */
  readonly addressOf: (now: Date, redirectUri: string, secrets: SsoSecrets) => Promise<string | Refusal>
  /** Whom the answer proves; `staff/sso-refused` when anything about it does not hold. */
  readonly identityOf: (now: Date, answeredAt: URL, secrets: SsoSecrets) => Promise<SsoIdentity | Refusal>
  /** What a logout token says; `staff/logout-refused` when it is none, `staff/sso-unavailable` when its keys cannot be had now (OIDC Back-Channel Logout §2.8). */
  readonly logoutOf: (now: Date, token: string) => Promise<SsoLogout | Refusal>
}

/** An OpenID Connect provider: authorization code with PKCE (S256), state, nonce, `iss` (RFC 9207), signed ID tokens. */
export function makeSsoProvider(settings: SsoSettings, outbound: Outbound): SsoProvider {
  let known: { readonly metadata: oidc.ServerMetadata; readonly atMs: number } | undefined
  const prepare = async (now: Date, way: Way): Promise<oidc.Configuration> => {
    if (known === undefined || now.getTime() - known.atMs > LIMITS.ssoDiscoveryKeptMs) {
      const execute = isPlain(settings.issuer) ? [oidc.allowInsecureRequests] : []
      const found = await oidc.discovery(new URL(settings.issuer), settings.clientId, undefined, oidc.None(), {
        [oidc.customFetch]: way.fetch,
        timeout: LIMITS.ssoTimeoutMs / 1000,
        execute,
      })
      known = { metadata: found.serverMetadata(), atMs: now.getTime() }
    }
    return configure(settings, known.metadata, way)
  }
  const signIns = bounded(outbound, LIMITS.ssoAtOnceMax)
  const logouts = bounded(outbound, LIMITS.ssoLogoutsAtOnceMax)
  return {
    settings,
    addressOf: async (now, redirectUri, { state, nonce, verifier }) => {
      const { acr } = settings.secondFactor
      const address = await signIns(async (way) =>
        oidc.buildAuthorizationUrl(await prepare(now, way), {
          redirect_uri: redirectUri,
          scope: settings.scope,
          state,
          nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...(acr.length === 0 ? {} : { acr_values: acr.join(' ') }),
        }),
      )
      // Also where its description made no sense: nobody was refused here.
      return isRefusal(address) ? refuse('staff/sso-unavailable') : address.href
    },
    identityOf: (now, answeredAt, secrets) =>
      signIns(async (way) => identify(settings, await prepare(now, way), answeredAt, secrets)),
    logoutOf: async (now, token) => {
      // Nobody is asked for keys because of a token that does not even say that it is for us.
      if (!isAddressed(settings, token)) return refuse('staff/logout-refused')
      const logout = await logouts(async (way) => readLogout(settings, await prepare(now, way), way, { now, token }))
      // Who could not be asked is no reason to call the token wrong: the provider may say it again.
      if (isRefusal(logout) && logout.code !== 'staff/sso-refused') return logout
      return isRefusal(logout) || logout === undefined ? refuse('staff/logout-refused') : logout
    },
  }
}

/** No transaction waits for the provider; a slow one takes places here, and nobody else's. */
function bounded(outbound: Outbound, max: number): <T>(work: (way: Way) => Promise<T>) => Promise<T | Refusal> {
  let inside = 0
  return async (work) => {
    if (inside >= max) return refuseFor(1_000, 'Many people are signing in at this moment; try again at once.')
    const way = makeWay(outbound)
    inside += 1
    try {
      return await work(way)
    } catch {
      return way.isDown() ? refuse('staff/sso-unavailable') : refuse('staff/sso-refused')
    } finally {
      inside -= 1
    }
  }
}

const isPlain = (url: string): boolean => url.startsWith('http:')

/** A client for one answer: the provider's keys are fetched anew each time, so that keys it withdrew count no more and new ones at once. */
async function configure(settings: SsoSettings, metadata: oidc.ServerMetadata, way: Way): Promise<oidc.Configuration> {
  const config = new oidc.Configuration(metadata, settings.clientId, undefined, await proofOf(settings, metadata))
  config[oidc.customFetch] = way.fetch
  config.timeout = LIMITS.ssoTimeoutMs / 1000
  if (isPlain(settings.issuer)) oidc.allowInsecureRequests(config)
  oidc.enableNonRepudiationChecks(config)
  return config
}

async function proofOf({ proof }: SsoSettings, metadata: oidc.ServerMetadata): Promise<oidc.ClientAuth> {
  if ('clientSecret' in proof) {
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return methods.includes('client_secret_basic')
      ? oidc.ClientSecretBasic(proof.clientSecret)
      : oidc.ClientSecretPost(proof.clientSecret)
  }
  const { kid, alg } = proof.privateKeyJwk
  const key = await importJWK(proof.privateKeyJwk, typeof alg === 'string' ? alg : 'RS256')
  if (!(key instanceof CryptoKey)) throw new Error('signIn.oidc.privateKeyJwk is no private key')
  return oidc.PrivateKeyJwt(typeof kid === 'string' ? { key, kid } : key)
}

async function identify(
  settings: SsoSettings,
  config: oidc.Configuration,
  answeredAt: URL,
  { state, nonce, verifier }: SsoSecrets,
): Promise<SsoIdentity> {
  const tokens = await oidc.authorizationCodeGrant(config, answeredAt, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  })
  const claims = tokens.claims()
  if (claims === undefined) throw new Error('no ID token')
  // Some providers say the rest only when asked (OIDC Core §5.4); the subject must be the same (§5.3.2).
  const more =
    claims[settings.login.claim] === undefined && config.serverMetadata().userinfo_endpoint !== undefined
      ? await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
      : {}
  return {
    issuer: claims.iss,
    subject: claims.sub,
    login: loginOfClaims(settings, { ...more, ...claims }),
    hasSecondFactor: hasSecondFactor(settings, claims),
    sid: typeof claims['sid'] === 'string' && claims['sid'] !== '' ? claims['sid'] : undefined,
  }
}

const SIGNED_BY = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** The specification recommends the type; here it is a must, so that no other token of the provider can be taken for one (RFC 8725 §3.11). */
const LOGOUT_TYPES: readonly unknown[] = ['logout+jwt', 'application/logout+jwt']

function isAddressed({ issuer, clientId }: SsoSettings, token: string): boolean {
  try {
    const { iss, aud } = decodeJwt(token)
    return iss === issuer && [aud].flat().includes(clientId)
  } catch {
    // No JWT.
    return false
  }
}

/** Signature by a key that the provider has now, issuer, audience, age; then what the claims say. Throws, or undefined, where one is wrong. */
async function readLogout(
  { issuer, clientId }: SsoSettings,
  config: oidc.Configuration,
  way: Way,
  { now, token }: { readonly now: Date; readonly token: string },
): Promise<SsoLogout | undefined> {
  const { jwks_uri: keysAt } = config.serverMetadata()
  if (keysAt === undefined) throw new Error('the provider publishes no keys')
  const ask = way.fetch
  const answer = await ask(keysAt, {
    method: 'GET',
    headers: { accept: 'application/json' },
    body: undefined,
    redirect: 'manual',
  })
  if (!answer.ok) throw new Error(`the keys of the provider: ${answer.status}`)
  const keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet)
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer,
    audience: clientId,
    algorithms: SIGNED_BY,
    currentDate: now,
    clockTolerance: LIMITS.ssoClockToleranceMs / 1_000,
    maxTokenAge: LIMITS.ssoLogoutAgeMs / 1_000,
    requiredClaims: ['iat', 'jti', 'events'],
  })
  return LOGOUT_TYPES.includes(protectedHeader.typ?.toLowerCase()) ? logoutOfClaims(payload) : undefined
}

type Way = { readonly fetch: oidc.CustomFetch; readonly isDown: () => boolean }

const BODYLESS = [204, 205, 304]

/** The guarded way out in the shape of `fetch`; remembers whether the provider was out of reach. */
function makeWay(outbound: Outbound): Way {
  let down = false
  return {
    isDown: () => down,
    fetch: async (url, { method, headers, body }) => {
      const sent = body instanceof URLSearchParams ? body.toString() : body
      if (sent !== undefined && sent !== null && typeof sent !== 'string') throw new Error('a body that is no text')
      const outcome = await outbound.call({
        method: method === 'POST' ? 'POST' : 'GET',
        url,
        headers,
        ...(sent === undefined || sent === null ? {} : { body: sent }),
        timeoutMs: LIMITS.ssoTimeoutMs,
      })
      down ||= outcome.kind !== 'answered' || outcome.status >= 500
      if (outcome.kind !== 'answered') throw new Error(`the provider cannot be reached: ${outcome.reason}`)
      const content = BODYLESS.includes(outcome.status) ? null : new Uint8Array(outcome.body)
      return new Response(content, { status: outcome.status, headers: outcome.headers })
    },
  }
}
