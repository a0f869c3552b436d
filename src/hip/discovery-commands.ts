import { createHmac, timingSafeEqual } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type Id, makeId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { canMove } from '../kernel/moves.ts'
import type { ProblemCode } from '../kernel/problems.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { makeCode } from '../people/text-code.ts'
import { findPatients, learnAbhaAddress, readPatient } from '../records/commands.ts'
import type { RecordHead } from '../records/record.ts'
import { contextsOf, type LinkPassword, type OfferedContext, PASSWORD_MOVES, referencesOf } from './link.ts'
import type { LinkNeeds } from './link-commands.ts'
import { type Match, type MatchedBy, match, type Wanted } from './matching.ts'
import * as store from './store-discovery.ts'
import { deleteLinks, insertLinks, linkedContexts } from './store-links.ts'

export const DISCOVER_JOB = 'hip.discover'
const TEXT_JOB = 'text-message'
export type DiscoverPayload = {
  readonly requestId: string
  readonly transactionId: Id<'linking-transaction'>
  readonly wanted: Wanted
}

/** Takes a discovery; the answer follows from a job, since the records may lie across the network. */
export async function askDiscovery(tx: Tx, payload: DiscoverPayload): Promise<void> {
  await enqueue(tx, { kind: DISCOVER_JOB, payload })
}

/** The one patient of ours who is meant, or nobody. */
export async function findMatch(tx: Tx, needs: LinkNeeds, wanted: Wanted): Promise<Match | undefined> {
  const byMobile = await Promise.all(wanted.mobiles.map((mobile) => findPatients(tx, needs, 'mobile', mobile)))
  const byRecord = await Promise.all(wanted.recordNumbers.map((number) => readPatient(tx, number)))
  return match(wanted, {
    byAddress: await findPatients(tx, needs, 'abha-address', wanted.abhaAddress),
    byNumber: wanted.abhaNumber === undefined ? [] : await findPatients(tx, needs, 'abha-number', wanted.abhaNumber),
    byMobile: byMobile.flat(),
    byRecordNumber: byRecord.flatMap((patient) => (isRefusal(patient) ? [] : [patient])),
  })
}

/** What `abdm/` hears when a discovery is decided: the offer is kept under `subject`, or `code` says why there is none. */
export type DiscoveryAnswered = {
  readonly type: 'hip.discovery-answered'
  readonly actor: Actor
  readonly patient: AbhaAddress
  readonly subject: Id<'linking-transaction'>
  readonly inReplyTo: string
  readonly matchedBy: readonly MatchedBy[]
  readonly code?: ProblemCode
}

/** Decides a discovery: offers the contexts that are not linked yet. `heads` is a refusal where the records could not be listed. */
export async function answerDiscovery(
  tx: Tx,
  needs: LinkNeeds,
  payload: DiscoverPayload,
  found: Match | undefined,
  heads: readonly RecordHead[] | Refusal,
): Promise<void> {
  const { transactionId, requestId, wanted } = payload
  const offered =
    found === undefined || isRefusal(heads)
      ? []
      : contextsOf(heads, await linkedContexts(tx, found.patient.reference)).slice(0, LIMITS.careContextsFoundMax)
  const code = codeOf(found, heads, offered)
  const recorded = await record(tx, {
    type: 'hip.discovery-answered',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: wanted.abhaAddress,
    subject: transactionId,
    inReplyTo: requestId,
    matchedBy: found?.matchedBy ?? [],
    ...(code === undefined ? {} : { code }),
  } satisfies DiscoveryAnswered)
  if (found !== undefined && code === undefined) {
    const discovery = {
      transactionId,
      abhaAddress: wanted.abhaAddress,
      patientReference: found.patient.reference,
      offered,
    }
    if (!(await store.insertDiscovery(tx, recorded, discovery))) return
  }
  await announce(tx, recorded)
}

function codeOf(
  found: Match | undefined,
  heads: readonly RecordHead[] | Refusal,
  offered: readonly OfferedContext[],
): ProblemCode | undefined {
  if (found === undefined) return 'hip/no-match'
  if (isRefusal(heads)) return heads.code
  return offered.length === 0 ? 'hip/nothing-to-link' : undefined
}

/** The offer of a discovery, with the name for the patient's app. */
export async function readDiscovery(
  tx: Tx,
  transactionId: Id<'linking-transaction'>,
): Promise<(store.Discovery & { readonly name: string }) | undefined> {
  const discovery = await store.loadDiscovery(tx, transactionId)
  const patient = discovery && (await readPatient(tx, discovery.patientReference))
  return discovery === undefined || patient === undefined || isRefusal(patient)
    ? undefined
    : { ...discovery, name: patient.name }
}

export type LinkStarted = { readonly linkRef: Id<'link'>; readonly hint: string; readonly expiresAt: Date }

/** Starts the link that a patient asked for: a one-time password goes to the mobile number that the facility knows. */
export async function startLink(
  tx: Tx,
  needs: LinkNeeds,
  asked: {
    readonly transactionId: string
    readonly abhaAddress: AbhaAddress
    readonly patientReferences: readonly string[]
    readonly references: readonly string[]
  },
): Promise<LinkStarted | Refusal> {
  const id = parseId<'linking-transaction'>(asked.transactionId)
  const discovery = id && (await store.loadDiscovery(tx, id))
  const tooOld = discovery !== undefined && tx.now.getTime() - discovery.at.getTime() > LIMITS.discoveryKeptMs
  if (discovery === undefined || tooOld || discovery.abhaAddress !== asked.abhaAddress)
    return refuse('hip/unknown-discovery')
  const linked = await linkedContexts(tx, discovery.patientReference)
  const chosen = discovery.offered.filter(
    ({ reference }) => asked.references.includes(reference) && !linked.has(reference),
  )
  const ours = asked.patientReferences.every((reference) => reference === discovery.patientReference)
  if (!ours || chosen.length === 0 || referencesOf(chosen).length < new Set(asked.references).size)
    return refuse('hip/context-not-offered')
  const patient = await readPatient(tx, discovery.patientReference)
  if (isRefusal(patient)) return refuse('hip/unknown-discovery')
  if (patient.mobile === undefined) return refuse('hip/no-mobile')
  const askedSince = (ms: number): Promise<number> =>
    store.countPasswords(tx, asked.abhaAddress, new Date(tx.now.getTime() - ms))
  if (
    (await askedSince(60_000)) >= LIMITS.linkPasswordsPerMinuteMax ||
    (await askedSince(3_600_000)) >= LIMITS.linkPasswordsPerHourMax
  )
    return refuse('hip/too-many-passwords')

  const linkRef = makeId<'link'>(tx.now, tx.random, bucketOf(asked.abhaAddress))
  const otp = makeCode(tx.random)
  const expiresAt = new Date(tx.now.getTime() + LIMITS.linkPasswordMs)
  const actor: Actor = { kind: 'patient', id: asked.abhaAddress }
  const references = referencesOf(chosen)
  const recorded = await record(tx, {
    type: 'hip.link-password-sent',
    actor,
    patient: asked.abhaAddress,
    subject: linkRef,
    careContexts: references,
  })
  const otpHash = hashOtp(needs, linkRef, otp)
  await store.insertPassword(tx, recorded, {
    linkRef,
    abhaAddress: asked.abhaAddress,
    patientReference: discovery.patientReference,
    chosen,
    otpHash,
    expiresAt,
  })
  const text = `${otp} is your code to link your records at ${needs.facility.name} to ${asked.abhaAddress}. It is good for 10 minutes. Tell it to nobody; if you did not ask for it, do nothing.`
  await enqueue(tx, { kind: TEXT_JOB, payload: { mobile: patient.mobile, text } })
  await announce(tx, recorded)
  return { linkRef, hint: `******${patient.mobile.slice(-4)}`, expiresAt }
}

function hashOtp(needs: Pick<LinkNeeds, 'indexKey'>, linkRef: string, otp: string): Buffer {
  return createHmac('sha256', needs.indexKey).update(`link-otp\n${linkRef}\n${otp}`).digest()
}

export type LinkConfirmed = {
  readonly linkRef: Id<'link'>
  readonly patientReference: string
  readonly name: string
  readonly contexts: readonly OfferedContext[]
}

/** Confirms a link by its one-time password; three wrong ones spend it. */
export async function confirmLink(
  tx: Tx,
  needs: LinkNeeds,
  given: { readonly linkRef: string; readonly otp: string },
): Promise<LinkConfirmed | Refusal> {
  const id = parseId<'link'>(given.linkRef)
  const password = id && (await store.lockPassword(tx, id))
  if (password === undefined) return refuse('hip/unknown-link-request')
  if (!canMove(PASSWORD_MOVES, password.status, 'confirmed')) return refuse('hip/password-spent')
  if (password.expiresAt <= tx.now) return refuse('hip/password-expired')
  if (!timingSafeEqual(hashOtp(needs, password.linkRef, given.otp.trim()), password.otpHash))
    return wrongOtp(tx, password)
  const patient = await readPatient(tx, password.patientReference)
  if (isRefusal(patient)) return refuse('hip/unknown-link-request')
  const actor: Actor = { kind: 'patient', id: password.abhaAddress }
  const references = referencesOf(password.chosen)
  const recorded = await record(tx, {
    type: 'hip.contexts-linked',
    actor,
    patient: password.abhaAddress,
    subject: password.linkRef,
    patientReference: password.patientReference,
    careContexts: references,
  })
  await store.movePassword(tx, recorded, password, { status: 'confirmed', wrongTries: password.wrongTries })
  await insertLinks(tx, recorded, password.patientReference, password.abhaAddress, references)
  await learnAbhaAddress(tx, needs, actor, password.patientReference, password.abhaAddress)
  await announce(tx, recorded)
  return {
    linkRef: password.linkRef,
    patientReference: password.patientReference,
    name: patient.name,
    contexts: password.chosen,
  }
}

async function wrongOtp(tx: Tx, password: LinkPassword): Promise<Refusal> {
  const wrongTries = password.wrongTries + 1
  const spent = wrongTries >= LIMITS.linkPasswordTriesMax
  const recorded = await record(tx, {
    type: 'hip.link-password-wrong',
    actor: { kind: 'patient', id: password.abhaAddress },
    patient: password.abhaAddress,
    subject: password.linkRef,
    wrongTries,
  })
  await store.movePassword(tx, recorded, password, { status: spent ? 'spent' : 'waiting', wrongTries })
  await announce(tx, recorded)
  return spent ? refuse('hip/password-spent') : refuse('hip/wrong-password')
}

/** The exchange never took the confirmation: the contexts count as not linked, and can be found again. */
export async function undoLink(tx: Tx, needs: LinkNeeds, linkRef: string): Promise<void> {
  const id = parseId<'link'>(linkRef)
  const password = id && (await store.lockPassword(tx, id))
  if (password?.status !== 'confirmed') return
  const references = referencesOf(password.chosen)
  const actor: Actor = { kind: 'exchange', id: needs.exchange.id }
  const recorded = await record(tx, {
    type: 'hip.links-undone',
    actor,
    patient: password.abhaAddress,
    subject: password.linkRef,
    careContexts: references,
  })
  await deleteLinks(tx, recorded, password.patientReference, references)
  await announce(tx, recorded)
}

/** Gives a patient who shared their profile at a counter a place in the queue; the same place when they share again within its 30 minutes. */
export async function takeProfile(
  tx: Tx,
  shared: { readonly abhaAddress: AbhaAddress; readonly counter: string; readonly profile: object },
): Promise<store.Share> {
  const { abhaAddress, counter } = shared
  const current = await store.currentShare(tx, abhaAddress, counter)
  if (current !== undefined) return current
  const id = makeId<'share'>(tx.now, tx.random, bucketOf(abhaAddress))
  const day = new Date(tx.now.getTime() + INDIA_OFFSET_MS).toISOString().slice(0, 10)
  const recorded = await record(tx, {
    type: 'hip.profile-shared',
    actor: { kind: 'patient', id: abhaAddress },
    patient: abhaAddress,
    subject: id,
    counter,
  })
  const tokenNumber = await store.nextNumber(tx, recorded, counter, day)
  const expiresAt = new Date(tx.now.getTime() + LIMITS.shareTokenMs)
  await store.insertShare(tx, recorded, {
    id,
    abhaAddress,
    counter,
    day,
    tokenNumber,
    expiresAt,
    profile: shared.profile,
  })
  await announce(tx, recorded)
  return { tokenNumber, expiresAt }
}
const INDIA_OFFSET_MS = 330 * 60_000

/** Drops discoveries and one-time passwords that nobody needs any more: a chore. */
export async function sweepDiscoveries(tx: Tx): Promise<void> {
  await store.sweepDiscoveries(tx, new Date(tx.now.getTime() - 2 * LIMITS.discoveryKeptMs))
}
