import type { SignedCheckpoint } from '../../crypto/checkpoint.ts'
import { consistencyRanges, HASH_BYTES, provesConsistency, sameBytes } from '../../crypto/merkle.ts'
import { hashesOver, TILE_WIDTH, tilePath } from '../../crypto/tiles.ts'
import type { LogSource } from '../verify.ts'

/** How two checkpoints of one log stand to each other. `unproven`: the tiles that would tell are not there, or not now. */
export type Comparison =
  | { readonly stand: 'same' | 'grown' }
  | { readonly stand: 'fork'; readonly why: string }
  | { readonly stand: 'unproven'; readonly why: string }

class TileMissing extends Error {
  override readonly name = 'TileMissing'
}

/**
 * Whether the log of `newer` continues the one of `older`; both are signed by it, `older` has no more entries. Tiles come from where
 * the log is served; at most `tilesMax` of them.
 */
export async function compareCheckpoints(
  older: SignedCheckpoint,
  newer: SignedCheckpoint,
  source: LogSource,
  tilesMax: number,
): Promise<Comparison> {
  const a = older.checkpoint
  const b = newer.checkpoint
  if (a.size === b.size)
    return sameBytes(a.root, b.root)
      ? { stand: 'same' }
      : { stand: 'fork', why: `${a.origin} signed two trees of ${a.size} entries` }
  let tiles = 0
  try {
    const proof = await hashesOver(consistencyRanges(a.size, b.size), b.size, async (tile) => {
      if (++tiles > tilesMax) throw new TileMissing('it takes too many tiles')
      for (const width of new Set([tile.width, TILE_WIDTH])) {
        const bytes = await source.read(tilePath({ ...tile, width }))
        if (bytes !== undefined && bytes.length === width * HASH_BYTES)
          return bytes.subarray(0, tile.width * HASH_BYTES)
      }
      throw new TileMissing(`${tilePath(tile)} is not there`)
    })
    if (provesConsistency(a.size, a.root, b.size, b.root, proof)) return { stand: 'grown' }
    const why = `${a.origin} at ${b.size} entries does not continue itself at ${a.size}`
    return { stand: 'fork', why }
  } catch (error) {
    return { stand: 'unproven', why: error instanceof Error ? error.message : String(error) }
  }
}
