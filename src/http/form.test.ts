import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from '../kernel/refusal.ts'
import { parseForm } from './form.ts'

const FORM = 'application/x-www-form-urlencoded'
const read = (text: string, type: string | undefined = FORM) => {
  const fields = parseForm(Buffer.from(text), type)
  return isRefusal(fields) ? fields.code : Object.fromEntries(fields)
}

test('a form is read strictly', () => {
  assert.deepEqual(read('scope=system%2F*.rs+system/Consent.r&a=b%3Dc&empty='), {
    scope: 'system/*.rs system/Consent.r',
    a: 'b=c',
  })
  assert.deepEqual(read('a=1', `${FORM}; charset=UTF-8`), { a: '1' })
  assert.equal(read('a=1&b=2&a=1'), 'request/invalid-field')
  assert.equal(read('a=1&%61=2'), 'request/invalid-field')
  assert.equal(read('a=&a=1'), 'request/invalid-field')
  for (const broken of ['a=%zz', 'a=%ff', 'a=%00', 'a=\u00e9', 'a=b c'])
    assert.equal(read(broken), 'request/malformed', broken)
  assert.equal(read('a=1', 'application/json'), 'request/wrong-type')
  assert.equal(read('a=1', ''), 'request/wrong-type')
  assert.equal(read(`a=${'x'.repeat(20_000)}`), 'request/too-large')
})
