import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import vectors from '../../test/vectors/abdm/encryption.json' with { type: 'json' }
import { isRefusal, must } from '../kernel/refusal.ts'
import { compareChecksumInBrowser, makeBrowserKeyPair, openInBrowser } from './browser-sealing.ts'
import { checksumOf, compareChecksum } from './checksum.ts'
import { deriveKey, formsOfSecret, type KeyPair, makeNonce, parseNonce } from './key-agreement.ts'
import { encodeRaw, encodeX509, parsePeerKey } from './key-material.ts'
import { encodeSealed, encryptGcm } from './native-cipher.ts'
import { sharedSecretNative } from './native-exchange.ts'
import { exportPrivateKey, importPrivateKey, makeKeyPair, open, seal } from './sealing.ts'

function seeded(seed: string): (bytes: number) => Uint8Array {
  let counter = 0
  return (bytes) => createHash('shake256', { outputLength: bytes }).update(`${seed}/${counter++}`).digest()
}
const textOf = (opened: unknown): string =>
  opened instanceof Uint8Array ? Buffer.from(opened).toString() : isRefusal(opened) ? opened.code : 'nothing'

type Half = { readonly privateKey: string; readonly nonce: string }
function requesterOf(sender: Half, requester: Half) {
  const hip = importPrivateKey(sender.privateKey)
  return {
    own: importPrivateKey(requester.privateKey),
    ownNonce: requester.nonce,
    peer: must(parsePeerKey(encodeX509(hip.publicKey))),
    peerNonce: must(parseNonce(sender.nonce)),
  }
}

/** A page of a HIP for a browser's key, as the server seals it. */
function pageFor(browser: KeyPair, nonce: string, plaintext: string | Uint8Array, seed: string) {
  const hip = makeKeyPair(seeded(seed))
  const hipNonce = makeNonce(seeded(`${seed} nonce`))
  const content = seal({
    own: hip,
    ownNonce: hipNonce,
    peer: must(parsePeerKey(encodeRaw(browser.publicKey))),
    peerNonce: must(parseNonce(nonce)),
    plaintext,
  })
  const peer = must(parsePeerKey(encodeX509(hip.publicKey)))
  return { content, agreement: { own: browser, ownNonce: nonce, peer, peerNonce: must(parseNonce(hipNonce)) } }
}

test('opens every vector as the server does, byte for byte', async () => {
  assert.ok(vectors.vectors.length > 0)
  for (const v of vectors.vectors) {
    const input = { ...requesterOf(v.sender, v.requester), content: v.ciphertext }
    assert.equal(textOf(await openInBrowser(input)), v.plaintext, v.id)
    assert.deepEqual(await openInBrowser(input), new Uint8Array(must(open(input))))
  }
})

const shared = new URL('../../../shared/abdm/encryption-vectors.json', import.meta.url)
test('opens the vectors of the protocol sheet, where they are at hand', { skip: !existsSync(shared) }, async () => {
  const sheet = JSON.parse(readFileSync(shared, 'utf8')) as typeof vectors
  for (const v of sheet.vectors)
    assert.equal(
      textOf(await openInBrowser({ ...requesterOf(v.sender, v.requester), content: v.ciphertext })),
      v.plaintext,
    )
})

test('a key pair of a browser is one that the server would have made', () => {
  for (let i = 0; i < 5; i++) {
    const browser = makeBrowserKeyPair(seeded(`pair ${i}`))
    assert.deepEqual(browser, makeKeyPair(seeded(`pair ${i}`)))
    assert.deepEqual(importPrivateKey(exportPrivateKey(browser)).publicKey, browser.publicKey)
  }
})

test('a document of several megabytes comes out whole; whatever was changed, or is for another key, does not', async () => {
  const browser = makeBrowserKeyPair(seeded('browser'))
  const nonce = makeNonce(seeded('browser nonce'))
  const document = new Uint8Array(3_000_001).map((_, i) => (i * 31) % 256)
  const { content, agreement } = pageFor(browser, nonce, document, 'hip')
  const opened = await openInBrowser({ ...agreement, content })
  assert.ok(!isRefusal(opened))
  assert.equal(Buffer.compare(opened, document), 0)
  const changed = `${content.slice(0, 100)}${content[100] === 'A' ? 'B' : 'A'}${content.slice(101)}`
  const stranger = makeBrowserKeyPair(seeded('stranger'))
  for (const [what, input] of Object.entries({
    'a changed byte': { ...agreement, content: changed },
    'cut short': { ...agreement, content: content.slice(0, -4) },
    nothing: { ...agreement, content: '' },
    'no base64': { ...agreement, content: 'content with blanks' },
    'unused bits set': { ...agreement, content: 'AB==' },
    'another key': { ...agreement, own: stranger, content },
    'another nonce': { ...agreement, ownNonce: makeNonce(seeded('other')), content },
  }))
    assert.equal(textOf(await openInBrowser(input)), 'crypto/not-authentic', what)
})

test('a secret that begins with a zero byte: opened whole, and as peers do who drop it', async () => {
  const browser = makeBrowserKeyPair(seeded('zero'))
  const nonce = makeNonce(seeded('zero nonce'))
  let seed = 0
  const startsWithZero = (): boolean =>
    sharedSecretNative(makeKeyPair(seeded(`hip ${seed}`)).privateKey, browser.publicKey)[0] === 0
  while (!startsWithZero()) seed++
  const { content, agreement } = pageFor(browser, nonce, 'whole', `hip ${seed}`)
  assert.equal(textOf(await openInBrowser({ ...agreement, content })), 'whole')
  const [, short] = formsOfSecret(sharedSecretNative(browser.privateKey, agreement.peer.point))
  assert.ok(short !== undefined)
  const { key, iv } = deriveKey(short, agreement)
  const byPeer = encodeSealed(encryptGcm(key, iv, 'without its zero'))
  assert.equal(textOf(await openInBrowser({ ...agreement, content: byPeer })), 'without its zero')
})

test('compares checksums as the server does', () => {
  const bytes = new TextEncoder().encode('a document')
  const base64 = createHash('md5').update(bytes).digest('base64')
  for (const sent of [checksumOf(bytes), checksumOf(bytes).toUpperCase(), checksumOf('another'), base64, '', 'MD5'])
    assert.equal(compareChecksumInBrowser(sent, bytes), compareChecksum(sent, bytes), sent)
  assert.equal(compareChecksumInBrowser(checksumOf('another'), bytes), 'different')
})
