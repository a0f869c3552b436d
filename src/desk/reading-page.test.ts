import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type ListPlace, newestFirst } from '../kernel/list-place.ts'
import { type Closed, pickPage } from './reading-page.ts'

const closed = fc.record({
  // Few dates: many documents of one moment.
  date: fc.integer({ min: 0, max: 5 }).map((day) => new Date(day * 86_400_000)),
  id: fc.uuid(),
  bytes: fc.integer({ min: 1, max: 100 }),
})
const shelf = fc.uniqueArray(closed, { selector: ({ id }) => id, maxLength: 40 })

/** As the database gives them: newest first, from below a place, one more than fits. */
function below(all: readonly Closed[], place: ListPlace | undefined, limit: number): readonly Closed[] {
  const sorted = all.toSorted(newestFirst)
  return sorted.filter((one) => place === undefined || newestFirst(place, one) < 0).slice(0, limit + 1)
}

describe('pages of the reading screen', () => {
  it('give every document once, newest first, and never more than fits, whatever comes newer meanwhile', () => {
    fc.assert(
      fc.property(
        shelf,
        fc.nat(),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 250 }),
        (all, cut, n, bytes) => {
          const at = all.length === 0 ? 0 : cut % all.length
          const [own, received] = [all.slice(0, at), all.slice(at)]
          const given: Closed[] = []
          let place: ListPlace | undefined
          for (let page = 0; page <= all.length; page++) {
            const newer = { date: new Date(9 * 86_400_000), id: `newer-${page}`, bytes: 1 }
            const ours = page === 0 ? own : [...own, newer]
            const fits = { documents: n, bytes }
            const picked = pickPage(below(ours, place, n), below(received, place, n), fits)
            const both = [...picked.own, ...picked.received]
            assert.ok(both.length <= n)
            const size = both.reduce((sum, one) => sum + one.bytes, 0)
            assert.ok(size <= bytes || both.length === 1, `${size} bytes`)
            given.push(...both.toSorted(newestFirst))
            place = picked.more
            if (place === undefined) break
          }
          assert.equal(place, undefined, 'it ends')
          assert.deepEqual(given, all.toSorted(newestFirst))
        },
      ),
    )
  })
})
