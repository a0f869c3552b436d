import { generateDataKey, openWith, type Place, sealWith } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'
import { isRefusal } from '../kernel/refusal.ts'

/** A secret under a data key of its own, which is wrapped by the party's key. */
export type SealedSecret = { readonly key: Uint8Array; readonly sealed: Uint8Array }

/** Whose secret it is: an account of the staff, or an operator of this party. */
type Owner = 'staff' | 'party_operator'
const placeOf = (row: string, table: Owner): Place => ({ table, column: 'code_secret', row, patient: '' })

/** Seals the secret of a person's one-time codes; it opens for that person alone. */
export async function sealSecret(
  tx: Tx,
  row: string,
  secret: Uint8Array,
  table: Owner = 'staff',
): Promise<SealedSecret> {
  const key = generateDataKey(tx.random)
  return { key: (await tx.keyWrap.wrap(key)).blob, sealed: sealWith(key, secret, placeOf(row, table), tx.random) }
}

/** @throws when the row was changed behind our back */
export async function openSecret(
  tx: Tx,
  row: string,
  { key, sealed }: SealedSecret,
  table: Owner = 'staff',
): Promise<Uint8Array> {
  const opened = openWith(await tx.keyWrap.unwrap(key), sealed, placeOf(row, table))
  if (isRefusal(opened)) throw new Error(`${table}.sealed_code_secret does not open: the row was changed or moved`)
  return opened
}
