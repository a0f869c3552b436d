import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRefusal, must } from '../kernel/refusal.ts'
import { parseSignedCheckpoint } from './checkpoint.ts'
import {
  consistencyRanges,
  type Hash,
  inclusionRanges,
  leafHash,
  provesConsistency,
  provesInclusion,
  rootOf,
} from './merkle.ts'
import {
  decodeBundle,
  encodeBundle,
  hashesOfTile,
  hashesOver,
  levelsOf,
  membersAt,
  parseTilePath,
  rootFromTiles,
  type Tile,
  tilePath,
  tilesAt,
  widthAt,
} from './tiles.ts'

const leaf = (i: number): Hash => leafHash(new TextEncoder().encode(`leaf ${i}`))

/** All tiles of a tree, computed the slow way. */
function tilesOf(leaves: readonly Hash[]): Map<string, Uint8Array> {
  const tiles = new Map<string, Uint8Array>()
  for (let level = 0; level < levelsOf(leaves.length); level++) {
    const width = 256 ** level
    const hashes = Array.from({ length: membersAt(level, leaves.length) }, (_, i) =>
      rootOf(leaves.slice(i * width, (i + 1) * width)),
    )
    for (const tile of tilesAt(level, leaves.length)) {
      tiles.set(tilePath(tile), Buffer.concat(hashes.slice(tile.index * 256, tile.index * 256 + tile.width)))
    }
  }
  return tiles
}

test('paths as the format spells them', () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067')
  assert.equal(tilePath({ level: 'entries', index: 1, width: 44 }), 'tile/entries/001.p/44')
  const bad = ['tile/0/1', 'tile/00/001', 'tile/0/x000/001', 'tile/0/001.p/0', 'tile/0/001.p/256', 'tile/0/001.p/07']
  for (const path of [...bad, 'tile/64/001', 'tile/0/001/', 'tile/-1/001', 'tile/0/x001', 'tile/entries/../x', '']) {
    assert.equal(parseTilePath(path), undefined, path)
  }
  const level = fc.oneof(fc.constant<Tile['level']>('entries'), fc.integer({ min: 0, max: 63 }))
  const tile = fc.record(
    { level, index: fc.nat({ max: 10 ** 14 }), width: fc.integer({ min: 1, max: 256 }) },
    { noNullPrototype: true },
  )
  fc.assert(fc.property(tile, (t) => assert.deepEqual(parseTilePath(tilePath(t)), t)))
})

test('a tree of 70,000 has the tiles that the specification counts', () => {
  const shape = [0, 1, 2].map((level) => [...tilesAt(level, 70_000)].map((t) => t.width))
  assert.deepEqual(
    shape.map((widths) => [widths.filter((w) => w === 256).length, widths.at(-1)]),
    [
      [273, 112],
      [1, 17],
      [0, 1],
    ],
  )
  assert.equal(levelsOf(70_000), 3)
  assert.equal(widthAt(0, 274, 70_000), 0)
  assert.deepEqual([...tilesAt(0, 0)], [])
})

test('root and proofs from tiles are those from leaves', async () => {
  for (const size of [1, 2, 3, 255, 256, 257, 300, 513, 66_000]) {
    const leaves = Array.from({ length: size }, (_, i) => leaf(i))
    const tiles = tilesOf(leaves)
    const read = async (tile: Tile): Promise<Uint8Array> => {
      const bytes = tiles.get(tilePath(tile))
      assert.ok(bytes, tilePath(tile))
      return bytes
    }
    const root = rootOf(leaves)
    assert.deepEqual(await rootFromTiles(size, read), root)
    for (const index of [0, Math.floor(size / 2), size - 1]) {
      const proof = await hashesOver(inclusionRanges(index, size), size, read)
      assert.ok(provesInclusion(leaf(index), index, size, proof, root))
    }
    for (const old of [1, Math.ceil(size / 3), Math.max(1, size - 1)]) {
      const proof = await hashesOver(consistencyRanges(old, size), size, read)
      assert.ok(provesConsistency(old, rootOf(leaves.slice(0, old)), size, root, proof), `${old} to ${size}`)
    }
  }
})

test('bundles round-trip, and one cut anywhere inside an entry is refused', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
  fc.assert(
    fc.property(entries, fc.nat(), (list, cut) => {
      const bytes = encodeBundle(list)
      assert.deepEqual(decodeBundle(bytes), list)
      const part = decodeBundle(bytes.subarray(0, cut % (bytes.length + 1)))
      assert.ok(isRefusal(part) || part.every((entry, i) => Buffer.from(entry).equals(list[i] ?? Buffer.alloc(0))))
    }),
  )
  assert.ok(isRefusal(decodeBundle(Uint8Array.of(0))))
  assert.ok(isRefusal(decodeBundle(Uint8Array.of(0, 2, 1))))
  assert.throws(() => encodeBundle([new Uint8Array(65_536)]), RangeError)
})

const published = new URL('../../../shared/anchors/vectors/tlog-tiles/', import.meta.url)

test('logs that others made: entries, tiles and root agree', { skip: !existsSync(published) }, async () => {
  for (const [name, size] of [
    ['tessera-testlog', 15],
    ['sunlight-mirror-300', 300],
  ] as const) {
    const load = (path: string): Buffer => readFileSync(new URL(`${name}/${path}`, published))
    const { checkpoint } = must(parseSignedCheckpoint(load('checkpoint').toString()))
    assert.equal(checkpoint.size, size)
    assert.deepEqual(await rootFromTiles(size, async (tile) => load(tilePath(tile))), checkpoint.root)
    // The other log's bundles hold gzipped stand-ins, not entries.
    if (name !== 'tessera-testlog') continue
    for (const tile of tilesAt('entries', size)) {
      const entries = must(decodeBundle(load(tilePath(tile))))
      assert.deepEqual(entries.map(leafHash), hashesOfTile(load(tilePath({ ...tile, level: 0 }))))
    }
  }
})
