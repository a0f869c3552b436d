import type { Kysely } from 'kysely'
import { parseTilePath } from '../crypto/tiles.ts'
import type { Tables } from '../db/tables.generated.ts'
import { cosignedNote } from './serve.ts'
import { hasTile, latestCheckpoint, readTile } from './store.ts'
import type { LogSource } from './verify.ts'

/** Our own log as a verifier reads it, straight from the database; undefined while it is empty. */
export async function readOwnTree(
  db: Kysely<Tables>,
): Promise<{ readonly size: number; readonly note: string; readonly source: LogSource } | undefined> {
  const latest = await latestCheckpoint(db)
  if (latest === undefined) return undefined
  const read = async (path: string): Promise<Uint8Array | undefined> => {
    const tile = parseTilePath(path)
    return tile === undefined || !hasTile(tile, latest.size) ? undefined : readTile(db, tile)
  }
  return { size: latest.size, note: cosignedNote(latest), source: { name: 'the database', read } }
}

/** Our newest checkpoint as we signed it, without what witnesses added. */
export async function latestNote(db: Kysely<Tables>): Promise<string> {
  return (await latestCheckpoint(db))?.note ?? ''
}
