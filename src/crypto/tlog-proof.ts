import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { parseSignedCheckpoint, parseSize, type SignedCheckpoint } from './checkpoint.ts'
import { HASH_BYTES, type Hash, provesInclusion } from './merkle.ts'
import { formatNote } from './signed-note.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'
/** A tree of 2^63 leaves has no longer path. */
const PROOF_HASHES_MAX = 63

/** "This leaf is at `index` of the log that this checkpoint describes", in one text (C2SP tlog-proof). */
export type TlogProof = {
  readonly extra?: Uint8Array
  readonly index: number
  readonly proof: readonly Hash[]
  readonly signed: SignedCheckpoint
}

/** Writes the proof: header, index, hashes, an empty line, the checkpoint verbatim. */
export function formatTlogProof({ extra, index, proof, signed }: TlogProof): string {
  const head = [HEADER, ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]), `index ${index}`]
  return `${[...head, ...proof.map(encodeBase64)].join('\n')}\n\n${formatNote(signed.note)}`
}

/** Reads a {@link formatTlogProof}; nothing is verified yet. */
export function parseTlogProof(text: string): TlogProof | Refusal {
  const split = text.indexOf('\n\n')
  const [header, ...lines] = text.slice(0, Math.max(split, 0)).split('\n')
  if (header !== HEADER) return malformed(`it does not begin with ${HEADER} and a checkpoint behind an empty line`)
  const extra = lines[0]?.startsWith('extra ') ? decodeBase64(lines.shift()?.slice(6) ?? '') : null
  if (extra === undefined) return malformed('the extra line is not base64')
  const indexLine = lines.shift()
  const index = indexLine?.startsWith('index ') ? parseSize(indexLine.slice(6)) : undefined
  if (index === undefined) return malformed('the index line is missing or not a number')
  const proof = parseHashes(lines)
  if (proof === undefined) return malformed('a line of the proof is not a hash in base64')
  const signed = parseSignedCheckpoint(text.slice(split + 2))
  if (isRefusal(signed)) return signed
  return { ...(extra === null ? {} : { extra }), index, proof, signed }
}

/** Base64 hashes, one a line; undefined when one is none, or when there are more than a proof can have. */
export function parseHashes(lines: readonly string[]): Hash[] | undefined {
  const hashes = lines.map(decodeBase64)
  const isWhole = hashes.every((hash) => hash?.length === HASH_BYTES) && hashes.length <= PROOF_HASHES_MAX
  return isWhole ? hashes.filter((hash) => hash !== undefined) : undefined
}

/** Whether the proof leads from the leaf's hash to the root that its checkpoint names. Says nothing of signatures. */
export function leadsToCheckpoint({ index, proof, signed }: TlogProof, leaf: Hash): boolean {
  return provesInclusion(leaf, index, signed.checkpoint.size, proof, signed.checkpoint.root)
}

function malformed(why: string): Refusal {
  return refuse('log/proof-malformed', `This is not a tlog proof: ${why}.`)
}
