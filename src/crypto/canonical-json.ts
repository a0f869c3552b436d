const DEPTH_MAX = 200

/** A value that has no canonical JSON; `path` leads to it as in `$.consent.hips[2]`. */
export class NotCanonical extends TypeError {
  override readonly name = 'NotCanonical'
  readonly path: string
  constructor(path: string, what: string) {
    super(`${path} has no canonical JSON: ${what}`)
    this.path = path
  }
}

/**
 * The one JSON text of `value` (RFC 8785, JCS): names sorted by UTF-16 code units, numbers and strings as ECMAScript
 * writes them, no white space. Sign and hash its UTF-8 bytes. Throws {@link NotCanonical} for what JSON cannot say
 * (undefined, NaN, infinities, bigint, functions, symbols, dates and other class instances, holes in arrays), for strings
 * that are not Unicode (lone surrogates), and for nesting deeper than 200, which includes cycles.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0)
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > DEPTH_MAX) throw new NotCanonical(path.slice(0, 100), `nested deeper than ${DEPTH_MAX}`)
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonical(path, String(value))
      return JSON.stringify(value)
    case 'string':
      return writeString(value, path)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? writeArray(value, path, depth) : writeObject(value, path, depth)
    case 'bigint':
    case 'function':
    case 'symbol':
    case 'undefined':
      throw new NotCanonical(path, `a value of type ${typeof value}`)
  }
}

function writeString(text: string, path: string): string {
  if (!text.isWellFormed()) throw new NotCanonical(path, 'a lone surrogate')
  return JSON.stringify(text)
}

function writeArray(values: readonly unknown[], path: string, depth: number): string {
  // Array.from turns holes into undefined, which is then refused.
  return `[${Array.from(values, (item, i) => write(item, `${path}[${i}]`, depth + 1)).join(',')}]`
}

function writeObject(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new NotCanonical(path, 'an instance of a class')
  if (Object.getOwnPropertySymbols(value).length > 0) throw new NotCanonical(path, 'a property named by a symbol')
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${writeString(name, path)}:${write(member, `${path}.${name}`, depth + 1)}`)
  return `{${members.join(',')}}`
}
