import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import vectors from '../../test/vectors/abdm/encryption.json' with { type: 'json' }
import { isRefusal, must } from '../kernel/refusal.ts'
import { FIELD, sharedSecretPure } from './curve25519.ts'
import { type KeyPair, makeKeyMaterial, makeNonce, parseNonce } from './key-agreement.ts'
import { encodeRaw, type PeerKey, parsePeerKey } from './key-material.ts'
import { sharedSecretNative } from './native-exchange.ts'
import { exportPrivateKey, importPrivateKey, makeKeyPair, open, seal } from './sealing.ts'

/** Randomness that can be replayed: the vectors with leading zeros were found with it. */
function seeded(seed: string): (bytes: number) => Uint8Array {
  let counter = 0
  return (bytes) => createHash('shake256', { outputLength: bytes }).update(`${seed}/${counter++}`).digest()
}

const peerOf = (pair: KeyPair): PeerKey => must(parsePeerKey(encodeRaw(pair.publicKey)))
const textOf = (opened: unknown): string =>
  opened instanceof Uint8Array ? Buffer.from(opened).toString() : codeOf(opened)
const codeOf = (value: unknown): string => (isRefusal(value) ? value.code : 'no refusal')

type Half = { privateKey: string; nonce: string }
function agree(sender: Half, requester: Half) {
  const [hip, hiu] = [importPrivateKey(sender.privateKey), importPrivateKey(requester.privateKey)]
  const hipNonce = must(parseNonce(sender.nonce))
  const hiuNonce = must(parseNonce(requester.nonce))
  return {
    hip: { own: hip, ownNonce: sender.nonce, peer: peerOf(hiu), peerNonce: hiuNonce },
    hiu: { own: hiu, ownNonce: requester.nonce, peer: peerOf(hip), peerNonce: hipNonce },
  }
}

test('seals and opens every vector, byte for byte', () => {
  for (const v of vectors.vectors) {
    const { hip, hiu } = agree(v.sender, v.requester)
    assert.equal(encodeRaw(hip.own.publicKey), v.sender.publicKeyRaw65)
    assert.equal(encodeRaw(hiu.own.publicKey), v.requester.publicKeyRaw65)
    const secret = Buffer.from(v.intermediate.sharedSecretX_b64, 'base64')
    assert.deepEqual(Buffer.from(sharedSecretNative(hip.own.privateKey, hip.peer.point)), secret)
    assert.deepEqual(Buffer.from(sharedSecretPure(hiu.own.privateKey, hiu.peer.point)), secret)
    assert.equal(seal({ ...hip, plaintext: v.plaintext }), v.ciphertext, v.id)
    assert.equal(seal({ ...hip, plaintext: Buffer.from(v.plaintext) }), v.ciphertext, v.id)
    assert.equal(textOf(open({ ...hiu, content: v.ciphertext })), v.plaintext, v.id)
  }
})

test('agrees with the secrets of accepted third-party keys', () => {
  const own = importPrivateKey(vectors.keyPairs[0]?.privateKey ?? '')
  for (const key of vectors.acceptPublicKeys) {
    const secret = sharedSecretNative(own.privateKey, must(parsePeerKey(key.keyValue)).point)
    assert.equal(Buffer.from(secret).toString('base64'), key.sharedSecretWith_fidelius_cli_requester_b64, key.id)
  }
})

test('opens both forms of a secret that begins with zero bytes; seals the 32-byte form', () => {
  for (const v of vectors.secretsWithLeadingZeros) {
    const { hip, hiu } = agree(v.sender, v.requester)
    assert.equal(Buffer.from(sharedSecretNative(hip.own.privateKey, hip.peer.point))[0], 0)
    assert.equal(seal({ ...hip, plaintext: v.plaintext }), v.ciphertext)
    assert.notEqual(v.ciphertext, v.ciphertextOfStrippedSecret)
    assert.equal(textOf(open({ ...hiu, content: v.ciphertext })), v.plaintext)
    assert.equal(textOf(open({ ...hiu, content: v.ciphertextOfStrippedSecret })), v.plaintext)
    const changed = `A${v.ciphertextOfStrippedSecret.slice(1)}`
    assert.equal(codeOf(open({ ...hiu, content: changed })), 'crypto/not-authentic')
  }
})

test('the seeds of the vectors still lead to them', () => {
  const holder = makeKeyPair(seeded('holder'))
  for (const v of vectors.secretsWithLeadingZeros) {
    const requester = makeKeyPair(seeded(`requester ${v.id.split('-').at(-1)}`))
    assert.equal(exportPrivateKey(holder), v.sender.privateKey)
    assert.equal(exportPrivateKey(requester), v.requester.privateKey)
    assert.equal(
      Buffer.from(sharedSecretPure(requester.privateKey, holder.publicKey)).toString('base64'),
      v.sharedSecretX_b64,
    )
  }
})

test('refuses what must not open', () => {
  for (const negative of vectors.negativeDecrypt) {
    const base = vectors.vectors.find((v) => v.id === negative.base)
    assert.ok(base)
    if (negative.senderNonce === undefined) {
      const { hiu } = agree(base.sender, base.requester)
      assert.equal(codeOf(open({ ...hiu, content: negative.ciphertext })), 'crypto/not-authentic')
    } else assert.equal(codeOf(parseNonce(negative.senderNonce)), 'crypto/nonce-length')
  }
})

test('what is sealed opens at the other end and nowhere else; any change of the text is noticed', () => {
  const document = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 3000 }).map((b) => Buffer.from(b)),
  )
  fc.assert(
    fc.property(fc.string(), document, fc.nat(), fc.integer({ min: 1, max: 255 }), (seed, plaintext, at, flip) => {
      const random = seeded(seed)
      const [hip, hiu, other] = [makeKeyPair(random), makeKeyPair(random), makeKeyPair(random)]
      const [hipNonce, hiuNonce] = [makeNonce(random), makeNonce(random)]
      const from = { own: hip, ownNonce: hipNonce, peer: peerOf(hiu), peerNonce: must(parseNonce(hiuNonce)) }
      const to = { own: hiu, ownNonce: hiuNonce, peer: peerOf(hip), peerNonce: must(parseNonce(hipNonce)) }
      const content = seal({ ...from, plaintext })
      const opened = open({ ...to, content })
      assert.ok(opened instanceof Uint8Array)
      assert.deepEqual(Buffer.from(opened), Buffer.from(plaintext))
      assert.equal(codeOf(open({ ...to, own: other, content })), 'crypto/not-authentic')
      assert.equal(codeOf(open({ ...to, peer: peerOf(other), content })), 'crypto/not-authentic')
      assert.equal(codeOf(open({ ...to, ownNonce: hipNonce, content })), 'crypto/not-authentic')
      const bytes = Buffer.from(content, 'base64')
      const spot = at % bytes.length
      bytes[spot] = (bytes[spot] ?? 0) ^ flip
      assert.equal(codeOf(open({ ...to, content: bytes.toString('base64') })), 'crypto/not-authentic')
    }),
    { numRuns: 60 },
  )
})

test('refuses content that is cut short, or is not strict base64', () => {
  const v = vectors.vectors[0]
  assert.ok(v)
  const { hiu } = agree(v.sender, v.requester)
  const url = v.ciphertext.replaceAll('+', '-').replaceAll('/', '_')
  for (const content of [
    '',
    'AAAA',
    v.ciphertext.slice(0, -4),
    `${v.ciphertext}\n`,
    url,
    v.ciphertext.replace('=', ''),
    'é',
  ]) {
    assert.equal(codeOf(open({ ...hiu, content })), 'crypto/not-authentic')
  }
})

test('nonces are 32 bytes in base64, nothing else', () => {
  const nonce = makeNonce(seeded('nonce'))
  assert.equal(must(parseNonce(nonce)).length, 32)
  for (const text of ['', nonce.slice(4), `${nonce}AAAA`, nonce.replace('=', ''), ' '.repeat(44), 'A'.repeat(1000)]) {
    assert.equal(codeOf(parseNonce(text)), 'crypto/nonce-length')
  }
})

test('the wire object has the form that its reader knows, and the private key survives storage', () => {
  const random = seeded('wire')
  const pair = makeKeyPair(random)
  const nonce = makeNonce(random)
  const material = makeKeyMaterial(pair, nonce, new Date('2026-01-02T03:04:05.678Z'), 'raw')
  assert.deepEqual(Object.keys(material), ['cryptoAlg', 'curve', 'dhPublicKey', 'nonce'])
  assert.equal(material.dhPublicKey.expiry, '2026-01-02T03:04:05.678Z')
  assert.equal(material.dhPublicKey.keyValue.length, 88)
  const x509 = makeKeyMaterial(pair, nonce, new Date(0), 'x509').dhPublicKey.keyValue
  assert.equal(x509.length, 412)
  assert.ok(x509.startsWith(vectors.algorithm.x509PrefixBase64.slice(0, 320)))
  assert.deepEqual(must(parsePeerKey(x509)).point, pair.publicKey)
  assert.deepEqual(importPrivateKey(exportPrivateKey(pair)), { ...pair, privateKey: new Uint8Array(pair.privateKey) })
  for (const text of ['', 'AAAA', '!', `${exportPrivateKey(pair)}AAAA`])
    assert.throws(() => importPrivateKey(text), RangeError)
  assert.ok(pair.publicKey.y < FIELD)
})

const shared = new URL('../../../shared/abdm/encryption-vectors.json', import.meta.url)
test('the vectors here are those of the protocol sheet', { skip: !existsSync(shared) }, () => {
  const sheet = JSON.parse(readFileSync(shared, 'utf8'))
  const facts = (list: { id: string; keyValue?: string; ciphertext?: string }[]) =>
    list.map(({ id, keyValue, ciphertext }) => ({ id, keyValue, ciphertext }))
  for (const name of ['vectors', 'acceptPublicKeys', 'rejectPublicKeys', 'negativeDecrypt'] as const) {
    assert.deepEqual(facts(vectors[name]), facts(sheet[name]), name)
  }
})
