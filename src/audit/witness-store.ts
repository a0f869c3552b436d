import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'

type Db = Kysely<Tables>

/** How far one witness of our log has come: the size it last told or cosigned, and whether we hold its cosignature at `latest`. */
export async function witnessState(
  db: Db,
  name: string,
  latest: number,
): Promise<{ size: number; hasLatest: boolean }> {
  const row = await db.selectFrom('log_witness').select('size').where('name', '=', name).executeTakeFirst()
  const cosignature = await db
    .selectFrom('log_cosignature')
    .select('size')
    .where('size', '=', latest)
    .where('witness', '=', name)
    .executeTakeFirst()
  return { size: row?.size ?? 0, hasLatest: cosignature !== undefined }
}

/** Keeps a verified signature line, and that the witness has come so far. */
export async function saveCosignature(tx: Tx, witness: string, size: number, line: string): Promise<void> {
  await tx.db
    .insertInto('log_cosignature')
    .values({ size, witness, line, received_at: tx.now })
    .onConflict((c) => c.columns(['size', 'witness']).doUpdateSet({ line, received_at: tx.now }))
    .execute()
  await saveWitnessSize(tx, witness, size)
}

/** The witness told us its size: all is well with it. */
export async function saveWitnessSize(tx: Tx, name: string, size: number): Promise<void> {
  const row = { size, fault: null, changed_at: tx.now }
  await tx.db
    .insertInto('log_witness')
    .values({ name, ...row })
    .onConflict((c) => c.column('name').doUpdateSet(row))
    .execute()
}

/** The witness did not cosign, and why. */
export async function saveWitnessFault(tx: Tx, name: string, fault: string): Promise<void> {
  await tx.db
    .insertInto('log_witness')
    .values({ name, size: 0, fault, changed_at: tx.now })
    .onConflict((c) => c.column('name').doUpdateSet({ fault, changed_at: tx.now }))
    .execute()
}

/** Every witness that was ever asked: for health, metrics and the operator. */
export async function readWitnesses(
  db: Db,
): Promise<readonly { name: string; size: number; fault: string | null; changedAt: Date }[]> {
  const rows = await db.selectFrom('log_witness').selectAll().orderBy('name').execute()
  return rows.map(({ name, size, fault, changed_at }) => ({ name, size, fault, changedAt: changed_at }))
}
