import { type Refusal, refuse } from '../kernel/refusal.ts'
import { completeFold, foldRight, HASH_BYTES, type Hash, type Range, type Subtree, subtreesOf } from './merkle.ts'

/** Hashes in a full tile, and entries in a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256
const TILE_HEIGHT = 8
const LEVEL_MAX = 63
const ENTRY_BYTES_MAX = 65_535

/** A tile of hashes at a level 0–63, or a bundle of entries; `width` 1–256 is how many it has, 256 = full. */
export type Tile = { readonly level: number | 'entries'; readonly index: number; readonly width: number }

/** Reads the bytes of a tile with at least `width` members; more is well, what is behind is not looked at. */
export type ReadTile = (tile: Tile) => Promise<Uint8Array>

/** `tile/0/x001/x234/067`, `tile/entries/000.p/44`: the path below the log's prefix (C2SP tlog-tiles). */
export function tilePath({ level, index, width }: Tile): string {
  const groups: string[] = []
  let rest = index
  do {
    groups.unshift((groups.length === 0 ? '' : 'x') + String(rest % 1000).padStart(3, '0'))
    rest = Math.floor(rest / 1000)
  } while (rest > 0)
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

const TILE_PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Reads a {@link tilePath}; undefined unless it is spelled in exactly the one way that the format allows. */
export function parseTilePath(path: string): Tile | undefined {
  const [, where, groups, partial] = TILE_PATH.exec(path) ?? []
  if (where === undefined || groups === undefined) return undefined
  const level: Tile['level'] = where === 'entries' ? where : Number(where)
  const index = Number(groups.replaceAll('/', '').replaceAll('x', ''))
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  if (level !== 'entries' && level > LEVEL_MAX) return undefined
  const tile: Tile = { level, index, width }
  return Number.isSafeInteger(index) && tilePath(tile) === path ? tile : undefined
}

/** How many members level `level` has in a tree of `size` leaves. */
export function membersAt(level: number | 'entries', size: number): number {
  return level === 'entries' ? size : Math.floor(size / TILE_WIDTH ** level)
}

/** How many members the tile has in a tree of `size` leaves: 0 when the tree does not reach it. */
export function widthAt(level: number | 'entries', index: number, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, membersAt(level, size) - index * TILE_WIDTH))
}

/** Every tile of a tree of `size` leaves at one level, left to right. */
export function* tilesAt(level: number | 'entries', size: number): Generator<Tile> {
  for (let index = 0; index * TILE_WIDTH < membersAt(level, size); index++) {
    yield { level, index, width: widthAt(level, index, size) }
  }
}

/** Levels of tiles that a tree of `size` leaves has. */
export function levelsOf(size: number): number {
  let levels = 0
  while (membersAt(levels, size) > 0) levels++
  return levels
}

/** The tile that holds (what is below) `subtree`, as wide as a tree of `size` leaves makes it. */
function tileOf(subtree: Subtree, size: number): Tile {
  const level = Math.floor(subtree.level / TILE_HEIGHT)
  const index = Math.floor((subtree.index * 2 ** (subtree.level % TILE_HEIGHT)) / TILE_WIDTH)
  return { level, index, width: widthAt(level, index, size) }
}

/** The hash of `subtree` from the bytes of its {@link tileOf}. Throws when the tile is too short for it. */
function hashFromTile(bytes: Uint8Array, subtree: Subtree): Hash {
  const width = 2 ** (subtree.level % TILE_HEIGHT)
  const first = (subtree.index * width) % TILE_WIDTH
  if (bytes.length < (first + width) * HASH_BYTES) throw new RangeError('the tile is too short for this subtree')
  return completeFold(hashesOfTile(bytes.subarray(first * HASH_BYTES, (first + width) * HASH_BYTES)))
}

/** The hashes in a tile. Throws when its length is not a multiple of 32 bytes. */
export function hashesOfTile(bytes: Uint8Array): Hash[] {
  if (bytes.length % HASH_BYTES !== 0) throw new RangeError('a tile consists of hashes of 32 bytes')
  return Array.from(
    { length: bytes.length / HASH_BYTES },
    (_, i) => new Uint8Array(bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)),
  )
}

/** The tiles that {@link hashesOver} reads for `ranges` of a tree of `size` leaves, each once. */
export function tilesOver(ranges: readonly Range[], size: number): Tile[] {
  const tiles = ranges.flatMap(subtreesOf).map((subtree) => tileOf(subtree, size))
  return [...new Map(tiles.map((tile) => [tilePath(tile), tile])).values()]
}

/** The hashes over `ranges` of a tree of `size` leaves, from its tiles; each tile is read once. */
export async function hashesOver(ranges: readonly Range[], size: number, read: ReadTile): Promise<Hash[]> {
  const bytes = new Map<string, Uint8Array>()
  for (const tile of tilesOver(ranges, size)) bytes.set(tilePath(tile), await read(tile))
  const hashOf = (subtree: Subtree): Hash =>
    hashFromTile(bytes.get(tilePath(tileOf(subtree, size))) ?? new Uint8Array(0), subtree)
  return ranges.map((range) => foldRight(subtreesOf(range).map(hashOf)))
}

/** The root of a tree of `size` leaves, from its tiles. */
export async function rootFromTiles(size: number, read: ReadTile): Promise<Hash> {
  const [root] = await hashesOver([{ start: 0, end: size }], size, read)
  return root ?? foldRight([])
}

/** Entries, each behind its length as a big-endian uint16 (C2SP tlog-tiles, entry bundles). */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX) throw new RangeError(`an entry has at most ${ENTRY_BYTES_MAX} bytes`)
    view.setUint16(at, entry.length)
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

/** Reads a bundle; refuses one that ends inside an entry. */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] | Refusal {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const end = at + 2 <= bytes.length ? at + 2 + view.getUint16(at) : Number.POSITIVE_INFINITY
    if (end > bytes.length) return refuse('log/bundle-malformed', 'The entry bundle ends inside an entry.')
    entries.push(new Uint8Array(bytes.subarray(at + 2, end)))
    at = end
  }
  return entries
}
