import { KeysAway } from '../crypto/envelope.ts'
import type { Random } from '../db/tx.ts'
import { KeyFault } from './key-file.ts'
import type { KeyProvider } from './key-provider.ts'

type Settings = { readonly library: string; readonly token: string; readonly key: string; readonly pin: string }

type Handle = Buffer
type Attribute = { readonly type: number; readonly value?: string | number | boolean }
/** What we use of the optional package `pkcs11js`. */
export type Pkcs11Module = {
  readonly PKCS11: new () => {
    load(library: string): void
    C_Initialize(): void
    C_GetSlotList(withToken: boolean): Handle[]
    C_GetTokenInfo(slot: Handle): { readonly label: string }
    C_OpenSession(slot: Handle, flags: number): Handle
    C_Login(session: Handle, user: number, pin: string): void
    C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void
    C_FindObjects(session: Handle, objectsMax: number): Handle[]
    C_FindObjectsFinal(session: Handle): void
    C_GetAttributeValue(session: Handle, object: Handle, template: readonly Attribute[]): { readonly value: Buffer }[]
    C_GenerateKey(session: Handle, mechanism: { readonly mechanism: number }, template: readonly Attribute[]): Handle
    C_DestroyObject(session: Handle, object: Handle): void
    C_EncryptInit(session: Handle, mechanism: object, key: Handle): void
    C_EncryptAsync(session: Handle, data: Buffer, out: Buffer): Promise<Buffer>
    C_DecryptInit(session: Handle, mechanism: object, key: Handle): void
    C_DecryptAsync(session: Handle, data: Buffer, out: Buffer): Promise<Buffer>
    C_CloseSession(session: Handle): void
    C_Finalize(): void
    close(): void
  }
} & Readonly<Record<string, number>>

const NONCE_BYTES = 12
const TAG_BYTES = 16
const ASSOCIATED_DATA = Buffer.from('amanat/data-key')

export type Pkcs11Provider = KeyProvider & { readonly close: () => void }

/** Loads the optional package. @throws KeyFault that says how to install it */
export async function loadPkcs11(): Promise<Pkcs11Module> {
  // Not a dependency: it is compiled where it is installed, and only parties with such a device need it.
  const name = 'pkcs11js'
  try {
    const loaded = (await import(name)) as Pkcs11Module & { readonly default?: Pkcs11Module }
    return loaded.default ?? loaded
  } catch {
    throw new KeyFault(
      'keys.wrap.pkcs11 needs the package pkcs11js, which is compiled where it is installed. Install it beside this program: npm install pkcs11js@2.1.7 (it needs a C++ compiler and Python).',
    )
  }
}

/**
 * A hardware module or other PKCS#11 device: AES-256 keys that never leave it, `NAME.v1`, `NAME.v2` and so on; the first is made when
 * there is none. The module is asked for one thing at a time.
 */
export function makePkcs11Provider(needs: {
  readonly module: Pkcs11Module
  readonly settings: Settings
  readonly random: Random
}): Pkcs11Provider {
  const { module: p11, settings, random } = needs
  const name = `pkcs11-${settings.token}/${settings.key}.v`
  const device = openDevice(p11, settings)
  const { api, session } = device
  const inTurn = makeQueue()

  const { last, make, keyOf } = keysOf(p11, device, settings.key)
  const current = (): number => last() || make(1)
  const gcm = (iv: Buffer): object => ({
    mechanism: constant(p11, 'CKM_AES_GCM'),
    parameter: {
      type: constant(p11, 'CK_PARAMS_AES_GCM'),
      iv,
      aad: ASSOCIATED_DATA,
      ivBits: NONCE_BYTES * 8,
      tagBits: TAG_BYTES * 8,
    },
  })
  const versionOf = (wrapId: string | undefined): number => Number(wrapId?.slice(name.length))
  return {
    kind: 'pkcs11',
    owns: (wrapId) => wrapId?.startsWith(name) === true,
    current: () => inTurn(async () => `${name}${current()}`),
    wrap: (secret) =>
      inTurn(async () => {
        const version = current()
        const nonce = Buffer.from(random(NONCE_BYTES))
        api.C_EncryptInit(session, gcm(nonce), keyOf(version))
        const out = Buffer.alloc(secret.length + TAG_BYTES)
        const ciphertext = await api.C_EncryptAsync(session, Buffer.from(secret), out)
        return { wrapId: `${name}${version}`, ciphertext: Buffer.concat([nonce, ciphertext]) }
      }),
    unwrap: (wrapId, ciphertext) =>
      inTurn(async () => {
        const sealed = Buffer.from(ciphertext)
        api.C_DecryptInit(session, gcm(sealed.subarray(0, NONCE_BYTES)), keyOf(versionOf(wrapId)))
        const out = Buffer.alloc(sealed.length)
        return new Uint8Array(await api.C_DecryptAsync(session, sealed.subarray(NONCE_BYTES), out))
      }),
    rotate: () => inTurn(async () => `${name}${make(last() + 1)}`),
    destroyVersion: (wrapId) =>
      inTurn(async () => {
        api.C_DestroyObject(session, keyOf(versionOf(wrapId)))
        return true as const
      }),
    close: device.close,
  }
}

/** The versions of a key on a device: those that are there, the newest, and how the next is made. */
function keysOf(p11: Pkcs11Module, { api, session }: Device, name: string) {
  const versions = (): ReadonlyMap<number, Handle> => {
    const found = new Map<number, Handle>()
    api.C_FindObjectsInit(session, [{ type: constant(p11, 'CKA_CLASS'), value: constant(p11, 'CKO_SECRET_KEY') }])
    const objects = api.C_FindObjects(session, 1_000)
    api.C_FindObjectsFinal(session)
    for (const object of objects) {
      const [label] = api.C_GetAttributeValue(session, object, [{ type: constant(p11, 'CKA_LABEL') }])
      const text = label?.value.toString('utf8') ?? ''
      const version = Number(text.startsWith(`${name}.v`) ? text.slice(name.length + 2) : Number.NaN)
      if (Number.isInteger(version)) found.set(version, object)
    }
    return found
  }
  const last = (): number => Math.max(0, ...versions().keys())
  const make = (version: number): number => {
    api.C_GenerateKey(session, { mechanism: constant(p11, 'CKM_AES_KEY_GEN') }, keyTemplate(p11, `${name}.v${version}`))
    return version
  }
  const keyOf = (version: number): Handle => {
    const key = versions().get(version)
    if (key === undefined) throw new Error(`the device has no key ${name}.v${version}`)
    return key
  }
  return { last, make, keyOf }
}

type Device = {
  readonly api: InstanceType<Pkcs11Module['PKCS11']>
  readonly session: Handle
  readonly close: () => void
}

function openDevice(p11: Pkcs11Module, { library, token, pin }: Settings): Device {
  const api = new p11.PKCS11()
  let isInitialized = false
  try {
    api.load(library)
    api.C_Initialize()
    isInitialized = true
    const slot = api.C_GetSlotList(true).find((each) => api.C_GetTokenInfo(each).label.trim() === token)
    if (slot === undefined) throw new Error(`there is no token with the label ${token}`)
    const session = api.C_OpenSession(slot, constant(p11, 'CKF_SERIAL_SESSION') | constant(p11, 'CKF_RW_SESSION'))
    api.C_Login(session, constant(p11, 'CKU_USER'), pin)
    const close = (): void => {
      api.C_CloseSession(session)
      api.C_Finalize()
      api.close()
    }
    return { api, session, close }
  } catch (error) {
    if (isInitialized) api.C_Finalize()
    throw new KeyFault(
      `the PKCS#11 device of keys.wrap.pkcs11 cannot be opened (${error instanceof Error ? error.message : 'unknown'}). Check library, token and AMANAT_PKCS11_PIN.`,
    )
  }
}

function keyTemplate(p11: Pkcs11Module, label: string): readonly Attribute[] {
  const value = (type: string, of: string | number | boolean): Attribute => ({ type: constant(p11, type), value: of })
  return [
    value('CKA_CLASS', constant(p11, 'CKO_SECRET_KEY')),
    value('CKA_KEY_TYPE', constant(p11, 'CKK_AES')),
    value('CKA_VALUE_LEN', 32),
    value('CKA_LABEL', label),
    value('CKA_TOKEN', true),
    value('CKA_PRIVATE', true),
    value('CKA_SENSITIVE', true),
    value('CKA_EXTRACTABLE', false),
    value('CKA_ENCRYPT', true),
    value('CKA_DECRYPT', true),
  ]
}

function constant(p11: Pkcs11Module, name: string): number {
  const value = p11[name]
  if (typeof value !== 'number') throw new KeyFault(`the package pkcs11js has no ${name}; use pkcs11js 2.1.7`)
  return value
}

/** A session does one thing at a time. What the device refuses is a service that does not serve, unless the bytes are wrong. */
function makeQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = before.then(work).catch((error: unknown) => {
      const says = error instanceof Error ? error.message : String(error)
      if (/CKR_(ENCRYPTED_DATA|GENERAL_ERROR|AEAD|SIGNATURE)/.test(says))
        throw new Error(`a data key does not unwrap at the PKCS#11 device: it was changed (${says})`)
      if (/^CKR_|Pkcs11/.test(says)) throw new KeysAway(`the PKCS#11 device refuses: ${says}`)
      throw error
    })
    before = mine.catch(() => undefined)
    return mine
  }
}
