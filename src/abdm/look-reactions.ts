import type { z } from 'zod'
import type { Reaction, Tx } from '../db/tx.ts'
import type { PatientOpened } from '../desk/looks.ts'
import { readLinks } from '../hip/link-commands.ts'
import type { FacilityId } from '../kernel/id.ts'
import type { accessReport } from '../native/messages.ts'
import type { Standing } from '../records/rules.ts'
import type { OwnViewEvent } from '../records/view.ts'
import { sendNative } from './send.ts'

/** Most that one report names; a patient with more gets several. */
const LOOKS_PER_REPORT = 500

/** Tells the exchange who looked at records that this facility holds itself, so that the patient's list is whole. */
export function lookReactions(needs: {
  readonly facility: { readonly id: FacilityId }
  readonly reportsToExchange: boolean
}): readonly (readonly [type: string, reaction: Reaction])[] {
  const report = (tx: Tx, event: OwnViewEvent) => reportOwnView(tx, needs, event)
  return [
    ['records.viewed', report],
    ['records.exported', report],
    ['desk.patient-opened', (tx: Tx, event: PatientOpened) => reportOpening(tx, needs, event)],
  ]
}

/** A page that was opened without any record is told, too, in a list of its own. */
async function reportOpening(
  tx: Tx,
  needs: { readonly facility: { readonly id: FacilityId }; readonly reportsToExchange: boolean },
  { abhaAddress, patient, person, at }: PatientOpened,
): Promise<void> {
  if (!needs.reportsToExchange || abhaAddress === undefined) return
  const { count } = await readLinks(tx, patient)
  if (count === 0) return
  const { name, role } = person
  const body: z.input<typeof accessReport> = { patient: abhaAddress, basis: 'page', at, person: { name, role } }
  await sendNative(tx, { from: needs.facility.id, path: '/v1/accesses', body, lasting: true })
}

/** What the ground of somebody rests on, as `/v1/accesses` says it. */
export function wireStanding(standing: Standing | undefined): { readonly attending?: boolean; readonly joined?: true } {
  if (standing === undefined) return {}
  return { attending: standing !== 'no-visit', ...(standing === 'joined' ? { joined: true } : {}) }
}

/** The exchange knows a patient of ours by what is linked; before that there is nobody to tell. */
async function reportOwnView(
  tx: Tx,
  needs: { readonly facility: { readonly id: FacilityId }; readonly reportsToExchange: boolean },
  event: OwnViewEvent,
): Promise<void> {
  const { abhaAddress, ground, standing, person, records } = event
  if (!needs.reportsToExchange || abhaAddress === undefined || records.length === 0) return
  const { count } = await readLinks(tx, event.patient)
  if (count === 0) return
  const looks = new Map(
    records.map(({ hiType, careContextReference }) => [
      `${hiType} ${careContextReference}`,
      { hiType, careContextReference },
    ]),
  )
  const what = [...looks.values()]
  for (let at = 0; at < what.length; at += LOOKS_PER_REPORT) {
    const body: z.input<typeof accessReport> = {
      patient: abhaAddress,
      basis: ground === 'emergency' ? 'emergency' : 'own-care',
      ...wireStanding(standing),
      at: event.at,
      person: { name: person.name, role: person.role },
      purpose: event.purpose,
      what: what.slice(at, at + LOOKS_PER_REPORT),
      ...(event.type === 'records.exported' ? { asFile: true } : {}),
    }
    await sendNative(tx, { from: needs.facility.id, path: '/v1/accesses', body, lasting: true })
  }
}
