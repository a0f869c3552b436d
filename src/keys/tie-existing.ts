import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { announce, record } from '../audit/record.ts'
import type { Tables } from '../db/tables.generated.ts'
import { TIED_COLUMNS, type TiedRow, type TiedTable, UNTIED, withTie } from '../db/tie.ts'
import { type Machine, transact } from '../db/tx.ts'
import { tied } from '../db/veil.ts'
import type { KeysEvent } from './keys.ts'

const MARKER = 'ties.made'
const AT_ONCE = 500
/** Where a table begins. */
const START = '(0,0)'

/** Beside `keys.json`: that the rows of this party's database were tied. Who can only write in the database cannot take it away. */
const markerFile = (keysFolder: string): string => join(keysFolder, 'ties.json')

/**
 * Ties what an earlier release wrote, once in the life of a database: what stands there at that start is believed. It is done only when
 * neither the database nor the keys folder says that it was, and the mark in the database is itself a tie: so nobody has a row of hers
 * tied by emptying columns or taking a mark away. A start that is killed half way goes on at the next.
 */
export async function tieExisting(machine: Machine, keysFolder: string): Promise<void> {
  const file = markerFile(keysFolder)
  const isKnown = existsSync(file)
  if (!(await isMarked(machine))) {
    const rows = isKnown ? 0 : await tieAll(machine.db)
    await mark(machine, isKnown ? undefined : rows)
  }
  if (!isKnown) writeFileSync(file, `${JSON.stringify({ tiedAt: machine.now().toISOString() })}\n`, { mode: 0o600 })
}

async function isMarked({ db }: Machine): Promise<boolean> {
  const { rows } = await sql<{
    mark: string
  }>`select value ->> 'mark' as mark from setting where name = ${MARKER}`.execute(db)
  return rows[0]?.mark === tied(MARKER)
}

async function mark(machine: Machine, rows: number | undefined): Promise<void> {
  await transact(machine, async (tx) => {
    await sql`insert into setting (name, value, changed_at)
      values (${MARKER}, jsonb_build_object('mark', ${tied(MARKER)}::text), ${tx.now})
      on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at`.execute(tx.db)
    if (rows === undefined) return
    const actor = { kind: 'system', id: 'row-ties' } as const
    await announce(tx, await record(tx, { type: 'keys.rows-tied', actor, rows } satisfies KeysEvent))
  })
}

/** Ties every row that never had a tie; answers how many there were. */
export async function tieAll(db: Kysely<Tables>): Promise<number> {
  // What is over stays without one.
  await sql`update web_session set tie = ${UNTIED} where tie = '' and ended_at is not null`.execute(db)
  await sql`update staff_invitation set tie = ${UNTIED} where tie = '' and status <> 'open'`.execute(db)
  let all = 0
  for (const table of Object.keys(TIED_COLUMNS) as TiedTable[])
    for (let some = await tieTable(db, table); some > 0; some = await tieTable(db, table)) all += some
  return all
}

/** Once through a table, in the order of the places of its rows. */
async function tieTable(db: Kysely<Tables>, table: TiedTable): Promise<number> {
  let count = 0
  for (let after: string | undefined = START; after !== undefined; ) {
    const places: readonly string[] = await tieSome(db, table, after)
    count += places.length
    after = places.at(-1)
  }
  return count
}

async function tieSome(db: Kysely<Tables>, table: TiedTable, after: string): Promise<readonly string[]> {
  const { rows } = await sql<TiedRow<TiedTable> & { readonly place: string }>`
    /* all buckets: whatever has no tie */
    select ctid::text as place, * from ${sql.table(table)} where tie = '' and ctid > ${after}::tid limit ${AT_ONCE}`.execute(
    db,
  )
  if (rows.length === 0) return []
  const places = rows.map(({ place }) => place)
  // A row that was changed meanwhile has another place by now: the next round finds it.
  await sql`/* all buckets: the rows of these places */
    update ${sql.table(table)} as row set tie = to_be.tie
    from unnest(${places}::tid[], ${rows.map((row) => withTie(table, row).tie)}::text[]) as to_be (place, tie)
    where row.ctid = to_be.place and row.tie = ''`.execute(db)
  return places
}
