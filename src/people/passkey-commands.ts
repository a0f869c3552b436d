import { createHmac } from 'node:crypto'
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { type AuditEvent, announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type Id, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { IndexNeeds } from './commands.ts'
import type { AddingIn, KeyOwner, Passkey, StoredPasskey } from './passkey.ts'
import { challengeOf, makeChallenge } from './passkey-challenge.ts'
import * as store from './passkey-store.ts'
import type { WebNeeds } from './session-commands.ts'
import type { StepUpBy } from './step-up.ts'

/** The page on which a passkey is used, and the name that its passkeys are bound to (WebAuthn §5.1.2: a host name, not an address). */
export type PasskeyPlace = { readonly origin: string; readonly rpId: string }

/** EdDSA, ES256, RS256 (RFC 9053): what the authenticators of today have. */
const ALGORITHMS = [-8, -7, -257]
const HANDLE_BYTES = 31
const ADDRESS = /^(\d+(\.\d+){3}|\[.*\])$/

/** Where a call comes from, if passkeys work there; `auth/cross-site` from elsewhere, `people/passkeys-unavailable` where a page is opened by address. */
export function passkeyPlaceOf(
  web: WebNeeds,
  headers: Readonly<Record<string, string | undefined>>,
): PasskeyPlace | Refusal {
  const { origin } = headers
  if (origin === undefined || !web.origins.includes(origin))
    return refuse('auth/cross-site', 'The call does not come from a page of ours.', 'Origin')
  const rpId = new URL(origin).hostname
  return ADDRESS.test(rpId) ? refuse('people/passkeys-unavailable') : { origin, rpId }
}

/**
 * The user handle in a passkey: the same for all of a person's, without saying who that is. Its first byte is the bucket of the person,
 * so that an assertion alone tells where its row lives.
 */
function handleOf({ indexKey }: IndexNeeds, owner: KeyOwner): Uint8Array<ArrayBuffer> {
  const mac = createHmac('sha256', indexKey).update(`passkey-user\n${owner.kind}\n${owner.person}`).digest()
  return new Uint8Array([store.bucketOfOwner(owner), ...mac.subarray(0, HANDLE_BYTES)])
}

export type AskedPasskey<Options> = { readonly id: Id<'passkey-challenge'>; readonly options: Options }

/** What the browser asks a passkey for; with `allowed`, one of these only. */
export function requestOptions(
  place: PasskeyPlace,
  challenge: Uint8Array,
  allowed: readonly StoredPasskey[] = [],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: place.rpId,
    challenge: new Uint8Array(challenge),
    userVerification: 'required',
    timeout: LIMITS.passkeyChallengeMs,
    allowCredentials: allowed.map(({ id, transports }) => ({ id, transports: [...transports] })),
  })
}

/** Starts a sign-in with whatever passkey the person picks: nobody types an address. */
export async function startPasskeySignIn(
  tx: Tx,
  needs: IndexNeeds,
  place: PasskeyPlace,
): Promise<AskedPasskey<PublicKeyCredentialRequestOptionsJSON>> {
  const challenge = makeChallenge(tx, needs, { purpose: 'sign-in', origin: place.origin })
  return { id: challenge.id, options: await requestOptions(place, challenge.challenge) }
}

/** Who signs in: the owner of a passkey that signed our challenge. `people/passkey-refused` for everything else. */
export async function finishPasskeySignIn(
  tx: Tx,
  needs: IndexNeeds,
  place: PasskeyPlace,
  given: { readonly id: string; readonly kind: KeyOwner['kind']; readonly assertion: AuthenticationResponseJSON },
): Promise<KeyOwner | Refusal> {
  const challenge = challengeOf(tx, needs, given.id, { purpose: 'sign-in', origin: place.origin })
  if (challenge === undefined) return refuse('people/unknown-sign-in')
  const bucket = Buffer.from(given.assertion.response.userHandle ?? '', 'base64url')[0]
  if (bucket === undefined) return refuse('people/passkey-refused')
  const passkey = await store.lockPasskey(tx, toBucket(bucket), given.assertion.id)
  if (passkey === undefined || passkey.kind !== given.kind) return refuse('people/passkey-refused')
  const owner = await checkAssertion(tx, place, challenge.challenge, passkey, given.assertion)
  if (isRefusal(owner)) return owner
  return (await store.insertUsedChallenge(tx, challenge)) ? owner : refuse('people/unknown-sign-in')
}

/** Whether one of the owner's own passkeys signed this challenge here. */
export async function isAssertionOf(
  tx: Tx,
  place: PasskeyPlace,
  challenge: Uint8Array,
  owner: KeyOwner,
  assertion: AuthenticationResponseJSON,
): Promise<boolean> {
  const passkey = await store.lockPasskey(tx, store.bucketOfOwner(owner), assertion.id)
  if (passkey === undefined || passkey.kind !== owner.kind || passkey.person !== owner.person) return false
  return !isRefusal(await checkAssertion(tx, place, challenge, passkey, assertion))
}

async function checkAssertion(
  tx: Tx,
  place: PasskeyPlace,
  challenge: Uint8Array,
  passkey: StoredPasskey,
  assertion: AuthenticationResponseJSON,
): Promise<KeyOwner | Refusal> {
  const { id, publicKey, counter } = passkey
  const verified = await refusedAsNone(() =>
    verifyAuthenticationResponse({
      response: assertion,
      expectedChallenge: Buffer.from(challenge).toString('base64url'),
      expectedOrigin: place.origin,
      expectedRPID: place.rpId,
      credential: { id, publicKey: new Uint8Array(publicKey), counter },
      requireUserVerification: true,
    }),
  )
  if (!verified?.verified) return refuse('people/passkey-refused')
  await store.updatePasskeyUsed(tx, passkey, verified.authenticationInfo.newCounter)
  return { kind: passkey.kind, person: passkey.person }
}

/** The library throws for whatever a stranger may send: that is no fault of ours. */
async function refusedAsNone<T>(verify: () => Promise<T>): Promise<T | undefined> {
  try {
    return await verify()
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

/** Starts to add a passkey to the person of this session. */
export async function startPasskeyAdding(
  tx: Tx,
  needs: IndexNeeds & { readonly service: string },
  place: PasskeyPlace,
  input: {
    readonly owner: KeyOwner
    readonly session: AddingIn
    /** What the phone shows beside it. */
    readonly userName: string
    readonly displayName: string
  },
): Promise<AskedPasskey<PublicKeyCredentialCreationOptionsJSON> | Refusal> {
  const known = await store.findPasskeysOf(tx, input.owner)
  if (known.length >= LIMITS.passkeysPerPersonMax) return refuse('people/too-many-passkeys')
  const challenge = makeChallenge(tx, needs, { purpose: 'add', session: input.session, origin: place.origin })
  const options = await generateRegistrationOptions({
    rpName: needs.service,
    rpID: place.rpId,
    userName: input.userName,
    userDisplayName: input.displayName,
    userID: handleOf(needs, input.owner),
    challenge: new Uint8Array(challenge.challenge),
    timeout: LIMITS.passkeyChallengeMs,
    attestationType: 'none',
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  return { id: challenge.id, options }
}

/** Keeps a passkey that was made for our challenge, in the session that asked for it. */
export async function addPasskey(
  tx: Tx,
  needs: IndexNeeds,
  place: PasskeyPlace,
  by: Pick<StepUpBy, 'owner' | 'event'> & { readonly session: AddingIn },
  given: { readonly id: string; readonly name: string; readonly attestation: RegistrationResponseJSON },
): Promise<Passkey | Refusal> {
  const asking = { purpose: 'add', session: by.session, origin: place.origin } as const
  const challenge = challengeOf(tx, needs, given.id, asking)
  if (challenge === undefined)
    return refuse('people/passkey-refused', 'This was asked for in another session, or too long ago. Start again.')
  // Counted again: many may have been asked for before the first was added.
  if ((await store.findPasskeysOf(tx, by.owner)).length >= LIMITS.passkeysPerPersonMax)
    return refuse('people/too-many-passkeys')
  const verified = await refusedAsNone(() =>
    verifyRegistrationResponse({
      response: given.attestation,
      expectedChallenge: Buffer.from(challenge.challenge).toString('base64url'),
      expectedOrigin: place.origin,
      expectedRPID: place.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  )
  if (!verified?.verified || !(await store.insertUsedChallenge(tx, challenge))) return refuse('people/passkey-refused')
  const { credential } = verified.registrationInfo
  const recorded = await record(tx, { type: 'people.passkey-added', ...by.event, subject: by.owner.person })
  const passkey = {
    ...by.owner,
    id: credential.id,
    name: given.name,
    publicKey: credential.publicKey,
    counter: credential.counter,
    transports: credential.transports ?? [],
    rpId: place.rpId,
  }
  if (!(await store.insertPasskey(tx, recorded, passkey)))
    return refuse('people/passkey-refused', 'This passkey is there already.')
  await announce(tx, recorded)
  return { id: passkey.id, name: passkey.name, addedAt: tx.now, usedAt: undefined }
}

/** The passkeys of a person, newest first. */
export async function listPasskeys(tx: Tx, owner: KeyOwner): Promise<readonly Passkey[]> {
  const passkeys = await store.findPasskeysOf(tx, owner)
  return passkeys.map(({ id, name, addedAt, usedAt }) => ({ id, name, addedAt, usedAt }))
}

/** The passkeys of a person that work on this page. */
export async function passkeysAt(tx: Tx, owner: KeyOwner, place: PasskeyPlace): Promise<readonly StoredPasskey[]> {
  return (await store.findPasskeysOf(tx, owner)).filter(({ rpId }) => rpId === place.rpId)
}

async function ownPasskey(tx: Tx, owner: KeyOwner, id: string): Promise<StoredPasskey | Refusal> {
  const passkey = await store.lockPasskey(tx, store.bucketOfOwner(owner), id)
  const isOwn = passkey?.kind === owner.kind && passkey.person === owner.person
  return passkey === undefined || !isOwn ? refuse('request/not-found') : passkey
}

export async function renamePasskey(
  tx: Tx,
  by: Pick<StepUpBy, 'owner' | 'event'>,
  id: string,
  name: string,
): Promise<Refusal | undefined> {
  const passkey = await ownPasskey(tx, by.owner, id)
  if (isRefusal(passkey)) return passkey
  const recorded = await record(tx, { type: 'people.passkey-renamed', ...by.event, subject: by.owner.person })
  await store.updatePasskeyName(tx, recorded, by.owner, passkey.id, name)
  await announce(tx, recorded)
  return undefined
}

/** From now on this passkey lets nobody in. */
export async function removePasskey(
  tx: Tx,
  by: Pick<StepUpBy, 'owner' | 'event'>,
  id: string,
): Promise<Refusal | undefined> {
  const passkey = await ownPasskey(tx, by.owner, id)
  if (isRefusal(passkey)) return passkey
  const recorded = await record(tx, { type: 'people.passkey-removed', ...by.event, subject: by.owner.person })
  await store.deletePasskey(tx, recorded, by.owner, passkey.id)
  await announce(tx, recorded)
  return undefined
}

/** All passkeys of a person let nobody in any more; `recorded` says why. */
export async function removePasskeysOf(tx: Tx, recorded: Recorded<AuditEvent>, owner: KeyOwner): Promise<void> {
  await store.deletePasskeysOf(tx, recorded, owner)
}

/** Forgets answered challenges whose time is over: a chore. */
export async function sweepChallenges(tx: Tx): Promise<void> {
  await store.deleteChallengesBefore(tx, tx.now)
}
