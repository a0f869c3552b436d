import type { Route } from '../http/route.ts'
import type { EmergencyNeeds } from '../incidents/commands.ts'
import { accessLogRoutes } from './access-log-routes.ts'
import { deskConsentRoutes } from './consent-routes.ts'
import type { DeskConsentNeeds } from './consents.ts'
import { deskEmergencyRoutes } from './emergency-routes.ts'
import { deskExportRoutes } from './export-routes.ts'
import { joiningRoutes } from './joining-routes.ts'
import { deskPatientRoutes, type PatientRouteNeeds } from './patient-routes.ts'
import { deskProviderRoutes } from './provider-routes.ts'
import type { DeskReadingNeeds } from './reading.ts'
import { deskReadingRoutes } from './reading-routes.ts'
import { deskVisitRoutes } from './visit-routes.ts'

export type DeskRouteNeeds = PatientRouteNeeds & DeskConsentNeeds & EmergencyNeeds & DeskReadingNeeds

/** The daily work at a facility's desk; who may do what stands in `people/rules.ts`. */
export function deskRoutes(needs: DeskRouteNeeds): readonly Route[] {
  return [
    ...deskPatientRoutes(needs),
    ...deskVisitRoutes(needs),
    ...deskEmergencyRoutes(needs),
    ...joiningRoutes(needs),
    ...deskConsentRoutes(needs),
    ...deskProviderRoutes(needs),
    ...deskReadingRoutes(needs),
    ...deskExportRoutes(needs),
    ...accessLogRoutes(needs),
  ]
}
