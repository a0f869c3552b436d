import type { EventAbout } from '../audit/receipts.ts'
import type { Artefact } from '../consent/consent.ts'
import type { FacilityView } from './sharing.ts'

/**
 * By what somebody looked. `consent`: records received under one. `own-care`: a facility's own records of a patient whom it treats.
 * `emergency`: broken glass, without consent.
 */
export type LookBasis = 'consent' | 'own-care' | 'emergency'

/** Why a look stands out. `no-consent`: there was none in force at that moment. `no-visit`: the patient was not attended then. */
export type Unusual = 'emergency' | 'no-consent' | 'other-purpose' | 'no-visit'

/** One look at records, as the patient reads it. `event` is the event as recorded, which the receipt of `id` proves. */
export type LookView = {
  readonly id: string
  readonly at: string
  readonly event: LookEvent
  readonly basis: LookBasis
  readonly facility: FacilityView
  readonly unusual: readonly Unusual[]
  /** The consent that it names, with how that stood at the moment of the look. */
  readonly consent?: {
    readonly artefact: string
    readonly request: string
    readonly purpose: string
    readonly status: string
  }
  readonly question?: QuestionOfLook
}
export type QuestionOfLook = { readonly id: string; readonly number: string; readonly status: string }

/** Its row was changed behind our back: the log proves that something was there (docs/log.md). */
export type ChangedLook = { readonly id: string; readonly changed: true }

/** What an event of a look says; events of other rooms that are looks say it in the same words. */
export type LookEvent = {
  readonly type: string
  readonly facility: string
  readonly facilityName: string
  readonly at: string
  readonly purpose: string
  readonly subject?: string
  readonly basis?: LookBasis
  /** Set by a facility of ours that knows that nobody attended the patient then. */
  readonly attending?: boolean
  readonly actor: { readonly kind: string; readonly person?: { readonly name: string; readonly role: string } }
  readonly what: readonly { readonly hiType: string; readonly careContextReference: string }[]
}

/** Events that are looks. */
export const LOOK_EVENTS: readonly string[] = ['access.reported']

/** A recorded event as a look; undefined for what is none. */
export function lookOf(
  told: Exclude<EventAbout, { readonly changed: true }>,
  consents: ReadonlyMap<string, Artefact>,
  facilities: ReadonlyMap<string, FacilityView>,
): LookView | undefined {
  if (!LOOK_EVENTS.includes(told.event.type)) return undefined
  const event = told.event as unknown as LookEvent
  const basis = event.basis ?? 'consent'
  const artefact = basis === 'consent' ? consents.get(event.subject ?? '') : undefined
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
  if (basis === 'own-care' && event.attending === false) found.push('no-visit')
  return found
}
