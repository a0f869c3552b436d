import {
  type Call,
  type CryptokiLibrary,
  type LaterCall,
  openCryptokiLibrary,
  type Word,
  words,
} from './cryptoki-library.ts'

/** CK_TOKEN_INFO is shorter; the label is its first member. */
const TOKEN_INFO_BYTES = 512
const LABEL_BYTES = 32
const LABEL_BYTES_MAX = 512
const SLOTS_MAX = 256
const OBJECTS_MAX = 1_000
const TAG_BYTES = 16

/** Constants of PKCS#11 v2.40, Annex A. */
const CK = {
  serialSession: 0x4,
  rwSession: 0x2,
  osLocking: 0x2,
  user: 1,
  class: 0x0,
  token: 0x1,
  private: 0x2,
  label: 0x3,
  keyType: 0x100,
  sensitive: 0x103,
  encrypt: 0x104,
  decrypt: 0x105,
  valueLen: 0x161,
  extractable: 0x162,
  secretKey: 0x4,
  aes: 0x1f,
  aesKeyGen: 0x1080,
  aesGcm: 0x1087,
} as const

export type Gcm = { readonly nonce: Uint8Array; readonly associatedData: Uint8Array }
/** What we use of a PKCS#11 library; every call may throw `CryptokiFault`. A session does one thing at a time. */
export type Cryptoki = {
  readonly initialize: () => void
  readonly finalize: () => void
  /** Slots that hold a token, by the token's label. */
  readonly tokens: () => ReadonlyMap<string, Word>
  readonly openSession: (slot: Word, pin: string) => Word
  readonly closeSession: (session: Word) => void
  /** All secret keys that the session sees, with their labels. */
  readonly secretKeys: (session: Word) => readonly { readonly key: Word; readonly label: string }[]
  /** An AES-256 key that never leaves the token. */
  readonly generateAesKey: (session: Word, label: string) => void
  readonly destroy: (session: Word, key: Word) => void
  /** AES-GCM, the tag of 16 bytes at the end. */
  readonly encrypt: (session: Word, key: Word, gcm: Gcm, data: Uint8Array) => Promise<Uint8Array>
  readonly decrypt: (session: Word, key: Word, gcm: Gcm, data: Uint8Array) => Promise<Uint8Array>
}

/** Opens the library of a device. @throws KeyFault when it cannot be called */
export async function openCryptoki(path: string): Promise<Cryptoki> {
  const library = await openCryptokiLibrary(path)
  const { call, later } = library
  const [initialize, finalize] = [call('Initialize', 'memory'), call('Finalize', 'memory')]
  const [encryptInit, decryptInit] = [
    call('EncryptInit', 'word', 'memory', 'word'),
    call('DecryptInit', 'word', 'memory', 'word'),
  ]
  const [encrypt, decrypt] = [
    later('Encrypt', 'word', 'memory', 'word', 'memory', 'memory'),
    later('Decrypt', 'word', 'memory', 'word', 'memory', 'memory'),
  ]
  return {
    // CK_C_INITIALIZE_ARGS: no locks of ours, the library uses the system's.
    initialize: () => initialize(words(0, 0, 0, 0, CK.osLocking, 0)),
    finalize: () => finalize(null),
    tokens: tokensOf(library),
    ...sessionsOf(library),
    ...keysOf(library),
    encrypt: gcmCall(library, encryptInit, encrypt),
    decrypt: gcmCall(library, decryptInit, decrypt),
  }
}

function tokensOf({ call }: CryptokiLibrary): Cryptoki['tokens'] {
  const getSlotList = call('GetSlotList', 'byte', 'memory', 'memory')
  const getTokenInfo = call('GetTokenInfo', 'word', 'memory')
  return () => {
    const [slots, count] = [new BigUint64Array(SLOTS_MAX), words(SLOTS_MAX)]
    getSlotList(1, slots, count)
    return new Map(
      [...slots.subarray(0, Number(count[0]))].map((slot) => {
        const info = Buffer.alloc(TOKEN_INFO_BYTES)
        getTokenInfo(slot, info)
        return [info.toString('utf8', 0, LABEL_BYTES).trim(), slot]
      }),
    )
  }
}

function sessionsOf({ call }: CryptokiLibrary): Pick<Cryptoki, 'openSession' | 'closeSession'> {
  const open = call('OpenSession', 'word', 'word', 'memory', 'memory', 'memory')
  const login = call('Login', 'word', 'word', 'memory', 'word')
  const close = call('CloseSession', 'word')
  return {
    openSession: (slot, pin) => {
      const [session, secret] = [words(0), Buffer.from(pin, 'utf8')]
      open(slot, CK.serialSession | CK.rwSession, null, null, session)
      login(session[0] ?? 0n, CK.user, secret, secret.length)
      return session[0] ?? 0n
    },
    closeSession: (session) => close(session),
  }
}

function keysOf(library: CryptokiLibrary): Pick<Cryptoki, 'secretKeys' | 'generateAesKey' | 'destroy'> {
  const { call } = library
  const findInit = call('FindObjectsInit', 'word', 'memory', 'word')
  const find = call('FindObjects', 'word', 'memory', 'word', 'memory')
  const findFinal = call('FindObjectsFinal', 'word')
  const attribute = call('GetAttributeValue', 'word', 'word', 'memory', 'word')
  const generate = call('GenerateKey', 'word', 'memory', 'memory', 'word', 'memory')
  const destroy = call('DestroyObject', 'word', 'word')
  const labelOf = (session: Word, key: Word): string => {
    const label = Buffer.alloc(LABEL_BYTES_MAX)
    const asked = words(CK.label, library.addressOf(label), label.length)
    attribute(session, key, asked, 1)
    return label.toString('utf8', 0, Number(asked[2]))
  }
  return {
    secretKeys: (session) => {
      const [objects, count] = [new BigUint64Array(OBJECTS_MAX), words(0)]
      withTemplate(library, [[CK.class, words(CK.secretKey)]], (template) => findInit(session, template, 1))
      try {
        find(session, objects, OBJECTS_MAX, count)
      } finally {
        findFinal(session)
      }
      return [...objects.subarray(0, Number(count[0]))].map((key) => ({ key, label: labelOf(session, key) }))
    },
    generateAesKey: (session, label) => {
      const attributes = aesKeyOf(label)
      withTemplate(library, attributes, (template) =>
        generate(session, words(CK.aesKeyGen, 0, 0), template, attributes.length, words(0)),
      )
    },
    destroy: (session, key) => destroy(session, key),
  }
}

type Attribute = readonly [type: number, value: Uint8Array | BigUint64Array]

const yes = Uint8Array.of(1)
const no = Uint8Array.of(0)
const aesKeyOf = (label: string): readonly Attribute[] => [
  [CK.class, words(CK.secretKey)],
  [CK.keyType, words(CK.aes)],
  [CK.valueLen, words(32)],
  [CK.label, Buffer.from(label, 'utf8')],
  [CK.token, yes],
  [CK.private, yes],
  [CK.sensitive, yes],
  [CK.extractable, no],
  [CK.encrypt, yes],
  [CK.decrypt, yes],
]

/** CK_ATTRIBUTE is type, pointer, length. The values are held here while the device reads them. */
function withTemplate(
  library: CryptokiLibrary,
  attributes: readonly Attribute[],
  use: (template: BigUint64Array) => void,
): void {
  const template = words(...attributes.flatMap(([type, value]) => [type, library.addressOf(value), value.byteLength]))
  use(template)
  held(attributes)
}

/** Named after its use, so that nothing before it was given back: a pointer in a structure keeps nothing alive. */
const heldNow = new Set<unknown>()
function held(memory: unknown): void {
  heldNow.add(memory)
  heldNow.delete(memory)
}

/** CK_GCM_PARAMS is the nonce, its length and bits, the associated data and its length, the bits of the tag. */
function gcmCall(library: CryptokiLibrary, init: Call, run: LaterCall): Cryptoki['encrypt'] {
  return async (session, key, { nonce, associatedData }, data) => {
    const { addressOf } = library
    const params = words(
      addressOf(nonce),
      nonce.length,
      nonce.length * 8,
      addressOf(associatedData),
      associatedData.length,
      TAG_BYTES * 8,
    )
    const mechanism = words(CK.aesGcm, addressOf(params), params.byteLength)
    const [out, size] = [new Uint8Array(data.length + TAG_BYTES), words(data.length + TAG_BYTES)]
    init(session, mechanism, key)
    await run(session, data, data.length, out, size)
    held([nonce, associatedData, params, mechanism, data])
    return out.slice(0, Number(size[0]))
  }
}
