import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { generateSigningKey, importSigningKey, type SigningKey } from '../crypto/signature.ts'
import type { Random } from '../db/tx.ts'
import { type ClientKey, importClientKey, makeClientKeyPem } from './client-key.ts'

/** All secrets of one party. The file is worth as much as the party itself: 0600, its own backup, never in the database. */
export type PartyKeys = {
  /** Wrap the patients' data keys (32 bytes each): the first wraps, the others are older versions. */
  readonly keyEncryptionKeys: readonly Uint8Array[]
  /** HMAC key of blind indexes over ABHA numbers and mobiles (32 bytes). */
  readonly indexKey: Uint8Array
  /** Ed25519 seed of the log's checkpoints. */
  readonly logSeed: Uint8Array
  /** Ed25519 seed of cosignatures for other parties' logs. */
  readonly witnessSeed: Uint8Array
  /** RS256: artefacts, tokens, callbacks. */
  readonly signing: SigningKey
  /** ES384, as a client of other parties: the first signs, the others are still published. */
  readonly client: readonly ClientKey[]
}

const bytes32 = z.base64().transform((text, ctx) => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 32) ctx.addIssue({ code: 'custom', message: 'must be 32 bytes in base64' })
  return new Uint8Array(bytes)
})

const keyFile = z.object({
  keyEncryptionKey: bytes32,
  olderKeyEncryptionKeys: z.array(bytes32).default([]),
  indexKey: bytes32,
  logSeed: bytes32,
  witnessSeed: bytes32,
  signingKeyPem: z.string(),
  clientKeyPems: z.array(z.string()).default([]),
  olderSigningKeyPems: z.array(z.string()).default([]),
})

/** Signing keys before the current one that are still believed. */
const OLDER_KEYS_MAX = 5

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
  const { signingKeyPem, keyEncryptionKey, olderKeyEncryptionKeys, clientKeyPems, olderSigningKeyPems, ...rest } =
    parsed.data
  // Files of before had none.
  if (clientKeyPems.length === 0) clientKeyPems.push(...rotateClientKey(folder))
  try {
    return {
      ...rest,
      keyEncryptionKeys: [keyEncryptionKey, ...olderKeyEncryptionKeys],
      signing: {
        ...importSigningKey(signingKeyPem),
        older: olderSigningKeyPems.map((pem) => importSigningKey(pem).publicJwk),
      },
      client: await Promise.all(clientKeyPems.map(importClientKey)),
    }
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
    clientKeyPems: [makeClientKeyPem()],
  }
  writeKeyFile(path, content)
}

/** Written beside and renamed, so that a crash never leaves half a key file. */
function writeKeyFile(path: string, content: unknown): void {
  const fresher = `${path}.new`
  writeFileSync(fresher, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true })
  chmodSync(fresher, 0o600)
  renameSync(fresher, path)
  const folder = openSync(dirname(path), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/** Keeps other key-encryption keys in `keys.json`; the first wraps. Everything else in the file stays. */
export function saveKeyEncryptionKeys(folder: string, keys: readonly Uint8Array[]): void {
  const path = join(folder, 'keys.json')
  const [keyEncryptionKey, ...olderKeyEncryptionKeys] = keys.map((key) => Buffer.from(key).toString('base64'))
  writeKeyFile(path, { ...JSON.parse(readFileSync(path, 'utf8')), keyEncryptionKey, olderKeyEncryptionKeys })
}

/**
 * Puts a new client key in front of the one that there is, which stays published so that what it signed is still believed. The program
 * takes it at its next start. Answers the keys as they now are, in PEM.
 */
export function rotateClientKey(folder: string): readonly string[] {
  const path = join(folder, 'keys.json')
  const content = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>
  const [current] = keyFile.parse(content).clientKeyPems
  const clientKeyPems = [makeClientKeyPem(), ...(current === undefined ? [] : [current])]
  writeKeyFile(path, { ...content, clientKeyPems })
  return clientKeyPems
}

/**
 * A new RS256 key in place of the one that signs; the program takes it at its next start. `keepOld`: what the key before signed (artefacts,
 * link tokens, sessions) is still believed, and that key is published beside the new one. Without it, after a theft, nothing older is.
 */
export async function rotateSigningKey(folder: string, options: { readonly keepOld: boolean }): Promise<void> {
  const path = join(folder, 'keys.json')
  const content = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>
  const { signingKeyPem, olderSigningKeyPems } = keyFile.parse(content)
  writeKeyFile(path, {
    ...content,
    signingKeyPem: await generateSigningKey(),
    olderSigningKeyPems: options.keepOld ? [signingKeyPem, ...olderSigningKeyPems].slice(0, OLDER_KEYS_MAX) : [],
  })
}
