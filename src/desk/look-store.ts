import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import type { Bucket, Id } from '../kernel/id.ts'

type Look = { readonly bucket: Bucket; readonly staff: Id<'staff'>; readonly what: string }

/** When this person last looked at this. */
export async function lastLook(tx: Tx, { bucket, staff, what }: Look): Promise<Date | undefined> {
  const row = await tx.db
    .selectFrom('desk_look')
    .select('at')
    .where('bucket', '=', bucket)
    .where('staff', '=', staff)
    .where('what', '=', pseudonym(what))
    .executeTakeFirst()
  return row?.at
}

export async function saveLook(tx: Tx, _recorded: Recorded<AuditEvent>, look: Look): Promise<void> {
  await tx.db
    .insertInto('desk_look')
    .values({ ...look, what: pseudonym(look.what), at: tx.now })
    .onConflict((c) => c.columns(['bucket', 'staff', 'what']).doUpdateSet({ at: tx.now }))
    .execute()
}

/** Who last looked at what, newest first: pages of patients, and lists. More than `limit` where the last ones are of one moment. */
export async function lastOpenings(
  tx: Tx,
  filter: {
    readonly staff: string | undefined
    readonly from: Date | undefined
    readonly before: Date | undefined
    readonly limit: number
  },
): Promise<readonly { readonly staff: string; readonly what: string; readonly at: Date }[]> {
  const { rows } = await sql<{ staff: string; what: string; at: Date }>`
    /* all buckets: what the staff of the facility opened lately */
    select staff, what, at from desk_look
    where (${filter.staff ?? null}::uuid is null or staff = ${filter.staff ?? null}::uuid)
      and (${filter.from ?? null}::timestamptz is null or at >= ${filter.from ?? null}::timestamptz)
      and (${filter.before ?? null}::timestamptz is null or at < ${filter.before ?? null}::timestamptz)
    order by at desc fetch first ${filter.limit} rows with ties`.execute(tx.db)
  return rows
}

/** The next number for a new patient of a year. */
export async function nextNumber(tx: Tx, year: number): Promise<number> {
  const { rows } = await sql<{ last_number: number }>`
    insert into desk_number (year, last_number) values (${year}, 1)
    on conflict (year) do update set last_number = desk_number.last_number + 1 returning last_number`.execute(tx.db)
  return rows[0]?.last_number ?? 1
}
