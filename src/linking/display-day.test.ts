import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { displayOf } from '../records/record.ts'
import { dayInDisplay } from './display-day.ts'

test('the day of a display, as hospitals write it', () => {
  const days: readonly (readonly [string, string | undefined])[] = [
    ['Prescription of 12 March 2026', '2026-03-12'],
    ['Visit, 3 Sept 2025', '2025-09-03'],
    ['OPD 01-Jan-2024', '2024-01-01'],
    ['Report 2025-11-30 (blood)', '2025-11-30'],
    ['Visit 2', undefined],
    ['Ward 12 Marigold 2026', undefined],
    ['Visit of 31 February 2026', undefined],
    ['Report 2026-13-01', undefined],
    ['', undefined],
  ]
  for (const [display, day] of days) assert.equal(dayInDisplay(display), day, display)
})

test('every display that a facility of ours writes names its day', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1950-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      (date) => dayInDisplay(displayOf('Prescription', date)) === indianDay(date),
    ),
  )
})

function indianDay(date: Date): string {
  return new Date(date.getTime() + 5.5 * 3_600_000).toISOString().slice(0, 10)
}
