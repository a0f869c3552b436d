import type { Machine } from '../db/tx.ts'
import type { Route } from '../http/route.ts'
import type { Authenticate } from '../http/server.ts'
import { webOriginsOf } from '../http/web-origin.ts'
import type { Chore } from '../jobs/schedule.ts'
import { consoleCheck, mayServeConsole } from './console-guard.ts'
import { consoleRoutes } from './console-routes.ts'
import { makeFlowWatch } from './flow-watch.ts'
import type { SteeredParty } from './party-client.ts'

type Config = Parameters<typeof mayServeConsole>[0] & {
  readonly id: string
  readonly name: string
  readonly sandboxParties: readonly SteeredParty[]
}

const WORD_BYTES = 24

export type SandboxConsole = {
  readonly routes: readonly Route[]
  readonly chore: Chore
  readonly authenticate: Authenticate
}

/** The sandbox console of an exchange; undefined where it may not be served. */
export function makeConsole(config: Config, ground: { readonly machine: Machine }): SandboxConsole | undefined {
  if (!mayServeConsole(config)) return undefined
  const { publicUrl } = config
  const exchange = { id: config.id, name: config.name }
  const parties = config.sandboxParties
  const watch = makeFlowWatch({ machine: ground.machine, exchange, publicUrl, parties })
  // A new one at each start: pages of before ask for it again.
  const word = Buffer.from(ground.machine.random(WORD_BYTES)).toString('base64url')
  return {
    routes: consoleRoutes({ exchange, publicUrl, parties, watch, word }),
    chore: watch.chore,
    authenticate: consoleCheck({ origins: webOriginsOf(publicUrl), word }),
  }
}
