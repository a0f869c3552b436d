import { createHash } from 'node:crypto'
import { digestOf, isTied, type TiedRow, type TiedTable } from '../../db/tie.ts'
import type { Tx } from '../../db/tx.ts'
import { type AuditEvent, announce, record } from '../record.ts'
import { DATABASE, raiseAlarm } from './alarm.ts'

export type TamperedEvent = AuditEvent & { readonly type: 'credential.tampered'; readonly table: TiedTable }

type Read<Table extends TiedTable> = TiedRow<Table> & { readonly tie: string }

/**
 * The row, if this program wrote it so. One that somebody without the keys added, copied or changed counts as not there, and whoever comes
 * by it raises an alarm and records it, once for each content: nobody who asks learns which of the two it was.
 */
export async function asWritten<Table extends TiedTable, Row extends Read<Table>>(
  tx: Tx,
  table: Table,
  row: Row | undefined,
): Promise<Row | undefined> {
  if (row === undefined || isTied(table, row)) return row
  await reportTampered(tx, table, row)
  return undefined
}

/** {@link asWritten} of each. */
export async function eachAsWritten<Table extends TiedTable, Row extends Read<Table>>(
  tx: Tx,
  table: Table,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const written = rows.filter((row) => isTied(table, row))
  for (const row of rows) if (!written.includes(row)) await reportTampered(tx, table, row)
  return written
}

async function reportTampered<Table extends TiedTable>(tx: Tx, table: Table, row: Read<Table>): Promise<void> {
  const content = createHash('sha256')
    .update(`${digestOf(table, row)}\n${row.tie}`)
    .digest('base64url')
  const name = nameOf(row)
  const isNew = await raiseAlarm(tx, {
    origin: DATABASE,
    own: true,
    kind: 'tampered',
    mark: `${table}\n${content}`,
    detail: `A row of ${table}${name === undefined ? '' : ` (${name})`} was not written by this program: added or changed in the database. Nothing follows from it.`,
  })
  if (!isNew) return
  const actor = { kind: 'system', id: 'row-ties' } as const
  const subject = name === undefined ? {} : { subject: name }
  await announce(
    tx,
    await record(tx, { type: 'credential.tampered', actor, table, ...subject } satisfies TamperedEvent),
  )
}

/** Ids of ours, of facilities and of software; the address of a patient has another form. */
const ID = /^[A-Za-z0-9._-]{1,64}$/

/** The id by which an operator finds the row, or the person of the staff whose it says it is; never a patient. */
function nameOf(row: object): string | undefined {
  const named = row as Readonly<Record<string, unknown>>
  return [named['id'], named['staff'], named['client_id']].find(
    (id): id is string => typeof id === 'string' && ID.test(id),
  )
}
