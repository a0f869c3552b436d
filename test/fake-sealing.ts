import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/**
 * A second implementation of ABDM's encryption, for the third-party bridges of the journeys: plain whole-number arithmetic, from the
 * protocol's text alone, so that a fault of `src/crypto` cannot hide behind itself. Slow (some 10 ms an exchange) and not constant in time.
 */
const P = 2n ** 255n - 19n
const A = 0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa984914a144n
const B = 0x7b425ed097b425ed097b425ed097b425ed097b425ed097b4260b5e9c7710c864n
const N = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn
const G: Point = {
  x: 0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad245an,
  y: 0x20ae19a1b8a086b4e01edd2c7748d14c923d4d7e6d7c61b229e9c5a27eced3d9n,
}
const X509_PREFIX =
  'MIIBMTCB6gYHKoZIzj0CATCB3gIBATArBgcqhkjOPQEBAiB/////////////////////////////////////////7TBEBCAqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqYSRShRAQge0Je0Je0Je0Je0Je0Je0Je0Je0Je0Je0JgtenHcQyGQEQQQqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq0kWiCuGaG4oIa04B7dLHdI0UySPU1+bXxhsinpxaJ+ztPZAiAQAAAAAAAAAAAAAAAAAAAAFN753qL3nNZYEmMaXPXT7QIBCANCAAQ='
const RAW_CHARS = 88
const X509_CHARS = 412

type Point = { readonly x: bigint; readonly y: bigint }

export type KeyForm = 'raw' | 'x509'
export type FakeKeys = {
  readonly secret: bigint
  readonly raw: string
  readonly x509: string
  readonly nonce: string
}

/** A new key pair and nonce. */
export function makeFakeKeys(): FakeKeys {
  return fakeKeysOf((toNumber(randomBytes(40)) % (N - 1n)) + 1n, randomBytes(32).toString('base64'))
}

/** A key pair whose shared secret with `theirKey` begins with a zero byte, as one in 256 does. */
export function makeFakeKeysSharingZero(theirKey: string): FakeKeys {
  const theirs = readFakeKey(theirKey, ['raw', 'x509'])
  const first = makeFakeKeys()
  let shared = multiply(first.secret, theirs)
  for (let secret = first.secret; ; secret++) {
    if (shared.x >> 248n === 0n) return fakeKeysOf(secret, first.nonce)
    const following = add(shared, theirs)
    if (following === undefined) throw new Error('the product is the point at infinity')
    shared = following
  }
}

export function fakeKeysOf(secret: bigint, nonce: string): FakeKeys {
  const point = multiply(secret, G)
  const xy = Buffer.concat([toBytes(point.x), toBytes(point.y)])
  const raw = Buffer.concat([Buffer.from([4]), xy]).toString('base64')
  const x509 = Buffer.concat([Buffer.from(X509_PREFIX, 'base64'), xy]).toString('base64')
  return { secret, raw, x509, nonce }
}

/** Reads a public key in one of the forms that the peer knows; throws on anything else. */
export function readFakeKey(keyValue: string, accepts: readonly KeyForm[]): Point {
  const form = keyValue.length === RAW_CHARS ? 'raw' : keyValue.length === X509_CHARS ? 'x509' : undefined
  if (form === undefined || !accepts.includes(form))
    throw new Error(`a key of ${keyValue.length} characters is not ${accepts.join(' or ')}`)
  const bytes = Buffer.from(keyValue, 'base64')
  const last = bytes.subarray(bytes.length - 65)
  const point = { x: toNumber(last.subarray(1, 33)), y: toNumber(last.subarray(33)) }
  const isOnCurve = modulo(point.y * point.y - (point.x * point.x * point.x + A * point.x + B)) === 0n
  if (last[0] !== 4 || !isOnCurve) throw new Error('the key is not a point of the curve')
  return point
}

export type Sealing = {
  readonly mine: FakeKeys
  readonly theirKey: string
  readonly theirNonce: string
  readonly accepts: readonly KeyForm[]
  /** What some peers do: drop leading zero bytes of the shared secret (protocol sheet 6.2). */
  readonly stripsZeros?: boolean
}

/** Base64 ciphertext with its tag. */
export function fakeSeal(text: string, sealing: Sealing): string {
  const { key, iv } = agree(sealing)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

/** The text; throws when the tag does not hold. */
export function fakeOpen(content: string, sealing: Sealing): string {
  const { key, iv } = agree(sealing)
  const bytes = Buffer.from(content, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, iv)
  decipher.setAuthTag(bytes.subarray(bytes.length - 16))
  return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - 16)), decipher.final()]).toString('utf8')
}

function agree({ mine, theirKey, theirNonce, accepts, stripsZeros }: Sealing): { key: Buffer; iv: Buffer } {
  const shared = toBytes(multiply(mine.secret, readFakeKey(theirKey, accepts)).x)
  const first = stripsZeros === true ? shared.findIndex((byte) => byte !== 0) : 0
  const [ours, theirs] = [Buffer.from(mine.nonce, 'base64'), Buffer.from(theirNonce, 'base64')]
  if (ours.length !== 32 || theirs.length !== 32) throw new Error('a nonce is not 32 bytes')
  const mixed = Buffer.from(ours.map((byte, i) => byte ^ (theirs[i] ?? 0)))
  const key = hkdfSync('sha256', shared.subarray(Math.max(first, 0)), mixed.subarray(0, 20), Buffer.alloc(0), 32)
  return { key: Buffer.from(key), iv: mixed.subarray(20) }
}

/** Double and add; `undefined` is the point at infinity. */
function multiply(scalar: bigint, point: Point): Point {
  let sum: Point | undefined
  let power: Point | undefined = point
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, power)
    power = add(power, power)
  }
  if (sum === undefined) throw new Error('the product is the point at infinity')
  return sum
}

function add(a: Point | undefined, b: Point | undefined): Point | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  if (a.x === b.x && modulo(a.y + b.y) === 0n) return undefined
  const slope =
    a.x === b.x ? modulo((3n * a.x * a.x + A) * inverse(2n * a.y)) : modulo((b.y - a.y) * inverse(b.x - a.x))
  const x = modulo(slope * slope - a.x - b.x)
  return { x, y: modulo(slope * (a.x - x) - a.y) }
}

function inverse(value: bigint): bigint {
  let [r0, r1, t0, t1] = [P, modulo(value), 0n, 1n]
  while (r1 !== 0n) {
    const q = r0 / r1
    ;[r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1]
  }
  return modulo(t0)
}

function modulo(value: bigint): bigint {
  const rest = value % P
  return rest < 0n ? rest + P : rest
}

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
