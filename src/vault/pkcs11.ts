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

export type Pkcs11Provider = KeyProvider & { readonly close: () => void }

/**
 * A hardware module or other PKCS#11 device: AES-256 keys that never leave it, `NAME.v1`, `NAME.v2` and so on; the first is made when
 * there is none. The module is asked for one thing at a time.
 */
export function makePkcs11Provider(needs: {
  readonly cryptoki: Cryptoki
  readonly settings: Settings
  readonly random: Random
}): Pkcs11Provider {
  const { cryptoki, settings, random } = needs
  const name = `pkcs11-${settings.token}/${settings.key}.v`
  const session = openSession(cryptoki, settings)
  const inTurn = makeQueue()
  const { versions, last, make, keyOf } = keysOf(cryptoki, session, settings.key)
  const current = (): number => last() || make(1)
  const gcm = (nonce: Uint8Array): Gcm => ({ nonce, associatedData: ASSOCIATED_DATA })
  const versionOf = (wrapId: string | undefined): number => Number(wrapId?.slice(name.length))
  return {
    kind: 'pkcs11',
    owns: (wrapId) => wrapId?.startsWith(name) === true,
    current: () => inTurn(async () => `${name}${current()}`),
    wrap: (secret) =>
      inTurn(async () => {
        const version = current()
        const nonce = random(NONCE_BYTES)
        const ciphertext = await cryptoki.encrypt(session, keyOf(version), gcm(nonce), secret)
        return { wrapId: `${name}${version}`, ciphertext: Buffer.concat([nonce, ciphertext]) }
      }),
    unwrap: (wrapId, ciphertext) =>
      inTurn(() => {
        const key = keyOf(versionOf(wrapId))
        return cryptoki.decrypt(session, key, gcm(ciphertext.slice(0, NONCE_BYTES)), ciphertext.slice(NONCE_BYTES))
      }),
    rotate: () => inTurn(async () => `${name}${make(last() + 1)}`),
    versions: () => inTurn(async () => [...versions().keys()].map((version) => `${name}${version}`)),
    destroyVersion: (wrapId) =>
      inTurn(async () => {
        if (!versions().has(versionOf(wrapId))) return refuse('keys/unknown-version')
        cryptoki.destroy(session, keyOf(versionOf(wrapId)))
        return true as const
      }),
    close: () => {
      cryptoki.closeSession(session)
      cryptoki.finalize()
    },
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
  return { versions, last, make, keyOf }
}

function openSession(cryptoki: Cryptoki, { token, pin }: Settings): Word {
  let isInitialized = false
  try {
    cryptoki.initialize()
    isInitialized = true
    const slot = cryptoki.tokens().get(token)
    if (slot === undefined) throw new CryptokiFault(`there is no token with the label ${token}`)
    return cryptoki.openSession(slot, pin)
  } catch (error) {
    if (isInitialized) cryptoki.finalize()
    if (!(error instanceof CryptokiFault)) throw error
    throw new KeyFault(
      `the PKCS#11 device of keys.wrap.pkcs11 cannot be opened (${error.message}). Check library, token and AMANAT_PKCS11_PIN.`,
    )
  }
}

/** A session does one thing at a time. What the device refuses is a service that does not serve, unless the bytes are wrong. */
function makeQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = before.then(work).catch((error: unknown) => {
      if (!(error instanceof CryptokiFault)) throw error
      const says = error.message
      if (/^CKR_(ENCRYPTED_DATA|GENERAL_ERROR|AEAD|SIGNATURE)/.test(says))
        throw new Error(`a data key does not unwrap at the PKCS#11 device: it was changed (${says})`)
      throw new KeysAway(`the PKCS#11 device refuses: ${says}`)
    })
    before = mine.catch(() => undefined)
    return mine
  }
}
