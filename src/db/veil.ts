import { makeSiv, type Siv } from '../crypto/native-siv.ts'
import { isAbhaAddress } from '../kernel/id.ts'

/**
 * What lies between the program and the database, at every connection, so that who has the whole database reads nothing about a patient:
 *
 * - a patient's ABHA address, and the number under which a facility keeps a patient or a visit ({@link pseudonym}), stands there as a
 *   **pseudonym**: the same token for the same text, so that keys, joins and equality go on to work; another one at every party, so that
 *   the databases of two parties cannot be joined;
 * - what a store hands over as {@link sealed} or {@link sealedJson} stands there as ciphertext under a key of the party.
 *
 * What is about one patient for long is sealed under that patient's own key instead (`vault/sealed-json.ts`), which can be destroyed.
 */
export type Veil = {
  /** A value on its way into the database. */
  readonly cover: (text: string) => string
  /**
   * A value on its way out.
   * @throws when it was covered with other keys, or changed
   */
  readonly lift: (stored: string) => string
  /** The same for the text of a JSON value. */
  readonly liftJson: (stored: string) => string
}

const PSEUDONYM = 'pt1.'
const SEALED = 'st1.'
const TIED = 'tie1.'
/** No text of ours or of a peer begins like this: PostgreSQL knows no such character, and the door lets none in. */
const ZERO = '\u0000'
const MARK = '\u0000sealed:'
const MARK_JSON = '\u0000sealed-json:'
const MARK_PSEUDONYM = '\u0000pseudonym:'
const MARK_TIE = '\u0000tie:'
/** Texts are filled up to a multiple of this, so that a token does not tell how long its text is. */
const BLOCK_BYTES = 32
/** Makes two sealed values of the same text different. */
const SALT_BYTES = 16
/** Texts whose tokens are kept at hand, each way. */
const KEPT_MAX = 20_000

/** A value for a text column, which the connection seals: it reads back as it was. */
export function sealed(text: string): string {
  return MARK + text
}

/** {@link sealed}, where the column may be empty. */
export function sealedOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : sealed(text)
}

/** A value for a jsonb column, which the connection seals: it reads back as the value. */
export function sealedJson(value: unknown): string {
  return sealedJsonText(JSON.stringify(value))
}

/** Like {@link sealedJson}, of JSON text. */
export function sealedJsonText(json: string): string {
  return MARK_JSON + json
}

/**
 * A reference number of a facility, for a text column: it stands there as its pseudonym and reads back as it was. An ABHA address has the
 * pseudonym that it has everywhere. Written and asked for with the same mark, it is equal to itself.
 */
export function pseudonym(text: string): string {
  return MARK_PSEUDONYM + text
}

/** {@link pseudonym} within something, such as the facility that gave the number: the same number elsewhere has another one. */
export function pseudonymOf(within: string, text: string): string {
  return MARK_PSEUDONYM + text + ZERO + within
}

/** The text of a value that may be marked for its column: as it reads back. */
export function unmarked(text: string): string {
  return text.startsWith(MARK_PSEUDONYM) ? (text.slice(MARK_PSEUDONYM.length).split(ZERO, 1)[0] ?? '') : text
}

/**
 * A tie (`tie.ts`), for a text column: what stands there only a connection with this party's keys can make. It reads back as this very
 * value, and anything else as something else.
 */
export function tied(digest: string): string {
  return MARK_TIE + digest
}

/** The veil of a party, from its 32-byte index key. */
export function makeVeil(indexKey: Uint8Array, random: (bytes: number) => Uint8Array): Veil {
  const names = makeSiv(indexKey, 'amanat/pseudonym/v1')
  const [tokens, kept] = [makeMemory(), makeMemory()]
  const tokenOf = (text: string): string => {
    const known = tokens.get(text)
    if (known !== undefined) return known
    const token = PSEUDONYM + names.seal(pad(text)).toString('base64url')
    const [alone = ''] = text.split(ZERO, 1)
    kept.keep(token, alone) // what is written is often read soon
    return tokens.keep(text, token)
  }
  const textOf = (token: string): string => {
    const known = kept.get(token)
    if (known !== undefined) return known
    const padded = open(names, token, PSEUDONYM)
    return kept.keep(token, padded.subarray(0, padded.indexOf(0)).toString('utf8'))
  }
  const texts = makeSiv(indexKey, 'amanat/sealed-column/v1')
  const seal = (text: string): string =>
    SEALED + texts.seal(Buffer.concat([random(SALT_BYTES), Buffer.from(text, 'utf8')])).toString('base64url')
  // Keys of its own: nobody has a tie made by typing its text into a form whose words are sealed.
  const ties = makeSiv(indexKey, 'amanat/tie/v1')
  const tie = (digest: string): string => TIED + ties.seal(Buffer.from(digest, 'utf8')).toString('base64url')
  const untie = (stored: string): string => {
    const opened = ties.open(Buffer.from(stored.slice(TIED.length), 'base64url'))
    return opened === undefined ? stored : tied(opened.toString('utf8'))
  }
  const unseal = (stored: string): string => open(texts, stored, SEALED).subarray(SALT_BYTES).toString('utf8')
  return {
    cover: (text) => {
      if (text.startsWith(ZERO)) {
        if (text.startsWith(MARK_PSEUDONYM)) return tokenOf(text.slice(MARK_PSEUDONYM.length))
        if (text.startsWith(MARK)) return seal(text.slice(MARK.length))
        if (text.startsWith(MARK_TIE)) return tie(text.slice(MARK_TIE.length))
        if (text.startsWith(MARK_JSON)) return `"${seal(text.slice(MARK_JSON.length))}"`
      }
      // What already looks covered is covered too: so nobody can have it opened by typing it into a form.
      if (text.startsWith(SEALED) || text.startsWith(TIED)) return seal(text)
      return isAbhaAddress(text) || text.startsWith(PSEUDONYM) ? tokenOf(text) : text
    },
    lift: (stored) => {
      if (stored.startsWith(PSEUDONYM)) return textOf(stored)
      if (stored.startsWith(TIED)) return untie(stored)
      return stored.startsWith(SEALED) ? unseal(stored) : stored
    },
    liftJson: (stored) => (stored.startsWith(`"${SEALED}`) ? unseal(stored.slice(1, -1)) : stored),
  }
}

function open(siv: Siv, stored: string, prefix: string): Buffer {
  const opened = siv.open(Buffer.from(stored.slice(prefix.length), 'base64url'))
  if (opened === undefined)
    throw new Error('a value in the database does not open: covered with other keys, or changed')
  return opened
}

/** Zeros up to the next whole block, at least one. The first zero ends the text: PostgreSQL text holds none, so none is lost. */
function pad(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const padded = Buffer.alloc((Math.floor(bytes.length / BLOCK_BYTES) + 1) * BLOCK_BYTES)
  bytes.copy(padded)
  return padded
}

type Memory = {
  readonly get: (name: string) => string | undefined
  /** Answers the value. */
  readonly keep: (name: string, value: string) => string
}

/** Two halves: when one is full, the other is forgotten. To delete the oldest one by one would cost more than to make it again. */
function makeMemory(): Memory {
  let [young, old] = [new Map<string, string>(), new Map<string, string>()]
  const keep = (name: string, value: string): string => {
    if (young.size >= KEPT_MAX / 2) [young, old] = [new Map(), young]
    young.set(name, value)
    return value
  }
  const get = (name: string): string | undefined => {
    const known = young.get(name)
    if (known !== undefined) return known
    const older = old.get(name)
    return older === undefined ? undefined : keep(name, older)
  }
  return { get, keep }
}
