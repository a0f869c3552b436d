import type { AuditEvent } from '../audit/record.ts'
import type { Id } from '../kernel/id.ts'

export const EVENTS = {
  'access.reported': 'A facility reported that a person there looked at the patient’s records, by what right and why.',
  'access.page-reported':
    'A facility reported that a person there opened the patient’s page; what was read of records is reported by itself.',
} as const

/** Somebody there opened the patient's page. */
export type PageReported = AuditEvent & {
  readonly type: 'access.page-reported'
  readonly patient: string
  readonly facility: string
  readonly facilityName: string
  readonly at: string
}

/** One look at records elsewhere, as the facility reported it: what "who looked at my data" shows. */
export type AccessReported = AuditEvent & {
  readonly type: 'access.reported'
  readonly patient: string
  /** The consent under which the records came; absent for a facility's own. */
  readonly subject?: Id<'artefact'>
  readonly basis?: 'own-care' | 'emergency'
  readonly attending?: boolean
  /** She added herself to those who attend. */
  readonly joined?: true
  /** Taken out as a file. */
  readonly asFile?: true
  readonly facility: string
  readonly facilityName: string
  readonly at: string
  readonly purpose: string
  readonly what: readonly { readonly hiType: string; readonly careContextReference: string }[]
}
