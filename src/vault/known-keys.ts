import { type KeyWrap, openByShare } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'

/** A data key as its row has it. */
export type KeyRow = { readonly wrapped: Uint8Array; readonly share: number | null }

/** A patient's key by the row that was read before: it may be used only for what the database stores while its row still has these bytes. */
export type GuessedKey = { readonly key: Uint8Array; readonly wrapped: Uint8Array }

const ROWS_MAX = 20_000
const rowsOf = new WeakMap<KeyWrap, Map<string, KeyRow>>()

/** Remembers the row of a patient's key. What is remembered is wrapped, and opens only with its share. */
export function rememberKeyRow(tx: Tx, patient: string, row: KeyRow): void {
  const rows = rowsOf.get(tx.keyWrap) ?? new Map<string, KeyRow>()
  rowsOf.set(tx.keyWrap, rows)
  if (rows.size >= ROWS_MAX) for (const oldest of rows.keys()) if (rows.delete(oldest)) break
  // A copy: what comes from the database is a window into the packet that it came in, 64 KB, which it would keep.
  rows.set(patient, { ...row, wrapped: new Uint8Array(row.wrapped) })
}

export function forgetKeyRow(tx: Tx, patient: string): void {
  rowsOf.get(tx.keyWrap)?.delete(patient)
}

/** The patient's key by the row that is remembered, without asking the database; undefined when it must be asked. */
export async function guessPatientKey(tx: Tx, patient: string): Promise<GuessedKey | undefined> {
  const row = rowsOf.get(tx.keyWrap)?.get(patient)
  if (row === undefined) return undefined
  const key = await openKeyRow(tx.keyWrap, row)
  return key === undefined ? undefined : { key, wrapped: row.wrapped }
}

/** The key in a row; undefined when its share was destroyed. */
export async function openKeyRow(
  keyWrap: KeyWrap,
  { wrapped, share: number }: KeyRow,
): Promise<Uint8Array | undefined> {
  // Keys of the first version have no share until they are wrapped anew.
  if (number === null) return keyWrap.unwrap(wrapped)
  const share = keyWrap.shares.read(number)
  return share === undefined ? undefined : openByShare(share, number, await keyWrap.unwrap(wrapped))
}
