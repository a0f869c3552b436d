import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makePseudonyms } from './pseudonyms.ts'

const pseudonyms = makePseudonyms(new Uint8Array(32).fill(1))
const other = makePseudonyms(new Uint8Array(32).fill(2))

test('an address becomes one token, the same each time, of one length, and comes back', () => {
  const token = pseudonyms.hide('asha.rao@sbx')
  assert.match(token, /^pt1\.[A-Za-z0-9_-]{64}$/)
  assert.equal(pseudonyms.hide('asha.rao@sbx'), token)
  assert.equal(makePseudonyms(new Uint8Array(32).fill(1)).hide('asha.rao@sbx'), token)
  assert.equal(pseudonyms.show(token), 'asha.rao@sbx')
  assert.equal(pseudonyms.hide('x1@s').length, token.length)
})

test('two parties have nothing in common, and neither opens what the other hid, nor what was changed', () => {
  const token = pseudonyms.hide('asha.rao@sbx')
  assert.notEqual(other.hide('asha.rao@sbx'), token)
  assert.throws(() => other.show(token), /other keys, or changed/)
  for (const place of [5, 30, 60]) {
    const changed = token.slice(0, place) + (token[place] === 'A' ? 'B' : 'A') + token.slice(place + 1)
    assert.throws(() => pseudonyms.show(changed), /other keys, or changed/)
  }
  assert.throws(() => pseudonyms.show('pt1.'), /other keys, or changed/)
})

test('what is no address stays as it is; a token that somebody types is text and does not open', () => {
  for (const text of ['', 'asha', 'patient-app@sbx', 'Asha Rao', 'IN2710000011', 'a@b@c', 'asha.rao@sbx, too']) {
    assert.equal(pseudonyms.hide(text), text)
    assert.equal(pseudonyms.show(text), text)
  }
  const typed = pseudonyms.hide('asha.rao@sbx')
  assert.notEqual(pseudonyms.hide(typed), typed)
  assert.equal(pseudonyms.show(pseudonyms.hide(typed)), typed)
})

test('every text without zeros comes back', () => {
  const address = fc.stringMatching(/^[a-z0-9]{1,40}[a-z0-9]@[a-z0-9]{1,20}$/)
  const marked = fc.string({ unit: 'binary' }).map((text) => `pt1.${text.replaceAll('\u0000', '').toWellFormed()}`)
  fc.assert(
    fc.property(fc.oneof(address, marked), (text) => {
      const token = pseudonyms.hide(text)
      assert.notEqual(token, text)
      assert.equal(pseudonyms.show(token), text)
    }),
  )
})
