import type { Kysely } from 'kysely'
import { parseTilePath, type Tile } from '../crypto/tiles.ts'
import type { Tables } from '../db/tables.generated.ts'
import type { Answer } from '../http/route.ts'
import { type OwnLog, vkeyOf } from './log.ts'
import { hasTile, latestCheckpoint, readTile, type StoredCheckpoint } from './store.ts'

type Db = Kysely<Tables>

const TEXT = 'text/plain; charset=utf-8'
const BYTES = 'application/octet-stream'
/** A checkpoint is new each second; a tile of a given width never changes (C2SP tlog-tiles). */
const SOON = 'public, max-age=1'
const NEVER = 'public, max-age=31536000, immutable'

/** Pages of other parties may read the log too, to verify it in a browser: it is public and knows no callers. */
const ANYONE = { 'access-control-allow-origin': '*' }

const NOT_FOUND: Answer = text(404, 'There is nothing here.\n', 'no-store')

/** The signed note of a checkpoint with the signature lines of witnesses. */
export function cosignedNote({ note, cosignatures }: StoredCheckpoint): string {
  return note + cosignatures.join('')
}

/** `GET /log/checkpoint`: the newest checkpoint with what witnesses added so far; 404 while the log is empty. */
export async function serveCheckpoint(db: Db): Promise<Answer> {
  const latest = await latestCheckpoint(db)
  return latest ? text(200, cosignedNote(latest), SOON) : NOT_FOUND
}

/** `GET /log/tile/<L>/<N>[.p/<W>]`, `…/tile/entries/…`: `path` begins with `tile/`. 404 for what the tree does not have. */
export async function serveTile(db: Db, path: string): Promise<Answer> {
  const tile: Tile | undefined = parseTilePath(path)
  const latest = tile && (await latestCheckpoint(db))
  if (!tile || !latest || !hasTile(tile, latest.size)) return NOT_FOUND
  const body = new Uint8Array(await readTile(db, tile))
  return { status: 200, body, headers: { ...ANYONE, 'content-type': BYTES, 'cache-control': NEVER } }
}

/** `GET /log/vkey`: the key that signs our checkpoints, with which a verifier begins. */
export function serveVkey(log: OwnLog): Answer {
  return text(200, `${vkeyOf(log)}\n`, 'public, max-age=300')
}

/** An answer in plain text. */
export function text(status: number, body: string, cache: string, type = TEXT): Answer {
  return { status, body, headers: { ...ANYONE, 'content-type': type, 'cache-control': cache } }
}
