import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fakeKeysOf, fakeOpen, fakeSeal, makeFakeKeys, readFakeKey } from '../fake-sealing.ts'

const VECTORS = new URL('../../../shared/abdm/encryption-vectors.json', import.meta.url)
type Side = { privateKey: string; publicKeyRaw65: string; publicKeyX509: string; nonce: string }
type Vector = { id: string; sender: Side; requester: Side; plaintext: string; ciphertext: string }
const both = ['raw', 'x509'] as const

const keysOf = (side: Side) =>
  fakeKeysOf(BigInt(`0x${Buffer.from(side.privateKey, 'base64').toString('hex')}`), side.nonce)

test('the second implementation agrees with the vectors of the field', { skip: !existsSync(VECTORS) }, () => {
  const { vectors } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { vectors: readonly Vector[] }
  assert.ok(vectors.length >= 4)
  for (const { id, sender, requester, plaintext, ciphertext } of vectors) {
    const mine = keysOf(requester)
    assert.deepEqual([mine.raw, mine.x509], [requester.publicKeyRaw65, requester.publicKeyX509], id)
    assert.equal(
      fakeOpen(ciphertext, { mine, theirKey: sender.publicKeyX509, theirNonce: sender.nonce, accepts: ['x509'] }),
      plaintext,
      id,
    )
    const sealing = {
      mine: keysOf(sender),
      theirKey: requester.publicKeyRaw65,
      theirNonce: requester.nonce,
      accepts: ['raw'] as const,
    }
    assert.equal(fakeSeal(plaintext, sealing), ciphertext, id)
  }
})

test('two peers of the second implementation read each other, and notice a changed byte', () => {
  const [a, b] = [makeFakeKeys(), makeFakeKeys()]
  const content = fakeSeal('{"resourceType":"Bundle"}', {
    mine: a,
    theirKey: b.raw,
    theirNonce: b.nonce,
    accepts: both,
  })
  const opening = { mine: b, theirKey: a.x509, theirNonce: a.nonce, accepts: both }
  assert.equal(fakeOpen(content, opening), '{"resourceType":"Bundle"}')
  const changed = Buffer.from(content, 'base64')
  changed[3] = (changed[3] ?? 0) ^ 1
  assert.throws(() => fakeOpen(changed.toString('base64'), opening))
})

test('a peer that knows one form of keys refuses the other', () => {
  const { raw, x509 } = makeFakeKeys()
  assert.throws(() => readFakeKey(x509, ['raw']), /412 characters/)
  assert.throws(() => readFakeKey(raw, ['x509']), /88 characters/)
  assert.deepEqual(readFakeKey(raw, ['raw']), readFakeKey(x509, ['x509']))
})
