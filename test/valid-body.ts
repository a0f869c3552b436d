import { z } from 'zod'

/** Values that some field of some message asks for; tried in this order where a schema says no to what stands there. */
const CANDIDATES: readonly unknown[] = [
  'text',
  '3f1c2f6e-1d8e-4c39-9a51-0d6f5d0a7c00',
  '2026-01-31T10:00:00.000Z',
  '2026-06-30T10:00:00.000Z',
  '2026-01-31',
  '2026-01-31T10:00:00Z',
  '2025-01-31T10:00:00.000Z',
  'asha.rao@sbx',
  'IN2710000011',
  '91000000000001',
  '9000000001',
  'CAREMGT',
  'OPConsultation',
  'M',
  '1990',
  'http://127.0.0.1:9/push',
  'a'.repeat(64),
  Buffer.alloc(32, 7).toString('base64'),
  'MOBILE',
  '411001',
  'asha@example.org',
  'VIEW',
  'HIP',
  'HIU',
  'GRANTED',
  'REVOKED',
  'TRANSFERRED',
  'OK',
  1,
  0,
  true,
  ['OPConsultation'],
  [],
  {},
]
const ROUNDS_MAX = 400

type Json = Readonly<Record<string, unknown>>
type Path = readonly PropertyKey[]

/** A body that `schema` takes, found by repairing: each fault names its place, and the next candidate is put there. */
export function validBody(schema: z.ZodType): unknown {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json
  let body = sampleOf(json, json)
  const tried = new Map<string, number>()
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const parsed = schema.safeParse(body)
    if (parsed.success) return body
    const path = parsed.error.issues[0]?.path ?? []
    const at = path.map(String).join('.')
    const next = tried.get(at) ?? 0
    // One past the last candidate is `undefined`: some members exclude one another.
    if (next > CANDIDATES.length) return undefined
    tried.set(at, next + 1)
    const isItem = typeof path.at(-1) === 'number' && next === CANDIDATES.length
    body = isItem ? put(body, path.slice(0, -1), []) : put(body, path, CANDIDATES[next])
  }
  return undefined
}

/** Places of all leaves (texts, numbers, …) of a body. */
export function leavesOf(body: unknown, path: Path = []): readonly Path[] {
  if (Array.isArray(body)) return body.flatMap((item, index) => leavesOf(item, [...path, index]))
  if (typeof body !== 'object' || body === null) return [path]
  return Object.entries(body).flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}

/** The body with another value at one place. */
export function put(body: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (Array.isArray(body)) return body.map((item, index) => (index === step ? put(item, rest, value) : item))
  const record = typeof body === 'object' && body !== null ? (body as Json) : {}
  return { ...record, [step]: put(record[String(step)], rest, value) }
}

/** An instance of a JSON Schema with all its members, the optional ones too. */
function sampleOf(schema: Json, root: Json): unknown {
  const ref = schema['$ref']
  if (typeof ref === 'string') return sampleOf(definition(root, ref), root)
  const [variant] = [schema['anyOf'], schema['oneOf'], schema['allOf']].flatMap((list) =>
    Array.isArray(list) ? [list[0] as Json] : [],
  )
  if (variant !== undefined) return sampleOf(variant, root)
  if (schema['const'] !== undefined) return schema['const']
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  switch (schema['type']) {
    case 'object':
      return Object.fromEntries(
        Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Json>>).map(([name, inner]) => [
          name,
          sampleOf(inner, root),
        ]),
      )
    case 'array':
      return [sampleOf((schema['items'] ?? {}) as Json, root)]
    case 'number':
    case 'integer':
      return 1
    case 'boolean':
      return true
    default:
      return 'text'
  }
}

function definition(root: Json, ref: string): Json {
  const name = ref.replace('#/$defs/', '')
  return ref === '#' ? root : (((root['$defs'] as Json | undefined)?.[name] ?? {}) as Json)
}
