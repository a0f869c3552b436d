import type { EventAbout } from '../audit/receipts.ts'
import type { Artefact } from '../consent/consent.ts'
import type { FacilityView, LookBasis, LookEvent, LookView, Unusual } from './views.ts'

/** Events that are looks. */
export const LOOK_EVENTS: readonly string[] = ['access.reported']

/** Events that say that somebody opened the patient's page, maybe without any record: a list of their own, so that they do not bury the looks. */
export const OPENING_EVENTS: readonly string[] = ['access.page-reported']

/** A recorded event as a look, `emergencies` being consent requests that nobody asked the patient about; undefined for what is none. */
export function lookOf(
  told: Exclude<EventAbout, { readonly changed: true }>,
  consents: ReadonlyMap<string, Artefact>,
  facilities: ReadonlyMap<string, FacilityView>,
  emergencies: ReadonlySet<string>,
): LookView | undefined {
  if (!LOOK_EVENTS.includes(told.event.type)) return undefined
  const event = told.event as unknown as LookEvent
  const artefact = event.basis === undefined ? consents.get(event.subject ?? '') : undefined
  const isEmergency = artefact !== undefined && emergencies.has(artefact.request)
  const basis = isEmergency ? 'emergency' : (event.basis ?? 'consent')
  const status = artefact && statusAt(artefact, new Date(event.at))
  return {
    id: told.id,
    at: told.at,
    event,
    basis,
    facility: facilities.get(event.facility) ?? { id: event.facility, name: event.facilityName, kinds: [] },
    unusual: unusualOf(event, basis, artefact, status),
    ...(artefact === undefined || status === undefined
      ? {}
      : {
          consent: {
            artefact: artefact.id,
            request: artefact.request,
            purpose: artefact.detail.purpose.code,
            status,
          },
        }),
  }
}

/** How a consent stood at a moment. */
function statusAt({ status, createdAt, changedAt, dataEraseAt }: Artefact, at: Date): 'live' | 'stopped' | 'ended' {
  if (status === 'REVOKED' && changedAt <= at) return 'stopped'
  return dataEraseAt <= at || at < createdAt ? 'ended' : 'live'
}

function unusualOf(
  event: LookEvent,
  basis: LookBasis,
  artefact: Artefact | undefined,
  status: 'live' | 'stopped' | 'ended' | undefined,
): readonly Unusual[] {
  const found: Unusual[] = []
  if (basis === 'emergency' || event.purpose === 'BTG') found.push('emergency')
  if (basis === 'consent' && status !== 'live') found.push('no-consent')
  if (artefact !== undefined && artefact.detail.purpose.code !== event.purpose) found.push('other-purpose')
  if (basis !== 'emergency' && event.attending === false) found.push('no-visit')
  if (basis !== 'emergency' && event.joined === true) found.push('joined')
  return found
}
