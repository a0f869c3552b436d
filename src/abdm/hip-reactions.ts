import type { z } from 'zod'
import type { Reaction, Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { type DiscoveryAnswered, readDiscovery, undoLink } from '../hip/discovery-commands.ts'
import { groupsOf, type OfferedContext } from '../hip/link.ts'
import { answerCall, type LinkNeeds, noticeNewRecord, readCall } from '../hip/link-commands.ts'
import type { TransferEnded } from '../hip/transfer-commands.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { refuse } from '../kernel/refusal.ts'
import { genderLetter } from '../records/patient.ts'
import type { DataNotifyBody } from './data-messages.ts'
import type { contextNotify, generateToken, linkCareContext, onDiscover } from './linking-messages.ts'
import { errorOf } from './rules.ts'
import { type FailureReaction, sendToExchange } from './send.ts'
import { wireDate } from './wire.ts'

/** Failure tags of what our HIP sends. */
export const HIP_FAILURES = { call: 'hip.link-call', confirm: 'hip.link-confirm' } as const

type Call = { readonly subject: Id<'request'> }

/** What our HIP sends when something happened in its rooms, by event type. */
export function hipReactions(needs: LinkNeeds): readonly (readonly [type: string, reaction: Reaction])[] {
  const from = needs.facility.id
  return [
    ['hip.link-token-asked', (tx: Tx, event: Call) => sendTokenCall(tx, from, event)],
    ['hip.link-asked', (tx: Tx, event: Call) => sendLinkCall(tx, from, event)],
    ['hip.new-data-told', (tx: Tx, event: Call) => sendNewData(tx, from, event)],
    ['hip.discovery-answered', (tx: Tx, event: DiscoveryAnswered) => sendDiscovery(tx, from, event)],
    ['hip.transfer-ended', (tx: Tx, event: TransferEnded) => sendTransferEnd(tx, from, event)],
    [
      'records.record-added',
      (tx: Tx, event: Parameters<typeof noticeNewRecord>[2]) => noticeNewRecord(tx, needs, event),
    ],
  ] as const satisfies readonly (readonly [string, (tx: Tx, event: never) => Promise<void>])[]
}

/** What happens when a message of our HIP could not be delivered for good, by failure kind. */
export function hipFailures(needs: LinkNeeds): readonly (readonly [kind: string, reaction: FailureReaction])[] {
  return [
    [HIP_FAILURES.call, (tx, id, error) => answerCall(tx, needs, id, { error })],
    [HIP_FAILURES.confirm, (tx, id) => undoLink(tx, needs, id)],
  ]
}

async function sendTokenCall(tx: Tx, from: FacilityId, { subject }: Call): Promise<void> {
  const found = await readCall(tx, subject)
  if (found === undefined) return
  const { patient, call } = found
  const body: z.input<typeof generateToken> = {
    abhaAddress: call.abhaAddress,
    ...(patient.abhaNumber === undefined ? {} : { abhaNumber: patient.abhaNumber }),
    name: patient.name,
    gender: genderLetter(patient.gender),
    yearOfBirth: Number(patient.birthDate.slice(0, 4)),
  }
  await sendToExchange(tx, {
    from,
    as: 'hip',
    path: '/v3/token/generate-token',
    body,
    requestId: subject,
    failure: { kind: HIP_FAILURES.call, id: subject },
  })
}

async function sendLinkCall(tx: Tx, from: FacilityId, { subject }: Call): Promise<void> {
  const found = await readCall(tx, subject)
  if (found?.token === undefined) return
  const { patient, call, token } = found
  const body: z.input<typeof linkCareContext> = {
    // The token was made with both ids where we know both: both are sent again (ABDM-1038, 1062).
    ...(patient.abhaNumber === undefined ? {} : { abhaNumber: patient.abhaNumber }),
    abhaAddress: call.abhaAddress,
    patient: wireGroups(call.patientReference, patient.name, call.contexts),
  }
  await sendToExchange(tx, {
    from,
    as: 'hip',
    path: '/hip/v3/link/carecontext',
    headers: { 'X-LINK-TOKEN': token },
    body,
    requestId: subject,
    failure: { kind: HIP_FAILURES.call, id: subject },
  })
}

/** Care contexts as they stand on the wire: one group for each HI type, `count` as long as its list. */
export function wireGroups(
  referenceNumber: string,
  display: string,
  contexts: readonly OfferedContext[],
  size?: number,
) {
  return groupsOf(contexts, size).map(
    ({
      hiType,
      contexts: own,
    }): {
      referenceNumber: string
      display: string
      careContexts: { referenceNumber: string; display: string }[]
      hiType: HiType
      count: number
    } => ({
      referenceNumber,
      display,
      careContexts: own.map((context) => ({ referenceNumber: context.reference, display: context.display })),
      hiType,
      count: own.length,
    }),
  )
}

async function sendNewData(tx: Tx, from: FacilityId, { subject }: Call): Promise<void> {
  const found = await readCall(tx, subject)
  const context = found?.call.contexts[0]
  if (found === undefined || context === undefined) return
  const body: z.input<typeof contextNotify> = {
    notification: {
      patient: { id: found.call.abhaAddress },
      careContext: { patientReference: found.call.patientReference, careContextReference: context.reference },
      hiTypes: [context.hiType],
      date: wireDate(tx.now),
      hip: { id: from },
    },
  }
  await sendToExchange(tx, {
    from,
    as: 'hip',
    path: '/hip/v3/link/context/notify',
    body,
    requestId: subject,
    failure: { kind: HIP_FAILURES.call, id: subject },
  })
}

async function sendDiscovery(tx: Tx, from: FacilityId, event: DiscoveryAnswered): Promise<void> {
  const path = '/user-initiated-linking/v3/patient/care-context/on-discover'
  const response = { requestId: event.inReplyTo }
  const offer = event.code === undefined ? await readDiscovery(tx, event.subject) : undefined
  const body: z.input<typeof onDiscover> =
    offer === undefined
      ? { transactionId: event.subject, error: errorOf(refuse(event.code ?? 'hip/no-match')), response }
      : {
          transactionId: event.subject,
          patient: wireGroups(offer.patientReference, offer.name, offer.offered),
          matchedBy: [...event.matchedBy],
          response,
        }
  await sendToExchange(tx, { from, as: 'hip', path, body })
}

async function sendTransferEnd(tx: Tx, from: FacilityId, event: TransferEnded): Promise<void> {
  const body: DataNotifyBody = {
    notification: {
      consentId: event.consent,
      transactionId: event.subject,
      doneAt: wireDate(tx.now),
      notifier: { type: 'HIP', id: from },
      statusNotification: {
        sessionStatus: event.outcome,
        hipId: from,
        statusResponses: event.contexts.map((context) => ({ ...context })),
      },
    },
  }
  await sendToExchange(tx, { from, as: 'hip', path: '/data-flow/v3/health-information/notify', body })
}
