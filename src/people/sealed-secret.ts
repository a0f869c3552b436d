import { generateDataKey, openWith, type Place, sealWith } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'
import { isRefusal } from '../kernel/refusal.ts'

/** A secret under a data key of its own, which is wrapped by the party's key. */
export type SealedSecret = { readonly key: Uint8Array; readonly sealed: Uint8Array }

const placeOf = (row: string): Place => ({ table: 'staff', column: 'code_secret', row, patient: '' })

/** Seals the secret of a person's one-time codes; it opens for that person alone. */
export async function sealSecret(tx: Tx, staff: string, secret: Uint8Array): Promise<SealedSecret> {
  const key = generateDataKey(tx.random)
  return { key: (await tx.keyWrap.wrap(key)).blob, sealed: sealWith(key, secret, placeOf(staff), tx.random) }
}

/** @throws when the row was changed behind our back */
export async function openSecret(tx: Tx, staff: string, { key, sealed }: SealedSecret): Promise<Uint8Array> {
  const opened = openWith(await tx.keyWrap.unwrap(key), sealed, placeOf(staff))
  if (isRefusal(opened)) throw new Error('staff.sealed_code_secret does not open: the row was changed or moved')
  return opened
}
