/** A JSON object, read-only: documents of others are looked at, never changed. */
export type Obj = { readonly [key: string]: unknown }

export function isObject(value: unknown): value is Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text for comparing and showing: never calls a `toString` that came with the document. */
export function asText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''
}

export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
}

/** FHIR `pattern[x]`: everything in the pattern is in the value; arrays hold a match for each item of the pattern's. */
export function isLike(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((wanted) => value.some((item) => isLike(item, wanted)))
  }
  if (isObject(pattern)) {
    return (
      isObject(value) &&
      Object.keys(pattern).every((key) => Object.hasOwn(value, key) && isLike(value[key], pattern[key]))
    )
  }
  return value === pattern
}

/**
 * Whether a value is JSON within limits: at most `nodesMax` values, nested at most `depthMax` deep, no functions, no
 * `undefined`. Says in words what is not. Does not recurse, so that no depth can exhaust the stack.
 */
export function exceeds(value: unknown, nodesMax: number, depthMax: number): string | undefined {
  let nodes = 0
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) return `is nested deeper than ${depthMax} levels`
    const next: unknown[] = []
    for (const item of level) {
      nodes++
      if (nodes > nodesMax) return `has more than ${nodesMax} values`
      const kind = typeof item
      if (kind === 'object') {
        if (item !== null) for (const inner of Object.values(item as object)) next.push(inner)
      } else if (kind !== 'string' && kind !== 'number' && kind !== 'boolean')
        return `holds a ${kind}, which JSON cannot`
    }
    level = next
  }
  return undefined
}
