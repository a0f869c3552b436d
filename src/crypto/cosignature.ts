import { ed25519 } from '@noble/curves/ed25519.js'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import {
  type Ed25519Verify,
  ed25519Verifier,
  makeKey,
  NOTE_COSIGNATURE,
  NOTE_ED25519,
  type NoteKey,
  type NoteSignature,
  parseVkey,
  type Verifier,
  verifyEd25519,
} from './signed-note.ts'

const TIME_BYTES = 8

/** A witness's key: says of a checkpoint "at this time I saw no smaller or other tree" (C2SP tlog-cosignature, type 04). */
export type Cosigner = {
  readonly key: NoteKey
  readonly cosign: (text: string, seconds: number) => NoteSignature
}

/** Makes the cosigner of an Ed25519 seed of 32 bytes. The seed signs nothing else. */
export function makeCosigner(name: string, seed: Uint8Array): Cosigner {
  const key = makeKey(name, NOTE_COSIGNATURE, seed)
  const cosign = (text: string, seconds: number): NoteSignature => {
    if (!Number.isSafeInteger(seconds) || seconds <= 0) throw new RangeError(`not a time in seconds: ${seconds}`)
    const blob = new Uint8Array(TIME_BYTES + 64)
    new DataView(blob.buffer).setBigUint64(0, BigInt(seconds))
    blob.set(ed25519.sign(cosignedMessage(text, seconds), seed), TIME_BYTES)
    return { name: key.name, keyId: key.keyId, signature: blob }
  }
  return { key, cosign }
}

/** `cosignature/v1\ntime <seconds>\n` and the checkpoint's text. */
function cosignedMessage(text: string, seconds: number): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${seconds}\n${text}`)
}

/** Seconds since 1970 at which the witness signed; undefined for a blob that is no cosignature of type 04. */
export function cosignatureTime(signature: Uint8Array): number | undefined {
  if (signature.length !== TIME_BYTES + 64) return undefined
  const seconds = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined
}

/** A verifier of type 04. */
function cosignatureVerifier(key: NoteKey, check: Ed25519Verify = verifyEd25519): Verifier {
  return {
    name: key.name,
    keyId: key.keyId,
    verify: (text, signature) => {
      const seconds = cosignatureTime(signature)
      return (
        seconds !== undefined && check(signature.subarray(TIME_BYTES), cosignedMessage(text, seconds), key.publicKey)
      )
    },
  }
}

/** The verifier of a verifier key in text, of type 01 or 04. */
export function verifierOf(vkey: string, check: Ed25519Verify = verifyEd25519): Verifier | Refusal {
  const key = parseVkey(vkey)
  if (isRefusal(key)) return key
  if (key.type === NOTE_ED25519) return ed25519Verifier(key, check)
  if (key.type === NOTE_COSIGNATURE) return cosignatureVerifier(key, check)
  return refuse(
    'log/key-malformed',
    `Keys of type ${key.type} are not checked here: Ed25519 (1) and its cosignatures (4) are.`,
  )
}
