import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { z } from 'zod'
import { canonicalJson } from '../crypto/canonical-json.ts'
import { formatLsn, type Lsn, parseLsn } from './lsn.ts'
import { RecoveryFault } from './recovery-fault.ts'
import { isSigned } from './sealed-file.ts'

/**
 * A folder of backups:
 *   base/<id>/manifest.json, base.tar, backup_manifest, census.json   a base backup; the manifest is written last and signed
 *   wal/<system>/<timeline>/<start>-<end>                              pieces of WAL, each sealed
 *   wal/<system>/<timeline>/reached.json                               how far the archive knows the server went, and when; signed
 * A folder whose name begins with a dot is unfinished and never counts.
 */
const lsn = z.string().transform((text) => parseLsn(text))
const manifestSchema = z.object({
  format: z.literal('amanat-backup/1'),
  id: z.string(),
  at: z.iso.datetime(),
  program: z.string(),
  serverVersion: z.number(),
  systemId: z.string(),
  timeline: z.number(),
  segmentBytes: z.number(),
  limits: z.record(z.string(), z.string()),
  /** Where the WAL that the base backup needs begins and ends; up to `census` the restored data are counted. */
  start: lsn,
  end: lsn,
  census: lsn,
  censusAt: z.iso.datetime(),
  user: z.string(),
  databases: z.array(z.string()),
  tookMs: z.number(),
  files: z.array(z.object({ name: z.string(), plainBytes: z.number(), bytes: z.number(), sha256: z.string() })),
})

/** What a base backup says of itself. */
export type Manifest = z.output<typeof manifestSchema>

export function basesFolder(folder: string): string {
  return join(folder, 'base')
}

/** Signs and writes the manifest: from here on the backup counts, once its folder has its name. */
export async function writeManifest(folder: string, manifest: Manifest, seed: Uint8Array): Promise<void> {
  const { start, end, census, ...rest } = manifest
  const body = { ...rest, start: formatLsn(start), end: formatLsn(end), census: formatLsn(census) }
  const signature = Buffer.from(ed25519.sign(bytesOf(body), seed)).toString('base64')
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify({ body, signature }, null, 2)}\n`, {
    mode: 0o600,
    flush: true,
  })
}

const bytesOf = (body: unknown): Uint8Array =>
  new TextEncoder().encode(`amanat backup manifest\n${canonicalJson(body)}`)

/**
 * Reads the manifest of one base backup and checks who signed it.
 * @throws RecoveryFault `backup_damaged`
 */
export function readManifest(folder: string, id: string, signer: Uint8Array): Manifest {
  const damaged = (why: string): RecoveryFault =>
    new RecoveryFault('backup_damaged', `The backup base/${id} is damaged: ${why}.`)
  let text: string
  try {
    text = readFileSync(join(basesFolder(folder), id, 'manifest.json'), 'utf8')
  } catch {
    throw damaged('its manifest.json is missing')
  }
  const envelope = z.object({ body: z.unknown(), signature: z.base64() }).safeParse(parseJson(text))
  if (!envelope.success) throw damaged('its manifest.json was changed or cut off')
  const { body, signature } = envelope.data
  if (!isSigned(new Uint8Array(Buffer.from(signature, 'base64')), bytesOf(body), signer))
    throw damaged('its manifest.json was changed, or is not of the party that this key belongs to')
  const manifest = manifestSchema.safeParse(body)
  if (!manifest.success || manifest.data.id !== id)
    throw damaged('its manifest.json is of another backup or another version')
  return manifest.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller says that it was changed
  }
}

/** Names of the base backups that are complete, oldest first. */
export function baseIds(folder: string): readonly string[] {
  const bases = basesFolder(folder)
  if (!existsSync(bases)) return []
  return readdirSync(bases)
    .filter((name) => !name.startsWith('.') && existsSync(join(bases, name, 'manifest.json')))
    .sort()
}

/** Throws away what killed runs left unfinished. */
export function clearUnfinished(folder: string): void {
  const bases = basesFolder(folder)
  if (!existsSync(bases)) return
  for (const name of readdirSync(bases).filter((each) => each.startsWith('.')))
    rmSync(join(bases, name), { recursive: true, force: true })
}

/** One piece of archived WAL. */
export type WalPiece = { readonly name: string; readonly start: Lsn; readonly end: Lsn }

export function walFolder(folder: string, systemId: string, timeline: number): string {
  return join(folder, 'wal', systemId, String(timeline))
}

/** The archived WAL of one server and timeline in its order. */
export function walPieces(folder: string, systemId: string, timeline: number): readonly WalPiece[] {
  const place = walFolder(folder, systemId, timeline)
  if (!existsSync(place)) return []
  return readdirSync(place)
    .flatMap((name) => {
      const match = /^([0-9a-f]{16})-([0-9a-f]{16})$/.exec(name)
      return match === null ? [] : [{ name, start: BigInt(`0x${match[1]}`), end: BigInt(`0x${match[2]}`) }]
    })
    .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
}

export function pieceName(start: Lsn, end: Lsn): string {
  return [start, end].map((at) => at.toString(16).padStart(16, '0')).join('-')
}

/** What the file of a piece is called inside of the backup: bound to its content. */
export function pieceWhat(systemId: string, timeline: number, name: string): string {
  return `wal/${systemId}/${timeline}/${name}`
}

/** Gives a finished draft its name, forced to the disk: it is there completely or not at all. */
export async function publish(draft: string, path: string): Promise<void> {
  await syncFolder(draft)
  renameSync(draft, path)
  await syncFolder(dirname(path))
}

/** Forces the names in a folder (or the content of a file) to the disk. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

const reachedSchema = z.object({ lsn: z.string(), at: z.iso.datetime(), signature: z.base64() })
const reachedBytes = (systemId: string, timeline: number, reached: { readonly lsn: string; readonly at: string }) =>
  new TextEncoder().encode(`amanat backup reached\n${canonicalJson({ systemId, timeline, ...reached })}`)

/**
 * How far the archive has everything, and the server's clock then, as the party signed it: who can write into the archive cannot promise
 * more than was there. Later moments are not known to be covered.
 */
export function readReached(
  folder: string,
  systemId: string,
  timeline: number,
  signer: Uint8Array,
): { lsn: Lsn; at: Date } | undefined {
  const path = join(walFolder(folder, systemId, timeline), 'reached.json')
  if (!existsSync(path)) return undefined
  const parsed = reachedSchema.safeParse(parseJson(readFileSync(path, 'utf8')))
  if (!parsed.success) return undefined
  const { signature, ...reached } = parsed.data
  const isOurs = isSigned(Buffer.from(signature, 'base64'), reachedBytes(systemId, timeline, reached), signer)
  return isOurs ? { lsn: parseLsn(reached.lsn), at: new Date(reached.at) } : undefined
}

export async function writeReached(
  folder: string,
  systemId: string,
  timeline: number,
  { lsn, at }: { lsn: Lsn; at: Date },
  seed: Uint8Array,
): Promise<void> {
  const path = join(walFolder(folder, systemId, timeline), 'reached.json')
  const reached = { lsn: formatLsn(lsn), at: at.toISOString() }
  const signature = Buffer.from(ed25519.sign(reachedBytes(systemId, timeline, reached), seed)).toString('base64')
  await writeFile(`${path}.new`, JSON.stringify({ ...reached, signature }), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
