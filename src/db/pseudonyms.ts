import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { isAbhaAddress } from '../kernel/id.ts'

/**
 * What stands in the database in place of a patient's ABHA address: the same token for the same address, so that keys, joins and
 * equality go on to work; another one at every party, so that the databases of two parties cannot be joined.
 */
export type Pseudonyms = {
  /** A value on its way into the database: an ABHA address becomes its token, anything else stays. */
  readonly hide: (text: string) => string
  /**
   * A value on its way out: a token becomes the address, anything else stays.
   * @throws when the token was made with another key, or changed
   */
  readonly show: (text: string) => string
}

const PREFIX = 'pt1.'
const IV_BYTES = 16
/** Addresses are filled up to a multiple of this, so that a token does not tell how long its address is. */
const BLOCK_BYTES = 32
/** Addresses whose tokens are kept at hand, each way. */
const KEPT_MAX = 20_000

/**
 * Makes the pseudonyms of one party from its 32-byte index key: a synthetic IV (the HMAC-SHA-256 of the address) and AES-256-CTR
 * under it, the shape of RFC 5297 with HMAC for CMAC. Opening computes the IV again, so a changed token is noticed.
 */
export function makePseudonyms(indexKey: Uint8Array): Pseudonyms {
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', indexKey, new Uint8Array(), `amanat/pseudonym/v1/${use}`, 32))
  const ivKey = derive('iv')
  const textKey = derive('text')
  const ivOf = (padded: Buffer): Buffer => createHmac('sha256', ivKey).update(padded).digest().subarray(0, IV_BYTES)

  const tokenOf = (text: string): string => {
    const padded = pad(text)
    const iv = ivOf(padded)
    const sealed = createCipheriv('aes-256-ctr', textKey, iv).update(padded)
    return PREFIX + Buffer.concat([iv, sealed]).toString('base64url')
  }
  const textOf = (token: string): string => {
    const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url')
    if (bytes.length < IV_BYTES + BLOCK_BYTES) throw unreadable()
    const iv = bytes.subarray(0, IV_BYTES)
    const padded = createDecipheriv('aes-256-ctr', textKey, iv).update(bytes.subarray(IV_BYTES))
    if (!timingSafeEqual(ivOf(padded), iv)) throw unreadable()
    return padded.subarray(0, padded.indexOf(0)).toString('utf8')
  }
  const tokens = keeping(tokenOf)
  const texts = keeping(textOf)
  return {
    // What already looks like a token is hidden too: so nobody can have one opened by typing it into a form.
    hide: (text) => (isAbhaAddress(text) || text.startsWith(PREFIX) ? tokens(text) : text),
    show: (text) => (text.startsWith(PREFIX) ? texts(text) : text),
  }
}

/** Zeros up to the next whole block, at least one: they end the text. PostgreSQL text holds no zero, so none is lost. */
function pad(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const padded = Buffer.alloc((Math.floor(bytes.length / BLOCK_BYTES) + 1) * BLOCK_BYTES)
  bytes.copy(padded)
  return padded
}

function unreadable(): Error {
  return new Error('a pseudonym in the database does not open: it was made with other keys, or changed')
}

/** Remembers what `make` made, the oldest forgotten first. */
function keeping(make: (text: string) => string): (text: string) => string {
  const kept = new Map<string, string>()
  return (text) => {
    const known = kept.get(text)
    if (known !== undefined) return known
    const made = make(text)
    if (kept.size >= KEPT_MAX) for (const oldest of kept.keys()) if (kept.delete(oldest)) break
    kept.set(text, made)
    return made
  }
}
