import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { contextsOf, groupsOf } from './link.ts'
import { NOTHING_FITS, type Page, summarise } from './transfer.ts'

const page = (careContextReference: string, status: Page['status'], error?: string): Page => ({
  number: 0,
  careContextReference,
  hiType: 'Invoice',
  status,
  narrowed: false,
  documentHash: new Uint8Array(32),
  ...(error === undefined ? {} : { error }),
})

test('a care context is delivered when every document of it was, and nothing was left out', () => {
  const { outcome, contexts } = summarise(
    ['a', 'b', 'c', 'd', 'constructor'],
    [
      page('a', 'sent'),
      page('a', 'sent'),
      page('b', 'sent'),
      page('b', 'failed', 'It answered 400.'),
      page('c', 'sent'),
    ],
    { c: 'One is invalid.' },
  )
  assert.equal(outcome, 'TRANSFERRED')
  assert.deepEqual(
    contexts.map(({ hiStatus }) => hiStatus),
    ['DELIVERED', 'ERRORED', 'ERRORED', 'ERRORED', 'ERRORED'],
  )
  assert.deepEqual(
    contexts.map(({ description }) => description),
    ['2 document(s) delivered.', 'It answered 400.', 'One is invalid.', NOTHING_FITS, NOTHING_FITS],
  )
  assert.equal(summarise(['a'], [page('a', 'withheld', 'x')], {}).outcome, 'FAILED')
  assert.ok((summarise(['a'], [], { a: 'x'.repeat(5_000) }).contexts[0]?.description.length ?? 0) <= 1_000)
})

test('contexts are offered once for each type, oldest record first, in groups of one type and at most 20', () => {
  const head = (careContextReference: string, hiType: (typeof HI_TYPES)[number], day: number) => ({
    key: `${careContextReference}-${day}`,
    careContextReference,
    hiType,
    date: new Date(Date.UTC(2026, 0, day)),
    display: 'x',
  })
  const contexts = contextsOf(
    [head('b', 'Invoice', 3), head('a', 'Invoice', 2), head('a', 'Prescription', 1), head('gone', 'Invoice', 1)],
    new Set(['gone']),
  )
  assert.deepEqual(
    contexts.map(({ reference, hiType }) => [reference, hiType]),
    [
      ['a', 'Prescription'],
      ['a', 'Invoice'],
      ['b', 'Invoice'],
    ],
  )
  const many = Array.from({ length: 41 }, (_, at) => ({
    reference: String(at),
    hiType: 'Invoice' as const,
    display: 'x',
  }))
  assert.deepEqual(
    groupsOf(many).map((group) => group.contexts.length),
    [20, 20, 1],
  )
  assert.deepEqual(
    groupsOf(many).flatMap((group) => group.contexts),
    many,
  )
})
