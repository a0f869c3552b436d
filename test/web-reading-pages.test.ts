import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HiType } from '../src/fhir/hi-type.ts'
import type { ReadingPage } from '../web/desk/reading/model.ts'
import { countsOf, nextOf, openedBy, withPage } from '../web/desk/reading/pages.ts'

const place = (id: string) => ({ date: '2026-01-01T00:00:00.000Z', id })
const page = (kinds: Readonly<Record<string, HiType>>, more?: string): ReadingPage => ({
  patient: { reference: 'R-1', name: 'Meena Pillai', gender: 'female', birthDate: '1980-02-29' },
  purpose: 'CAREMGT',
  ground: 'attending',
  counts: [],
  there: [
    { hiType: 'Prescription', documents: 3 },
    { hiType: 'Invoice', documents: 2 },
  ],
  entries: Object.entries(kinds).map(([id, hiType]) => ({ id, hiType, date: '2026-01-01T00:00:00.000Z' })),
  withheld: [],
  ...(more === undefined ? {} : { more: place(more) }),
  erased: [],
  consents: [],
  elsewhere: [],
})

describe('pages of open records on the screen', () => {
  it('leads on below what is open, of all kinds and of some, and shows no document twice', () => {
    const first = openedBy(page({ a: 'Prescription', b: 'Invoice' }, 'b'))
    assert.deepEqual(nextOf(first, []), place('b'))
    assert.deepEqual(nextOf(first, ['Prescription']), place('b'))
    const ofOne = withPage(first, ['Prescription'], page({ c: 'Prescription' }, 'c'))
    assert.deepEqual(nextOf(ofOne, ['Prescription']), place('c'))
    assert.deepEqual(nextOf(ofOne, []), place('b'), 'between them lie others')
    const all = withPage(ofOne, [], page({ c: 'Prescription', d: 'Prescription' }, 'd'))
    assert.deepEqual(
      all.entries.map(({ id }) => id),
      ['a', 'b', 'c', 'd'],
    )
    assert.equal(nextOf(all, ['Prescription']), undefined, 'all three are open')
    assert.deepEqual(nextOf(all, []), place('d'))
    assert.deepEqual(countsOf(all, ['Invoice']), { open: 1, there: 2 })
  })

  it('ends when the server says so, also where the gate kept some closed', () => {
    const end = withPage(openedBy(page({ a: 'Prescription' }, 'a')), [], page({ b: 'Prescription' }))
    assert.equal(nextOf(end, []), undefined)
    assert.equal(nextOf(end, ['Invoice']), undefined)
    assert.equal(openedBy(page({ a: 'Prescription' })).isWhole, true)
  })
})
