import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, NotCanonical } from './canonical-json.ts'

test('writes the example of RFC 8785 §3.2.2 and sorts as §3.2.3', () => {
  const input = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`)
  assert.equal(
    canonicalJson(input),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
  const names = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
  const order = [...canonicalJson(names).matchAll(/:(\d)/g)].map((match) => match[1])
  assert.deepEqual(order, ['2', '4', '6', '7', '1', '5', '3'])
})

test('writes the numbers of RFC 8785 appendix B', () => {
  const cases: [string, string][] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ]
  for (const [bits, text] of cases) assert.equal(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE()), text)
})

const json = fc.jsonValue({ stringUnit: 'grapheme' })

test('reads back as the same value, and writing it again changes nothing', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(JSON.parse(text)), text)
      assert.equal(text.replace(/"(?:[^"\\]|\\.)*"/g, '').search(/\s/), -1)
    }),
  )
})

test('the order in which names were added does not matter', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), json), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse())
      assert.equal(canonicalJson(reversed), canonicalJson(value))
    }),
  )
})

test('refuses what JSON cannot say, and names the place', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  let deep: unknown = 0
  for (let i = 0; i < 100_000; i++) deep = [deep]
  const bad: unknown[] = [
    undefined,
    Number.NaN,
    Infinity,
    -Infinity,
    1n,
    () => 0,
    Symbol('s'),
    '\ud800',
    'a\udc00b',
    new Date(0),
  ]
  bad.push(new Map(), Array(1), { [Symbol('s')]: 1 }, { '\ud800': 1 }, new Uint8Array(1), cycle, deep)
  for (const value of bad) {
    assert.throws(() => canonicalJson(value), NotCanonical)
    assert.throws(() => canonicalJson({ a: [1, value] }), NotCanonical)
  }
  assert.throws(
    () => canonicalJson({ consent: { hips: [1, undefined] } }),
    (error) => error instanceof NotCanonical && error.path === '$.consent.hips[1]',
  )
})
