import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Frequency, isNoMoreOften, nextRequestAt, requestsPerWindow, windowMs } from './frequency.ts'

const frequency: fc.Arbitrary<Frequency> = fc.record({
  unit: fc.constantFrom('HOUR', 'DAY', 'WEEK'),
  value: fc.integer({ min: 1, max: 5 }),
  repeats: fc.integer({ min: 0, max: 6 }),
})
const HOUR_MS = 3_600_000

/** The densest row of requests that a frequency permits: each as soon as it may be. */
function greedy(of: Frequency, untilMs: number): readonly number[] {
  const made: number[] = []
  while (made.length < 500) {
    const next =
      nextRequestAt(
        of,
        made.map((ms) => new Date(ms)),
      )?.getTime() ?? 0
    const ms = Math.max(next, made.at(-1) ?? 0)
    if (ms > untilMs) break
    made.push(ms)
  }
  return made
}

test('0 and 1 repeats both mean one, and windows roll', () => {
  assert.deepEqual(
    [0, 1, 2].map((repeats) => requestsPerWindow({ unit: 'HOUR', value: 24, repeats })),
    [1, 1, 2],
  )
  assert.equal(windowMs({ unit: 'HOUR', value: 24, repeats: 2 }), windowMs({ unit: 'DAY', value: 1, repeats: 2 }))
  const twice: Frequency = { unit: 'DAY', value: 1, repeats: 2 }
  const used = [0, 5, 23].map((hour) => new Date(hour * HOUR_MS))
  assert.equal(nextRequestAt(twice, used)?.getTime(), 29 * HOUR_MS, 'one day after the second latest')
  assert.equal(nextRequestAt(twice, used.slice(0, 1)), undefined)
})

test('whoever asks as soon as permitted never exceeds the number in any window', () => {
  fc.assert(
    fc.property(frequency, (of) => {
      const window = windowMs(of)
      const made = greedy(of, 5 * window)
      for (const from of new Set(made)) {
        assert.ok(made.filter((ms) => from <= ms && ms < from + window).length <= requestsPerWindow(of))
      }
    }),
  )
})

test('a frequency that is judged no more often never lets more requests into a window of the other', () => {
  fc.assert(
    fc.property(frequency, frequency, (granted, asked) => {
      const window = windowMs(asked)
      const made = greedy(granted, 3 * Math.max(window, windowMs(granted)))
      const densest = Math.max(...made.map((from) => made.filter((ms) => from <= ms && ms < from + window).length))
      assert.equal(isNoMoreOften(granted, asked), densest <= requestsPerWindow(asked))
    }),
  )
})
