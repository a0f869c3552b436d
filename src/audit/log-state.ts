import type { Tx } from '../db/tx.ts'

export type LogState = {
  readonly entries: number
  /** When the newest checkpoint was signed, and how many witnesses have cosigned it so far. */
  readonly signedAt: Date
  readonly cosignedBy: number
}

/** How far our own log is; undefined while it is empty. */
export async function readLogState(tx: Tx): Promise<LogState | undefined> {
  const newest = await tx.db
    .selectFrom('log_checkpoint')
    .select(['size', 'signed_at'])
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (newest === undefined) return undefined
  const lines = await tx.db.selectFrom('log_cosignature').select('witness').where('size', '=', newest.size).execute()
  return { entries: newest.size, signedAt: newest.signed_at, cosignedBy: lines.length }
}
