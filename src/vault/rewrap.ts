import { sql } from 'kysely'
import { sealByShare, type WrappedKey } from '../crypto/envelope.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Keyring } from './key-wrap.ts'
import { takeShare } from './share-numbers.ts'

/** Saves a key that was wrapped anew; false when its row was changed meanwhile: erased, or done by somebody else. */
export type SaveRewrapped = (tx: Tx) => Promise<boolean>

/** Rows of a table that hold wrapped keys. */
export type WrappedStore = {
  /** How many keys each version of a wrapping key wrapped. */
  readonly count: (tx: Tx) => Promise<readonly WrapCount[]>
  readonly wrapIds: (tx: Tx) => Promise<readonly string[]>
  /** Wraps anew some keys that are not wrapped by `current`, away from any transaction; none when all are. */
  readonly rewrapSome: (machine: Machine, keyring: Keyring, current: string) => Promise<readonly SaveRewrapped[]>
}

export type WrapCount = { readonly wrapId: string; readonly keys: number }

/** The data keys of patients, copies and requests. Those of the first version get their share on the way. */
export function dataKeyStore(): WrappedStore {
  // New rows always have a share: once there is none without, there never is again.
  let mayLackShares = true
  return {
    count: countKeys,
    wrapIds: wrapIdsInUse,
    rewrapSome: async (machine, keyring, current) => {
      const rows = await transact(machine, async (tx) => {
        const [stale] = (await wrapIdsInUse(tx)).filter((wrapId) => wrapId !== current)
        if (stale !== undefined) return keysWrappedBy(tx, stale)
        const without = mayLackShares ? await keysWithoutShare(tx) : []
        mayLackShares = without.length > 0
        return without
      })
      return eachAtOnce(rows, (row) => rewrapRow(machine, keyring, row))
    },
  }
}

type Row = {
  readonly bucket: number
  readonly patient: string
  readonly scope: string
  readonly wrapped: Buffer
  readonly share: number | null
}

async function rewrapRow(machine: Machine, keyring: Keyring, row: Row): Promise<SaveRewrapped> {
  if (row.share !== null) return saveRow(row, await keyring.rewrap(row.wrapped), row.share)
  const key = await keyring.unwrap(row.wrapped)
  const { number, share } = await transact(machine, takeShare)
  return saveRow(row, await keyring.wrap(sealByShare(share, number, key, machine.random)), number)
}

function saveRow(row: Row, { wrapId, blob }: WrappedKey, share: number): SaveRewrapped {
  return async (tx) => {
    const { numUpdatedRows } = await tx.db
      .updateTable('data_key')
      .set({ wrapped: blob, key_wrap_id: wrapId, share })
      .where('bucket', '=', row.bucket)
      .where('patient', '=', pseudonym(row.patient))
      .where('scope', '=', row.scope)
      .where('wrapped', '=', row.wrapped)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }
}

/** Not too many calls of a key service at the same time. */
export async function eachAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (let from = 0; from < items.length; from += LIMITS.rewrapsAtOnceMax)
    results.push(...(await Promise.all(items.slice(from, from + LIMITS.rewrapsAtOnceMax).map(work))))
  return results
}

async function keysWrappedBy(tx: Tx, wrapId: string): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`
    /* all buckets: keys are wrapped anew, whosever they are */
    select bucket, patient, scope, wrapped, share from data_key where key_wrap_id = ${wrapId} and wrapped is not null
    order by bucket, patient, scope limit ${LIMITS.rewrapBatchMax}`.execute(tx.db)
  return rows
}

async function keysWithoutShare(tx: Tx): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`
    /* all buckets: keys of the first version get their share */
    select bucket, patient, scope, wrapped, share from data_key where share is null and wrapped is not null
    limit ${LIMITS.rewrapBatchMax}`.execute(tx.db)
  return rows
}

/** The versions of wrapping keys that wrapped any data key: jumps from one to the next in the index, however many rows there are. */
export async function wrapIdsInUse(tx: Tx): Promise<readonly string[]> {
  const { rows } = await sql<{ wrapId: string }>`
    /* all buckets: which versions of the wrapping key are in use */
    with recursive ids as (
      (select key_wrap_id from data_key where wrapped is not null order by key_wrap_id limit 1)
      union all
      select (select key_wrap_id from data_key where wrapped is not null and key_wrap_id > ids.key_wrap_id
              order by key_wrap_id limit 1)
      from ids where ids.key_wrap_id is not null
    )
    select key_wrap_id as "wrapId" from ids where key_wrap_id is not null`.execute(tx.db)
  return rows.map(({ wrapId }) => wrapId)
}

async function countKeys(tx: Tx): Promise<readonly WrapCount[]> {
  const { rows } = await sql<WrapCount>`
    /* all buckets: how many keys each version of the wrapping key wrapped */
    select key_wrap_id as "wrapId", count(*) as keys from data_key where wrapped is not null
    group by key_wrap_id order by key_wrap_id`.execute(tx.db)
  return rows
}
