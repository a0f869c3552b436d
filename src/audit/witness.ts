import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { parseSignedCheckpoint, parseSize, type SignedCheckpoint } from '../crypto/checkpoint.ts'
import { EMPTY_ROOT, type Hash, provesConsistency } from '../crypto/merkle.ts'
import { formatNote, formatSignature, openNote } from '../crypto/signed-note.ts'
import { parseHashes } from '../crypto/tlog-proof.ts'
import type { Tx } from '../db/tx.ts'
import type { Answer } from '../http/route.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type OwnWitness, verifierOfConfigured } from './log.ts'
import { text } from './serve.ts'

/** Content type of an answer 409: the body is the size that we have (C2SP tlog-witness). */
const SIZE_TYPE = 'text/x.tlog.size'

type Request = { readonly old: number; readonly proof: readonly Hash[]; readonly signed: SignedCheckpoint }

/**
 * `POST /witness/add-checkpoint` (C2SP tlog-witness): `old <N>`, proof lines, an empty line, the checkpoint. Answers 200 with our
 * cosignature line once the checkpoint is stored; 404 unknown log, 403 not signed by it, 400 malformed or shrinking, 409 another size
 * than ours, 422 not a continuation of what we saw. The caller's transaction commits before the answer leaves.
 */
export async function addCheckpoint(tx: Tx, own: OwnWitness, body: Uint8Array): Promise<Answer> {
  const request = parseRequest(body)
  if (request === undefined) return say(400, 'Send "old <size>", proof lines, an empty line and a signed checkpoint.')
  const { checkpoint, note } = request.signed
  const log = own.logs.find(({ origin }) => origin === checkpoint.origin)
  if (log === undefined) return say(404, 'We do not witness this log.')
  const verified = openNote(note, [verifierOfConfigured(log.vkey)])
  if (isRefusal(verified)) return say(403, verified.detail)
  if (request.old > checkpoint.size) return say(400, 'The old size is larger than the checkpoint.')
  // From here on one request at a time for each log: a stalled older one waits, then sees the newer size and gets 409.
  const seen = await lockSeen(tx, checkpoint.origin)
  if (request.old !== seen.size) return text(409, `${seen.size}\n`, 'no-store', SIZE_TYPE)
  if (!provesConsistency(seen.size, seen.root, checkpoint.size, checkpoint.root, request.proof)) {
    return say(422, 'The proof does not lead from the checkpoint that we saw to this one.')
  }
  const cosignature = own.cosigner.cosign(note.text, Math.floor(tx.now.getTime() / 1000))
  await tx.db
    .updateTable('witnessed_log')
    .set({
      size: checkpoint.size,
      root: checkpoint.root,
      note: formatNote({ text: note.text, signatures: [...verified, cosignature] }),
      changed_at: tx.now,
    })
    .where('origin', '=', checkpoint.origin)
    .execute()
  return text(200, formatSignature(cosignature), 'no-store')
}

/** `GET /witness/<hex SHA-256 of the origin>/checkpoint`: what we last cosigned, for monitors; 404 if never. */
export async function serveWitnessed(tx: Tx, own: OwnWitness, originHash: string): Promise<Answer> {
  const log = own.logs.find(({ origin }) => bytesToHex(sha256(utf8ToBytes(origin))) === originHash)
  const row =
    log && (await tx.db.selectFrom('witnessed_log').select('note').where('origin', '=', log.origin).executeTakeFirst())
  return row && row.note !== '' ? text(200, row.note, 'public, max-age=1') : say(404, 'We have not cosigned this log.')
}

async function lockSeen(tx: Tx, origin: string): Promise<{ size: number; root: Uint8Array }> {
  await tx.db
    .insertInto('witnessed_log')
    .values({ origin, size: 0, root: EMPTY_ROOT, note: '', changed_at: tx.now })
    .onConflict((c) => c.column('origin').doNothing())
    .execute()
  const row = await tx.db
    .selectFrom('witnessed_log')
    .select(['size', 'root'])
    .where('origin', '=', origin)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return { size: row.size, root: new Uint8Array(row.root) }
}

function parseRequest(body: Uint8Array): Request | undefined {
  const decoded = decodeText(body)
  const split = decoded?.indexOf('\n\n') ?? -1
  if (decoded === undefined || split < 0) return undefined
  const [first, ...lines] = decoded.slice(0, split).split('\n')
  const old = first?.startsWith('old ') ? parseSize(first.slice(4)) : undefined
  const proof = parseHashes(lines)
  const signed = parseSignedCheckpoint(decoded.slice(split + 2))
  if (old === undefined || proof === undefined || isRefusal(signed)) return undefined
  return { old, proof, signed }
}

function decodeText(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    // Not UTF-8: malformed like the rest.
    return undefined
  }
}

function say(status: number, why: string): Answer {
  return text(status, `${why}\n`, 'no-store')
}
