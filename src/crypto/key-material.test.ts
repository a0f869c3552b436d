import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import vectors from '../../test/vectors/abdm/encryption.json' with { type: 'json' }
import { isRefusal } from '../kernel/refusal.ts'
import { BASE, encodeCoordinate, FIELD, ORDER, publicKeyPure } from './curve25519.ts'
import { encodeRaw, encodeX509, onlyOne, parsePeerKey } from './key-material.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64')
const codeOf = (keyValue: string | Uint8Array): string => {
  const key = parsePeerKey(typeof keyValue === 'string' ? keyValue : Buffer.from(keyValue).toString('base64'))
  return isRefusal(key) ? key.code : `accepted ${key.form}${key.repaired ? ' repaired' : ''}`
}
const rawOf = (keyValue: string): string => {
  const key = parsePeerKey(keyValue)
  return isRefusal(key) ? key.code : encodeRaw(key.point)
}

test('accepts every form that ABDM uses', () => {
  for (const key of vectors.acceptPublicKeys) {
    assert.equal(rawOf(key.keyValue), key.expectRaw65, key.id)
    assert.equal(codeOf(key.keyValue), key.form === 'raw65' ? 'accepted raw' : 'accepted x509')
  }
  for (const pair of [...vectors.keyPairs, ...vectors.vectors.flatMap((v) => [v.sender, v.requester])]) {
    assert.equal(rawOf(pair.publicKeyX509), pair.publicKeyRaw65)
    assert.equal(rawOf(pair.publicKeyRaw65), pair.publicKeyRaw65)
  }
})

test('refuses bad keys, each with its own code', () => {
  const expected: Record<string, string> = {
    'off-curve': 'crypto/key-off-curve',
    'small-order-2': 'crypto/key-small-order',
    'x-not-reduced': 'crypto/key-not-reduced',
    'x25519-spki': 'crypto/key-x25519',
    'truncated-x509': 'crypto/key-truncated',
  }
  for (const key of vectors.rejectPublicKeys) assert.equal(codeOf(key.keyValue), expected[key.id], key.id)
  assert.deepEqual(vectors.rejectPublicKeys.map((k) => k.id).sort(), Object.keys(expected).sort())
})

test('puts back the zero byte that some peers drop', () => {
  for (const key of vectors.malformedPublicKeysSeenInTheField) assert.equal(rawOf(key.keyValue), key.expectRaw65)
  for (const key of vectors.publicKeysWithLeadingZeros) {
    for (const form of [key.raw64, key.raw64WithoutMark, key.raw63WithoutMark, key.x509Of308]) {
      assert.equal(rawOf(form), key.expectRaw65, key.id)
      assert.match(codeOf(form), /repaired$/)
    }
    assert.equal(bytesOf(key.x509Of308).length, 308)
    assert.equal(codeOf(key.expectRaw65), 'accepted raw')
  }
})

test('a repair is made only when one reading is a valid key', () => {
  const other = publicKeyPure(encodeCoordinate(7n))
  const offCurve = { x: 1n, y: 1n }
  assert.deepEqual(onlyOne([offCurve, BASE], 64), BASE)
  assert.deepEqual(onlyOne([BASE, BASE], 64), BASE)
  assert.equal(refusalCode(onlyOne([BASE, other], 64)), 'crypto/key-ambiguous')
  assert.equal(refusalCode(onlyOne([offCurve, offCurve], 64)), 'crypto/key-truncated')
  assert.equal(refusalCode(onlyOne([offCurve], 64)), 'crypto/key-off-curve')
})

function refusalCode(value: unknown): string | undefined {
  return isRefusal(value) ? value.code : undefined
}

test('names what is wrong with other things that are sent as keys', () => {
  const raw = bytesOf(encodeRaw(BASE))
  const x509 = bytesOf(encodeX509(BASE))
  const cases: [string, string | Uint8Array, string][] = [
    ['empty', '', 'crypto/key-malformed'],
    ['no base64', 'not a key!', 'crypto/key-malformed'],
    ['PEM', '-----BEGIN PUBLIC KEY-----', 'crypto/key-malformed'],
    ['base64 without padding', encodeRaw(BASE).replaceAll('=', ''), 'crypto/key-malformed'],
    ['very long', 'A'.repeat(4000), 'crypto/key-malformed'],
    ['a bare X25519 key', raw.subarray(1, 33), 'crypto/key-x25519'],
    ['compressed', Buffer.concat([Buffer.of(2), raw.subarray(1, 33)]), 'crypto/key-malformed'],
    ['wrong mark', Buffer.concat([Buffer.of(6), raw.subarray(1)]), 'crypto/key-malformed'],
    ['raw cut', raw.subarray(0, 50), 'crypto/key-truncated'],
    ['raw with a tail', Buffer.concat([raw, Buffer.of(0)]), 'crypto/key-malformed'],
    ['raw with a last byte lost', raw.subarray(0, 64), 'crypto/key-truncated'],
    ['X.509 with a tail', Buffer.concat([x509, Buffer.of(0)]), 'crypto/key-malformed'],
    ['X.509 cut in its parameters', x509.subarray(0, 100), 'crypto/key-truncated'],
    ['X.509 without a point', x509.subarray(0, 244), 'crypto/key-truncated'],
    ['y not reduced', Buffer.concat([raw.subarray(0, 33), encodeCoordinate(FIELD + 3n)]), 'crypto/key-not-reduced'],
  ]
  for (const [what, key, code] of cases) assert.equal(codeOf(key), code, what)
})

test('reads DER by its meaning, not only by the usual bytes', () => {
  const x509 = bytesOf(encodeX509(BASE)).toString('hex')
  const withoutCofactor = x509
    .replace('020108034200', '034200')
    .replace('3082013130 81ea'.replace(' ', ''), '3082012e3081e7')
    .replace('3081de', '3081db')
  assert.equal(codeOf(Buffer.from(withoutCofactor, 'hex')), 'accepted x509')
  const otherOrder = x509.replace(
    '0220' + Buffer.from(encodeCoordinate(ORDER)).toString('hex'),
    `0220${'11'.repeat(32)}`,
  )
  assert.equal(codeOf(Buffer.from(otherOrder, 'hex')), 'crypto/key-malformed')
  const p256 =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=='
  assert.equal(codeOf(p256), 'crypto/key-malformed')
  assert.match(detailOf(p256), /1\.2\.840\.10045\.3\.1\.7/)
})

function detailOf(keyValue: string): string {
  const key = parsePeerKey(keyValue)
  return isRefusal(key) ? key.detail : ''
}

test('never throws, whatever the bytes, and accepts no key that it does not write the same', () => {
  const prefixes = [
    new Uint8Array(0),
    Uint8Array.of(4),
    bytesOf(encodeX509(BASE)).subarray(0, 244),
    Uint8Array.of(0x30, 0x82),
  ]
  const sent = fc.tuple(fc.constantFrom(...prefixes), fc.uint8Array({ maxLength: 320 }))
  fc.assert(
    fc.property(sent, ([prefix, rest]) => {
      assert.match(codeOf(Buffer.concat([prefix, rest])), /^crypto\/key-/)
    }),
    { numRuns: 500 },
  )
  fc.assert(fc.property(fc.string({ maxLength: 600 }), (text) => assert.match(codeOf(text), /^crypto\/key-/)))
})

test('one changed bit in a key is noticed or makes another key', () => {
  const whole = bytesOf(encodeX509(publicKeyPure(encodeCoordinate(99n))))
  fc.assert(
    fc.property(fc.nat(whole.length * 8 - 1), (bit) => {
      const changed = Buffer.from(whole)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const code = codeOf(changed)
      // The base point, the version and the cofactor are not used in key agreement.
      if (bit >> 3 >= 245) assert.match(code, /^crypto\/key-/)
      else assert.match(code, /^crypto\/key-|^accepted x509$/)
    }),
  )
})
