import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { civilDay, isBirthDate } from '../kernel/civil-day.ts'
import { comesOfAge, isChild } from './patient.ts'

const at = (moment: string): Date => new Date(moment)

test('a child has grown up when its eighteenth birthday begins in India, not in Greenwich', () => {
  assert.ok(isChild('2015-01-31', at('2033-01-30T23:59:59.999+05:30')))
  assert.ok(!isChild('2015-01-31', at('2033-01-31T00:00:00.000+05:30')))
  assert.equal(comesOfAge('2015-01-31'), '2033-01-31')
})

test('who was born on the 29th of February has completed the year on the day after the 28th', () => {
  assert.equal(comesOfAge('2012-02-29'), '2030-03-01')
  assert.equal(comesOfAge('2012-02-28'), '2030-02-28')
  assert.ok(isChild('2012-02-29', at('2030-02-28T23:59:00+05:30')))
})

test('a birth date is a day that was, and that somebody may still remember', () => {
  const now = at('2026-11-22T20:00:00Z')
  assert.equal(civilDay(now), '2026-11-23')
  for (const good of ['2026-11-23', '2008-02-29', '1896-11-23']) assert.ok(isBirthDate(good, now), good)
  for (const bad of ['2026-11-24', '2999-01-01', '1896-11-22', '0000-01-01', '2023-02-30', 'x', ''])
    assert.ok(!isBirthDate(bad, now), bad)
})

test('nobody becomes a child again', () => {
  const moment = fc.date({ min: at('2000-01-01T00:00:00Z'), max: at('2060-01-01T00:00:00Z'), noInvalidDate: true })
  const day = fc.date({ min: at('1950-01-01'), max: at('2040-01-01'), noInvalidDate: true }).map(civilDay)
  fc.assert(
    fc.property(day, moment, moment, (born, one, other) => {
      const [sooner, later] = one < other ? [one, other] : [other, one]
      assert.ok(isChild(born, sooner) || !isChild(born, later))
    }),
  )
})
