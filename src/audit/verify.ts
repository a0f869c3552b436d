import { decodeBase64 } from '../crypto/base64.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../crypto/checkpoint.ts'
import { verifierOf } from '../crypto/cosignature.ts'
import {
  completeFold,
  consistencyRanges,
  HASH_BYTES,
  type Hash,
  leafHash,
  provesConsistency,
  sameBytes,
} from '../crypto/merkle.ts'
import { openNote, type Verifier } from '../crypto/signed-note.ts'
import {
  decodeBundle,
  hashesOfTile,
  hashesOver,
  rootFromTiles,
  TILE_WIDTH,
  type Tile,
  tilePath,
  tilesAt,
} from '../crypto/tiles.ts'
import { leadsToCheckpoint, parseTlogProof } from '../crypto/tlog-proof.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { commitmentOf, committedBytes, entryBytes, SALT_BYTES } from './entry.ts'
import { parseReceipt, type Receipt } from './receipt.ts'

/** Where a log is read from: paths below its prefix, as served; undefined for what is not there. */
export type LogSource = { readonly name: string; readonly read: (path: string) => Promise<Uint8Array | undefined> }

/** The log's bytes do not bear out what it signed. */
class Fault extends Error {
  override readonly name = 'Fault'
}

/** Reads the newest checkpoint of a log and checks the log's signature on it. */
export async function readCheckpoint(source: LogSource, log: Verifier): Promise<SignedCheckpoint | Refusal> {
  const bytes = await source.read('checkpoint')
  if (bytes === undefined) return refuse('request/not-found', `There is no checkpoint at ${source.name}.`)
  return checkSigned(new TextDecoder().decode(bytes), log)
}

/** Checks the log's signature on a checkpoint's text, and that the checkpoint is of the log that has the key. */
export function checkSigned(text: string, log: Verifier): SignedCheckpoint | Refusal {
  const signed = parseSignedCheckpoint(text)
  if (isRefusal(signed)) return signed
  if (signed.checkpoint.origin !== log.name) {
    return refuse('log/note-unverified', `The checkpoint is of ${signed.checkpoint.origin}, the key is of ${log.name}.`)
  }
  const opened = openNote(signed.note, [log])
  return isRefusal(opened) ? opened : signed
}

/** Names of `witnesses` whose good cosignatures are on the checkpoint; a bad one of a known witness is a refusal. */
export function countCosignatures(
  signed: SignedCheckpoint,
  witnesses: readonly Verifier[],
): readonly string[] | Refusal {
  const known = signed.note.signatures.some((line) =>
    witnesses.some((w) => w.name === line.name && w.keyId === line.keyId),
  )
  if (!known) return []
  const opened = openNote(signed.note, witnesses)
  return isRefusal(opened) ? opened : opened.map(({ name }) => name)
}

/**
 * Re-hashes the whole log: every entry into its leaf, every leaf and node into the tiles as served, the top into the signed root.
 * Returns how many tiles and bundles were checked.
 */
export async function verifyTree(
  source: LogSource,
  { checkpoint }: SignedCheckpoint,
): Promise<{ readonly bundles: number; readonly tiles: number } | Refusal> {
  const { size, root } = checkpoint
  // Members that wait for their tile to be full, and how many are already in checked tiles; per level.
  const rows: Hash[][] = []
  const done: number[] = []
  const count = { bundles: 0, tiles: 0 }
  const close = async (level: number): Promise<void> => {
    const row = rows[level] ?? []
    const tile: Tile = { level, index: (done[level] ?? 0) / TILE_WIDTH, width: row.length }
    const served = hashesOfTile(await readHashes(source, tile))
    if (!row.every((hash, i) => sameBytes(hash, served[i] ?? new Uint8Array(0)))) {
      throw new Fault(`${tilePath(tile)} does not have the hashes of what is below it`)
    }
    count.tiles++
    done[level] = (done[level] ?? 0) + row.length
    rows[level] = []
    if (row.length === TILE_WIDTH) await add(level + 1, completeFold(row))
  }
  const add = async (level: number, hash: Hash): Promise<void> => {
    const row = (rows[level] ??= [])
    row.push(hash)
    if (row.length === TILE_WIDTH) await close(level)
  }
  try {
    for (const tile of tilesAt('entries', size)) {
      for (const entry of await readEntries(source, tile)) await add(0, leafHash(entry))
      count.bundles++
    }
    for (const [level, row] of rows.entries()) if (row.length > 0) await close(level)
    const computed = await rootFromTiles(size, (tile) => readHashes(source, tile))
    if (!sameBytes(computed, root)) throw new Fault(`the root of the ${size} entries is not the one that was signed`)
    return count
  } catch (error) {
    if (error instanceof Fault) return refuse('log/proof-invalid', error.message)
    throw error
  }
}

/** Checks that the log only grew between two of its checkpoints, with a proof made from the tiles at `source`. */
export async function verifyConsistency(
  a: SignedCheckpoint,
  b: SignedCheckpoint,
  source: LogSource,
): Promise<{ readonly from: number; readonly to: number } | Refusal> {
  const [older, newer] =
    a.checkpoint.size <= b.checkpoint.size ? [a.checkpoint, b.checkpoint] : [b.checkpoint, a.checkpoint]
  if (older.origin !== newer.origin) {
    return refuse('log/proof-invalid', `The checkpoints are of two logs: ${older.origin} and ${newer.origin}.`)
  }
  try {
    const ranges = consistencyRanges(older.size, newer.size)
    const proof = await hashesOver(ranges, newer.size, (tile) => readHashes(source, tile))
    if (provesConsistency(older.size, older.root, newer.size, newer.root, proof)) {
      return { from: older.size, to: newer.size }
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return refuse('log/proof-invalid', error.message)
  }
  const what = `The log at ${newer.size} entries does not continue the one at ${older.size}`
  return refuse('log/proof-invalid', `${what}: it was forked, changed or rolled back.`)
}

export type Trusted = {
  /** The log's verifier key. Absent: the one that the receipt names, which proves only that the receipt agrees with itself. */
  readonly log?: string
  /** Witnesses' verifier keys. Absent: those that the receipt names. */
  readonly witnesses?: readonly string[]
}

export type VerifiedReceipt = {
  readonly receipt: Receipt
  readonly signed: SignedCheckpoint
  readonly index: number
  /** Key names of the witnesses whose cosignatures were checked. */
  readonly cosignedBy: readonly string[]
}

/** Checks a receipt offline: event and salt → commitment → leaf → inclusion → the log's signature, and cosignatures. */
export function verifyReceipt(json: string, trusted: Trusted): VerifiedReceipt | Refusal {
  const receipt = parseReceipt(json)
  if (isRefusal(receipt)) return receipt
  const log = verifierOf(trusted.log ?? receipt.log.vkey)
  if (isRefusal(log)) return log
  const witnesses = verifiersOf(trusted.witnesses ?? receipt.witnesses.map(({ vkey }) => vkey))
  if (isRefusal(witnesses)) return witnesses
  const proof = parseTlogProof(receipt.proof)
  if (isRefusal(proof)) return proof
  const { checkpoint, note } = proof.signed
  if (checkpoint.origin !== log.name || receipt.log.origin !== log.name) {
    return invalid(`it is of the log ${checkpoint.origin}, not of ${log.name}, whose key was given`)
  }
  const leaf = leafOf(receipt)
  if (leaf === undefined) return invalid('its salt is not 32 bytes in base64, or its event is not proper JSON')
  if (!leadsToCheckpoint(proof, leaf)) return invalid('the event is not the entry in the log, or the proof was changed')
  const opened = openNote(note, [log])
  if (isRefusal(opened)) return opened
  const cosignedBy = countCosignatures(proof.signed, witnesses)
  if (isRefusal(cosignedBy)) return cosignedBy
  return { receipt, signed: proof.signed, index: proof.index, cosignedBy }
}

function leafOf(receipt: Receipt): Hash | undefined {
  const salt = decodeBase64(receipt.salt)
  if (salt?.length !== SALT_BYTES) return undefined
  try {
    return leafHash(entryBytes(commitmentOf(salt, committedBytes(receipt))))
  } catch (error) {
    // canonicalJson: half a surrogate pair, or nested too deeply.
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function verifiersOf(vkeys: readonly string[]): readonly Verifier[] | Refusal {
  const verifiers: Verifier[] = []
  for (const vkey of vkeys) {
    const verifier = verifierOf(vkey)
    if (isRefusal(verifier)) return verifier
    verifiers.push(verifier)
  }
  return verifiers
}

async function readEntries(source: LogSource, tile: Tile): Promise<readonly Uint8Array[]> {
  const { bytes, width } = await readServed(source, tile)
  const entries = decodeBundle(bytes)
  if (isRefusal(entries)) throw new Fault(`${tilePath(tile)}: ${entries.detail}`)
  if (entries.length !== width) throw new Fault(`${tilePath(tile)} has ${entries.length} entries, not ${width}`)
  return entries.slice(0, tile.width)
}

async function readHashes(source: LogSource, tile: Tile): Promise<Uint8Array> {
  const { bytes, width } = await readServed(source, tile)
  if (bytes.length !== width * HASH_BYTES) {
    throw new Fault(`${tilePath(tile)} has ${bytes.length} bytes, not ${width * HASH_BYTES}`)
  }
  return bytes.subarray(0, tile.width * HASH_BYTES)
}

/** Reads a tile; where a partial one is gone, the full one that replaced it (C2SP tlog-tiles). */
async function readServed(source: LogSource, tile: Tile): Promise<{ bytes: Uint8Array; width: number }> {
  for (const width of new Set([tile.width, TILE_WIDTH])) {
    const bytes = await source.read(tilePath({ ...tile, width }))
    if (bytes !== undefined) return { bytes, width }
  }
  throw new Fault(`${tilePath(tile)} is not there`)
}

function invalid(why: string): Refusal {
  return refuse('log/receipt-invalid', `The receipt does not hold: ${why}.`)
}
