import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { askConsent, type ConsentNeeds, type ConsentView, readConsent, refreshStatus } from '../hiu/commands.ts'
import { fetchAgain, listConsentViews } from '../hiu/consent-views.ts'
import type { ConsentStatus } from '../hiu/hiu.ts'
import { type Difference, differencesOf, type Place, placeOf, type Step, stepsOf } from '../hiu/progress.ts'
import { type Adjustment, askFrom, requesterOf } from '../hiu/templates.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { findPatients, type RecordsNeeds, readPatient } from '../records/commands.ts'
import { consentsSeenBy, seesTerms } from './rules.ts'

export type DeskConsentNeeds = ConsentNeeds & RecordsNeeds

export type ConsentState = 'waiting' | 'live' | 'ended'
const STATUSES: Readonly<Record<ConsentState, readonly ConsentStatus[]>> = {
  waiting: ['asked', 'requested'],
  live: ['granted'],
  ended: ['denied', 'expired', 'revoked', 'failed'],
}

/** A consent as the desk shows it in a list and on its page. */
export type DeskConsent = {
  readonly id: Id<'hiu-consent'>
  readonly patient: { readonly abhaAddress: AbhaAddress; readonly name?: string; readonly reference?: string }
  readonly status: ConsentStatus
  readonly askedBy: { readonly name: string; readonly role?: StaffRole }
  readonly askedAt: Date
  readonly changedAt: Date
  readonly steps: readonly Step[]
  /** Absent for those who need not know what was asked. */
  readonly terms?: {
    readonly template?: string
    readonly purpose: string
    readonly hiTypes: readonly HiType[]
    readonly from: Date
    readonly to: Date
    readonly keepUntil: Date
    readonly hip?: { readonly id: string; readonly name?: string }
    readonly differences: readonly Difference[]
  }
  readonly places: readonly Place[]
  readonly reason?: string
}

/**
 * Asks a patient for what a template of the person's role asks, or less. The requester is the signed-in person. Refuses
 * `records/unknown-patient`, `hip/no-abha`, `hiu/unknown-template`, `hiu/invalid-terms`.
 */
export async function askFromTemplate(
  tx: Tx,
  needs: DeskConsentNeeds,
  staff: StaffCaller,
  input: { readonly patient: string; readonly template: string; readonly adjustment: Adjustment },
): Promise<Id<'hiu-consent'> | Refusal> {
  const patient = await readPatient(tx, input.patient)
  if (isRefusal(patient)) return patient
  if (patient.abhaAddress === undefined) return refuse('hip/no-abha')
  const whom = { patient: patient.abhaAddress, requester: requesterOf(staff) }
  const ask = askFrom(input.template, staff.role, whom, input.adjustment, tx.now)
  if (isRefusal(ask)) return ask
  return askConsent(tx, needs, ask, { staff: staff.id, role: staff.role, template: input.template })
}

/** Consents that somebody sees by her role, latest first; of one patient, by our reference, or of all. */
export async function listDeskConsents(
  tx: Tx,
  needs: DeskConsentNeeds,
  staff: StaffCaller,
  filter: { readonly state?: ConsentState | undefined; readonly patient?: string | undefined },
): Promise<readonly DeskConsent[] | Refusal> {
  const patient = filter.patient === undefined ? undefined : await readPatient(tx, filter.patient)
  if (isRefusal(patient)) return patient
  if (patient !== undefined && patient.abhaAddress === undefined) return []
  const views = await listConsentViews(tx, {
    patient: patient?.abhaAddress,
    statuses: filter.state === undefined ? undefined : STATUSES[filter.state],
    roles: consentsSeenBy(staff.role),
    limit: LIMITS.pageSizeDefault,
  })
  const shown: DeskConsent[] = []
  for (const view of views) shown.push(await show(tx, needs, staff, view))
  return shown
}

/** One consent that somebody sees by her role; another answers as if it did not exist. */
export async function readDeskConsent(
  tx: Tx,
  needs: DeskConsentNeeds,
  staff: StaffCaller,
  id: Id<'hiu-consent'>,
): Promise<DeskConsent | Refusal> {
  const view = await readConsent(tx, id)
  if (isRefusal(view)) return view
  return isSeen(staff, view) ? show(tx, needs, staff, view) : refuse('hiu/unknown-consent')
}

const isSeen = (staff: StaffCaller, { askedBy }: ConsentView): boolean =>
  consentsSeenBy(staff.role).includes(askedBy?.role ?? 'software')

/** Asks the exchange where a consent stands, or the providers for their data once more. */
export async function askOnceMore(
  tx: Tx,
  needs: DeskConsentNeeds,
  staff: StaffCaller,
  id: Id<'hiu-consent'>,
  what: 'status' | 'data',
): Promise<true | Refusal> {
  const view = await readConsent(tx, id)
  if (isRefusal(view)) return view
  if (!isSeen(staff, view)) return refuse('hiu/unknown-consent')
  const asked = what === 'status' ? await refreshStatus(tx, needs, id) : await fetchAgain(tx, needs, id)
  return isRefusal(asked) ? asked : true
}

async function show(tx: Tx, needs: DeskConsentNeeds, staff: StaffCaller, consent: ConsentView): Promise<DeskConsent> {
  const [patient] = await findPatients(tx, needs, 'abha-address', consent.patient)
  const places = consent.artefacts.map(placeOf)
  const { asked, askedBy } = consent
  const { template } = askedBy ?? {}
  const terms = {
    purpose: asked.purpose,
    hiTypes: asked.hiTypes,
    from: asked.range.from,
    to: asked.range.to,
    keepUntil: asked.dataEraseAt,
    differences: differencesOf(
      asked,
      consent.artefacts.flatMap(({ granted }) => (granted === undefined ? [] : [granted.terms])),
    ),
    ...(template === undefined ? {} : { template }),
    ...(asked.hip === undefined ? {} : { hip: asked.hip }),
  }
  return {
    id: consent.id,
    patient: {
      abhaAddress: consent.patient,
      ...(patient === undefined ? {} : { name: patient.name, reference: patient.reference }),
    },
    status: consent.status,
    askedBy: { name: asked.requester.name, ...(askedBy === undefined ? {} : { role: askedBy.role }) },
    askedAt: consent.askedAt,
    changedAt: consent.changedAt,
    steps: stepsOf({ ...consent, places }),
    ...(seesTerms(staff.role) ? { terms, places } : { places: [] }),
    ...(consent.reason === undefined ? {} : { reason: consent.reason }),
  }
}
