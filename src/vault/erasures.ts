import { sql } from 'kysely'
import type { KeyShares } from '../crypto/envelope.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { LIMITS } from '../kernel/limits.ts'
import { eraseDataKey, type KeyScope } from './data-keys.ts'

/** An erased key, as far as an old copy of the keys must know of it. Says nothing about anybody. */
export type EndedShare = { readonly share: number; readonly endedAt: Date }

/** Erasures since a moment, from any copy of the database: what {@link applyErasures} does again to old shares. */
export async function listErasures(tx: Tx, since: Date): Promise<readonly EndedShare[]> {
  const rows = await tx.db
    .selectFrom('key_share_end')
    .select(['share', 'ended_at'])
    .where('ended_at', '>=', since)
    .orderBy('share')
    .execute()
  return rows.map(({ share, ended_at }) => ({ share, endedAt: ended_at }))
}

/** Destroys shares again, on the disk when it returns: after an old backup of the keys was put back. */
export function applyErasures(shares: KeyShares, ended: readonly Pick<EndedShare, 'share'>[]): void {
  shares.destroy(ended.map(({ share }) => share))
  shares.flush()
}

/** At the start, before anything is opened: the shares that this database knows to be erased are destroyed, whatever keys were put back. */
export async function eraseAgain(machine: Machine): Promise<void> {
  const ended = await transact(machine, (tx) => listErasures(tx, new Date(0)))
  if (ended.length > 0) applyErasures(machine.keyWrap.shares, ended)
}

/** Forces destroyed shares to the disk, and forgets after a while which they were. */
export async function settleErasures(machine: Machine): Promise<void> {
  await transact(machine, async (tx) => {
    const open = await tx.db.selectFrom('key_share_end').select('share').where('destroyed_at', 'is', null).execute()
    if (open.length > 0) {
      applyErasures(tx.keyWrap.shares, open)
      const shares = open.map(({ share }) => share)
      await tx.db.updateTable('key_share_end').set({ destroyed_at: tx.now }).where('share', 'in', shares).execute()
    }
    const kept = new Date(tx.now.getTime() - LIMITS.shareEndsKeptMs)
    await tx.db.deleteFrom('key_share_end').where('destroyed_at', 'is not', null).where('ended_at', '<', kept).execute()
  })
}

type Place = { readonly bucket: number; readonly patient: string; readonly scope: string }
const FIRST: Place = { bucket: -1, patient: '', scope: '' }

/** Deletes again what a destroyed key had sealed, in the transaction that marks the key. */
export type ForgetAgain = (tx: Tx, erased: { readonly patient: string; readonly scope: KeyScope }) => Promise<void>

/**
 * Finds the keys whose shares were destroyed though their rows are there, as in a copy of the database that is older than the erasure,
 * and marks them erased; `forget` deletes what came back with them. Answers how many.
 */
export async function markErased(machine: Machine, forget: ForgetAgain): Promise<number> {
  let marked = 0
  for (let after: Place | undefined = FIRST; after !== undefined; ) {
    const rows = await transact(machine, (tx) => keysAfter(tx, after ?? FIRST))
    const { shares } = machine.keyWrap
    for (const { patient, scope: name } of rows.filter(({ share }) => shares.read(share) === undefined)) {
      const scope = name as KeyScope
      const isNew = await transact(machine, async (tx) => {
        const isMarked = await eraseDataKey(tx, patient, scope)
        if (isMarked) await forget(tx, { patient, scope })
        return isMarked
      })
      if (isNew) marked++
    }
    after = rows.at(-1)
  }
  return marked
}

async function keysAfter(tx: Tx, after: Place): Promise<readonly (Place & { readonly share: number })[]> {
  const { rows } = await sql<Place & { readonly share: number }>`
    /* all buckets: looks at every key after the start */
    select bucket, patient, scope, share from data_key
    where (bucket, patient, scope) > (${after.bucket}::smallint, ${pseudonym(after.patient)}, ${after.scope}) and share is not null
    order by bucket, patient, scope limit 1000`.execute(tx.db)
  return rows
}
