import { LIMITS } from '../kernel/limits.ts'

/** What tokens of partners may open (SMART App Launch 2.2, scopes version 2); each route names one. */
export const PARTNER_SCOPES = {
  'system/Consent.rs': 'See how the consents of its own facilities stand, and ask what may be shared',
  'system/AuditEvent.rs': 'Fetch receipts of what its own facilities received, sent or did',
  'system/AuditEvent.c': 'Report who looked at records, and that copies are erased',
  'system/Consent.c': 'Open records in an emergency',
  'system/Communication.c': 'Answer questions of patients',
} as const

/** What a facility of ours needs to report to its exchange. */
export const REPORT_SCOPES = [
  'system/AuditEvent.c',
  'system/Consent.c',
  'system/Communication.c',
] as const satisfies readonly (keyof typeof PARTNER_SCOPES)[]

/** `system/`, a resource type or `*`, and rights out of create, read, update, delete, search, in this order. */
const SCOPE = /^system\/(\*|[A-Z][A-Za-z]{1,40})\.(?=[cruds])(c?r?u?d?s?)$/

/** Reads scopes as a token request has them, with blanks between; undefined when one is malformed, none is there, or too many. */
export function parseScopes(text: string): readonly string[] | undefined {
  const scopes = [...new Set(text.split(' ').filter((one) => one !== ''))]
  return scopes.length > 0 && scopes.length <= LIMITS.scopesMax && scopes.every(isScope) ? scopes : undefined
}

export function isScope(text: string): boolean {
  return SCOPE.test(text)
}

/** Whether scopes together permit all that `wanted` asks: `system/*.rs` covers `system/Consent.r`. */
export function covers(held: readonly string[], wanted: string): boolean {
  const [, type = '', rights = ''] = SCOPE.exec(wanted) ?? []
  if (rights === '') return false
  const mine = held.flatMap((scope) => {
    const [, heldType, heldRights = ''] = SCOPE.exec(scope) ?? []
    return heldType === '*' || heldType === type ? heldRights.split('') : []
  })
  return rights.split('').every((right) => mine.includes(right))
}
