import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { makeTestKey } from '../../test/partner-client.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { parseKeySet } from './key-set.ts'

const read = (keys: readonly object[]) => {
  const read = parseKeySet({ keys })
  return isRefusal(read) ? read.detail : read.map(({ kid, alg }) => `${kid}:${alg}`)
}

test('public keys of the four kinds are taken, others left out', async () => {
  const keys = await Promise.all([
    makeTestKey('ES384', 'a'),
    makeTestKey('RS384', 'b'),
    makeTestKey('ES256', 'c'),
    makeTestKey('EdDSA', 'd'),
  ])
  const forEncryption = { ...(await makeTestKey('ES384', 'e')).jwk, use: 'enc' }
  const forOtherAlg = { ...(await makeTestKey('RS384', 'f')).jwk, alg: 'RS256' }
  const unknown = { kty: 'OKP', crv: 'X448', x: 'AA', kid: 'g' }
  assert.deepEqual(read([...keys.map(({ jwk }) => jwk), forEncryption, forOtherAlg, unknown]), [
    'a:ES384',
    'b:RS384',
    'c:ES256',
    'd:EdDSA',
  ])
})

test('a set that shows private, symmetric, weak, unnamed or doubly named keys is refused as a whole', async () => {
  const { jwk, privateKey } = await makeTestKey('ES384', 'a')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const { kid: _kid, ...unnamed } = jwk
  const bad: readonly (readonly object[])[] = [
    [{ ...privateKey.export({ format: 'jwk' }), kid: 'a' }],
    [jwk, { kty: 'oct', k: 'AAAA', kid: 'b' }],
    [{ ...weak, kid: 'a' }],
    [unnamed],
    [jwk, jwk],
    [{ ...jwk, x: 'AAAA' }],
    [],
    Array.from({ length: 21 }, (_, n) => ({ ...jwk, kid: `${n}` })),
  ]
  for (const keys of bad) assert.equal(typeof read(keys), 'string', JSON.stringify(keys).slice(0, 100))
  for (const value of [null, [], 'x', { keys: 'x' }, { keys: [7] }]) assert.ok(isRefusal(parseKeySet(value)))
})
