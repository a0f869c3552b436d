import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { EMPTY_ROOT, HASH_BYTES, type Hash, sameBytes } from './merkle.ts'
import { isKeyName, type Note, parseNote } from './signed-note.ts'

/** What a log says of itself: so many leaves, this root (C2SP tlog-checkpoint). */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash }

/** The note text: `origin\n` `size\n` `base64(root)\n`. We write no extension lines. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!isKeyName(origin)) throw new RangeError(`not an origin: ${origin}`)
  return `${origin}\n${size}\n${encodeBase64(root)}\n`
}

/** Reads the note text of a checkpoint; extension lines behind the root are accepted and not looked at. */
export function parseCheckpoint(text: string): Checkpoint | Refusal {
  const [origin, size, base64, ...rest] = text.split('\n')
  if (origin === undefined || size === undefined || base64 === undefined || origin === '') return malformed()
  // An extension line is not empty; the last element is what follows the last newline.
  if (rest.pop() !== '' || rest.includes('')) return malformed()
  const root = decodeBase64(base64)
  const count = parseSize(size)
  if (count === undefined || root === undefined || root.length !== HASH_BYTES) return malformed()
  if (count === 0 && !sameBytes(root, EMPTY_ROOT)) return malformed()
  return { origin, size: count, root }
}

/** Decimal digits without leading zeros, within the integers that are exact here; undefined otherwise. */
export function parseSize(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const size = Number(text)
  return Number.isSafeInteger(size) ? size : undefined
}

/** A checkpoint with the note that carries it, nothing verified. */
export type SignedCheckpoint = { readonly checkpoint: Checkpoint; readonly note: Note }

/** Reads a signed checkpoint; nothing is verified yet. */
export function parseSignedCheckpoint(text: string): SignedCheckpoint | Refusal {
  const note = parseNote(text)
  if (isRefusal(note)) return note
  const checkpoint = parseCheckpoint(note.text)
  return isRefusal(checkpoint) ? checkpoint : { checkpoint, note }
}

function malformed(): Refusal {
  return refuse(
    'log/note-malformed',
    'A checkpoint has an origin, a size and a root of 32 bytes in base64, a line each.',
  )
}
