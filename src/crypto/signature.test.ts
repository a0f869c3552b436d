import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { calculateJwkThumbprint, flattenedVerify, importJWK } from 'jose'
import { isRefusal } from '../kernel/refusal.ts'
import { canonicalJson } from './canonical-json.ts'
import {
  type ForeignJwk,
  generateSigningKey,
  importSigningKey,
  signDetached,
  thumbprint,
  verifyDetached,
} from './signature.ts'

const pem = await generateSigningKey()
const key = importSigningKey(pem)
const spki = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString()
const artefact = { consentId: 'c-1', hiTypes: ['Prescription'], patient: { id: 'आशा@sbx' }, n: 1 }

function codeOf(result: unknown): string {
  return isRefusal(result) ? result.code : String(result)
}

test('a signature verifies by JWK and by PEM, whatever the order of names', () => {
  const signature = signDetached(key, artefact)
  assert.equal(signature.length, 344)
  const reordered = { n: 1, patient: { id: 'आशा@sbx' }, hiTypes: ['Prescription'], consentId: 'c-1' }
  assert.equal(verifyDetached(key.publicJwk, reordered, signature), true)
  assert.equal(verifyDetached(spki, artefact, signature), true)
})

test('another implementation verifies the same bytes as RS256', async () => {
  // A JWS signs `protected.payload`; sign exactly that text as our value and jose must agree with us.
  const header = Buffer.from('{"alg":"RS256"}').toString('base64url')
  const { createSign } = await import('node:crypto')
  const bytes = Buffer.from(canonicalJson(artefact))
  const direct = createSign('sha256').update(bytes).sign(pem, 'base64')
  assert.equal(signDetached(key, artefact), direct)
  const payload = bytes.toString('base64url')
  const jws = createSign('sha256').update(`${header}.${payload}`).sign(pem, 'base64url')
  const verified = await flattenedVerify(
    { protected: header, payload, signature: jws },
    await importJWK(key.publicJwk, 'RS256'),
  )
  assert.deepEqual(Buffer.from(verified.payload), bytes)
})

test('any change of value, signature or key is refused', async () => {
  const signature = signDetached(key, artefact)
  const other = importSigningKey(await generateSigningKey())
  assert.equal(codeOf(verifyDetached(other.publicJwk, artefact, signature)), 'crypto/signature-invalid')
  assert.equal(codeOf(verifyDetached(spki, { ...artefact, n: 2 }, signature)), 'crypto/signature-invalid')
  assert.equal(codeOf(verifyDetached(spki, { value: '\ud800' }, signature)), 'crypto/signature-invalid')
  for (const bad of [
    '',
    'AAAA',
    '!',
    signature.slice(0, -4),
    `${signature}AAAA`,
    `${signature}\n`,
    signature.replaceAll('=', ''),
  ]) {
    assert.equal(codeOf(verifyDetached(spki, artefact, bad)), 'crypto/signature-invalid', bad)
  }
  fc.assert(
    fc.property(fc.nat(255), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Buffer.from(signature, 'base64')
      bytes[at] = (bytes[at] ?? 0) ^ flip
      const result = verifyDetached(key.publicJwk, artefact, bytes.toString('base64'))
      assert.equal(codeOf(result), 'crypto/signature-invalid')
    }),
    { numRuns: 40 },
  )
})

test('only sound RSA keys for signatures verify', () => {
  const signature = signDetached(key, artefact)
  const { n, e } = key.publicJwk
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const bad: (ForeignJwk | string)[] = [
    {},
    { kty: 'RSA', n, e: 'AQ' },
    { kty: 'RSA', n, e: 'Ag' },
    { kty: 'RSA', n: 7, e },
    { kty: 'EC', n, e },
    { kty: 'RSA', n, e, use: 'enc' },
    { kty: 'RSA', n, e, alg: 'PS256' },
    weak.publicKey.export({ format: 'jwk' }),
    ec.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    pem,
    'rubbish',
    '',
  ]
  for (const publicKey of bad) {
    assert.equal(codeOf(verifyDetached(publicKey, artefact, signature)), 'crypto/signing-key-malformed')
  }
  assert.throws(() => importSigningKey(spki))
  assert.throws(() => importSigningKey(weak.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()))
})

test('the key id is the thumbprint of RFC 7638', async () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  assert.equal(thumbprint({ n, e: 'AQAB' }), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  assert.equal(key.kid, await calculateJwkThumbprint(key.publicJwk))
  assert.equal(key.publicJwk.kid, key.kid)
  assert.deepEqual(Object.keys(key.publicJwk).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
})
