import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { existingPatientKey, patientKey } from './data-keys.ts'

/** Seals a JSON value under the patient's key, for one column of one row. */
export async function sealJson(tx: Tx, place: Place, value: unknown): Promise<Uint8Array> {
  return sealWith(await patientKey(tx, place.patient), JSON.stringify(value), place, tx.random)
}

/**
 * Opens what {@link sealJson} made; undefined once the patient's key was erased.
 * @throws when the row was changed behind our back
 */
export async function openJson(tx: Tx, place: Place, blob: Uint8Array): Promise<unknown> {
  const key = await existingPatientKey(tx, place.patient)
  if (key === undefined) return undefined
  const opened = openWith(key, blob, place)
  if (isRefusal(opened)) throw new Error(`${place.table}.${place.column} does not open: the row was changed or moved`)
  return JSON.parse(new TextDecoder().decode(opened)) as unknown
}

/** Opens rows one after the other: the first finds the key, the others use it. What was erased with its key is left out. */
export async function openRows<Row, Opened>(
  rows: readonly Row[],
  open: (row: Row) => Promise<Opened | undefined>,
): Promise<readonly Opened[]> {
  const found: Opened[] = []
  for (const row of rows) {
    const opened = await open(row)
    if (opened !== undefined) found.push(opened)
  }
  return found
}
