import { hkdfSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { z } from 'zod'
import type { Random } from '../db/tx.ts'
import { RecoveryFault } from './recovery-fault.ts'

/** What the running party has to make backups: it can seal and sign them, not open them. */
export type BackupKeys = {
  /** X25519 public key to which backups of the data are sealed. */
  readonly dataRecipient: Uint8Array
  /** The same for backups of the keys: whoever opens one kind does not open the other. */
  readonly keysRecipient: Uint8Array
  /** Ed25519 seed: a backup that it did not sign is refused. */
  readonly signingSeed: Uint8Array
}

/** What opens backups: kept in a safe, brought to a restore or a drill. */
export type RecoveryKey = { readonly kind: 'data' | 'keys'; readonly secret: Uint8Array; readonly signer: Uint8Array }

const FILE_KEY_INFO = 'amanat backup file key v1'
const bytes32 = z.base64().transform((text, ctx) => {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  if (bytes.length !== 32) ctx.addIssue({ code: 'custom', message: 'must be 32 bytes in base64' })
  return bytes
})
const backupFile = z.object({
  format: z.literal('amanat-backup-keys/1'),
  dataRecipient: bytes32,
  keysRecipient: bytes32,
  signingSeed: bytes32,
})
const recoveryFile = z.object({
  format: z.literal('amanat-recovery-key/1'),
  kind: z.enum(['data', 'keys']),
  secret: bytes32,
  signer: bytes32,
})

/** Where the keys of the running party for backups lie. */
function backupKeysPath(keysFolder: string): string {
  return join(keysFolder, 'backup-keys.json')
}

/**
 * Makes the keys of backups: `backup-keys.json` for the running party, and two recovery keys below `out` for the safe. Never writes
 * over one that is there: older backups would open for nobody.
 * @throws RecoveryFault `place_not_empty`
 */
export function makeBackupKeys(keysFolder: string, out: string, random: Random): readonly string[] {
  const paths = { data: join(out, 'recovery-data.json'), keys: join(out, 'recovery-keys.json') }
  for (const path of [backupKeysPath(keysFolder), paths.data, paths.keys]) {
    if (existsSync(path))
      throw new RecoveryFault(
        'place_not_empty',
        `${path} is there already. Move it away yourself if it is not needed any more.`,
      )
  }
  const signingSeed = random(32)
  const signer = ed25519.getPublicKey(signingSeed)
  const secrets = { data: random(32), keys: random(32) }
  for (const kind of ['data', 'keys'] as const)
    writeSecret(paths[kind], {
      format: 'amanat-recovery-key/1',
      kind,
      secret: base64(secrets[kind]),
      signer: base64(signer),
    })
  writeSecret(backupKeysPath(keysFolder), {
    format: 'amanat-backup-keys/1',
    dataRecipient: base64(x25519.getPublicKey(secrets.data)),
    keysRecipient: base64(x25519.getPublicKey(secrets.keys)),
    signingSeed: base64(signingSeed),
  })
  return [paths.data, paths.keys]
}

/** @throws RecoveryFault `keys_missing` */
export function readBackupKeys(keysFolder: string): BackupKeys {
  const path = backupKeysPath(keysFolder)
  const { dataRecipient, keysRecipient, signingSeed } = readFileAs(
    backupFile,
    path,
    'Make it with: amanat backup init --config FILE --out FOLDER.',
  )
  return { dataRecipient, keysRecipient, signingSeed }
}

/** @throws RecoveryFault `keys_missing`, `wrong_key` */
export function readRecoveryKey(path: string, kind: RecoveryKey['kind']): RecoveryKey {
  const key = readFileAs(recoveryFile, path, 'It is the file that amanat backup init wrote for the safe.')
  if (key.kind !== kind)
    throw new RecoveryFault(
      'wrong_key',
      `${path} opens backups of the ${key.kind}; name the one for backups of the ${kind}.`,
    )
  return { kind, secret: key.secret, signer: key.signer }
}

function readFileAs<T>(schema: z.ZodType<T>, path: string, hint: string): T {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not JSON'
    throw new RecoveryFault('keys_missing', `The key file ${path} cannot be read (${code}). ${hint}`)
  }
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new RecoveryFault(
    'keys_missing',
    `${path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is malformed'}. ${hint}`,
  )
}

/** Written beside and renamed, so that a crash never leaves half a key. */
function writeSecret(path: string, content: object): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true })
  chmodSync(`${path}.new`, 0o600)
  renameSync(`${path}.new`, path)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Short name of a public key: says for which recovery key a file was sealed. */
export function fingerprintOf(publicKey: Uint8Array): string {
  return bytesToHex(sha256(publicKey)).slice(0, 16)
}

/** A fresh file key that only the holder of the recipient's secret can compute again (ephemeral X25519, HKDF-SHA256). */
export function freshFileKey(
  recipient: Uint8Array,
  random: Random,
): { readonly key: Uint8Array; readonly ephemeral: Uint8Array } {
  const secret = random(32)
  const ephemeral = x25519.getPublicKey(secret)
  return { key: fileKey(x25519.getSharedSecret(secret, recipient), ephemeral, recipient), ephemeral }
}

/** The file key that {@link freshFileKey} made. */
export function fileKeyAgain(recovery: RecoveryKey, ephemeral: Uint8Array): Uint8Array {
  return fileKey(x25519.getSharedSecret(recovery.secret, ephemeral), ephemeral, publicOf(recovery))
}

/** The public half of what signs backups. */
export function signerOf({ signingSeed }: BackupKeys): Uint8Array {
  return ed25519.getPublicKey(signingSeed)
}

export function publicOf({ secret }: RecoveryKey): Uint8Array {
  return x25519.getPublicKey(secret)
}

function fileKey(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', shared, Buffer.concat([ephemeral, recipient]), FILE_KEY_INFO, 32))
}
