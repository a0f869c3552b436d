import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type Id, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { digestOfRecoveryCode, makeRecoveryCodes, plainRecoveryCode } from './recovery-code.ts'

const person = (last: string): Id<'staff'> => {
  const id = parseId<'staff'>(`0190aaaa-0000-7000-8000-00000000000${last}`)
  assert.ok(id)
  return id
}

test('ten different codes of twelve letters that nobody misreads', () => {
  const codes = makeRecoveryCodes((bytes) => new Uint8Array(randomBytes(bytes)))
  assert.equal(new Set(codes).size, LIMITS.recoveryCodesMade)
  for (const code of codes) assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
})

test('a code is read however it is typed', () => {
  const plain = '10AB90CD51EF'
  for (const typed of ['10AB-90CD-51EF', '10ab 90cd 51ef', 'lOab90CD5IEF', ' 10AB–90CD–51EF ', '١٠AB-٩٠CD-٥١EF'])
    assert.equal(plainRecoveryCode(typed), plain, typed)
  for (const typed of ['', '10AB-90CD-51E', '10AB-90CD-51EF0', '10AB-90CD-51EU', '10AB_90CD_51EF'])
    assert.equal(plainRecoveryCode(typed), undefined, typed)
})

test('what is stored is bound to the person and to the key', () => {
  const [key, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const digest = (of: Uint8Array, last: string) =>
    digestOfRecoveryCode(of, person(last), '10AB90CD51EF').toString('hex')
  assert.equal(new Set([digest(key, '1'), digest(key, '2'), digest(other, '1')]).size, 3)
  assert.equal(digest(key, '1'), digest(key, '1'))
})
