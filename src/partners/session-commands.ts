import { announce, record } from '../audit/record.ts'
import type { SigningKey } from '../crypto/signature.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor, Caller } from '../kernel/caller.ts'
import { type Id, makeId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { signToken, verifyToken } from '../vault/token.ts'
import type { Bridge, PartnerEvent } from './bridge.ts'
import { digestOf, isSecretOf, makeSecret } from './secret.ts'
import {
  deleteExpiredRefreshTokens,
  deleteRefreshFamily,
  findBridge,
  findFacilitiesOf,
  findRefreshToken,
  insertRefreshToken,
  updateRefreshTokenUsed,
} from './store.ts'

export type SessionNeeds = { readonly exchange: { readonly id: string }; readonly signingKey: SigningKey }

/** Times in seconds, as on the wire. */
export type Session = {
  readonly accessToken: string
  readonly expiresInS: number
  readonly refreshToken: string
  readonly refreshExpiresInS: number
}

/** The bridge whose client id and secret these are; unknown, wrong and revoked are told apart by nobody. */
async function verifyClient(tx: Tx, clientId: string, clientSecret: string): Promise<Bridge | Refusal> {
  const bridge = await findBridge(tx, clientId)
  const isRight = await isSecretOf(clientSecret, bridge?.secretHash)
  return bridge !== undefined && isRight && bridge.status === 'active' ? bridge : refuse('auth/bad-credentials')
}

/** Logs a bridge in by client id and secret. */
export async function issueSession(
  tx: Tx,
  needs: SessionNeeds,
  input: { readonly clientId: string; readonly clientSecret: string },
): Promise<Session | Refusal> {
  const bridge = await verifyClient(tx, input.clientId, input.clientSecret)
  if (isRefusal(bridge)) return bridge
  await deleteExpiredRefreshTokens(tx)
  const family = makeId<'session-family'>(tx.now, tx.random, toBucket(0))
  return makeSession(tx, needs, bridge.clientId, 'partners.session-issued', family)
}

/**
 * Renews a session. A refresh token is good for one use: a second use means that it was stolen (or its answer lost), so every
 * token that descends from the same login is void, and the bridge logs in again.
 */
export async function refreshSession(
  tx: Tx,
  needs: SessionNeeds,
  input: { readonly clientId: string; readonly clientSecret?: string; readonly refreshToken: string },
): Promise<Session | Refusal> {
  if (input.clientSecret !== undefined) {
    const client = await verifyClient(tx, input.clientId, input.clientSecret)
    if (isRefusal(client)) return client
  }
  const digest = digestOf(input.refreshToken)
  const token = await findRefreshToken(tx, digest)
  const bridge = await findBridge(tx, input.clientId)
  if (token === undefined || token.clientId !== input.clientId || bridge === undefined)
    return refuse('auth/bad-credentials')
  const isVoid = bridge.status !== 'active' || token.expiresAt <= tx.now || token.issuedAt < bridge.sessionsFrom
  if (isVoid) return refuse('auth/bad-credentials', 'The refresh token has expired; log in with client id and secret.')
  if (token.isUsed) {
    const reused = await record(tx, {
      type: 'partners.refresh-reused',
      actor: actorOf(bridge.clientId),
      subject: bridge.clientId,
    } satisfies PartnerEvent)
    await deleteRefreshFamily(tx, reused, token.family)
    await announce(tx, reused)
    return refuse('auth/bad-credentials', 'The refresh token was used before; log in with client id and secret.')
  }
  return makeSession(tx, needs, bridge.clientId, 'partners.session-renewed', token.family, digest)
}

async function makeSession(
  tx: Tx,
  needs: SessionNeeds,
  clientId: string,
  type: 'partners.session-issued' | 'partners.session-renewed',
  family: Id<'session-family'>,
  used?: Uint8Array,
): Promise<Session> {
  const recorded = await record(tx, { type, actor: actorOf(clientId), subject: clientId } satisfies PartnerEvent)
  if (used !== undefined) await updateRefreshTokenUsed(tx, recorded, used)
  const refreshToken = makeSecret(tx.random)
  await insertRefreshToken(tx, recorded, {
    digest: digestOf(refreshToken),
    family,
    expiresAt: new Date(tx.now.getTime() + LIMITS.refreshMs),
  })
  await announce(tx, recorded)
  const accessToken = await signToken(needs.signingKey, {
    issuer: needs.exchange.id,
    audience: 'amanat:session',
    now: tx.now,
    lifeMs: LIMITS.sessionMs,
    claims: { sub: clientId },
  })
  return { accessToken, expiresInS: LIMITS.sessionMs / 1000, refreshToken, refreshExpiresInS: LIMITS.refreshMs / 1000 }
}

function actorOf(clientId: string): Actor {
  return { kind: 'system', id: clientId }
}

/** Who calls with this access token: the bridge, with the ids of its active facilities. A bridge shut out meanwhile is nobody. */
export async function verifySession(
  tx: Tx,
  needs: SessionNeeds,
  token: string,
): Promise<Extract<Caller, { kind: 'bridge' }> | Refusal> {
  const claims = await verifyToken(needs.signingKey, token, {
    issuer: needs.exchange.id,
    audience: 'amanat:session',
    now: tx.now,
  })
  if (isRefusal(claims)) return claims
  const bridge = await findBridge(tx, String(claims['sub']))
  if (bridge === undefined || bridge.status !== 'active') return refuse('auth/invalid-token')
  // `iat` has whole seconds: a session of the same second as the change still counts.
  if (Number(claims['iat']) < Math.floor(bridge.sessionsFrom.getTime() / 1000))
    return refuse('auth/invalid-token', 'The token was made with a secret that has been replaced.')
  const facilities = await findFacilitiesOf(tx, bridge.clientId)
  return {
    kind: 'bridge',
    clientId: bridge.clientId,
    facilities: facilities.filter((each) => each.status === 'active').map((each) => each.id),
  }
}
