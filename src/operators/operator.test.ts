import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOperatorCode, parseOperatorName } from './operator.ts'

test('a name is that of a person, in one spelling', () => {
  assert.equal(parseOperatorName(' Asha.Rao '), 'asha.rao')
  for (const bad of ['', 'as', '.asha', 'asha rao', 'asha:rao', 'asha@sbx', 'a'.repeat(41), 'operator', 'Recovery'])
    assert.equal(parseOperatorName(bad), undefined, bad)
})

test('the header holds a name and six digits', () => {
  assert.deepEqual(parseOperatorCode('asha:123456'), { name: 'asha', code: '123456' })
  assert.deepEqual(parseOperatorCode(' Asha: 123 456 '), { name: 'asha', code: '123456' })
  for (const bad of ['', 'asha', '123456', 'asha:12345', 'asha:1234567', 'asha:12345x', ':123456', 'operator:123456'])
    assert.equal(parseOperatorCode(bad), undefined, bad)
})
