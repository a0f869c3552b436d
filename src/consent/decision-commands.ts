import type { Tx } from '../db/tx.ts'
import type { Actor, PatientCaller } from '../kernel/caller.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { showNotice, shownNotice } from '../notices/commands.ts'
import type { Language } from '../notices/languages.ts'
import type { Contact, NoticeFacts, ShownNotice } from '../notices/notices.ts'
import { isHiu } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import { spendStepUp } from '../people/step-up-commands.ts'
import { type ConsentNeeds, checkGrantOf, denyConsent, grantConsent } from './commands.ts'
import type { Artefact, ConsentRequest, GrantItem } from './consent.ts'
import { requestOf } from './readers.ts'

export type DecisionNeeds = ConsentNeeds & {
  /** Who answers patients' questions (DPDP s.6(3)). */
  readonly contact: Contact
  /** Where the patient app is: `/me` below it. */
  readonly publicUrl: string
}

type RequestId = Id<'consent-request'>

/** The person who decides: the patient, or the guardian of a child. */
export function readerOf({ patient, guardian }: PatientCaller): AbhaAddress {
  return guardian ?? patient
}

/** Who did it, as the log says it. */
export function actorOf({ patient, guardian }: PatientCaller): Actor {
  return { kind: 'patient', id: patient, ...(guardian === undefined ? {} : { guardian }) }
}

/** Shows the person the notice of a request that waits, in a language of their choice, and keeps what was shown (DPDP s.5). */
export async function showRequestNotice(
  tx: Tx,
  needs: DecisionNeeds,
  input: { readonly caller: PatientCaller; readonly request: RequestId; readonly language: Language },
): Promise<ShownNotice | Refusal> {
  const request = await requestOf(tx, input.caller.patient, input.request)
  if (isRefusal(request)) return request
  if (request.status !== 'REQUESTED') return alreadyDecided(request)
  return showNotice(tx, {
    patient: input.caller.patient,
    reader: readerOf(input.caller),
    actor: actorOf(input.caller),
    request: request.id,
    language: input.language,
    channel: 'app',
    facts: await factsOf(tx, needs, request),
  })
}

async function factsOf(tx: Tx, needs: DecisionNeeds, { asked }: ConsentRequest): Promise<NoticeFacts> {
  const { requester, hip, careContexts, permission } = asked
  return {
    hiu: { id: asked.hiu, name: (await facilityById(tx, asked.hiu))?.name ?? asked.hiu },
    requester: {
      name: requester.name,
      ...(requester.identifier === undefined ? {} : { registration: requester.identifier.value }),
    },
    purpose: asked.purpose.code,
    hiTypes: asked.hiTypes,
    ...(hip === undefined ? {} : { hip: (await facilityById(tx, hip))?.name ?? hip }),
    ...(careContexts.length === 0 ? {} : { careContexts: careContexts.length }),
    range: permission.dateRange,
    eraseAt: permission.dataEraseAt,
    exchange: needs.exchange.name,
    contact: needs.contact,
    links: {
      withdraw: `${needs.publicUrl}/me/sharing`,
      rights: `${needs.publicUrl}/me/choices/rights`,
      board: `${needs.publicUrl}/me/choices/complain`,
    },
  }
}

/**
 * The patient allows a request, whole or less, after having been shown its notice and having proved anew who they are. Everything is
 * checked before the proof is spent; a refusal leaves the request as it was.
 */
export async function allowRequest(
  tx: Tx,
  needs: DecisionNeeds,
  input: {
    readonly caller: PatientCaller
    readonly request: RequestId
    readonly items: readonly GrantItem[]
    readonly notice: Id<'shown-notice'>
    readonly stepUp: string
  },
): Promise<readonly Artefact[] | Refusal> {
  const { caller, request: id, items } = input
  const { patient } = caller
  const checked = await checkGrantOf(tx, { patient, request: id, items })
  if (isRefusal(checked)) return orAlreadyDecided(tx, patient, id, checked)
  if ((await readPatient(tx, patient))?.status !== 'active') return refuse('people/deactivated')
  const hiu = await facilityById(tx, checked.request.asked.hiu)
  if (hiu === undefined || !isHiu(hiu)) return refuse('consent/unknown-hiu', 'Who asked takes part no more.')
  const since = checked.request.createdAt
  const notice = await shownNotice(tx, { patient, reader: readerOf(caller), request: id, id: input.notice, since })
  if (isRefusal(notice)) return notice
  const unproved = await spendStepUp(tx, caller, { id: input.stepUp, act: 'consent.grant', subject: id })
  if (unproved) return unproved
  return grantConsent(tx, needs, {
    patient,
    request: id,
    items,
    actor: actorOf(caller),
    notice: { id: notice.id, sha256: notice.sha256 },
  })
}

/** The patient says no. `reason` may be empty; the one who asked is told it. */
export async function denyRequest(
  tx: Tx,
  input: { readonly caller: PatientCaller; readonly request: RequestId; readonly reason: string },
): Promise<ConsentRequest | Refusal> {
  const { caller, request, reason } = input
  const { patient } = caller
  const denied = await denyConsent(tx, { patient, request, reason, actor: actorOf(caller) })
  return isRefusal(denied) ? orAlreadyDecided(tx, patient, request, denied) : denied
}

/** Of two devices the later one is told what the earlier one decided. */
async function orAlreadyDecided(tx: Tx, patient: AbhaAddress, id: RequestId, refusal: Refusal): Promise<Refusal> {
  if (refusal.code !== 'consent/not-requested') return refusal
  const request = await requestOf(tx, patient, id)
  return isRefusal(request) ? request : alreadyDecided(request)
}

const OUTCOMES = {
  REQUESTED: 'It still waits.',
  GRANTED: 'It was allowed',
  REVOKED: 'It was allowed, and stopped',
  DENIED: 'It was denied',
  EXPIRED: 'Its time to decide ended',
} as const satisfies Record<ConsentRequest['status'], string>

function alreadyDecided(request: ConsentRequest): Refusal {
  if (request.status === 'EXPIRED') return refuse('consent/request-expired')
  const standing = 'policy' in request && request.policy !== undefined ? ' by a standing choice' : ''
  return refuse(
    'consent/already-decided',
    `${OUTCOMES[request.status]}${standing}, at ${request.changedAt.toISOString()}. Nothing was changed now.`,
  )
}
