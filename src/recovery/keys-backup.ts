import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Random } from '../db/tx.ts'
import { RecoveryFault } from './recovery-fault.ts'
import { type BackupKeys, type RecoveryKey } from './recovery-keys.ts'
import { readSealedText, writeSealed } from './sealed-file.ts'

const FILE = /^keys-[a-z][a-z0-9_]*-\d{8}T\d{9}Z$/
const contentSchema = z.object({
  files: z.array(z.object({ name: z.string().regex(/^[A-Za-z0-9._-]+$/), content: z.base64() })),
})

export type KeysBackupOrder = {
  /** Name of the party: several may share a folder of backups. */
  readonly name: string
  readonly keysFolder: string
  readonly to: string
  readonly keepDays: number
  readonly keys: BackupKeys
  readonly random: Random
  readonly now: Date
}

/**
 * Seals the files of a keys folder into one file of `to`, and deletes those that are older than `keepDays`: what they open must not
 * outlive an erasure by more than that (docs/decisions/0024-keys-that-can-be-destroyed.md). Answers the path, and what was deleted.
 */
export async function backUpKeys(
  order: KeysBackupOrder,
): Promise<{ readonly path: string; readonly deleted: readonly string[] }> {
  const { keysFolder, to, now } = order
  const names = readdirSync(keysFolder).filter(
    (name) => statSync(join(keysFolder, name)).isFile() && !name.endsWith('.new'),
  )
  const files = names.map((name) => ({ name, content: readFileSync(join(keysFolder, name)).toString('base64') }))
  mkdirSync(to, { recursive: true, mode: 0o700 })
  const name = `keys-${order.name}-${now.toISOString().replace(/[-:.]/g, '')}`
  const draft = join(to, `.${name}`)
  const { keys, random } = order
  try {
    await writeSealed(draft, name, Readable.from([JSON.stringify({ files })]), {
      recipient: keys.keysRecipient,
      keys,
      random,
    })
    renameSync(draft, join(to, name))
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  const edge = now.getTime() - order.keepDays * 86_400_000
  const old = readdirSync(to).filter(
    (each) => FILE.test(each) && each.startsWith(`keys-${order.name}-`) && timeOf(each) < edge,
  )
  for (const each of old) rmSync(join(to, each))
  return { path: join(to, name), deleted: old }
}

function timeOf(name: string): number {
  const [, y, mo, d, h, mi, s, ms] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/.exec(name) ?? []
  return Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}.${ms}Z`)
}

/**
 * Puts the files of a backup of keys into an empty folder.
 * @throws RecoveryFault `place_not_empty`, `backup_damaged`, `wrong_key`
 */
export async function restoreKeys(from: string, into: string, recovery: RecoveryKey): Promise<readonly string[]> {
  if (existsSync(into) && readdirSync(into).length > 0)
    throw new RecoveryFault(
      'place_not_empty',
      `${into} is not empty. Keys are never written over keys: name an empty folder.`,
    )
  const text = await readSealedText(from, basename(from), recovery)
  const { files } = contentSchema.parse(JSON.parse(text))
  mkdirSync(into, { recursive: true, mode: 0o700 })
  for (const { name, content } of files) {
    writeFileSync(join(into, name), Buffer.from(content, 'base64'), { mode: 0o600, flush: true })
    chmodSync(join(into, name), 0o600)
  }
  return files.map(({ name }) => name)
}
