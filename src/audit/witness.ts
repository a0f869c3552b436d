import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { type Checkpoint, parseSignedCheckpoint, parseSize, type SignedCheckpoint } from '../crypto/checkpoint.ts'
import type { Cosigner } from '../crypto/cosignature.ts'
import { EMPTY_ROOT, type Hash, provesConsistency } from '../crypto/merkle.ts'
import { formatNote, formatSignature, type NoteSignature, openNote } from '../crypto/signed-note.ts'
import { parseHashes } from '../crypto/tlog-proof.ts'
import type { Tx } from '../db/tx.ts'
import type { Answer } from '../http/route.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type OwnWitness, verifierOfConfigured } from './log.ts'
import { text } from './serve.ts'

/** Content type of an answer 409: the body is the size that we have (C2SP tlog-witness). */
const SIZE_TYPE = 'text/x.tlog.size'

/** What a log asks a witness to cosign: well-formed, of a log that is witnessed here, and signed by it. */
export type Addition = {
  readonly old: number
  readonly proof: readonly Hash[]
  readonly checkpoint: Checkpoint
  /** The note's text, over which the cosignature goes. */
  readonly text: string
  /** The log's own signatures that hold. */
  readonly signatures: readonly NoteSignature[]
}

/** What a witness saw of a log before. */
export type Seen = { readonly size: number; readonly root: Uint8Array }

/** Of a log that a witness never saw. */
export const NOTHING_SEEN: Seen = { size: 0, root: EMPTY_ROOT }

/** Reads `add-checkpoint`, as far as it can be judged without knowing what was seen before: 400, 404, 403, or the addition. */
export function readAddition(
  vkeyOfOrigin: (origin: string) => string | undefined,
  body: Uint8Array,
): Addition | { readonly answer: Answer } {
  const request = parseRequest(body)
  if (request === undefined)
    return { answer: say(400, 'Send "old <size>", proof lines, an empty line and a signed checkpoint.') }
  const { old, proof, signed } = request
  const { checkpoint, note } = signed
  const vkey = vkeyOfOrigin(checkpoint.origin)
  if (vkey === undefined) return { answer: say(404, 'We do not witness this log.') }
  const signatures = openNote(note, [verifierOfConfigured(vkey)])
  if (isRefusal(signatures)) return { answer: say(403, signatures.detail) }
  if (old > checkpoint.size) return { answer: say(400, 'The old size is larger than the checkpoint.') }
  return { old, proof, checkpoint, text: note.text, signatures }
}

/** Why an addition does not continue what was seen: 409 with our size, 422; undefined when it does. */
export function refuseToContinue({ old, proof, checkpoint }: Addition, seen: Seen): Answer | undefined {
  if (old !== seen.size) return text(409, `${seen.size}\n`, 'no-store', SIZE_TYPE)
  return provesConsistency(seen.size, seen.root, checkpoint.size, checkpoint.root, proof)
    ? undefined
    : say(422, 'The proof does not lead from the checkpoint that we saw to this one.')
}

/** The cosignature of an addition that continues what was seen, and the note that monitors read. */
export function cosignAddition(
  { text: over, signatures }: Addition,
  cosigner: Cosigner,
  now: Date,
): { readonly line: string; readonly note: string } {
  const cosignature = cosigner.cosign(over, Math.floor(now.getTime() / 1000))
  return {
    line: formatSignature(cosignature),
    note: formatNote({ text: over, signatures: [...signatures, cosignature] }),
  }
}

type Request = { readonly old: number; readonly proof: readonly Hash[]; readonly signed: SignedCheckpoint }

/**
 * `POST /witness/add-checkpoint` (C2SP tlog-witness): `old <N>`, proof lines, an empty line, the checkpoint. Answers 200 with our
 * cosignature line once the checkpoint is stored; 404 unknown log, 403 not signed by it, 400 malformed or shrinking, 409 another size
 * than ours, 422 not a continuation of what we saw. The caller's transaction commits before the answer leaves.
 */
export async function addCheckpoint(tx: Tx, own: OwnWitness, body: Uint8Array): Promise<Answer> {
  const addition = readAddition((origin) => own.logs.find((log) => log.origin === origin)?.vkey, body)
  if ('answer' in addition) return addition.answer
  const { checkpoint } = addition
  // From here on one request at a time for each log: a stalled older one waits, then sees the newer size and gets 409.
  const refused = refuseToContinue(addition, await lockSeen(tx, checkpoint.origin))
  if (refused !== undefined) return refused
  const { line, note } = cosignAddition(addition, own.cosigner, tx.now)
  await tx.db
    .updateTable('witnessed_log')
    .set({ size: checkpoint.size, root: checkpoint.root, note, changed_at: tx.now })
    .where('origin', '=', checkpoint.origin)
    .execute()
  return text(200, line, 'no-store')
}

/** `GET /witness/<hex SHA-256 of the origin>/checkpoint`: what we last cosigned, for monitors; 404 if never. */
export async function serveWitnessed(tx: Tx, own: OwnWitness, originHash: string): Promise<Answer> {
  const log = own.logs.find(({ origin }) => monitorName(origin) === originHash)
  const row =
    log && (await tx.db.selectFrom('witnessed_log').select('note').where('origin', '=', log.origin).executeTakeFirst())
  return row && row.note !== '' ? text(200, row.note, 'public, max-age=1') : say(404, 'We have not cosigned this log.')
}

/** How the monitor's path names a log: lower-case hex SHA-256 of its origin. */
export function monitorName(origin: string): string {
  return bytesToHex(sha256(utf8ToBytes(origin)))
}

async function lockSeen(tx: Tx, origin: string): Promise<Seen> {
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

/** A refusal of the witness protocol, in one sentence. */
export function say(status: number, why: string): Answer {
  return text(status, `${why}\n`, 'no-store')
}
