import { announce, record } from '../audit/record.ts'
import { type Machine, StaleRow, type Tx, transact } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { type FacilityEvent, findFacility, findOnTrial, lockFacility, saveFacility } from './store.ts'

const AT_ONCE = 100
const ACTOR = { kind: 'system', id: 'end-of-trials' } as const

/**
 * At each start of a network that is no sandbox, before anybody is answered: who took part on trial while it was one waits for an operator.
 * A start that is killed half way goes on at the next. Answers how many there were.
 */
export async function endTrials(machine: Machine): Promise<number> {
  let ended = 0
  for (let after: FacilityId | undefined; ; ) {
    const batch: readonly FacilityId[] = await transact(machine, (tx) => findOnTrial(tx, after, AT_ONCE))
    for (const id of batch) if (await transact(machine, (tx) => endTrial(tx, id))) ended += 1
    after = batch.at(-1)
    if (after === undefined) return ended
  }
}

/** False when it is not on trial any more, or somebody changed its row in the database: then it is none anyway. */
async function endTrial(tx: Tx, id: FacilityId): Promise<boolean> {
  const stored = await lockFacility(tx, id)
  const facility = await findFacility(tx, id)
  if (stored === undefined || stored === 'changed' || facility === undefined || stored.status !== 'trial') return false
  const status = 'unconfirmed'
  const recorded = await record(tx, {
    type: 'partners.trial-ended',
    actor: ACTOR,
    subject: id,
    bridge: stored.bridge,
    roles: facility.roles,
    name: facility.name,
    status,
  } satisfies FacilityEvent & Record<string, unknown>)
  if (!(await saveFacility(tx, recorded, stored, { ...facility, status }))) throw new StaleRow('changed meanwhile')
  await announce(tx, recorded)
  return true
}
