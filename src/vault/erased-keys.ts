import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import { existingDataKey, type KeyScope } from './data-keys.ts'

export type ErasedKey = { readonly patient: string; readonly scope: KeyScope }

/** Keys that were erased here, newest first: what must stay unreadable in any older copy too. */
export async function erasedKeys(tx: Tx, limit: number): Promise<readonly ErasedKey[]> {
  const { rows } = await sql<ErasedKey>`
    /* all buckets: a drill looks at every erasure */
    select patient, scope from data_key where erased_at is not null order by erased_at desc limit ${limit}`.execute(
    tx.db,
  )
  return rows
}

/** Whether any of the keys still opens in this copy of the database. */
export async function stillOpen(tx: Tx, keys: readonly ErasedKey[]): Promise<number> {
  let open = 0
  for (const { patient, scope } of keys) if ((await existingDataKey(tx, patient, scope)) !== undefined) open++
  return open
}
