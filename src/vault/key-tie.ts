import { createHash } from 'node:crypto'
import { fileKeyId, type KeyShares } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'
import { KeyFault, type PartyKeys } from './key-file.ts'
import { wrapIdsInUse } from './rewrap.ts'

const digest = (version: string, ...parts: readonly Uint8Array[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256').update(version)).digest('base64')

/**
 * Ties keys and database together: a database that was sealed with other keys is refused at start, before anything is written that
 * could later be read by nobody. What is tied is what never rotates: the log key, the index key, the shares.
 */
export async function tieKeysToDatabase(
  tx: Tx,
  keys: Pick<PartyKeys, 'keyEncryptionKeys' | 'indexKey' | 'logSeed'>,
  keyring: { readonly shares: KeyShares; readonly owns: (wrapId: string) => boolean },
): Promise<void> {
  const fingerprint = digest('amanat/keys/v2', keys.logSeed, keys.indexKey)
  // Databases of the first version were tied by the key that wrapped then.
  const older = keys.keyEncryptionKeys.map((key) => digest('amanat/keys/v1', key, keys.logSeed))
  if (!(await tie(tx, 'keys.fingerprint', fingerprint, older)))
    throw new KeyFault(
      'the keys in keys.json are not the ones this database was made with. Put back the right keys.json; with other keys nothing in the database can be read.',
    )
  if (!(await tie(tx, 'keys.shares', keyring.shares.id, [])))
    throw new KeyFault(
      'shares.bin in the keys folder is not the one this database was made with. Put back the right file from your backup of the keys; without it nothing in the database can be read.',
    )
  await insistOnShares(tx, keyring.shares)
  for (const wrapId of await wrapIdsInUse(tx))
    if (!keyring.owns(wrapId))
      throw new KeyFault(
        `data keys in the database were wrapped by ${wrapId}, which is not in the settings. ${wrapId.startsWith('file-') ? 'Put back the keys.json that has it.' : 'Name its key service under keys.previous.'} Known here: ${keys.keyEncryptionKeys.map(fileKeyId).join(', ')}.`,
      )
}

/** Whether the setting has this value, or had none or an older form of it and has it now. */
async function tie(tx: Tx, name: string, value: string, older: readonly string[]): Promise<boolean> {
  const row = await tx.db.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirst()
  if (row?.value === value) return true
  if (row !== undefined && !older.includes(String(row.value))) return false
  const set = { value: JSON.stringify(value), changed_at: tx.now }
  await tx.db
    .insertInto('setting')
    .values({ name, ...set })
    .onConflict((c) => c.column('name').doUpdateSet(set))
    .execute()
  return true
}

/** Numbers that were given out must have their share: a file cut short is found at the start and not patient by patient. */
async function insistOnShares(tx: Tx, shares: KeyShares): Promise<void> {
  const last = await tx.db
    .selectFrom('key_share_block')
    .select((eb) => eb.fn.max('first').as('first'))
    .executeTakeFirst()
  // No block was ever given out: null.
  if (typeof last?.first === 'number') shares.read(last.first)
}
