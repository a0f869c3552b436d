import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A passkey in software, as a browser would answer with it: ES256, attestation `none` (WebAuthn Level 3 §6). */
export type TestPasskey = {
  readonly id: string
  /** Answers `navigator.credentials.create` for options of ours. */
  readonly attest: (options: Creation, at: Partial<Page>) => object
  /** Answers `navigator.credentials.get`. */
  readonly assert: (options: { readonly challenge: string }, at?: Partial<Page>) => object
}
type Creation = { readonly challenge: string; readonly user: { readonly id: string } }
/** What a test may falsify. */
type Page = {
  readonly origin: string
  readonly rpId: string
  readonly isVerified: boolean
  readonly counter: number
  readonly key: KeyObject
  readonly userHandle: string
}

const PRESENT = 0x01
const VERIFIED = 0x04
const ATTESTED = 0x40

const sha256 = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest()
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

export function makeTestPasskey(page: { readonly origin: string }): TestPasskey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const credential = randomBytes(16)
  const usual = { ...page, rpId: new URL(page.origin).hostname, isVerified: true, key: privateKey }
  let counter = 0
  let handle = ''
  const head = (at: Page, extra: number): Buffer => {
    const flags = Buffer.from([PRESENT | (at.isVerified ? VERIFIED : 0) | extra])
    const count = Buffer.alloc(4)
    count.writeUInt32BE(at.counter)
    return Buffer.concat([sha256(at.rpId), flags, count])
  }
  const clientData = (type: string, challenge: string, { origin }: Page): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  const answer = (response: object): object => ({
    id: base64url(credential),
    rawId: base64url(credential),
    type: 'public-key',
    response,
    clientExtensionResults: {},
  })
  return {
    id: base64url(credential),
    attest: ({ challenge, user }, at) => {
      handle = user.id
      const whole = { ...usual, counter, userHandle: handle, ...at }
      const length = Buffer.from([0, credential.length])
      const data = Buffer.concat([head(whole, ATTESTED), Buffer.alloc(16), length, credential, coseOf(publicKey)])
      return answer({
        clientDataJSON: base64url(clientData('webauthn.create', challenge, whole)),
        attestationObject: base64url(attestationOf(data)),
        transports: ['internal'],
      })
    },
    assert: ({ challenge }, at = {}) => {
      counter += 1
      const whole = { ...usual, counter, userHandle: handle, ...at }
      const data = head(whole, 0)
      const client = clientData('webauthn.get', challenge, whole)
      return answer({
        clientDataJSON: base64url(client),
        authenticatorData: base64url(data),
        signature: base64url(sign('sha256', Buffer.concat([data, sha256(client)]), whole.key)),
        userHandle: whole.userHandle,
      })
    },
  }
}

const byteString = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([0x58, bytes.length]), bytes])

/** The public key in CBOR (RFC 9053 §7.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
function coseOf(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const [bytesX, bytesY] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
    byteString(bytesX),
    Buffer.from([0x22]),
    byteString(bytesY),
  ])
}

/** {"fmt": "none", "attStmt": {}, "authData": …} in CBOR. */
function attestationOf(authData: Uint8Array): Buffer {
  const text = (words: string): Buffer => Buffer.concat([Buffer.from([0x60 + words.length]), Buffer.from(words)])
  return Buffer.concat([
    Buffer.from([0xa3]),
    text('fmt'),
    text('none'),
    text('attStmt'),
    Buffer.from([0xa0]),
    text('authData'),
    byteString(authData),
  ])
}
