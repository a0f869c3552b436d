import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Route } from '../../src/http/route.ts'
import { validBody } from '../valid-body.ts'
import { AT_EXCHANGE, AT_FACILITY, nameOf } from './world.ts'

/** Names that would change who somebody is or how something stands, if a handler took them from a message that does not have them. */
const UNASKED: Readonly<Record<string, unknown>> = {
  zzStatus: 'GRANTED',
  zzRole: 'administrator',
  isAdmin: true,
  bucket: 0,
  sealedSecret: 'x',
  createdAt: '2001-01-01T00:00:00.000Z',
  tenant: 'other',
}
/** Messages that hold whole FHIR documents, which are checked by their profiles; nothing of them becomes a column. */
const HOLDS_DOCUMENTS = /document|bundle|resource/i

/** The body with members that nobody asked for, in every object of it. */
function enriched(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(enriched)
  if (typeof body !== 'object' || body === null) return body
  return { ...UNASKED, ...Object.fromEntries(Object.entries(body).map(([name, inner]) => [name, enriched(inner)])) }
}

/** Where a value still holds something unasked. */
function unaskedIn(value: unknown, at = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => unaskedIn(item, `${at}[${index}]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name in UNASKED ? [`${at}.${name}`] : unaskedIn(inner, `${at}.${name}`),
  )
}

const withBody = ({ body }: Route): boolean => body !== undefined

test('what a message does not have never reaches a handler, at any depth, at any route', () => {
  const kept: string[] = []
  let tried = 0
  for (const route of [...AT_EXCHANGE, ...AT_FACILITY].filter(withBody)) {
    const body = route.body === undefined ? undefined : validBody(route.body)
    const parsed = body === undefined ? undefined : route.body?.safeParse(enriched(body))
    // A schema that refuses them altogether is as good.
    if (parsed === undefined || !parsed.success) continue
    tried++
    kept.push(
      ...unaskedIn(parsed.data)
        .filter((place) => !HOLDS_DOCUMENTS.test(place))
        .map((place) => `${nameOf(route)}: ${place}`),
    )
  }
  assert.ok(tried > 60, `only ${tried} messages were tried`)
  assert.deepEqual(kept, [])
})

test('a member named __proto__ changes no object but becomes nothing', () => {
  for (const route of [...AT_EXCHANGE, ...AT_FACILITY].filter(withBody)) {
    const body = route.body === undefined ? undefined : validBody(route.body)
    if (typeof body !== 'object' || body === null || Array.isArray(body) || Object.keys(body).length === 0) continue
    const text = JSON.stringify(body).replace(
      '{',
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},',
    )
    const parsed = route.body?.safeParse(JSON.parse(text))
    const data: unknown = parsed?.success ? parsed.data : {}
    assert.equal((data as { polluted?: unknown }).polluted, undefined, nameOf(route))
    assert.equal(({} as { polluted?: unknown }).polluted, undefined, nameOf(route))
  }
})
