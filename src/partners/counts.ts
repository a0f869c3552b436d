import type { Tx } from '../db/tx.ts'
import { TAKES_PART } from './store.ts'

/** How many facilities take part. */
export async function countFacilities(tx: Tx): Promise<number> {
  const { count } = await tx.db
    .selectFrom('facility')
    .innerJoin('bridge', 'bridge.client_id', 'facility.bridge')
    .select((e) => e.fn.countAll<string>().as('count'))
    .where('facility.status', 'in', [...TAKES_PART])
    .where('bridge.status', '=', 'active')
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** How many services wait to be confirmed. */
export async function countUnconfirmed(tx: Tx): Promise<number> {
  const { count } = await tx.db
    .selectFrom('facility')
    .select((e) => e.fn.countAll<string>().as('count'))
    .where('status', 'in', ['unconfirmed', 'trial'])
    .executeTakeFirstOrThrow()
  return Number(count)
}
