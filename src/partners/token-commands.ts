import { createHash } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import type { SigningKey } from '../crypto/signature.ts'
import type { Machine, Tx } from '../db/tx.ts'
import { transact } from '../db/tx.ts'
import type { ClientCertificate } from '../http/client-certificate.ts'
import type { Actor, PartnerCaller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { signToken, verifyToken } from '../vault/token.ts'
import { type Assertion, proveAssertion, readClaimed } from './assertion.ts'
import type { Client, ClientEvent } from './client.ts'
import { clientById } from './client-commands.ts'
import { deleteExpiredProofs, takeProof } from './client-store.ts'
import { proveDpop } from './dpop.ts'
import { parseKeySet } from './key-set.ts'
import type { PublishedKeys } from './published-keys.ts'
import { covers, parseScopes } from './scope.ts'

export const TOKEN_PATH = '/oauth/token'
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const SWEPT_MAX = 500

export type TokenNeeds = {
  /** The id of this party: issuer of its tokens. */
  readonly issuer: string
  readonly signingKey: SigningKey
  readonly publicUrl: string
  readonly publishedKeys: PublishedKeys
}

/** A request for a token, as the form and the headers say it. */
export type TokenAsk = {
  readonly grantType: string | undefined
  readonly scope: string | undefined
  readonly clientId: string | undefined
  readonly assertion: string | undefined
  readonly dpop: string | undefined
  readonly certificate: ClientCertificate | undefined
}

/** What became of it; `lifeS` in seconds, as on the wire. */
export type IssuedToken = {
  readonly token: string
  readonly type: 'DPoP' | 'Bearer'
  readonly lifeS: number
  readonly scope: string
}

type Binding = { readonly jkt: string } | { readonly 'x5t#S256': string } | undefined

/** Fetches the published keys that an assertion may need, before any transaction waits for them. */
export async function fetchKeysFor(machine: Machine, needs: TokenNeeds, assertion: string): Promise<void> {
  const claimed = readClaimed(assertion)
  if (isRefusal(claimed)) return
  const client = await transact(machine, (tx) => clientById(tx, claimed.clientId))
  if (client?.keys?.kind !== 'published' || client.status !== 'active') return
  await needs.publishedKeys.refresh(client.keys.address, claimed.kid)
}

/**
 * Gives software of a partner a token of at most five minutes: for what it proved to be, for scopes that it was registered for, bound
 * to its DPoP key or certificate. Unknown, suspended and unproved clients hear the same.
 */
export async function issueToken(tx: Tx, needs: TokenNeeds, ask: TokenAsk): Promise<IssuedToken | Refusal> {
  if (ask.grantType !== 'client_credentials')
    return refuse('auth/unsupported-grant', 'grant_type must be client_credentials.')
  const proved = await proveClient(tx, needs, ask)
  if (isRefusal(proved)) return proved
  const { client, purposes } = proved
  const scopes = parseScopes(ask.scope ?? '')
  if (scopes === undefined) return refuse('auth/invalid-scope', 'scope must name scopes such as system/Consent.rs.')
  if (!scopes.every((scope) => covers(client.scopes, scope)))
    return refuse('auth/invalid-scope', 'The client is not registered for all of these scopes.')
  const binding = await bindingOf(tx, needs, client, ask)
  if (isRefusal(binding)) return binding
  await deleteExpiredProofs(tx, SWEPT_MAX)
  const recorded = await record(tx, {
    type: 'partners.token-issued',
    actor: actorOf(client),
    subject: client.clientId,
    scopes,
    bound: binding === undefined ? 'nothing' : 'jkt' in binding ? 'dpop' : 'certificate',
    ...(purposes.length === 0 ? {} : { purposes }),
  } satisfies ClientEvent & Record<string, unknown>)
  await announce(tx, recorded)
  const token = await signToken(needs.signingKey, {
    issuer: needs.issuer,
    audience: 'amanat:partner',
    now: tx.now,
    lifeMs: LIMITS.partnerTokenMs,
    claims: {
      sub: client.clientId,
      jti: Buffer.from(tx.random(12)).toString('base64url'),
      scope: scopes.join(' '),
      ...(purposes.length === 0 ? {} : { purpose_of_use: purposes }),
      ...(binding === undefined ? {} : { cnf: binding }),
    },
  })
  const type = binding !== undefined && 'jkt' in binding ? 'DPoP' : 'Bearer'
  return { token, type, lifeS: LIMITS.partnerTokenMs / 1000, scope: scopes.join(' ') }
}

type Proved = { readonly client: Client; readonly purposes: readonly string[] }

async function proveClient(tx: Tx, needs: TokenNeeds, ask: TokenAsk): Promise<Proved | Refusal> {
  if (ask.assertion === undefined) return proveByCertificate(tx, ask)
  const claimed = readClaimed(ask.assertion)
  if (isRefusal(claimed)) return claimed
  if (ask.clientId !== undefined && ask.clientId !== claimed.clientId)
    return refuse('auth/client-unproved', 'client_id and the assertion name different clients.', 'client_id')
  const client = await clientById(tx, claimed.clientId)
  const keys = client === undefined || client.status !== 'active' ? [] : keysOf(tx, needs, client)
  if (isRefusal(keys)) return keys
  const proved = await proveAssertion(ask.assertion, claimed, {
    keys,
    tokenUrl: `${needs.publicUrl}${TOKEN_PATH}`,
    now: tx.now,
  })
  if (isRefusal(proved) || client === undefined) return isRefusal(proved) ? proved : refuse('auth/client-unproved')
  const replayed = await takeAssertion(tx, client, proved)
  return replayed ?? { client, purposes: proved.purposes }
}

function keysOf(tx: Tx, needs: TokenNeeds, { keys }: Client) {
  if (keys === undefined) return []
  return keys.kind === 'inline' ? parseKeySet(keys.jwks) : needs.publishedKeys.keysAt(keys.address, tx.now)
}

/** Each assertion is good for one token; that one came twice is recorded, and stays so though the call is refused. */
async function takeAssertion(tx: Tx, client: Client, { jti, expiresAt }: Assertion): Promise<Refusal | undefined> {
  if (await takeProof(tx, digestOf('assertion', client.clientId, jti), expiresAt)) return undefined
  const recorded = await record(tx, {
    type: 'partners.assertion-replayed',
    actor: actorOf(client),
    subject: client.clientId,
  } satisfies ClientEvent)
  await announce(tx, recorded)
  return refuse('auth/client-unproved', 'The assertion was used before.', 'client_assertion')
}

/** `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 §2): the certificate is one that was registered, or fits the registered host. */
async function proveByCertificate(tx: Tx, { clientId, certificate }: TokenAsk): Promise<Proved | Refusal> {
  const unproved = refuse(
    'auth/client-unproved',
    'Send a client_assertion, or client_id over TLS with your certificate.',
  )
  if (clientId === undefined || certificate === undefined) return unproved
  const client = await clientById(tx, clientId)
  if (client === undefined || client.status !== 'active') return unproved
  const { thumbprints, host } = client.certificates
  const isOwn = thumbprints.includes(certificate.thumbprint)
  const isForHost = host !== undefined && certificate.isTrusted && certificate.isFor(host)
  return isOwn || isForHost ? { client, purposes: [] } : unproved
}

async function bindingOf(tx: Tx, needs: TokenNeeds, client: Client, ask: TokenAsk): Promise<Binding | Refusal> {
  if (ask.dpop !== undefined) {
    const proof = await takeDpop(tx, ask.dpop, { method: 'POST', url: `${needs.publicUrl}${TOKEN_PATH}` })
    return isRefusal(proof) ? proof : { jkt: proof }
  }
  if (ask.certificate !== undefined) return { 'x5t#S256': ask.certificate.thumbprint }
  return client.bearerAllowed
    ? undefined
    : refuse('auth/unbound-token', 'Send a DPoP proof, or come over TLS with your certificate.', 'DPoP')
}

/** Checks a DPoP proof and takes it; answers the thumbprint of its key. */
async function takeDpop(
  tx: Tx,
  proof: string,
  call: { readonly method: string; readonly url: string; readonly token?: string },
): Promise<string | Refusal> {
  const proved = await proveDpop(proof, { ...call, now: tx.now })
  if (isRefusal(proved)) return proved
  return (await takeProof(tx, digestOf('dpop', proved.jkt, proved.jti), proved.expiresAt))
    ? proved.jkt
    : refuse('auth/invalid-dpop-proof', 'The proof was used before.', 'DPoP')
}

function digestOf(kind: 'assertion' | 'dpop', holder: string, jti: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([kind, holder, jti]))
    .digest()
}

function actorOf({ clientId }: Client): Actor {
  return { kind: 'system', id: clientId }
}

/** A call with a token of a partner. */
export type PartnerCall = {
  readonly authorization: string | undefined
  readonly dpop: string | undefined
  readonly certificate: ClientCertificate | undefined
  readonly method: string
  /** Without its query. */
  readonly path: string
}

/**
 * Who calls with a token of {@link issueToken}: the client as it stands now, if the call comes from the holder of the key or certificate
 * that the token is bound to. A stolen token alone opens nothing.
 */
export async function partnerOfToken(
  tx: Tx,
  needs: Omit<TokenNeeds, 'publishedKeys'>,
  call: PartnerCall,
): Promise<PartnerCaller | Refusal> {
  const [, scheme = '', token = ''] = /^(DPoP|Bearer) +([\w.~+/-]+=*)$/i.exec(call.authorization ?? '') ?? []
  if (token === '')
    return refuse('auth/missing-token', `Send a token of ${needs.publicUrl}${TOKEN_PATH}: Authorization: DPoP …`)
  const claims = await verifyToken(needs.signingKey, token, {
    issuer: needs.issuer,
    audience: 'amanat:partner',
    now: tx.now,
  })
  if (isRefusal(claims)) return claims
  const client = await clientById(tx, String(claims['sub']))
  // `iat` has whole seconds: a token of the same second as the change still counts.
  const isVoid =
    client === undefined ||
    client.status !== 'active' ||
    Number(claims['iat']) < Math.floor(client.tokensFrom.getTime() / 1000)
  if (isVoid) return refuse('auth/invalid-token', 'The client was shut out, or has other keys now.')
  const fault = await faultOfBinding(tx, needs, client, {
    ...call,
    scheme: scheme.toLowerCase(),
    token,
    cnf: claims['cnf'],
  })
  if (fault) return fault
  const granted = parseScopes(String(claims['scope'])) ?? []
  return {
    kind: 'partner',
    clientId: client.clientId,
    facilities: client.facilities,
    scopes: granted.filter((scope) => covers(client.scopes, scope)),
    purposes: Array.isArray(claims['purpose_of_use']) ? claims['purpose_of_use'].map(String) : [],
  }
}

async function faultOfBinding(
  tx: Tx,
  { publicUrl }: { readonly publicUrl: string },
  client: Client,
  call: PartnerCall & { readonly scheme: string; readonly token: string; readonly cnf: unknown },
): Promise<Refusal | undefined> {
  const cnf = typeof call.cnf === 'object' && call.cnf !== null ? (call.cnf as Readonly<Record<string, unknown>>) : {}
  const { jkt, 'x5t#S256': thumbprint } = cnf
  if (typeof jkt === 'string') {
    if (call.scheme !== 'dpop' || call.dpop === undefined)
      return refuse(
        'auth/invalid-dpop-proof',
        'This token is good with Authorization: DPoP … and a proof in DPoP.',
        'DPoP',
      )
    const url = `${publicUrl}${call.path}`
    const key = await takeDpop(tx, call.dpop, { method: call.method, url, token: call.token })
    if (isRefusal(key)) return key
    return key === jkt ? undefined : refuse('auth/invalid-dpop-proof', 'The token is bound to another key.', 'DPoP')
  }
  if (call.scheme !== 'bearer') return refuse('auth/invalid-token', 'This token is good with Authorization: Bearer ….')
  if (typeof thumbprint === 'string')
    return call.certificate?.thumbprint === thumbprint ? undefined : refuse('auth/wrong-certificate')
  return client.bearerAllowed ? undefined : refuse('auth/invalid-token', 'The token is bound to no key.')
}
