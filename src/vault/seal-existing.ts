import { sql } from 'kysely'
import { ONCE_PLAIN_COLUMNS, type SealedColumn } from '../db/at-rest.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { sealJson } from './sealed-json.ts'

const DONE = 'vault.columns'
const AT_ONCE = 200

/**
 * Seals under the patients' keys what an earlier release wrote in plain, once in the life of a database, before anything else reads it.
 * A batch is one transaction, so a start that is killed half way goes on at the next. What is sealed begins with a byte 1, text never.
 */
export async function sealExisting(machine: Machine): Promise<void> {
  const done = await machine.db.selectFrom('setting').select('name').where('name', '=', DONE).executeTakeFirst()
  if (done !== undefined) return
  let values = 0
  for (const column of ONCE_PLAIN_COLUMNS) {
    for (let some = AT_ONCE; some === AT_ONCE; values += some)
      some = await transact(machine, (tx) => sealSome(tx, column))
  }
  await machine.db
    .insertInto('setting')
    .values({ name: DONE, value: JSON.stringify({ values }), changed_at: machine.now() })
    .onConflict((c) => c.column('name').doNothing())
    .execute()
}

type Row = { readonly bucket: number; readonly id: string; readonly patient: string; readonly plain: Buffer }

async function sealSome(tx: Tx, { table, column, row: key, patient, was }: SealedColumn): Promise<number> {
  const [name, at, id] = [sql.table(table), sql.ref(column), sql.ref(key)]
  const { rows } = await sql<Row>`
    /* all buckets: whatever stands in plain */
    select bucket, ${id} as id, ${sql.ref(patient)} as patient, ${at} as plain from ${name}
    where ${at} is not null and substring(${at} from 1 for 1) <> '\\x01'::bytea limit ${AT_ONCE} for update`.execute(
    tx.db,
  )
  for (const row of rows) {
    const text = row.plain.toString('utf8')
    const value =
      table === 'consent_artefact' ? await signedOf(tx, row, text) : was === 'json' ? JSON.parse(text) : text
    const blob = await sealJson(tx, { table, column, row: row.id, patient: row.patient }, value)
    await sql`update ${name} set ${at} = ${blob} where bucket = ${row.bucket} and ${id} = ${row.id}`.execute(tx.db)
  }
  return rows.length
}

/** The detail of an artefact is sealed together with its signature. */
async function signedOf(tx: Tx, { bucket, id }: Row, text: string): Promise<object> {
  const row = await tx.db
    .selectFrom('consent_artefact')
    .select('signature')
    .where('bucket', '=', bucket)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  await tx.db
    .updateTable('consent_artefact')
    .set({ signature: null })
    .where('bucket', '=', bucket)
    .where('id', '=', id)
    .execute()
  return { text, signature: row.signature ?? '' }
}
