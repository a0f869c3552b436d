import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { Facility } from '../partners/bridge.ts'
import { facilityById, listFacilities, shutOutFacilities } from '../partners/commands.ts'
import { type Flow, type Lane, makeFlow, OUTSIDE, PATIENTS } from './flow.ts'
import { deliveryLog } from './messages.ts'
import { askParty, type SteeredParty } from './party-client.ts'

/** Told to open consoles when there is something new to see. */
const FLOW_CHANGED = 'sandbox.flow'

export type FlowWatch = {
  readonly flow: Flow
  readonly chore: Chore
  /** Somebody looks: the parties are followed for a while, and have been read when this returns. */
  readonly look: () => Promise<void>
}

type Needs = {
  readonly machine: Machine
  readonly exchange: { readonly id: string; readonly name: string }
  readonly publicUrl: string
  readonly parties: readonly SteeredParty[]
}

const FOLLOW_EVERY_MS = 700
/** How long the parties are followed after somebody looked last. */
const LOOKED_MS = 20_000
/** Two messages may be written down at once and be seen in the other order: each turn looks back a little. */
const LOOK_BACK = 40

/** Follows the delivery logs of all parties of the sandbox while somebody looks at them. */
export function makeFlowWatch(needs: Needs): FlowWatch {
  const flow = makeFlow(LIMITS.flowMessagesMax)
  const newest = new Map<string, number>()
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | undefined
  const readOne = async (party: SteeredParty, lanes: readonly Lane[]): Promise<boolean> => {
    const last = newest.get(party.id)
    const after = last === undefined ? '' : `&after=${Math.max(0, last - LOOK_BACK)}`
    const answer = await askParty(party, `/v1/messages?limit=${LIMITS.flowPageMax}${after}`)
    const written = isRefusal(answer) ? undefined : deliveryLog.safeParse(answer.body)
    // A party that is stopped or does not say stays as it was seen last.
    if (written?.data === undefined) return false
    newest.set(party.id, Math.max(last ?? 0, ...written.data.map(({ seq }) => seq)))
    return flow.add(party.id, lanes, written.data)
  }
  const read = async (): Promise<void> => {
    const lanes = await transact(needs.machine, (tx) => readLanes(tx, needs))
    const news = await Promise.all(needs.parties.map((party) => readOne(party, lanes)))
    if (news.some(Boolean)) needs.machine.changes.publish({ type: FLOW_CHANGED })
  }
  const refresh = (): Promise<void> => (underWay ??= read().finally(() => (underWay = undefined)))
  return {
    flow,
    chore: {
      name: 'follow the sandbox',
      everyMs: FOLLOW_EVERY_MS,
      run: async () => {
        if (performance.now() - lookedAtMs < LOOKED_MS) await refresh()
      },
    },
    look: async () => {
      const isFirst = performance.now() - lookedAtMs >= LOOKED_MS
      lookedAtMs = performance.now()
      if (isFirst) await refresh()
    },
  }
}

/**
 * The exchange, the facilities that take part, those that were shut out behind them, and those who are no party: patients' apps, and whoever
 * stands outside. Facilities that the console steers are there however many others there are.
 */
export async function readLanes(
  tx: Tx,
  needs: Pick<Needs, 'exchange' | 'publicUrl' | 'parties'>,
): Promise<readonly Lane[]> {
  const steered = await steeredFacilities(tx, needs.parties)
  const byId = (all: readonly Facility[]) => [...new Map(all.map((one) => [one.id, one])).values()]
  const takingPart = byId([...steered.filter(({ status }) => status === 'active'), ...(await listFacilities(tx))])
  const out = byId([...steered.filter(({ standing }) => standing === 'shut-out'), ...(await shutOutFacilities(tx))])
  const own = new Set<string>(steered.map(({ id }) => id))
  return [
    { id: needs.exchange.id, name: needs.exchange.name, kind: 'exchange', url: needs.publicUrl },
    ...byPort(takingPart, own),
    ...byPort(out, own),
    { id: PATIENTS, name: '', kind: 'patients' },
    { id: OUTSIDE, name: '', kind: 'outside' },
  ]
}

async function steeredFacilities(tx: Tx, parties: readonly SteeredParty[]): Promise<readonly Facility[]> {
  const found: Facility[] = []
  for (const party of parties) {
    const id = parseFacilityId(party.id)
    const facility = id && (await facilityById(tx, id))
    if (facility !== undefined) found.push(facility)
  }
  return found
}

function byPort(facilities: readonly Facility[], steered: ReadonlySet<string>): readonly Lane[] {
  return facilities
    .map(({ id, name, bridge, shutOutAt }): Lane => {
      const out = shutOutAt === undefined ? {} : { shutOutAt }
      const { url, clientId } = bridge
      return { id, name, kind: 'facility', url, clientId, isSteered: steered.has(id), ...out }
    })
    .toSorted((a, b) => (a.url ?? '').localeCompare(b.url ?? '', 'en', { numeric: true }))
}
