import { bytesToNumberBE } from '@noble/curves/utils.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import {
  BASE,
  CURVE_A,
  CURVE_B,
  encodeCoordinate,
  FIELD,
  hasSmallOrder,
  isOnCurve,
  isReduced,
  ORDER,
  type Point,
} from './curve25519.ts'
import { readExplicitCurve, readNamedCurve, readPublicKeyInfo } from './der.ts'

/** A public key of a peer that passed every check. */
export type PeerKey = {
  readonly point: Point
  /** How it was written: the bare point, or wrapped in X.509 SubjectPublicKeyInfo. */
  readonly form: 'raw' | 'x509'
  /** Whether the peer lost bytes that we put back (protocol sheet 6.2): worth telling the peer's engineers. */
  readonly repaired: boolean
}

const FIELD_NAME = 'dhPublicKey.keyValue'
const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
const X25519 = '1.3.101.110'
const CURVEY25519 = '1.3.6.1.4.1.3029.1.5.1'

const hex = (value: bigint): string => bytesToHex(encodeCoordinate(value))

/** SubjectPublicKeyInfo with explicit parameters up to the point: what BouncyCastle writes (protocol sheet 6.1 step 3). */
const EXPLICIT_PREFIX = hexToBytes(
  `3082013130 81ea 06072a8648ce3d0201 3081de 020101 302b06072a8648ce3d0101 0220${hex(FIELD)}
   3044 0420${hex(CURVE_A)} 0420${hex(CURVE_B)} 044104${hex(BASE.x)}${hex(BASE.y)}
   0220${hex(ORDER)} 020108 034200`.replace(/\s/g, ''),
)
const NAMED_PREFIX = hexToBytes('305b301506072a8648ce3d0201060a2b060104019755010501034200')

/** `04 ‖ x ‖ y`, 65 bytes, in base64: what a HIU sends. */
export function encodeRaw(point: Point): string {
  return encodeBase64(pointBytes(point))
}

/** X.509 with explicit parameters, 309 bytes, in base64: what a HIP sends, since two known HIUs read nothing else. */
export function encodeX509(point: Point): string {
  return encodeBase64(new Uint8Array([...EXPLICIT_PREFIX, ...pointBytes(point)]))
}

/**
 * Reads a peer's `dhPublicKey.keyValue`: raw or X.509 (explicit parameters or the named curve), base64. Keys that known
 * peers cut short by a leading zero byte are repaired where only one reading lies on the curve. Refusals: `crypto/key-*`.
 */
export function parsePeerKey(keyValue: string): PeerKey | Refusal {
  if (keyValue.length > LIMITS.keyValueCharsMax) {
    return bad('malformed', `The public key is longer than ${LIMITS.keyValueCharsMax} characters.`)
  }
  const bytes = decodeBase64(keyValue)
  if (bytes === undefined) return bad('malformed', 'The public key is not standard base64 with padding.')
  if (bytes.length === 32) return bad('x25519')
  if (bytes[0] === 0x30 && (bytes.length < SHORTEST_REPAIRABLE || bytes.length > 65)) return parseX509(bytes)
  return parsePoint(bytes, 'raw')
}

function parseX509(der: Uint8Array): PeerKey | Refusal {
  for (const prefix of [EXPLICIT_PREFIX, NAMED_PREFIX]) {
    // By the known prefix first: in keys that lost a byte the lengths of the DER no longer add up.
    if (startsWith(der, prefix)) return parsePoint(der.subarray(prefix.length), 'x509')
  }
  const info = readPublicKeyInfo(der)
  if (info === 'truncated') return bad('truncated')
  if (info === 'malformed') return bad('malformed', 'The public key is not a SubjectPublicKeyInfo in DER.')
  if (info.algorithm === X25519) return bad('x25519')
  if (info.algorithm !== EC_PUBLIC_KEY) return bad('malformed', `The key's algorithm is ${info.algorithm}, not EC.`)
  const named = readNamedCurve(info.parameters)
  if (named !== undefined && named !== CURVEY25519)
    return bad('malformed', `The key's curve is ${named}, not Curve25519.`)
  if (named === undefined && !isOurCurve(info.parameters)) {
    return bad('malformed', "The key's explicit parameters are not those of Curve25519 in short Weierstrass form.")
  }
  return parsePoint(info.key, 'x509')
}

/** The base point is not compared: key agreement does not use the peer's. */
function isOurCurve(parameters: Uint8Array): boolean {
  const curve = readExplicitCurve(parameters)
  return curve?.p === FIELD && curve.a === CURVE_A && curve.b === CURVE_B && curve.n === ORDER
}

/** 62 bytes: both coordinates may have lost a byte, or one of them two, and the leading 04 as well. */
const SHORTEST_REPAIRABLE = 62

function parsePoint(bytes: Uint8Array, form: 'raw' | 'x509'): PeerKey | Refusal {
  const hasMark = bytes[0] === 4
  if (bytes.length > 65) return bad('malformed', `The point has ${bytes.length} bytes instead of 65.`)
  if (bytes.length < SHORTEST_REPAIRABLE) {
    const cut = hasMark || form === 'x509'
    return bad(cut ? 'truncated' : 'malformed', `The point has ${bytes.length} bytes instead of 65.`)
  }
  if (bytes.length === 65) {
    if (!hasMark) return bad('malformed', 'The point does not begin with 04: only uncompressed points are read.')
    const point = pointOf(bytes.subarray(1), 32)
    return refusalOf(point) ?? { point, form, repaired: false }
  }
  const point = onlyOne(readings(bytes), bytes.length)
  return isRefusal(point) ? point : { point, form, repaired: true }
}

/** All points that a shortened key may have meant. */
function readings(bytes: Uint8Array): Point[] {
  const bodies = bytes[0] === 4 ? [bytes.subarray(1), bytes] : [bytes]
  return bodies.flatMap((body) => {
    const first = Math.max(body.length - 32, 30)
    return Array.from({ length: Math.max(0, 33 - first) }, (_, i) => pointOf(body, first + i))
  })
}

/** The one of several readings that is a valid key. Exported for its test: no key with two valid readings is known. */
export function onlyOne(points: readonly Point[], bytes: number): Point | Refusal {
  const valid = points.filter((point) => refusalOf(point) === undefined)
  const [first] = valid
  if (first === undefined) {
    const [only, ...others] = points
    const complete = only !== undefined && others.length === 0 && bytes === 64 ? refusalOf(only) : undefined
    return (
      complete ?? bad('truncated', `The point has ${bytes} bytes instead of 65 and no zero byte put back mends it.`)
    )
  }
  return valid.every(({ x, y }) => x === first.x && y === first.y) ? first : bad('ambiguous')
}

function refusalOf(point: Point): Refusal | undefined {
  if (!isReduced(point)) return bad('not-reduced')
  if (!isOnCurve(point)) return bad('off-curve')
  return hasSmallOrder(point) ? bad('small-order') : undefined
}

function pointOf(body: Uint8Array, xLength: number): Point {
  return { x: bytesToNumberBE(body.subarray(0, xLength)), y: bytesToNumberBE(body.subarray(xLength)) }
}

function pointBytes({ x, y }: Point): Uint8Array {
  return new Uint8Array([4, ...encodeCoordinate(x), ...encodeCoordinate(y)])
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, i) => bytes[i] === byte)
}

type KeyProblem = 'malformed' | 'truncated' | 'ambiguous' | 'off-curve' | 'small-order' | 'not-reduced' | 'x25519'

function bad(problem: KeyProblem, detail?: string): Refusal {
  return refuse(`crypto/key-${problem}`, detail, FIELD_NAME)
}
