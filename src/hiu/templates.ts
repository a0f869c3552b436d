import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import type { Frequency } from '../policy/frequency.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import type { ConsentAsk, Requester, Terms } from './hiu.ts'

/**
 * What is asked of a patient for one kind of work: no more types, years and days than that work needs (DPDP s.6(1)). The desk asks from
 * these alone; its words for them stand under `consents.template.<id>`.
 */
export type Template = {
  readonly id: string
  readonly roles: readonly StaffRole[]
  readonly purpose: PurposeCode
  readonly hiTypes: readonly HiType[]
  readonly lookBackDays: number
  readonly keepDays: number
  readonly frequency: Frequency
}

const once: Frequency = { unit: 'HOUR', value: 1, repeats: 1 }
const daily: Frequency = { unit: 'DAY', value: 1, repeats: 2 }
const YEAR_DAYS = 365

export const TEMPLATES = [
  {
    id: 'first-consultation',
    roles: ['doctor'],
    purpose: 'CAREMGT',
    hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport', 'DischargeSummary', 'ImmunizationRecord'],
    lookBackDays: 5 * YEAR_DAYS,
    keepDays: 30,
    frequency: daily,
  },
  {
    id: 'diabetes-follow-up',
    roles: ['doctor', 'nurse'],
    purpose: 'CAREMGT',
    hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport', 'WellnessRecord'],
    lookBackDays: 2 * YEAR_DAYS,
    keepDays: 90,
    frequency: daily,
  },
  {
    id: 'before-surgery',
    roles: ['doctor', 'nurse'],
    purpose: 'CAREMGT',
    hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport', 'DischargeSummary'],
    lookBackDays: 3 * YEAR_DAYS,
    keepDays: 30,
    frequency: daily,
  },
  {
    id: 'vaccinations',
    roles: ['doctor', 'nurse'],
    purpose: 'CAREMGT',
    hiTypes: ['ImmunizationRecord'],
    lookBackDays: 18 * YEAR_DAYS,
    keepDays: 7,
    frequency: once,
  },
  {
    id: 'lab-history',
    roles: ['lab'],
    purpose: 'CAREMGT',
    hiTypes: ['DiagnosticReport'],
    lookBackDays: 2 * YEAR_DAYS,
    keepDays: 7,
    frequency: once,
  },
  {
    id: 'pharmacy-interactions',
    roles: ['pharmacy'],
    purpose: 'CAREMGT',
    hiTypes: ['Prescription'],
    lookBackDays: YEAR_DAYS,
    keepDays: 1,
    frequency: once,
  },
  {
    id: 'claim',
    roles: ['billing'],
    purpose: 'HPAYMT',
    hiTypes: ['Invoice', 'DischargeSummary', 'DiagnosticReport', 'Prescription'],
    lookBackDays: YEAR_DAYS,
    keepDays: 180,
    frequency: once,
  },
  {
    id: 'pre-authorisation',
    roles: ['billing'],
    purpose: 'HPAYMT',
    hiTypes: ['OPConsultation', 'DiagnosticReport', 'Prescription'],
    lookBackDays: YEAR_DAYS,
    keepDays: 30,
    frequency: once,
  },
  {
    id: 'public-health-report',
    roles: ['doctor', 'lab'],
    purpose: 'PUBHLTH',
    hiTypes: ['DiagnosticReport', 'ImmunizationRecord'],
    lookBackDays: YEAR_DAYS,
    keepDays: 30,
    frequency: once,
  },
] as const satisfies readonly Template[]

export type TemplateId = (typeof TEMPLATES)[number]['id']

/** The templates of a role: nobody asks for what is another's work. */
export function templatesOf(role: StaffRole): readonly (Template & { readonly id: TemplateId })[] {
  const all: readonly (Template & { readonly id: TemplateId })[] = TEMPLATES
  return all.filter(({ roles }) => roles.includes(role))
}

/** What the person changed before asking: only less than the template. */
export type Adjustment = {
  readonly hiTypes?: readonly HiType[] | undefined
  readonly lookBackDays?: number | undefined
  readonly keepDays?: number | undefined
  readonly hip?: Terms['hip'] | undefined
}

const DAY_MS = 86_400_000

/**
 * The terms that a template asks for now, cut down by `adjustment`. Refuses a template of another role (`hiu/unknown-template`) and
 * whatever would widen it (`hiu/invalid-terms`, with the field).
 */
export function askFrom(
  template: string,
  role: StaffRole,
  whom: { readonly patient: AbhaAddress; readonly requester: Requester },
  adjustment: Adjustment,
  now: Date,
): ConsentAsk | Refusal {
  const found = templatesOf(role).find(({ id }) => id === template)
  if (found === undefined) return refuse('hiu/unknown-template', undefined, 'template')
  const { hiTypes = found.hiTypes, lookBackDays = found.lookBackDays, keepDays = found.keepDays, hip } = adjustment
  const extra = hiTypes.filter((type) => !found.hiTypes.includes(type))
  if (extra.length > 0)
    return refuse('hiu/invalid-terms', `This template does not ask for ${extra.join(', ')}.`, 'hiTypes')
  if (hiTypes.length === 0) return refuse('hiu/invalid-terms', 'Ask for one kind of record at least.', 'hiTypes')
  if (lookBackDays > found.lookBackDays)
    return refuse('hiu/invalid-terms', `This template looks back ${found.lookBackDays} days at most.`, 'lookBackDays')
  if (keepDays > found.keepDays)
    return refuse('hiu/invalid-terms', `This template keeps records ${found.keepDays} days at most.`, 'keepDays')
  return {
    ...whom,
    purpose: found.purpose,
    hiTypes: found.hiTypes.filter((type) => hiTypes.includes(type)),
    range: { from: new Date(now.getTime() - lookBackDays * DAY_MS), to: now },
    dataEraseAt: new Date(now.getTime() + keepDays * DAY_MS),
    frequency: found.frequency,
    accessMode: 'VIEW',
    careContexts: [],
    ...(hip === undefined ? {} : { hip }),
  }
}

/** Who keeps the register in which a role's professionals have their number. */
const REGISTERS: Partial<Record<StaffRole, string>> = {
  doctor: 'https://www.nmc.org.in',
  nurse: 'https://www.indiannursingcouncil.org',
  pharmacy: 'https://www.pci.nic.in',
}

/** The signed-in person, as the patient will read who asks. */
export function requesterOf(staff: {
  readonly name: string
  readonly role: StaffRole
  readonly registration?: string
}): Requester {
  const system = REGISTERS[staff.role]
  if (staff.registration === undefined) return { name: staff.name }
  return {
    name: staff.name,
    registrationNumber: staff.registration,
    ...(system === undefined ? {} : { registrationSystem: system }),
  }
}
