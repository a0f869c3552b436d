import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseAbhaAddress, parseId } from './id.ts'
import { firstOf, parsePlace, parsePlaceInParts, wordInParts } from './list-place.ts'

const UUID = '01a20000-0000-7000-8000-000000000001'
const date = new Date('2026-01-31T10:00:00.000Z')

describe('places in lists', () => {
  it('there is a place to go on at when more was found than is given out, and only then', () => {
    const found = [UUID, UUID].map((id) => ({ id, date }))
    assert.deepEqual(
      firstOf(found, 2, (one) => one),
      { items: found },
    )
    assert.deepEqual(
      firstOf([], 2, (one: (typeof found)[number]) => one),
      { items: [] },
    )
    const { items, next } = firstOf(found, 1, (one) => one)
    assert.deepEqual([items.length, parsePlace(next ?? '')], [1, { id: UUID, date }])
  })

  it('a place in a list of two parts is read as it was written, by the list whose names it has', () => {
    for (const isSettled of [true, false])
      for (const id of [UUID, 'asha.rao_1@sbx']) {
        const word = wordInParts({ isSettled, date, id })
        const read =
          id === UUID ? parsePlaceInParts(word, parseId<'question'>) : parsePlaceInParts(word, parseAbhaAddress)
        assert.deepEqual(read, { isSettled, date, id })
        assert.equal(
          id === UUID ? parsePlaceInParts(word, parseAbhaAddress) : parsePlaceInParts(word, parseId),
          undefined,
        )
      }
    for (const wrong of [
      '',
      'open',
      `open_${UUID}`,
      `later_${date.toISOString()}_${UUID}`,
      `open_2026-13-31T10:00:00.000Z_${UUID}`,
    ])
      assert.equal(parsePlaceInParts(wrong, parseId<'question'>), undefined, wrong)
  })
})
