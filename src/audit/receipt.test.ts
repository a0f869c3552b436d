import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from '../kernel/refusal.ts'
import { parseReceipt } from './receipt.ts'

const receipt = {
  amanat: 'receipt/v1',
  id: 'e1',
  at: '2026-11-22T06:30:00.000Z',
  event: { type: 'test.done' },
  salt: 'AAAA',
  proof: 'c2sp.org/tlog-proof@v1\n',
  log: { origin: 'a', vkey: 'b' },
  witnesses: [{ name: 'w', vkey: 'v' }],
}

test('a receipt is read as it is', () => {
  assert.deepEqual(parseReceipt(JSON.stringify(receipt)), receipt)
  assert.ok(!isRefusal(parseReceipt(JSON.stringify({ ...receipt, witnesses: [] }))))
})

test('another shape is refused, and the field is named', () => {
  const cases: readonly [unknown, string | undefined][] = [
    ['', undefined],
    [null, 'receipt'],
    [[], 'receipt'],
    [{ ...receipt, amanat: 'receipt/v2' }, 'amanat'],
    [{ ...receipt, id: 1 }, 'id'],
    [{ ...receipt, event: [] }, 'event'],
    [{ ...receipt, event: null }, 'event'],
    [{ ...receipt, salt: undefined }, 'salt'],
    [{ ...receipt, log: { origin: 'a' } }, 'log'],
    [{ ...receipt, log: { origin: 'a', vkey: '' } }, 'log'],
    [{ ...receipt, log: { origin: 'a', vkey: 'b', more: 'c' } }, 'log'],
    [{ ...receipt, witnesses: {} }, 'witnesses'],
    [{ ...receipt, witnesses: [{ name: 'w', vkey: 'v' }, { name: 'w' }] }, 'witnesses.1'],
    [{ ...receipt, witnesses: Array.from({ length: 33 }, () => receipt.witnesses[0]) }, 'witnesses'],
    [{ ...receipt, more: 1 }, 'more'],
  ]
  for (const [value, field] of cases) {
    const read = parseReceipt(value === '' ? '' : JSON.stringify(value))
    assert.ok(isRefusal(read), JSON.stringify(value).slice(0, 60))
    assert.equal(read.code, 'log/receipt-malformed')
    assert.equal(read.field, field)
  }
})
