import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { generateSigningKey, importSigningKey, type SigningKey } from '../crypto/signature.ts'
import type { Random, Tx } from '../db/tx.ts'

/** All secrets of one party. The file is worth as much as the party itself: 0600, its own backup, never in the database. */
export type PartyKeys = {
  /** Wraps the patients' data keys (32 bytes). */
  readonly keyEncryptionKey: Uint8Array
  /** HMAC key of blind indexes over ABHA numbers and mobiles (32 bytes). */
  readonly indexKey: Uint8Array
  /** Ed25519 seed of the log's checkpoints. */
  readonly logSeed: Uint8Array
  /** Ed25519 seed of cosignatures for other parties' logs. */
  readonly witnessSeed: Uint8Array
  /** RS256: artefacts, tokens, callbacks. */
  readonly signing: SigningKey
}

const bytes32 = z.base64().transform((text, ctx) => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 32) ctx.addIssue({ code: 'custom', message: 'must be 32 bytes in base64' })
  return new Uint8Array(bytes)
})

const keyFile = z.object({
  keyEncryptionKey: bytes32,
  indexKey: bytes32,
  logSeed: bytes32,
  witnessSeed: bytes32,
  signingKeyPem: z.string(),
})

export class KeyFault extends Error {
  override readonly name = 'KeyFault'
}

/** Reads `keys.json` of a party, or makes it at the very first start. */
export async function openKeyFile(folder: string, random: Random): Promise<PartyKeys> {
  const path = join(folder, 'keys.json')
  if (!existsSync(path)) await makeKeyFile(folder, path, random)
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new KeyFault(
      `${path} cannot be read as JSON (${error instanceof Error ? error.name : 'unreadable'}). Put the file back from your backup of the keys.`,
    )
  }
  const parsed = keyFile.safeParse(raw)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new KeyFault(
      `${path}: ${issue?.path.join('.') ?? 'the file'} ${issue?.message ?? 'is malformed'}. Put the file back from your backup of the keys.`,
    )
  }
  const { signingKeyPem, ...rest } = parsed.data
  try {
    return { ...rest, signing: importSigningKey(signingKeyPem) }
  } catch (error) {
    throw new KeyFault(
      `${path}: signingKeyPem: ${error instanceof Error ? error.message : 'unreadable'}. Put the file back from your backup of the keys.`,
    )
  }
}

async function makeKeyFile(folder: string, path: string, random: Random): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const fresh = (): string => Buffer.from(random(32)).toString('base64')
  const content = {
    keyEncryptionKey: fresh(),
    indexKey: fresh(),
    logSeed: fresh(),
    witnessSeed: fresh(),
    signingKeyPem: await generateSigningKey(),
  }
  // Written beside and renamed, so that a crash never leaves half a key file.
  const fresher = `${path}.new`
  writeFileSync(fresher, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true })
  chmodSync(fresher, 0o600)
  renameSync(fresher, path)
}

/**
 * Ties keys and database together: a database that was sealed with other keys is refused at start, before anything is
 * written that could later be read by nobody.
 */
export async function tieKeysToDatabase(tx: Tx, keys: PartyKeys): Promise<void> {
  const fingerprint = createHash('sha256')
    .update('amanat/keys/v1')
    .update(keys.keyEncryptionKey)
    .update(keys.logSeed)
    .digest('base64')
  const row = await tx.db
    .selectFrom('setting')
    .select('value')
    .where('name', '=', 'keys.fingerprint')
    .executeTakeFirst()
  if (row === undefined) {
    await tx.db
      .insertInto('setting')
      .values({ name: 'keys.fingerprint', value: JSON.stringify(fingerprint), changed_at: tx.now })
      .execute()
  } else if (row.value !== fingerprint) {
    throw new KeyFault(
      'the keys in keys.json are not the ones this database was made with. Put back the right keys.json; with other keys nothing in the database can be read.',
    )
  }
}
