import { sameBytes } from '../crypto/merkle.ts'
import { decodeBundle, TILE_WIDTH } from '../crypto/tiles.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Id } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { existingPatientKey } from '../vault/data-keys.ts'
import { commitmentOf, entryBytes } from './entry.ts'
import { type OpenedEvent, openBody, patientTag } from './record.ts'
import { type EventRow, findEvent, findEventsAbout, findLeafIndex, findLeaves, findTile } from './store.ts'

const ROWS_AT_ONCE = 500

/** What is wrong with the row of one leaf. */
export type RowFault = {
  readonly index: number
  readonly event: Id<'event'>
  readonly what: 'row is gone' | 'row was changed' | 'leaf names no event'
}

export type RowCheck = {
  /** Rows whose commitment was compared with their leaf. */
  readonly checked: number
  /** Rows about patients: they are there, and {@link checkRowsAbout} compares them with the patient's key. */
  readonly sealed: number
  readonly faults: readonly RowFault[]
}

/** Compares the events of leaves `start` to `end` (excluded) with the entries in the tree. */
export async function checkRows(tx: Tx, start: number, end: number): Promise<RowCheck> {
  const faults: RowFault[] = []
  const entries = entryReader(tx)
  let checked = 0
  let sealed = 0
  const leaves = await findLeaves(tx.db, start, end)
  const named = new Set(leaves.map(({ index }) => index))
  for (let index = start; index < end; index++)
    if (!named.has(index)) faults.push({ index, event: nobody(index), what: 'leaf names no event' })
  for (const { index, event } of leaves) {
    const row = await findEvent(tx.db, event)
    if (row === undefined) faults.push({ index, event, what: 'row is gone' })
    else if (row.patientTag !== null) sealed++
    else if (isEntry(row, openBody(row.id, row.body), await entries(index))) checked++
    else faults.push({ index, event, what: 'row was changed' })
  }
  return { checked, sealed, faults }
}

/** The same for all events about one patient; those that still wait for their leaf only have to open. */
export async function checkRowsAbout(tx: Tx, patient: string): Promise<RowCheck> {
  const key = await existingPatientKey(tx, patient)
  if (key === undefined) return { checked: 0, sealed: 0, faults: [] }
  const faults: RowFault[] = []
  const entries = entryReader(tx)
  let checked = 0
  for await (const row of rowsAbout(tx, patient, patientTag(key, patient))) {
    checked++
    const index = await findLeafIndex(tx.db, row.id)
    const opened = openBody(row.id, row.body, { key, patient })
    const isWell = index === undefined ? opened?.event.type === row.type : isEntry(row, opened, await entries(index))
    if (!isWell) faults.push({ index: index ?? -1, event: row.id, what: 'row was changed' })
  }
  return { checked: checked - faults.length, sealed: 0, faults }
}

async function* rowsAbout(tx: Tx, patient: string, tag: Uint8Array): AsyncGenerator<EventRow> {
  let before: EventRow['id'] | undefined
  for (;;) {
    const rows = await findEventsAbout(tx.db, bucketOf(patient), tag, {
      limit: ROWS_AT_ONCE,
      ...(before === undefined ? {} : { before }),
    })
    yield* rows
    before = rows.at(-1)?.id
    if (rows.length < ROWS_AT_ONCE) return
  }
}

/** Its type stands beside it, so that it is found: under another one it would not be. */
function isEntry(row: EventRow, opened: OpenedEvent | undefined, entry: Uint8Array | undefined): boolean {
  if (opened === undefined || entry === undefined || opened.event.type !== row.type) return false
  return sameBytes(entryBytes(commitmentOf(opened.salt, opened.committed)), entry)
}

/** In place of the id of an event that nobody knows any more. */
function nobody(index: number): Id<'event'> {
  return `00000000-0000-0000-0000-${index.toString(16).padStart(12, '0')}` as Id<'event'>
}

/** Reads entries by index, each bundle once. */
function entryReader(tx: Tx): (index: number) => Promise<Uint8Array | undefined> {
  const seen = new Map<number, readonly Uint8Array[]>()
  return async (index) => {
    const bundle = Math.floor(index / TILE_WIDTH)
    const known = seen.get(bundle)
    if (known) return known[index % TILE_WIDTH]
    const decoded = decodeBundle((await findTile(tx.db, 'entries', bundle)) ?? new Uint8Array(0))
    const entries = isRefusal(decoded) ? [] : decoded
    seen.set(bundle, entries)
    return entries[index % TILE_WIDTH]
  }
}
