import { type Machine, transact } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import type { Chore } from '../jobs/schedule.ts'
import { allBridges } from '../partners/commands.ts'

/** `silent`: it answers, but has no `/health/ready` as ours, so nothing is known; `unknown`: not asked yet. */
export const PARTY_STATES = ['up', 'not-ready', 'down', 'silent', 'unknown'] as const
export type PartyState = (typeof PARTY_STATES)[number]

export type NetworkWatch = {
  readonly chore: Chore
  /** By client id of the bridge. */
  readonly states: () => ReadonlyMap<string, PartyState>
}

const WATCH_EVERY_MS = 3_000
const HEALTH_TIMEOUT_MS = 2_000

/** Asks every active bridge of the sandbox how it is. What it hears is kept in memory only. */
export function makeNetworkWatch(needs: { readonly machine: Machine; readonly outbound: Outbound }): NetworkWatch {
  let states: ReadonlyMap<string, PartyState> = new Map()
  const missed = new Set<string>()
  /** One unanswered call may be a start or a restart under way: the state stays as it was. Two in a row are down. */
  const stateNow = async (clientId: string, url: string): Promise<PartyState> => {
    const heard = await askHealth(needs.outbound, url)
    const isSecondMiss = missed.has(clientId)
    if (heard !== 'down') missed.delete(clientId)
    else missed.add(clientId)
    return heard === 'down' && !isSecondMiss ? (states.get(clientId) ?? 'unknown') : heard
  }
  const run = async (): Promise<void> => {
    const bridges = await transact(needs.machine, allBridges)
    const active = bridges.filter((bridge) => bridge.status === 'active')
    states = new Map(
      await Promise.all(active.map(async ({ clientId, url }) => [clientId, await stateNow(clientId, url)] as const)),
    )
  }
  return { chore: { name: 'watch the network', everyMs: WATCH_EVERY_MS, run }, states: () => states }
}

async function askHealth(outbound: Outbound, base: string): Promise<PartyState> {
  const outcome = await outbound.call({
    method: 'GET',
    url: `${base}/health/ready`,
    headers: { accept: 'application/json' },
    timeoutMs: HEALTH_TIMEOUT_MS,
  })
  switch (outcome.kind) {
    case 'answered':
      return stateOf(outcome.status, outcome.body.toString('utf8'))
    case 'failed':
      return 'down'
    case 'forbidden':
      // We may not call there: whether it runs is not ours to say.
      return 'silent'
  }
}

function stateOf(status: number, body: string): PartyState {
  const said = statusWord(body)
  if (status === 200 && said === 'ready') return 'up'
  return status === 503 && said === 'not ready' ? 'not-ready' : 'silent'
}

function statusWord(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && 'status' in value ? value.status : undefined
  } catch {
    // Somebody else's page: not our words.
    return undefined
  }
}
