import type { Kysely } from 'kysely'
import pg from 'pg'
import { z } from 'zod'
import type { Recorded } from '../audit/record.ts'
import type { Tables } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import type { LastRun, RecoveryEvent, RestoredNote } from './recovery.ts'

const RESTORED = 'recovery.restored'
const NAMES = { 'backup.taken': 'recovery.backup', 'recovery.drilled': 'recovery.drill' } as const

const restoredSchema = z.object({
  backup: z.string(),
  restoredAt: z.string(),
  reachedAt: z.string().nullable(),
  differences: z.number(),
})
const lastRunSchema = z.object({ at: z.string(), passed: z.boolean() })

/** The note of a restore that waits for its operator; undefined in ordinary life. */
export async function readRestoredNote(db: Kysely<Tables>): Promise<RestoredNote | undefined> {
  const value = await readSetting(db, RESTORED)
  return value === undefined ? undefined : restoredSchema.parse(value)
}

/** Writes the note into a restored database in which no party runs yet. Nothing is recorded: its log must not grow before it is confirmed. */
export async function markRestored(url: string, note: RestoredNote): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'amanat restore' })
  await client.connect()
  try {
    await client.query(
      `insert into setting (name, value, changed_at) values ($1, $2, $3)
       on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at`,
      [RESTORED, JSON.stringify(note), note.restoredAt],
    )
  } finally {
    await client.end()
  }
}

export async function removeRestoredNote(tx: Tx, _recorded: Recorded<RecoveryEvent>): Promise<void> {
  await tx.db.deleteFrom('setting').where('name', '=', RESTORED).execute()
}

/** Remembers when the last backup or drill was, for metrics and the schedule. */
export async function saveLastRun(tx: Tx, { event }: Recorded<RecoveryEvent>): Promise<void> {
  if (event.type !== 'backup.taken' && event.type !== 'recovery.drilled') return
  const passed = event.type === 'backup.taken' || event.passed
  const set = { value: JSON.stringify({ at: tx.now.toISOString(), passed }), changed_at: tx.now }
  await tx.db
    .insertInto('setting')
    .values({ name: NAMES[event.type], ...set })
    .onConflict((c) => c.column('name').doUpdateSet(set))
    .execute()
}

export async function readLastRun(db: Kysely<Tables>, type: keyof typeof NAMES): Promise<LastRun | undefined> {
  const value = await readSetting(db, NAMES[type])
  if (value === undefined) return undefined
  const { at, passed } = lastRunSchema.parse(value)
  return { at: new Date(at), passed }
}

async function readSetting(db: Kysely<Tables>, name: string): Promise<unknown> {
  const row = await db.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirst()
  return row?.value
}
