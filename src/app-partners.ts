import type { PartyConfig } from './config.ts'
import type { Outbound } from './http/outbound.ts'
import type { Route } from './http/route.ts'
import type { Authenticate } from './http/server.ts'
import { partnerCheck, partnerDoorRoutes } from './native/partner-door.ts'
import { partnerOperatorRoutes } from './native/partner-operator-routes.ts'
import { makePublishedKeys } from './partners/published-keys.ts'
import { covers } from './partners/scope.ts'
import type { PartyKeys } from './vault/key-file.ts'

/** How software of partners comes in, at an exchange and at a facility alike. */
export function partnersOf(
  config: Pick<PartyConfig, 'id' | 'publicUrl'>,
  footing: { readonly keys: PartyKeys; readonly outbound: Outbound; readonly now: () => Date },
): { readonly routes: readonly Route[]; readonly check: Authenticate; readonly covers: typeof covers } {
  const { keys, outbound, now } = footing
  const needs = {
    issuer: config.id,
    signingKey: keys.signing,
    publicUrl: config.publicUrl,
    publishedKeys: makePublishedKeys(outbound, now),
    publicKeys: [
      keys.signing.publicJwk,
      ...(keys.signing.older ?? []),
      ...keys.client.map(({ publicJwk }) => publicJwk),
    ],
  }
  return { routes: [...partnerDoorRoutes(needs), ...partnerOperatorRoutes()], check: partnerCheck(needs), covers }
}
