import { exchangeRoutes } from '../src/app-exchange.ts'
import { facilityRoutes } from '../src/app-facility.ts'
import { logRoutes, witnessRoutes } from '../src/audit/routes.ts'
import { timestampRoutes } from '../src/audit/timestamp/routes.ts'
import { watchRoutes } from '../src/audit/watch/routes.ts'
import type { Route } from '../src/http/route.ts'
import { keysRoutes } from '../src/keys/routes.ts'
import { auditEventRoutes } from '../src/native/balp/routes.ts'
import { operatorRoutes } from '../src/native/operator-routes.ts'
import { partnerDoorRoutes } from '../src/native/partner-door.ts'
import { partnerOperatorRoutes } from '../src/native/partner-operator-routes.ts'
import { partySandboxRoutes } from '../src/sandbox/party-routes.ts'

/**
 * All routes of a party, to be read and not to be called: route tables only close over their needs. `sandbox`: with what only a sandbox
 * has below the role's own routes.
 */
export function routeTables({ sandbox }: { readonly sandbox: boolean }): {
  readonly everywhere: readonly Route[]
  readonly exchange: readonly Route[]
  readonly facility: readonly Route[]
} {
  const none = { sandbox } as never
  return {
    everywhere: [
      ...logRoutes(none),
      ...timestampRoutes,
      ...witnessRoutes(none),
      ...watchRoutes(none),
      ...auditEventRoutes({ party: {}, ownLog: { signer: { key: {} } } } as never),
      ...operatorRoutes(none),
      ...partnerDoorRoutes(none),
      ...partnerOperatorRoutes(),
      ...keysRoutes(none),
      ...partySandboxRoutes(none),
    ],
    exchange: exchangeRoutes(none),
    facility: facilityRoutes(none),
  }
}
