import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LookView, OpeningView } from '../src/rights/views.ts'
import { groupsOf, openingGroups } from '../web/patient/looked/groups.ts'

const look = (id: string, minute: number, change: object = {}): LookView => ({
  id,
  at: '2026-11-22T06:30:00.000Z',
  basis: 'consent',
  facility: { id: 'C', name: 'Clinic', kinds: [] },
  unusual: [],
  event: {
    type: 'access.reported',
    facility: 'C',
    facilityName: 'Clinic',
    at: new Date(Date.parse('2026-11-22T06:30:00.000Z') - minute * 60_000).toISOString(),
    purpose: 'CAREMGT',
    actor: { kind: 'facility', person: { name: 'Dr. Khan', role: 'physician' } },
    what: [{ hiType: 'Prescription', careContextReference: id }],
  },
  ...change,
})
const shape = (looks: Parameters<typeof groupsOf>[0]): readonly (readonly string[])[] =>
  groupsOf(looks).map((group) => ('changed' in group ? [`changed ${group.id}`] : group.map(({ id }) => id)))

test('documents opened in one go are one look; another person, reason, ground or time begins anew', () => {
  assert.deepEqual(shape([look('a', 0), look('b', 1), look('c', 9)]), [['a', 'b', 'c']])
  assert.deepEqual(shape([look('a', 0), look('b', 11)]), [['a'], ['b']])
  assert.deepEqual(shape([look('a', 0), look('b', 0, { unusual: ['emergency'] }), look('c', 0)]), [['a'], ['b'], ['c']])
  assert.deepEqual(shape([look('a', 0), look('b', 0, { basis: 'own-care' })]), [['a'], ['b']])
  const other = { ...look('b', 0).event, actor: { kind: 'facility', person: { name: 'Dr. Rao', role: 'physician' } } }
  assert.deepEqual(shape([look('a', 0), look('b', 0, { event: other })]), [['a'], ['b']])
  assert.deepEqual(shape([look('a', 0), { id: 'x', changed: true }, look('b', 0)]), [['a'], ['changed x'], ['b']])
  assert.deepEqual(shape([]), [])
})

test('openings of a page are one row for each place and day, the newest first', () => {
  const opening = (id: string, day: string, place: string): OpeningView => ({
    id,
    at: `${day}T06:30:00.000Z`,
    facility: { id: place, name: place, kinds: [] },
    event: {
      type: 'access.page-reported',
      facility: place,
      facilityName: place,
      at: `${day}T06:30:00.000Z`,
      actor: { kind: 'facility', person: { name: 'Sunil Rao', role: 'front-desk' } },
    },
  })
  const rows = openingGroups(
    [
      opening('a', '2026-11-22', 'C'),
      opening('b', '2026-11-22', 'D'),
      { id: 'x', changed: true },
      opening('c', '2026-11-22', 'C'),
      opening('d', '2026-11-21', 'C'),
    ],
    (at) => at.slice(0, 10),
  )
  const said = rows.map((row) => ('changed' in row ? row.id : `${row.day} ${row.openings.map(({ id }) => id).join()}`))
  assert.deepEqual(said, ['2026-11-22 a,c', '2026-11-22 b', 'x', '2026-11-21 d'])
})
