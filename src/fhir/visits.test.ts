import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ShownDocument } from './show.ts'
import type { Source } from './trends.ts'
import { visitsOf } from './visits.ts'

const source = (origin: string, rest: Partial<ShownDocument>): Source<string> => ({
  origin,
  document: { title: 'T', authors: [], writers: [], isSubset: false, sections: [], others: [], ...rest },
})
const groups = (sources: readonly Source<string>[]) =>
  visitsOf(sources).map(({ documents }) => documents.map(({ origin }) => origin))

describe('visitsOf', () => {
  test('one day at one place is one visit, by the day in India; other places are other visits', () => {
    const found = groups([
      source('evening', { place: 'City Hospital', date: '2026-01-11T19:00:00Z' }),
      source('morning', { place: 'city hospital', date: '2026-01-12T09:00:00+05:30' }),
      source('lab', { place: 'Lab', date: '2026-01-12T11:00:00+05:30' }),
      source('before', { place: 'City Hospital', date: '2026-01-11' }),
    ])
    assert.deepEqual(found, [['lab'], ['morning', 'evening'], ['before']])
  })

  test('what was written during a stay belongs to it, and only at that place', () => {
    const [stay, ...rest] = visitsOf([
      source('summary', {
        place: 'City Hospital',
        date: '2026-02-09T10:00:00+05:30',
        encounter: { start: '2026-02-04', end: '2026-02-09', kind: 'IMP' },
      }),
      source('scan', { place: 'City Hospital', date: '2026-02-06T10:00:00+05:30' }),
      source('elsewhere', { place: 'Lab', date: '2026-02-06' }),
      source('later', { place: 'City Hospital', date: '2026-02-20' }),
    ]).toReversed()
    assert.deepEqual(
      stay?.documents.map(({ origin }) => origin),
      ['summary', 'scan'],
    )
    assert.deepEqual([stay?.kind, stay?.start, stay?.end], ['IMP', '2026-02-04', '2026-02-09'])
    assert.deepEqual(
      rest.map(({ documents }) => documents[0]?.origin),
      ['elsewhere', 'later'],
    )
  })

  test('every document is in exactly one visit, newest first, whatever the dates say', () => {
    const date = fc.constantFrom(
      '2026-01-01',
      '2026',
      '2025-12-31T20:00:00Z',
      'soon',
      undefined,
      '2026-01-09T00:00:00+05:30',
    )
    const one = fc.record({ place: fc.constantFrom('A', 'B'), date, start: date, end: date })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), (all) => {
        const sources = all.map(({ place, date: at, start, end }, index) =>
          source(String(index), {
            place,
            ...(at && { date: at }),
            encounter: { ...(start && { start }), ...(end && { end }) },
          }),
        )
        assert.deepEqual(groups(sources).flat().sort(), all.map((_, index) => String(index)).sort())
        const times = visitsOf(sources).map(({ start }) => (start === undefined ? -1e15 : Date.parse(start)))
        const days = times.map((time) => Math.floor(time / 86_400_000))
        assert.ok(days.every((day, at) => at === 0 || day <= (days[at - 1] ?? 0) + 1))
      }),
    )
  })
})
