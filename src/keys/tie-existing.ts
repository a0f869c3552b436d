import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import { announce, record } from '../audit/record.ts'
import type { Tables } from '../db/tables.generated.ts'
import { TIED_COLUMNS, type TiedRow, type TiedTable, UNTIED, withTie } from '../db/tie.ts'
import { type Machine, transact } from '../db/tx.ts'
import { tied } from '../db/veil.ts'
import type { KeysEvent } from './keys.ts'

const AT_ONCE = 500
/** Where a table begins. */
const START = '(0,0)'

/** What releases tied for the first time, in this order: each is done once in the life of a database. */
const STEPS = {
  'ties.made': [
    'web_session',
    'passkey',
    'sign_in_code',
    'step_up',
    'staff',
    'staff_invitation',
    'staff_sign_in',
    'staff_identity',
    'staff_sso_permit',
    'sso_sign_in',
  ],
  'ties.partners': ['bridge', 'facility', 'partner_client', 'refresh_token'],
  'ties.recovery-codes': ['staff_recovery_code'],
  'ties.confirmations': ['staff_confirmation'],
  'ties.approvals': ['approval_policy'],
} as const satisfies Readonly<Record<string, readonly TiedTable[]>>
type Step = keyof typeof STEPS

/** Beside `keys.json`: which rows of this party's database were tied. Who can only write in the database cannot take that away. */
const markerFile = (keysFolder: string): string => join(keysFolder, 'ties.json')
const marks = z.object({ done: z.array(z.string()).default([]) })

/**
 * Ties what an earlier release wrote, once in the life of a database: what stands there at that start is believed. It is done only when
 * neither the database nor the keys folder says that it was, and the mark in the database is itself a tie: so nobody has a row of hers
 * tied by emptying columns or taking a mark away. A start that is killed half way goes on at the next.
 *
 * Answers the steps that were not done although the database has no mark of them: only the keys folder says that they were.
 */
export async function tieExisting(machine: Machine, keysFolder: string): Promise<readonly string[]> {
  const file = markerFile(keysFolder)
  const { done } = existsSync(file) ? marks.parse(JSON.parse(readFileSync(file, 'utf8'))) : { done: [] }
  const doubtful: string[] = []
  for (const step of Object.keys(STEPS) as Step[]) {
    if (await isMarked(machine, step)) continue
    if (done.includes(step)) doubtful.push(step)
    else await mark(machine, step, await tieTables(machine.db, STEPS[step]))
  }
  const all = Object.keys(STEPS)
  if (all.some((step) => !done.includes(step)))
    writeFileSync(file, `${JSON.stringify({ done: all })}\n`, { mode: 0o600 })
  return doubtful
}

/** Migrations that bring a table with rows to be tied; each takes its mark out of the database when it is undone. */
export const BRINGS_TIES = /_ties_of_|_staff_confirmation/

/** For who undid migrations, and holds the keys: rows that one of them brings again are tied anew at the next start of a newer program. */
export function forgetTies(keysFolder: string, undone: readonly string[]): void {
  if (undone.some((name) => BRINGS_TIES.test(name))) rmSync(markerFile(keysFolder), { force: true })
}

async function isMarked({ db }: Machine, step: Step): Promise<boolean> {
  const { rows } = await sql<{
    mark: string
  }>`select value ->> 'mark' as mark from setting where name = ${step}`.execute(db)
  return rows[0]?.mark === tied(step)
}

async function mark(machine: Machine, step: Step, rows: number): Promise<void> {
  await transact(machine, async (tx) => {
    await sql`insert into setting (name, value, changed_at)
      values (${step}, jsonb_build_object('mark', ${tied(step)}::text), ${tx.now})
      on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at`.execute(tx.db)
    const actor = { kind: 'system', id: 'row-ties' } as const
    await announce(tx, await record(tx, { type: 'keys.rows-tied', actor, step, rows } satisfies KeysEvent))
  })
}

/** Ties every row of every table that never had a tie. */
export async function tieAll(db: Kysely<Tables>): Promise<void> {
  await tieTables(db, Object.keys(TIED_COLUMNS) as TiedTable[])
}

async function tieTables(db: Kysely<Tables>, tables: readonly TiedTable[]): Promise<number> {
  // What is over stays without one.
  await sql`update web_session set tie = ${UNTIED} where tie = '' and ended_at is not null`.execute(db)
  await sql`update staff_invitation set tie = ${UNTIED} where tie = '' and status <> 'open'`.execute(db)
  await sql`update staff_recovery_code set tie = ${UNTIED} where tie = '' and used_at is not null`.execute(db)
  await sql`update refresh_token set tie = ${UNTIED} where tie = '' and used_at is not null`.execute(db)
  let all = 0
  for (const table of tables)
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
