import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import type { Facility } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import { phonesOf } from '../people/phones.ts'
import { type ConsentNeeds, type ConsentProposal, grantConsent, takeRequest } from './commands.ts'
import type { Artefact, ConsentRequest, GrantItem, Permission } from './consent.ts'
import { type Emergency, type Heard, mayOpenInEmergency } from './emergency.ts'
import { noteNobodyHears, tellOfEmergency } from './emergency-text-commands.ts'
import { lockEmergencies } from './emergency-text-store.ts'
import type { EmergencyOpenedEvent, EmergencyRefusedEvent } from './events.ts'
import { countEmergencies } from './store.ts'

export type EmergencyOpened = { readonly request: ConsentRequest; readonly artefacts: readonly Artefact[] }

export type EmergencyAnswer = { readonly opened: EmergencyOpened | Refusal; readonly heard: Heard }

/**
 * Opens a patient's linked records to one facility without her consent, for minutes: an ordinary request with the purpose BTG, granted in
 * the name of the law (DPDP s.7(f)) and of a named person, to view, until `LIMITS.emergencyMs` from now. She is told at once and can stop
 * it like any other sharing. Refuses facilities that meet no emergencies. Of whatever else is refused she is told all the same, if we know
 * her: the facility has opened what it holds itself.
 */
export async function openEmergency(tx: Tx, needs: ConsentNeeds, input: EmergencyInput): Promise<EmergencyAnswer> {
  const facility = await facilityById(tx, input.proposal.hiu)
  if (facility === undefined || !mayOpenInEmergency(facility))
    return { opened: refuse('consent/no-emergency-here'), heard: 'not-told' }
  const patient = await readPatient(tx, input.proposal.patient)
  if (patient === undefined)
    return { opened: refuse('consent/unknown-patient', undefined, 'consent.patient.id'), heard: 'not-told' }
  const asked = input.proposal.permission.dataEraseAt.getTime()
  // What waited in a queue while we were down opens for the rest of its time only.
  const until = new Date(Math.min(tx.now.getTime() + LIMITS.emergencyMs, asked))
  const proposal: ConsentProposal = {
    ...input.proposal,
    purpose: { ...input.proposal.purpose, code: 'BTG' },
    permission: { ...input.proposal.permission, accessMode: 'VIEW', dataEraseAt: until },
  }
  await lockEmergencies(tx, patient.abhaAddress, facility.id)
  const phones = await phonesOf(tx, patient)
  const isPatientTold = phones.length > 0
  const opened = await openElsewhere(tx, needs, facility, { ...input, proposal, isPatientTold })
  if (isRefusal(opened)) await recordRefused(tx, facility, { ...input, proposal }, opened)
  const { emergency, requestId } = input
  const answered = isRefusal(opened) ? { why: opened.code } : { request: opened.request.id }
  const about = { facility, requestId, answered }
  if (isPatientTold) await tellOfEmergency(tx, needs, { ...about, patient, phones, emergency, until })
  else await noteNobodyHears(tx, needs, { ...about, patient: patient.abhaAddress })
  return { opened, heard: isPatientTold ? 'told' : 'only-on-paper' }
}

async function recordRefused(
  tx: Tx,
  facility: Facility,
  { proposal, requestId, emergency }: EmergencyInput,
  { code }: Refusal,
): Promise<void> {
  const { patient, permission } = proposal
  const recorded = await record(tx, {
    type: 'consent.emergency-refused',
    actor: actorOf(facility, emergency),
    patient,
    subject: requestId,
    hiu: facility.id,
    hiuName: facility.name,
    emergency,
    until: permission.dataEraseAt.toISOString(),
    why: code,
  } satisfies EmergencyRefusedEvent)
  await announce(tx, recorded)
}

const actorOf = ({ id }: Facility, { person: { name, role } }: Emergency): Actor => ({
  kind: 'facility',
  id,
  person: { name, role },
})

type EmergencyInput = {
  readonly proposal: ConsentProposal
  readonly requestId: string
  readonly emergency: Emergency
}

/** What others hold; `dataEraseAt` of the proposal says until when. */
async function openElsewhere(
  tx: Tx,
  needs: ConsentNeeds,
  facility: Facility,
  { proposal, requestId, emergency, isPatientTold }: EmergencyInput & { readonly isPatientTold: boolean },
): Promise<EmergencyOpened | Refusal> {
  const since = new Date(tx.now.getTime() - LIMITS.emergencyDayMs)
  const before = await countEmergencies(tx, proposal.patient, facility.id, since)
  if (before >= LIMITS.emergenciesPerPatientDayMax)
    return refuse(
      'request/too-many',
      `A facility may do this ${LIMITS.emergenciesPerPatientDayMax} times a day for one patient.`,
    )
  const until = proposal.permission.dataEraseAt
  if (until <= tx.now) return refuse('consent/emergency-over')
  if ((await itemsOf(tx, proposal, proposal.permission)).length === 0) return refuse('consent/nothing-linked-elsewhere')
  const request = await takeRequest(tx, needs, { proposal, requestId, isPatientTold })
  if (isRefusal(request)) return request
  const items = await itemsOf(tx, proposal, request.asked.permission)
  const actor = actorOf(facility, emergency)
  const recorded = await record(tx, {
    type: 'consent.emergency-opened',
    actor,
    patient: proposal.patient,
    subject: request.id,
    hiu: facility.id,
    hiuName: facility.name,
    emergency,
    until: until.toISOString(),
  } satisfies EmergencyOpenedEvent)
  const artefacts = await grantConsent(tx, needs, { patient: proposal.patient, request: request.id, items, actor })
  if (isRefusal(artefacts)) return artefacts
  await announce(tx, recorded)
  return { request, artefacts }
}

/** Everything linked elsewhere, within what was asked: one item for each provider. */
async function itemsOf(tx: Tx, proposal: ConsentProposal, permission: Permission): Promise<readonly GrantItem[]> {
  const linked = await careContextsOf(tx, proposal.patient)
  const hips = [...new Set(linked.map(({ hip }) => hip))].filter(
    (hip: FacilityId) => hip !== proposal.hiu && (proposal.hip === undefined || proposal.hip === hip),
  )
  return hips.map((hip) => ({
    hip,
    hiTypes: proposal.hiTypes,
    careContexts: linked
      .filter((context) => context.hip === hip)
      .map(({ patientReference, careContextReference }) => ({ patientReference, careContextReference })),
    permission,
  }))
}
