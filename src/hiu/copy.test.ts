import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CopyFacts, HOLDS_BY_SETTING, holdFor } from './copy.ts'

const NOW = new Date('2026-11-22T06:30:00Z')
const DAY_MS = 86_400_000
const ago = (days: number): Date => new Date(NOW.getTime() - days * DAY_MS)

test('without a law that is named nothing is kept; clinical records are kept only when somebody read them', () => {
  const facts: CopyFacts = { documents: 3, lastReceivedAt: ago(10) }
  assert.equal(holdFor([], facts, NOW), undefined)
  assert.equal(holdFor(['clinical-records'], facts, NOW), undefined)
  const read = { ...facts, firstReadAt: ago(9) }
  assert.equal(holdFor(['clinical-records'], read, NOW)?.until.toISOString(), '2029-11-13T06:30:00.000Z')
  assert.equal(holdFor(['clinical-records'], { ...read, documents: 0 }, NOW), undefined)
  assert.equal(holdFor(['clinical-records'], { ...facts, firstReadAt: ago(1_100) }, NOW), undefined)
  assert.deepEqual(holdFor(['processing-records'], facts, NOW), { reason: 'processing-records', until: ago(-355) })
})

test('law: the longest of the laws that apply holds, never one that was not named, never one that is over', () => {
  const date = fc.integer({ min: -2_000, max: 2_000 }).map(ago)
  const facts = fc.record(
    { documents: fc.nat(3), lastReceivedAt: date, firstReadAt: date, claim: fc.record({ until: date }) },
    { requiredKeys: ['documents'] },
  )
  fc.assert(
    fc.property(fc.subarray([...HOLDS_BY_SETTING]), facts, (named, of) => {
      const hold = holdFor(named, of as CopyFacts, NOW)
      const each = named.flatMap((reason) => holdFor([reason], of as CopyFacts, NOW) ?? [])
      if (hold === undefined) return assert.deepEqual(each, [])
      assert.ok(hold.until > NOW && of.documents > 0)
      assert.ok(hold.reason === 'legal-claim' ? of.claim !== undefined : named.includes(hold.reason))
      assert.ok(each.every(({ until }) => until <= hold.until))
    }),
  )
})
