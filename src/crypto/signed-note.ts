import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'

/** Signature types of C2SP signed-note that we make and check. */
export const NOTE_ED25519 = 0x01
export const NOTE_COSIGNATURE = 0x04

const NOTE_CHARS_MAX = 1_000_000
const SIGNATURES_MAX = 100
const KEY_ID_BYTES = 4
const ED25519_KEY_BYTES = 32
const ED25519_SIGNATURE_BYTES = 64

/** A verifier key: `name+hex8(keyID)+base64(type ‖ public key)` (C2SP signed-note). */
export type NoteKey = {
  readonly name: string
  readonly keyId: string
  readonly type: number
  readonly publicKey: Uint8Array
}

/** One signature line: `— <name> <base64(keyID ‖ signature)>`. */
export type NoteSignature = { readonly name: string; readonly keyId: string; readonly signature: Uint8Array }

/** A note as read, nothing verified yet. `text` ends in a newline and is what the signatures are over. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] }

/** Knows one key and says whether a signature of it over a note's text is good. */
export type Verifier = {
  readonly name: string
  readonly keyId: string
  readonly verify: (text: string, signature: Uint8Array) => boolean
}

/** Signs notes with one key. */
export type Signer = {
  readonly key: NoteKey
  readonly sign: (text: string) => Uint8Array
}

/** Checks an Ed25519 signature (RFC 8032): the default runs anywhere, a server may hand in its native one. */
export type Ed25519Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean

/** RFC 8032 rules, not the laxer ZIP 215: the same answers as OpenSSL. False, never an exception, for anything malformed. */
export const verifyEd25519: Ed25519Verify = (signature, message, publicKey) => {
  if (signature.length !== ED25519_SIGNATURE_BYTES || publicKey.length !== ED25519_KEY_BYTES) return false
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  } catch {
    return false
  }
}

/** Hex of the first four bytes of `SHA-256(name ‖ 0x0A ‖ type ‖ public key)`. */
function noteKeyId(name: string, type: number, publicKey: Uint8Array): string {
  const hash = sha256(Uint8Array.from([...utf8(name), 0x0a, type, ...publicKey]))
  return hex(hash.subarray(0, KEY_ID_BYTES))
}

/** `name+hex8(keyID)+base64(type ‖ public key)`. */
export function formatVkey(key: NoteKey): string {
  return `${key.name}+${key.keyId}+${encodeBase64(Uint8Array.from([key.type, ...key.publicKey]))}`
}

/** Reads a {@link formatVkey}, of a type known to us or not; refuses one whose key id does not match. */
export function parseVkey(text: string): NoteKey | Refusal {
  const [, name, keyId, base64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim()) ?? []
  const bytes = base64 === undefined ? undefined : decodeBase64(base64)
  const type = bytes?.[0]
  if (name === undefined || keyId === undefined || bytes === undefined || type === undefined || !isKeyName(name)) {
    return refuse('log/key-malformed', 'A verifier key is spelled name+8 hex digits+base64.')
  }
  const publicKey = bytes.slice(1)
  if (isEd25519(type) && publicKey.length !== ED25519_KEY_BYTES) {
    return refuse('log/key-malformed', 'An Ed25519 verifier key has 32 bytes after its type.')
  }
  // ECDSA keys (type 2) hash otherwise; we never verify with them.
  if (type !== 0x02 && noteKeyId(name, type, publicKey) !== keyId) {
    return refuse('log/key-malformed', 'The key id of the verifier key does not belong to its name and key.')
  }
  return { name, keyId, type, publicKey }
}

/**
 * Makes the signer of an Ed25519 seed of 32 bytes. `name` is the checkpoint's origin for a log; spaces and `+` are not allowed.
 */
export function makeSigner(name: string, seed: Uint8Array): Signer {
  const key = makeKey(name, NOTE_ED25519, seed)
  return { key, sign: (text) => ed25519.sign(utf8(text), seed) }
}

/** The verifier key of an Ed25519 seed under `name` for signatures of `type`. */
export function makeKey(name: string, type: number, seed: Uint8Array): NoteKey {
  if (!isKeyName(name)) throw new RangeError(`not a key name: ${name}`)
  const publicKey = ed25519.getPublicKey(seed)
  return { name, keyId: noteKeyId(name, type, publicKey), type, publicKey }
}

/** A verifier of type 01, Ed25519 over the text. */
export function ed25519Verifier(key: NoteKey, check: Ed25519Verify = verifyEd25519): Verifier {
  return {
    name: key.name,
    keyId: key.keyId,
    verify: (text, signature) => check(signature, utf8(text), key.publicKey),
  }
}

/** Signs `text`, which must end in a newline. */
export function signNote(text: string, signer: Signer): NoteSignature {
  if (!isNoteText(text)) throw new RangeError('the text of a note ends in a newline and has no control characters')
  return { name: signer.key.name, keyId: signer.key.keyId, signature: signer.sign(text) }
}

/** `— <name> <base64(keyID ‖ signature)>` with its newline. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  return `— ${name} ${encodeBase64(Uint8Array.from([...unhex(keyId), ...signature]))}\n`
}

/** Reads one signature line without its newline. */
function parseSignature(line: string): NoteSignature | Refusal {
  const [, name, base64] = /^— (\S+) (\S+)$/u.exec(line) ?? []
  const bytes = base64 === undefined ? undefined : decodeBase64(base64)
  if (name === undefined || !isKeyName(name) || bytes === undefined || bytes.length <= KEY_ID_BYTES) {
    return refuse('log/note-malformed', 'A signature line is not spelled "— name base64".')
  }
  return { name, keyId: hex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.slice(KEY_ID_BYTES) }
}

/** The whole note: text, empty line, signature lines. */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`
}

/** Reads a note's shape; {@link openNote} then says whether to believe it. */
export function parseNote(note: string): Note | Refusal {
  const split = note.lastIndexOf('\n\n')
  if (note.length > NOTE_CHARS_MAX) return refuse('log/note-malformed', 'The note is too long.')
  if (split < 0 || !note.endsWith('\n')) {
    return refuse('log/note-malformed', 'A note is text, an empty line, and signature lines.')
  }
  const text = note.slice(0, split + 1)
  const lines = note.slice(split + 2, -1).split('\n')
  if (!isNoteText(text)) return refuse('log/note-malformed', 'The text of the note has control characters.')
  if (lines.length > SIGNATURES_MAX) return refuse('log/note-malformed', 'The note has too many signatures.')
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const signature = parseSignature(line)
    if (isRefusal(signature)) return signature
    signatures.push(signature)
  }
  return { text, signatures }
}

/**
 * The signatures of `note` that `verifiers` vouch for, one for each key. Unknown keys are ignored; a bad signature by a known
 * key, or none good, refuses the note (C2SP signed-note, "Verifying").
 */
export function openNote(note: Note, verifiers: readonly Verifier[]): readonly NoteSignature[] | Refusal {
  const good = new Map<string, NoteSignature>()
  for (const signature of note.signatures) {
    const verifier = verifiers.find(({ name, keyId }) => name === signature.name && keyId === signature.keyId)
    if (verifier === undefined) continue
    if (!verifier.verify(note.text, signature.signature)) {
      return refuse('log/note-unverified', `The signature of ${signature.name} does not match the note.`)
    }
    good.set(`${signature.name}+${signature.keyId}`, signature)
  }
  return good.size > 0 ? [...good.values()] : refuse('log/note-unverified')
}

export function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && !/[\s+\p{Cc}]/u.test(name) && name.isWellFormed()
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !/[\p{Cc}--\n]/v.test(text)
}

function isEd25519(type: number): boolean {
  return type === NOTE_ED25519 || type === NOTE_COSIGNATURE
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
