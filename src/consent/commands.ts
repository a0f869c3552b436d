import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { announce, record } from '../audit/record.ts'
import type { SigningKey } from '../crypto/signature.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { isHip, isHiu } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { isOwnApp } from '../partners/own-app.ts'
import { readPatient } from '../people/commands.ts'
import { PURPOSES, parsePurpose } from '../policy/purpose.ts'
import { artefactText, makeDetail, signArtefact } from './artefact.ts'
import { type Artefact, type ConsentAsk, type ConsentRequest, type GrantItem, moveRequest } from './consent.ts'
import { expireRequest } from './end-commands.ts'
import type { DeniedEvent, FetchedEvent, GrantedEvent, RequestedEvent } from './events.ts'
import { makeNotices, noticesOfRequestEnd } from './notices.ts'
import { checkAsk, checkGrant, sinceBirth } from './rules.ts'
import {
  askJson,
  findArtefact,
  findRequest,
  insertArtefact,
  insertNotices,
  insertRequest,
  updateRequest,
} from './store.ts'
import { countWaiting } from './waiting-store.ts'

export type ConsentNeeds = {
  readonly exchange: { readonly id: string; readonly name: string }
  readonly signingKey: SigningKey
  /** How long a patient may take to decide; `LIMITS.consentRequestWindowMs` when absent. */
  readonly consentWindowMs?: number
}

/** What a HIU asks for, as it came: the purpose is still a text. */
export type ConsentProposal = Omit<ConsentAsk, 'purpose'> & {
  readonly purpose: { readonly code: string; readonly refUri?: string }
}

/** Where the purpose codes are defined, for requests that do not say it (care_abdm needs the field). */
const PURPOSE_SYSTEM = 'http://terminology.hl7.org/ValueSet/v3-PurposeOfUse'

type AskInput = {
  readonly proposal: ConsentProposal
  readonly requestId: string
  /** Of an emergency: whether the patient is told of it by text message. */
  readonly isPatientTold?: boolean
}

/**
 * Takes a consent request of a HIU for the patient to decide. The caller has proved to be `proposal.hiu`. Refuses one more when
 * `LIMITS.requestsWaitingMax` of the same HIU wait for this patient: who is asked too much says yes to be left alone.
 */
export async function askConsent(tx: Tx, needs: ConsentNeeds, input: AskInput): Promise<ConsentRequest | Refusal> {
  const { patient, hiu } = input.proposal
  if (!isOwnApp(hiu) && (await countWaiting(tx, patient, hiu)) >= LIMITS.requestsWaitingMax)
    return refuse(
      'consent/too-many-waiting',
      `${LIMITS.requestsWaitingMax} requests of yours wait for this patient. Wait for the decision, or until one of them ends, and ask for all in one.`,
      'consent.patient.id',
    )
  return takeRequest(tx, needs, input)
}

/** {@link askConsent} for what nobody waits to decide: a request that is granted in the same step. */
export async function takeRequest(tx: Tx, needs: ConsentNeeds, input: AskInput): Promise<ConsentRequest | Refusal> {
  const asked = await completeAsk(tx, input.proposal)
  if (isRefusal(asked)) return asked
  const request: ConsentRequest = {
    id: makeId<'consent-request'>(tx.now, tx.random, bucketOf(asked.patient)),
    asked,
    status: 'REQUESTED',
    createdAt: tx.now,
    changedAt: tx.now,
    decideBy: endOfWindow(asked, tx.now, needs.consentWindowMs ?? LIMITS.consentRequestWindowMs),
  }
  const recorded = await record(tx, {
    type: 'consent.requested',
    actor: { kind: 'facility', id: asked.hiu, person: { name: asked.requester.name, role: 'requester' } },
    patient: asked.patient,
    subject: request.id,
    hiu: asked.hiu,
    asked: askJson(asked),
    decideBy: request.decideBy.toISOString(),
    requestId: input.requestId,
    ...(input.isPatientTold === undefined ? {} : { isPatientTold: input.isPatientTold }),
  } satisfies RequestedEvent)
  await insertRequest(tx, recorded, request)
  await announce(tx, recorded)
  return request
}

/** A request for a consent that would be over already cannot be granted: the time to decide ends with it. */
function endOfWindow({ permission }: ConsentAsk, now: Date, windowMs: number): Date {
  return new Date(Math.min(now.getTime() + windowMs, permission.dataEraseAt.getTime()))
}

async function completeAsk(tx: Tx, proposal: ConsentProposal): Promise<ConsentAsk | Refusal> {
  const code = parsePurpose(proposal.purpose.code)
  if (code === undefined) {
    return refuse(
      'consent/unknown-purpose',
      `The purpose code must be one of ${Object.keys(PURPOSES).join(', ')}.`,
      'consent.purpose.code',
    )
  }
  const asked = {
    ...proposal,
    purpose: { code, text: PURPOSES[code], refUri: proposal.purpose.refUri ?? PURPOSE_SYSTEM },
  }
  const fault = checkAsk(asked, tx.now)
  if (fault) return fault
  const hiu = await facilityById(tx, asked.hiu)
  if (hiu === undefined || !isHiu(hiu)) return refuse('consent/unknown-hiu', undefined, 'consent.hiu.id')
  if (asked.hip !== undefined && (await activeHip(tx, asked.hip)) === undefined)
    return refuse('consent/unknown-hip', undefined, 'consent.hip.id')
  const patient = await readPatient(tx, asked.patient)
  if (patient === undefined) return refuse('consent/unknown-patient', undefined, 'consent.patient.id')
  if (patient.status !== 'active') return refuse('people/deactivated', undefined, 'consent.patient.id')
  // Her own copy is of all there is, whatever day somebody wrote down.
  return isOwnApp(asked.hiu) ? asked : sinceBirth(asked, patient.birthDate)
}

async function activeHip(tx: Tx, id: FacilityId): Promise<{ readonly name: string } | undefined> {
  const facility = await facilityById(tx, id)
  return facility !== undefined && isHip(facility) ? facility : undefined
}

/** The request, locked, if it is this patient's and can still be decided; one whose time is over expires here and now. */
async function requestToDecide(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'consent-request'>,
  verb: 'approve' | 'deny',
): Promise<ConsentRequest | Refusal> {
  const request = await findRequest(tx, id, true)
  if (request === undefined || request.asked.patient !== patient) return refuse('consent/unknown-request')
  if (moveRequest(request.status, verb) === undefined) {
    return request.status === 'EXPIRED'
      ? refuse('consent/request-expired')
      : refuse('consent/not-requested', `This consent request is ${request.status} already.`)
  }
  if (request.decideBy <= tx.now) {
    await expireRequest(tx, request)
    return refuse('consent/request-expired', `The time to decide ended at ${request.decideBy.toISOString()}.`)
  }
  return request
}

export type GrantInput = {
  readonly patient: AbhaAddress
  readonly request: Id<'consent-request'>
  readonly items: readonly GrantItem[]
  readonly actor: Actor
  /** Set when a standing approval decides. */
  readonly policy?: Id<'approval-policy'>
  /** What the person had been shown before. */
  readonly notice?: { readonly id: Id<'shown-notice'>; readonly sha256: string }
}

/**
 * Whether this grant can be made now: the request waits, is this patient's, and the items lie within it. Locks the request until the
 * end of the transaction; writes nothing, but that a request whose time is over expires.
 */
export async function checkGrantOf(
  tx: Tx,
  input: Pick<GrantInput, 'patient' | 'request' | 'items'>,
): Promise<{ readonly request: ConsentRequest; readonly names: ReadonlyMap<FacilityId, string> } | Refusal> {
  const request = await requestToDecide(tx, input.patient, input.request, 'approve')
  if (isRefusal(request)) return request
  const hiu = await facilityById(tx, request.asked.hiu)
  if (hiu === undefined || !isHiu(hiu)) return refuse('consent/unknown-hiu', 'Who asked takes part no more.')
  const linked = new Map<FacilityId, Awaited<ReturnType<typeof careContextsOf>>>()
  const names = new Map<FacilityId, string>()
  for (const [i, { hip }] of input.items.entries()) {
    const facility = await activeHip(tx, hip)
    if (facility === undefined) return refuse('consent/unknown-hip', undefined, `consents[${i}].hip.id`)
    names.set(hip, facility.name)
    linked.set(hip, await careContextsOf(tx, input.patient, hip))
  }
  return checkGrant(request.asked, input.items, linked, tx.now) ?? { request, names }
}

/** The patient gives what was asked, or less: one signed artefact for each provider. More than was asked is refused, not cut. */
export async function grantConsent(
  tx: Tx,
  needs: ConsentNeeds,
  input: GrantInput,
): Promise<readonly Artefact[] | Refusal> {
  const checked = await checkGrantOf(tx, input)
  if (isRefusal(checked)) return checked
  const { request, names } = checked
  const { asked } = request
  const hiuName = (await facilityById(tx, asked.hiu))?.name ?? asked.hiu
  const artefacts = input.items.map((item) =>
    makeArtefact(tx, needs, request, item, { hipName: names.get(item.hip) ?? item.hip, hiuName }),
  )
  const recorded = await record(tx, {
    type: 'consent.granted',
    actor: input.actor,
    patient: asked.patient,
    subject: request.id,
    hiu: asked.hiu,
    consents: artefacts.map(({ id, hip, detail }) => ({
      id,
      hip,
      detailSha256: bytesToHex(sha256(new TextEncoder().encode(artefactText(detail)))),
    })),
    ...(input.policy === undefined ? {} : { policy: input.policy }),
    ...(input.notice === undefined ? {} : { notice: input.notice }),
  } satisfies GrantedEvent)
  await updateRequest(tx, recorded, request, {
    status: 'GRANTED',
    ...(input.policy === undefined ? {} : { policy: input.policy }),
  })
  for (const artefact of artefacts) await insertArtefact(tx, recorded, artefact)
  await insertNotices(tx, recorded, [
    ...artefacts.flatMap(({ id, hip }) =>
      makeNotices(tx, request.id, { party: 'hip', facility: hip, status: 'GRANTED' }, [id]),
    ),
    ...makeNotices(
      tx,
      request.id,
      { party: 'hiu', facility: asked.hiu, status: 'GRANTED' },
      artefacts.map(({ id }) => id),
    ),
  ])
  await announce(tx, recorded)
  return artefacts
}

function makeArtefact(
  tx: Tx,
  needs: ConsentNeeds,
  { id: request, asked }: ConsentRequest,
  item: GrantItem,
  names: { readonly hipName: string; readonly hiuName: string },
): Artefact {
  const id = makeId<'artefact'>(tx.now, tx.random, bucketOf(asked.patient))
  const detail = makeDetail({ id, now: tx.now, asked, item, exchange: needs.exchange.id, ...names })
  const { patient, hiu } = asked
  return {
    id,
    request,
    patient,
    hip: item.hip,
    hiu,
    status: 'GRANTED',
    detail,
    signature: signArtefact(needs.signingKey, detail),
    createdAt: tx.now,
    changedAt: tx.now,
    dataEraseAt: item.permission.dataEraseAt,
  }
}

export async function denyConsent(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly request: Id<'consent-request'>
    readonly reason: string
    readonly actor: Actor
  },
): Promise<ConsentRequest | Refusal> {
  const request = await requestToDecide(tx, input.patient, input.request, 'deny')
  if (isRefusal(request)) return request
  const { asked } = request
  const recorded = await record(tx, {
    type: 'consent.denied',
    actor: input.actor,
    patient: asked.patient,
    subject: request.id,
    hiu: asked.hiu,
    reason: input.reason,
  } satisfies DeniedEvent)
  await updateRequest(tx, recorded, request, { status: 'DENIED', reason: input.reason })
  await insertNotices(tx, recorded, noticesOfRequestEnd(tx, request, 'DENIED'))
  await announce(tx, recorded)
  return { ...request, status: 'DENIED', reason: input.reason }
}

/** The artefact for its HIU; for everybody else it does not exist. */
export async function fetchArtefact(
  tx: Tx,
  input: { readonly hiu: FacilityId; readonly id: Id<'artefact'> },
): Promise<Artefact | Refusal> {
  const artefact = await findArtefact(tx, input.id)
  if (artefact === undefined || artefact.hiu !== input.hiu)
    return refuse('consent/unknown-artefact', undefined, 'consentId')
  const { patient, hiu, id } = artefact
  await announce(
    tx,
    await record(tx, {
      type: 'consent.fetched',
      actor: { kind: 'facility', id: hiu },
      patient,
      subject: id,
      hiu,
    } satisfies FetchedEvent),
  )
  return artefact
}
