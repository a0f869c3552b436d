import assert from 'node:assert/strict'
import { commitmentOf, committedBytes, entryBytes } from '../src/audit/entry.ts'
import { type Growth, growTree } from '../src/audit/growth.ts'
import type { Receipt } from '../src/audit/receipt.ts'
import { formatCheckpoint, parseSignedCheckpoint } from '../src/crypto/checkpoint.ts'
import { makeCosigner } from '../src/crypto/cosignature.ts'
import { EMPTY_ROOT, inclusionRanges } from '../src/crypto/merkle.ts'
import { formatNote, formatSignature, formatVkey, makeSigner, signNote } from '../src/crypto/signed-note.ts'
import { hashesOver, TILE_WIDTH, type Tile, tilePath } from '../src/crypto/tiles.ts'
import { formatTlogProof } from '../src/crypto/tlog-proof.ts'
import { must } from '../src/kernel/refusal.ts'

export const signer = makeSigner('log.example/a', new Uint8Array(32).fill(1))
const cosigner = makeCosigner('witness.example/w', new Uint8Array(32).fill(2))
export const vkey = formatVkey(signer.key)
export const witnessVkey = formatVkey(cosigner.key)

export type Files = Map<string, Uint8Array>
export const event = (i: number, salt = ''): { id: string; at: string; event: { type: string } } => ({
  id: `e${i}`,
  at: '2026-11-22T06:30:00.000Z',
  event: { type: `test.done${salt}` },
})
export const SALT = new Uint8Array(32).fill(3)
const entry = (i: number, salt = ''): Uint8Array => entryBytes(commitmentOf(SALT, committedBytes(event(i, salt))))

/** A whole log of `size` entries as files, grown in two steps. */
export async function makeLog(size: number, salt = ''): Promise<Files> {
  const tiles = new Map<string, { tile: Tile; bytes: Uint8Array }>()
  const read = async (tile: Tile): Promise<Uint8Array> => {
    const found = tiles.get(`${tile.level}/${tile.index}`)
    assert.ok(found)
    return found.bytes
  }
  let tree: Pick<Growth, 'size' | 'root'> = { size: 0, root: EMPTY_ROOT }
  for (const until of [Math.floor(size / 3), size]) {
    const entries = Array.from({ length: until - tree.size }, (_, i) => entry(tree.size + i, salt))
    const growth = await growTree(tree, entries, read)
    assert.ok(!('damaged' in growth))
    for (const { level, index, bytes } of growth.changed) {
      const members = level === 'entries' ? until : Math.floor(until / TILE_WIDTH ** level)
      const width = Math.min(TILE_WIDTH, members - index * TILE_WIDTH)
      tiles.set(`${level}/${index}`, { tile: { level, index, width }, bytes })
    }
    tree = growth
  }
  const text = formatCheckpoint({ origin: signer.key.name, size, root: tree.root })
  const note =
    formatNote({ text, signatures: [signNote(text, signer)] }) + formatSignature(cosigner.cosign(text, 1_800_000_000))
  return new Map([
    ['checkpoint', Buffer.from(note)],
    ['vkey', Buffer.from(`${vkey}\n`)],
    ...[...tiles.values()].map(({ tile, bytes }) => [tilePath(tile), bytes] as const),
  ])
}

/** The receipt of one entry of such a log. */
export async function makeReceipt(files: Files, index: number): Promise<Receipt> {
  const signed = must(parseSignedCheckpoint(Buffer.from(files.get('checkpoint') ?? []).toString()))
  const { size } = signed.checkpoint
  const read = async (tile: Tile): Promise<Uint8Array> => files.get(tilePath(tile)) ?? Buffer.of()
  const proof = await hashesOver(inclusionRanges(index, size), size, read)
  return {
    amanat: 'receipt/v1',
    ...event(index),
    salt: Buffer.from(SALT).toString('base64'),
    proof: formatTlogProof({ index, proof, signed }),
    log: { origin: signer.key.name, vkey },
    witnesses: [{ name: cosigner.key.name, vkey: witnessVkey }],
  }
}
