import { completeFold, type Hash, leafHash, sameBytes } from '../crypto/merkle.ts'
import {
  decodeBundle,
  encodeBundle,
  hashesOfTile,
  type ReadTile,
  rootFromTiles,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from '../crypto/tiles.ts'
import { isRefusal } from '../kernel/refusal.ts'

export type ChangedTile = { readonly level: Tile['level']; readonly index: number; readonly bytes: Uint8Array }

/** What appending entries to a tree made: new or longer tiles and bundles, and the new root. */
export type Growth = { readonly size: number; readonly root: Hash; readonly changed: readonly ChangedTile[] }

/** The stored tree does not have the root that was signed. */
export type Damaged = { readonly damaged: string }

/**
 * Appends `entries` to the tree of `size` leaves that `read` reads. Recomputes the old root first: over a tree that is not the signed
 * one nothing is built.
 */
export async function growTree(
  old: { readonly size: number; readonly root: Hash },
  entries: readonly Uint8Array[],
  read: ReadTile,
): Promise<Growth | Damaged> {
  if (!sameBytes(await rootFromTiles(old.size, read), old.root)) {
    return { damaged: `the tiles do not have the root of the checkpoint at ${old.size}` }
  }
  const changed = new Map<string, ChangedTile>()
  const put = (level: Tile['level'], index: number, bytes: Uint8Array): void => {
    changed.set(nameOf({ level, index }), { level, index, bytes })
  }
  const first = old.size % TILE_WIDTH
  const begun =
    first === 0
      ? new Uint8Array(0)
      : await read({ level: 'entries', index: (old.size - first) / TILE_WIDTH, width: first })
  const decoded = decodeBundle(begun)
  if (isRefusal(decoded) || decoded.length !== first)
    return { damaged: `the last entry bundle has not ${first} entries` }
  eachTile(old.size, [...decoded, ...entries], (index, members) => put('entries', index, encodeBundle(members)))

  let start = old.size
  let hashes = entries.map(leafHash)
  for (let level = 0; hashes.length > 0; level++) {
    const width = start % TILE_WIDTH
    const head = width === 0 ? [] : hashesOfTile(await read({ level, index: (start - width) / TILE_WIDTH, width }))
    const above: Hash[] = []
    eachTile(start, [...head, ...hashes], (index, members) => {
      put(level, index, concat(members))
      if (members.length === TILE_WIDTH) above.push(completeFold(members))
    })
    start = Math.floor(start / TILE_WIDTH)
    hashes = above
  }
  const size = old.size + entries.length
  const root = await rootFromTiles(size, async (tile) => changed.get(nameOf(tile))?.bytes ?? read(tile))
  return { size, root, changed: [...changed.values()] }
}

/** Cuts members into tiles; the first member belongs to the beginning of the tile that `start` is in. */
function eachTile<T>(start: number, members: readonly T[], use: (index: number, members: readonly T[]) => void): void {
  const index = Math.floor(start / TILE_WIDTH)
  for (let at = 0; at < members.length; at += TILE_WIDTH)
    use(index + at / TILE_WIDTH, members.slice(at, at + TILE_WIDTH))
}

function nameOf({ level, index }: { level: Tile['level']; index: number }): string {
  return tilePath({ level, index, width: TILE_WIDTH })
}

function concat(hashes: readonly Hash[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * 32)
  hashes.forEach((hash, i) => bytes.set(hash, i * 32))
  return bytes
}
