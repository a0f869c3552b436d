import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLookup, WAITING } from '../web/ui/lookup.ts'

/** A screen never shows the name of a key because a language lacks its text. */

const OWN = { 'a.here': 'यहाँ', 'a.rows_one': '{n} पंक्ति', 'a.rows_other': '{n} पंक्तियाँ' }
const ENGLISH = { 'a.here': 'Here', 'a.late': 'Late', 'a.days_one': '{n} day', 'a.days_other': '{n} days' }

test('English is not asked for while the language has every text', () => {
  let misses = 0
  const { textOf, textFor } = makeLookup({ language: 'hi', own: OWN, english: undefined, onMiss: () => misses++ })
  assert.equal(textOf('a.here'), 'यहाँ')
  assert.equal(textFor('a.rows', 1), '{n} पंक्ति')
  assert.equal(textFor('a.rows', 2), '{n} पंक्तियाँ')
  assert.equal(misses, 0)
})

test('a missing text asks for English, and shows no key while it comes', () => {
  let misses = 0
  const { textOf, textFor } = makeLookup({ language: 'hi', own: OWN, english: undefined, onMiss: () => misses++ })
  assert.equal(textOf('a.late'), WAITING)
  assert.equal(textFor('a.days', 2), WAITING)
  assert.equal(misses, 2)
})

test('once English is there, it stands in, by its own plural rules', () => {
  let misses = 0
  const { textOf, textFor } = makeLookup({ language: 'hi', own: OWN, english: ENGLISH, onMiss: () => misses++ })
  assert.equal(textOf('a.here'), 'यहाँ')
  assert.equal(textOf('a.late'), 'Late')
  // Hindi counts nought as one, English does not.
  assert.equal(textFor('a.rows', 0), '{n} पंक्ति')
  assert.equal(textFor('a.days', 0), '{n} days')
  assert.equal(textFor('a.days', 1), '{n} day')
  assert.equal(textOf('a.nowhere'), 'a.nowhere')
  assert.equal(misses, 0)
})
