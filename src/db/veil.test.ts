import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeVeil, pseudonym, pseudonymOf, sealed, sealedJson } from './veil.ts'

const veil = makeVeil(new Uint8Array(32).fill(1), randomBytes)
const other = makeVeil(new Uint8Array(32).fill(2), randomBytes)
const DOES_NOT_OPEN = /does not open: covered with other keys, or changed/

test('an address becomes one token, the same each time, of one length, and comes back', () => {
  const token = veil.cover('asha.rao@sbx')
  assert.match(token, /^pt1\.[A-Za-z0-9_-]{64}$/)
  assert.equal(veil.cover('asha.rao@sbx'), token)
  assert.equal(makeVeil(new Uint8Array(32).fill(1), randomBytes).cover('asha.rao@sbx'), token)
  assert.equal(veil.lift(token), 'asha.rao@sbx')
  assert.equal(veil.cover('x1@s').length, token.length)
})

test('a number of a facility becomes one token and comes back; another one at another facility', () => {
  const token = veil.cover(pseudonym('UHID-26-0077313'))
  assert.match(token, /^pt1\.[A-Za-z0-9_-]{64}$/)
  assert.equal(veil.cover(pseudonym('UHID-26-0077313')), token)
  assert.equal(veil.cover(pseudonym('asha.rao@sbx')), veil.cover('asha.rao@sbx'))
  const tokens = ['IN2710000011', 'IN2710000022'].map((hip) => veil.cover(pseudonymOf(hip, 'UHID-26-0077313')))
  assert.equal(new Set([token, ...tokens]).size, 3)
  for (const each of [token, ...tokens]) assert.equal(veil.lift(each), 'UHID-26-0077313')
  assert.throws(() => other.lift(token), DOES_NOT_OPEN)
})

test('sealed values differ each time, and come back as text or as JSON', () => {
  const [first, second] = [veil.cover(sealed('Asha Rao ৰোগী')), veil.cover(sealed('Asha Rao ৰোগী'))]
  assert.notEqual(first, second)
  assert.equal(veil.lift(first ?? ''), 'Asha Rao ৰোগী')
  const value = { patient: { id: 'asha.rao@sbx' }, nothing: null, list: [1, 'two'] }
  const stored = veil.cover(sealedJson(value))
  assert.equal(typeof JSON.parse(stored), 'string')
  assert.deepEqual(JSON.parse(veil.liftJson(stored)), value)
  assert.equal(veil.liftJson('{"plain":1}'), '{"plain":1}')
})

test('two parties have nothing in common, and neither opens what the other covered, nor what was changed', () => {
  assert.notEqual(other.cover('asha.rao@sbx'), veil.cover('asha.rao@sbx'))
  for (const covered of [veil.cover('asha.rao@sbx'), veil.cover(sealed('a diagnosis of some length'))]) {
    assert.throws(() => other.lift(covered), DOES_NOT_OPEN)
    for (const place of [5, 30, 50]) {
      const changed = covered.slice(0, place) + (covered[place] === 'A' ? 'B' : 'A') + covered.slice(place + 1)
      assert.throws(() => veil.lift(changed), DOES_NOT_OPEN)
    }
  }
  assert.throws(() => veil.lift('pt1.'), DOES_NOT_OPEN)
})

test('what is no address stays as it is; what somebody types that looks covered is text and does not open', () => {
  for (const text of ['', 'asha', 'patient-app@sbx', 'Asha Rao', 'IN2710000011', 'a@b@c', 'asha.rao@sbx, too']) {
    assert.equal(veil.cover(text), text)
    assert.equal(veil.lift(text), text)
  }
  for (const typed of [veil.cover('asha.rao@sbx'), veil.cover(sealed('a diagnosis'))]) {
    assert.notEqual(veil.cover(typed), typed)
    assert.equal(veil.lift(veil.cover(typed)), typed)
  }
})

test('every text comes back', () => {
  const address = fc.stringMatching(/^[a-z0-9]{1,40}[a-z0-9]@[a-z0-9]{1,20}$/)
  const any = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\u0000', '').toWellFormed())
  const marked = fc.tuple(fc.constantFrom('pt1.', 'st1.'), any).map(([mark, text]) => mark + text)
  fc.assert(fc.property(fc.oneof(address, marked, any), (text) => assert.equal(veil.lift(veil.cover(text)), text)))
  for (const mark of [sealed, pseudonym, (text: string) => pseudonymOf('IN2710000011', text)])
    fc.assert(fc.property(any, (text) => assert.equal(veil.lift(veil.cover(mark(text))), text)))
})
