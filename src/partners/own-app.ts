import type { FacilityId } from '../kernel/id.ts'

/** Begins the id of an exchange's own patient app; nobody else may register such an id. */
const PREFIX = 'patient-app@'

/** The same for SQL. */
export const OWN_APPS_LIKE = `${PREFIX}%`

/** Under which id the exchange's own patient app asks for records, as a user of records like any other. */
export function ownAppId(exchange: { readonly id: string }): FacilityId {
  return `${PREFIX}${exchange.id}` as FacilityId
}

/**
 * Whether this facility is an exchange's own patient app: what it receives is the patient's own copy, no sharing with somebody. It is
 * told nothing by HTTP, since it is the exchange itself.
 */
export function isOwnApp(facility: string): boolean {
  return facility.startsWith(PREFIX)
}
