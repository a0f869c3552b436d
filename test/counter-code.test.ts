import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCounter } from '../web/patient/share/counter-code.ts'

test('a code at a counter: our address, ABDM’s, or typed; nothing else', () => {
  const counter = { hip: 'IN2710000011', counter: 'A-2' }
  for (const text of [
    'https://exchange.example/me/share?hip=IN2710000011&counter=A-2',
    'http://localhost:4000/me/share?counter=A-2&hip=IN2710000011',
    'https://phrsbx.abdm.gov.in/share-profile?hip-id=IN2710000011&counter-id=A-2',
    'IN2710000011/A-2',
    '  IN2710000011 A-2 ',
  ])
    assert.deepEqual(readCounter(text), counter, text)
  for (const text of [
    '',
    'not a code',
    'IN2710000011',
    'https://exchange.example/me/share?hip=IN2710000011',
    'https://exchange.example/me/share?hip=%20&counter=1',
    `IN2710000011/${'x'.repeat(101)}`,
    'upi://pay?pa=somebody',
  ])
    assert.equal(readCounter(text), undefined, text)
})
