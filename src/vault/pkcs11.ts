import { KeysAway } from '../crypto/envelope.ts'
import type { Random } from '../db/tx.ts'
import { refuse } from '../kernel/refusal.ts'
import type { Cryptoki, Gcm } from './cryptoki.ts'
import { CryptokiFault, type Word } from './cryptoki-library.ts'
import { KeyFault } from './key-file.ts'
import type { KeyProvider } from './key-provider.ts'

type Settings = { readonly token: string; readonly key: string; readonly pin: string }

const NONCE_BYTES = 12
const ASSOCIATED_DATA = Buffer.from('amanat/data-key')
/** The device is another than the one that was opened, or has forgotten us: its session is gone, what was asked did not happen. */
const LOST =
  /^CKR_(SESSION_HANDLE_INVALID|SESSION_CLOSED|DEVICE_REMOVED|DEVICE_ERROR|TOKEN_NOT_PRESENT|TOKEN_NOT_RECOGNIZED|SLOT_ID_INVALID|USER_NOT_LOGGED_IN|CRYPTOKI_NOT_INITIALIZED)\b/
/** Another try with the same PIN would lock the device. */
const PIN_REFUSED = /^CKR_PIN_/
const CHANGED = /^CKR_(ENCRYPTED_DATA|GENERAL_ERROR|AEAD|SIGNATURE)/

export type Pkcs11Provider = KeyProvider & { readonly close: () => void }

/**
 * A hardware module or other PKCS#11 device: AES-256 keys that never leave it, `NAME.v1`, `NAME.v2` and so on; the first is made when
 * there is none. The module is asked for one thing at a time. When it has lost the session (restarted, taken out and put in again) the
 * next use opens it again, once; while that fails, every use is `KeysAway`.
 */
export function makePkcs11Provider(needs: {
  readonly cryptoki: Cryptoki
  readonly settings: Settings
  readonly random: Random
}): Pkcs11Provider {
  const { cryptoki, settings, random } = needs
  const name = `pkcs11-${settings.token}/${settings.key}.v`
  const device = makeDevice(cryptoki, settings)
  const keys = (session: Word) => keysOf(cryptoki, session, settings.key)
  const gcm = (nonce: Uint8Array): Gcm => ({ nonce, associatedData: ASSOCIATED_DATA })
  const versionOf = (wrapId: string | undefined): number => Number(wrapId?.slice(name.length))
  return {
    kind: 'pkcs11',
    owns: (wrapId) => wrapId?.startsWith(name) === true,
    current: () => device.ask(async (session) => `${name}${keys(session).current()}`),
    wrap: (secret) =>
      device.ask(async (session) => {
        const { current, keyOf } = keys(session)
        const version = current()
        const nonce = random(NONCE_BYTES)
        const ciphertext = await cryptoki.encrypt(session, keyOf(version), gcm(nonce), secret)
        return { wrapId: `${name}${version}`, ciphertext: Buffer.concat([nonce, ciphertext]) }
      }),
    unwrap: (wrapId, ciphertext) =>
      device.ask((session) => {
        const key = keys(session).keyOf(versionOf(wrapId))
        return cryptoki.decrypt(session, key, gcm(ciphertext.slice(0, NONCE_BYTES)), ciphertext.slice(NONCE_BYTES))
      }),
    rotate: () =>
      device.change(async (session) => {
        const { last, make } = keys(session)
        return `${name}${make(last() + 1)}`
      }),
    versions: () => device.ask(async (session) => [...keys(session).versions().keys()].map((one) => `${name}${one}`)),
    destroyVersion: (wrapId) =>
      device.change(async (session) => {
        const { versions, keyOf } = keys(session)
        if (!versions().has(versionOf(wrapId))) return refuse('keys/unknown-version')
        cryptoki.destroy(session, keyOf(versionOf(wrapId)))
        return true as const
      }),
    close: device.close,
  }
}

/** The versions of a key on a device: those that are there, the newest, and how the next is made. */
function keysOf(cryptoki: Cryptoki, session: Word, name: string) {
  const versions = (): ReadonlyMap<number, Word> => {
    const found = new Map<number, Word>()
    for (const { key, label } of cryptoki.secretKeys(session)) {
      const version = Number(label.startsWith(`${name}.v`) ? label.slice(name.length + 2) : Number.NaN)
      if (Number.isInteger(version)) found.set(version, key)
    }
    return found
  }
  const last = (): number => Math.max(0, ...versions().keys())
  const make = (version: number): number => {
    cryptoki.generateAesKey(session, `${name}.v${version}`)
    return version
  }
  const keyOf = (version: number): Word => {
    const key = versions().get(version)
    if (key === undefined) throw new Error(`the device has no key ${name}.v${version}`)
    return key
  }
  return { versions, last, make, keyOf, current: (): number => last() || make(1) }
}

type Work<T> = (session: Word) => Promise<T>

/**
 * The session at a device, which does one thing at a time.
 * @throws KeyFault when it cannot be opened at first
 */
function makeDevice(cryptoki: Cryptoki, settings: Settings) {
  let session: Word | undefined = firstSession(cryptoki, settings)
  let isPinRefused = false
  const inTurn = makeQueue()

  /** A device that was away may want everything anew: the library too is told that we begin. */
  function open(): Word {
    if (isPinRefused) throw new KeysAway('the PKCS#11 device refused the PIN; it is asked again after a restart')
    try {
      return openSession(cryptoki, settings)
    } catch (error) {
      isPinRefused = error instanceof CryptokiFault && PIN_REFUSED.test(error.message)
      throw error
    }
  }
  async function once<T>(work: Work<T>): Promise<T> {
    session ??= open()
    try {
      return await work(session)
    } catch (error) {
      if (!isLost(error)) throw error
      quietly(() => cryptoki.finalize())
      session = undefined
      throw error
    }
  }
  async function again<T>(work: Work<T>): Promise<T> {
    const wasOpen = session !== undefined
    try {
      return await once(work)
    } catch (error) {
      // What was just opened is not opened a second time.
      if (!wasOpen || !isLost(error)) throw error
      return once(work)
    }
  }
  return {
    /** What may be asked twice. */
    ask: <T>(work: Work<T>): Promise<T> => inTurn(() => again(work)),
    /** What is done once: first it is seen that the device is there. */
    change: <T>(work: Work<T>): Promise<T> =>
      inTurn(async () => {
        await again(async (open) => cryptoki.secretKeys(open))
        return once(work)
      }),
    close: (): void => {
      const open = session
      if (open === undefined) return
      quietly(() => cryptoki.closeSession(open))
      quietly(() => cryptoki.finalize())
    },
  }
}

const isLost = (error: unknown): boolean => error instanceof CryptokiFault && LOST.test(error.message)

/** What is given up may be gone already. */
function quietly(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof CryptokiFault)) throw error
  }
}

function firstSession(cryptoki: Cryptoki, settings: Settings): Word {
  try {
    return openSession(cryptoki, settings)
  } catch (error) {
    if (!(error instanceof CryptokiFault)) throw error
    throw new KeyFault(
      `the PKCS#11 device of keys.wrap.pkcs11 cannot be opened (${error.message}). Check library, token and AMANAT_PKCS11_PIN.`,
    )
  }
}

/** @throws CryptokiFault with nothing left open */
function openSession(cryptoki: Cryptoki, { token, pin }: Settings): Word {
  cryptoki.initialize()
  try {
    const slot = cryptoki.tokens().get(token)
    if (slot === undefined) throw new CryptokiFault(`there is no token with the label ${token}`)
    return cryptoki.openSession(slot, pin)
  } catch (error) {
    quietly(() => cryptoki.finalize())
    throw error
  }
}

/** One after the other. What the device refuses is a service that does not serve, unless the bytes are wrong. */
function makeQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = before.then(work).catch((error: unknown) => {
      if (!(error instanceof CryptokiFault)) throw error
      const says = error.message
      if (CHANGED.test(says))
        throw new Error(`a data key does not unwrap at the PKCS#11 device: it was changed (${says})`)
      throw new KeysAway(`the PKCS#11 device refuses: ${says}`)
    })
    before = mine.catch(() => undefined)
    return mine
  }
}
