import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { canMove } from '../kernel/moves.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { isHip } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import type { Patient } from '../people/patient.ts'
import type { ShareEvent } from './events.ts'
import { checkProfile, type ProfileShare, parseTokenExpiry, SHARE_MOVES, type SharedProfile } from './share.ts'
import { findShare, findShareBySent, findSharesOf, insertShare, updateShare } from './share-store.ts'
import type { Answered } from './transaction.ts'

/**
 * The patient shows the profile to a facility (ABDM V3 patient-share/share). It must be the patient's own and agree with what the
 * exchange knows. Returns the share, whose `sentRequest` is the REQUEST-ID for the message to the HIP, and the patient.
 */
export async function shareProfile(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly hip: FacilityId
    readonly counter: string
    readonly profile: SharedProfile
    readonly askedByRequest: string
    readonly requester?: FacilityId | undefined
    readonly actor: Actor
  },
): Promise<{ readonly share: ProfileShare; readonly patient: Patient } | Refusal> {
  const patient = await readPatient(tx, input.patient)
  if (patient === undefined) return refuse('people/unknown-patient')
  const fault = checkProfile(patient, input.profile)
  if (fault) return fault
  const facility = await facilityById(tx, input.hip)
  if (facility === undefined || !isHip(facility)) return refuse('partners/hip-unavailable', undefined, 'metaData.hipId')
  const bucket = bucketOf(patient.abhaAddress)
  const share: ProfileShare = {
    id: makeId(tx.now, tx.random, bucket),
    patient: patient.abhaAddress,
    hip: input.hip,
    ...(input.requester === undefined ? {} : { requester: input.requester }),
    askedByRequest: input.askedByRequest,
    sentRequest: makeId(tx.now, tx.random, bucket),
    counter: input.counter,
    sentAt: tx.now,
    status: 'sent',
  }
  const recorded = await record(tx, eventOf('linking.profile-shared', share, input.actor))
  await insertShare(tx, recorded, share)
  await announce(tx, recorded)
  return { share, patient }
}

export type ShareAnswer = {
  readonly abhaAddress: AbhaAddress
  readonly tokenNumber?: string | undefined
  readonly expiry?: number | string | null | undefined
}

/** The HIP accepts a profile, with a queue token, or refuses it. Only the HIP that was shown it, and only once. */
export async function answerShare(
  tx: Tx,
  input: {
    readonly facilities: readonly FacilityId[]
    readonly sentRequest: string
    readonly answer: Answered<ShareAnswer>
  },
): Promise<ProfileShare | Refusal> {
  const sent = parseId<'request'>(input.sentRequest)
  const share = sent === undefined ? undefined : await findShareBySent(tx, sent)
  if (share === undefined || !input.facilities.includes(share.hip))
    return refuse('linking/unknown-request', undefined, 'response.requestId')
  const { answer } = input
  if (!canMove(SHARE_MOVES, share.status, 'error' in answer ? 'refused' : 'accepted'))
    return refuse('linking/duplicate-share-answer')
  const hip: Actor = { kind: 'facility', id: share.hip }
  if ('error' in answer) return end(tx, share, { ...share, status: 'refused', error: answer.error }, hip)
  if (answer.result.abhaAddress !== share.patient)
    return refuse(
      'linking/unknown-request',
      'The profile of this request is another patient’s.',
      'acknowledgement.abhaAddress',
    )
  const { tokenNumber, expiry } = answer.result
  const accepted: ProfileShare = {
    ...share,
    status: 'accepted',
    ...(tokenNumber === undefined ? {} : { tokenNumber }),
    expiresAt: parseTokenExpiry(expiry, tx.now),
  }
  return end(tx, share, accepted, hip)
}

/** The profile could not be delivered. Nothing when it was answered all the same. */
export async function endUndeliveredShare(
  tx: Tx,
  id: Id<'profile-share'>,
  error: { readonly code?: string; readonly message: string },
): Promise<void> {
  const share = await findShare(tx, id)
  if (share === undefined || !canMove(SHARE_MOVES, share.status, 'failed')) return
  const reason = {
    code: error.code ?? 'ABDM-1401',
    message: 'The facility could not be reached, or refused the request.',
  }
  await end(tx, share, { ...share, status: 'failed', error: reason }, { kind: 'system', id: 'exchange' })
}

async function end(tx: Tx, from: ProfileShare, share: ProfileShare, actor: Actor): Promise<ProfileShare> {
  const recorded = await record(tx, eventOf('linking.profile-answered', share, actor))
  await updateShare(tx, recorded, from.status, share)
  await announce(tx, recorded)
  return share
}

function eventOf(type: ShareEvent['type'], share: ProfileShare, actor: Actor): ShareEvent {
  return { type, actor, patient: share.patient, subject: share.id, hip: share.hip, status: share.status }
}

/** The patient's latest shares with their queue tokens, newest first. */
export async function sharesOf(tx: Tx, patient: AbhaAddress): Promise<readonly ProfileShare[]> {
  return findSharesOf(tx, patient, LIMITS.pageSizeDefault)
}

/** One share, for the messages about it. */
export async function readShare(tx: Tx, id: Id<'profile-share'>): Promise<ProfileShare | Refusal> {
  return (await findShare(tx, id)) ?? refuse('linking/unknown-request')
}
