import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOfSecret, nextCode, shareCodeSecret, stepOfCode } from './authenticator.ts'

/** RFC 6238, appendix B: the secret of the SHA-1 vectors; our six digits are the last six of its eight. */
const SECRET = new TextEncoder().encode('12345678901234567890')
const VECTORS: readonly (readonly [seconds: number, code: string])[] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
]
const at = (seconds: number): Date => new Date(seconds * 1000)

test('codes are those of RFC 6238', () => {
  const { text } = shareCodeSecret(SECRET, 'A', 'b')
  for (const [seconds, code] of VECTORS) {
    assert.equal(codeOfSecret(text, at(seconds)), code)
    assert.equal(stepOfCode(SECRET, code, at(seconds), 0), Math.floor(seconds / 30))
    assert.equal(stepOfCode(SECRET, `${code.slice(0, 3)} ${code.slice(3)}`, at(seconds), 0), Math.floor(seconds / 30))
  }
})

test('one step off is forgiven, two are not, and a used step or an older one is nothing any more', () => {
  const [[seconds, code] = [0, '']] = VECTORS.slice(3)
  const step = Math.floor(seconds / 30)
  for (const off of [-30, 0, 30]) assert.equal(stepOfCode(SECRET, code, at(seconds + off), 0), step)
  for (const off of [-60, 60]) assert.equal(stepOfCode(SECRET, code, at(seconds + off), 0), undefined)
  assert.equal(stepOfCode(SECRET, code, at(seconds), step - 1), step)
  for (const used of [step, step + 1]) assert.equal(stepOfCode(SECRET, code, at(seconds), used), undefined)
})

test('what is no code is none', () => {
  for (const code of ['', 'abcdef', '12345', '1234567', '-12345', 'ééé', '\u0000'.repeat(6), '٠٠٥٩٢٥'])
    assert.equal(stepOfCode(SECRET, code, at(1234567890), 0), undefined, code)
})

test('digits of other scripts are digits', () => {
  for (const code of ['٠٠٥٩٢٤', '۰۰۵۹۲۴', '००५९२४', '০০৫৯২৪', '௦௦௫௯௨௪'])
    assert.equal(stepOfCode(SECRET, code, at(1234567890), 0), 41152263, code)
})

test('the next code of a sandbox is not used, and good from the moment that is told', () => {
  const now = at(1234567890)
  for (const used of [0, 41152262, 41152263, 41152264, 41152265]) {
    const { code, from } = nextCode(SECRET, now, used)
    assert.ok(from >= now)
    assert.ok((stepOfCode(SECRET, code, from, used) ?? 0) > used, String(used))
  }
})
