/** What a SubjectPublicKeyInfo (RFC 5280 §4.1) holds, as far as key agreement cares. */
export type PublicKeyInfo = {
  readonly algorithm: string
  /** DER of the algorithm's parameters; empty when absent. */
  readonly parameters: Uint8Array
  readonly key: Uint8Array
}

type Element = {
  readonly tag: number
  readonly body: Uint8Array
  readonly whole: Uint8Array
  readonly rest: Uint8Array
}

const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OBJECT_ID = 0x06
const SEQUENCE = 0x30

/** Reads SubjectPublicKeyInfo; `truncated` when a length leads beyond the end, `malformed` for all else. */
export function readPublicKeyInfo(der: Uint8Array): PublicKeyInfo | 'truncated' | 'malformed' {
  const outer = readElement(der)
  if (typeof outer === 'string') return outer
  if (outer.tag !== SEQUENCE || outer.rest.length > 0) return 'malformed'
  const [algorithm, key, ...more] = readAll(outer.body) ?? []
  if (algorithm?.tag !== SEQUENCE || key?.tag !== BIT_STRING || more.length > 0) return 'malformed'
  const [id, parameters] = readAll(algorithm.body) ?? []
  if (id?.tag !== OBJECT_ID || key.body[0] !== 0) return 'malformed'
  return { algorithm: readOid(id.body), parameters: parameters?.whole ?? new Uint8Array(0), key: key.body.subarray(1) }
}

/** The dotted text of a DER object identifier, or undefined when `der` is something else. */
export function readNamedCurve(der: Uint8Array): string | undefined {
  const element = readElement(der)
  return typeof element !== 'string' && element.tag === OBJECT_ID ? readOid(element.body) : undefined
}

/** The numbers of explicit ECParameters over a prime field (SEC 1 §C.2), or undefined when `der` is something else. */
export function readExplicitCurve(der: Uint8Array): { p: bigint; a: bigint; b: bigint; n: bigint } | undefined {
  const [version, field, curve, , order] = readSequence(der) ?? []
  const [, prime] = readSequence(field?.whole) ?? []
  const [a, b] = readSequence(curve?.whole) ?? []
  if (version?.tag !== INTEGER || prime?.tag !== INTEGER || order?.tag !== INTEGER) return undefined
  if (a?.tag !== OCTET_STRING || b?.tag !== OCTET_STRING) return undefined
  return {
    p: readNumber(prime.body),
    a: readNumber(a.body),
    b: readNumber(b.body),
    n: readNumber(order.body),
  }
}

function readSequence(der: Uint8Array | undefined): Element[] | undefined {
  const element = der === undefined ? 'malformed' : readElement(der)
  return typeof element !== 'string' && element.tag === SEQUENCE ? readAll(element.body) : undefined
}

function readAll(bytes: Uint8Array): Element[] | undefined {
  const elements: Element[] = []
  for (let rest = bytes; rest.length > 0; ) {
    const element = readElement(rest)
    if (typeof element === 'string') return undefined
    elements.push(element)
    rest = element.rest
  }
  return elements
}

function readElement(bytes: Uint8Array): Element | 'truncated' | 'malformed' {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) return 'truncated'
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  // Two bytes of length are 64 KB, more than any key; 0x80 alone is BER's open end.
  if (first === 0x80 || lengthBytes > 2) return 'malformed'
  const start = 2 + lengthBytes
  if (bytes.length < start) return 'truncated'
  const length = lengthBytes === 0 ? first : Number(readNumber(bytes.subarray(2, start)))
  if (bytes.length < start + length) return 'truncated'
  const end = start + length
  return { tag, body: bytes.subarray(start, end), whole: bytes.subarray(0, end), rest: bytes.subarray(end) }
}

function readNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
}

function readOid(body: Uint8Array): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of body) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    arcs.push(arc)
    arc = 0
  }
  const [first = 0, ...others] = arcs
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - 40 * root, ...others].join('.')
}
