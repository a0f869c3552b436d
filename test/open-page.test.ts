import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { checksumOf } from '../src/crypto/checksum.ts'
import { makeNonce, parseNonce } from '../src/crypto/key-agreement.ts'
import { encodeRaw, encodeX509, parsePeerKey } from '../src/crypto/key-material.ts'
import { makeKeyPair, seal } from '../src/crypto/sealing.ts'
import { must } from '../src/kernel/refusal.ts'
import { openPage, type PageKeys } from '../web/patient/records/open-page.ts'

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const DOCUMENT = '{"resourceType":"Bundle", "type":"document"}'

/** A page as a hospital seals it for the page of a patient. */
function sealedFor(keys: PageKeys, plaintexts: readonly (string | Uint8Array)[]) {
  const own = makeKeyPair(random)
  const nonce = makeNonce(random)
  const agreement = {
    own,
    ownNonce: nonce,
    peer: must(parsePeerKey(encodeRaw(keys.own.publicKey))),
    peerNonce: must(parseNonce(keys.nonce)),
  }
  return {
    seq: 1,
    hip: 'IN2710000011',
    number: 1,
    entries: plaintexts.map((plaintext, at) => ({
      careContextReference: `visit-${at}`,
      content: seal({ ...agreement, plaintext }),
      checksum: checksumOf(plaintext),
    })),
    keyMaterial: { keyValue: encodeX509(own.publicKey), nonce },
  }
}

const newKeys = (): PageKeys => ({ own: makeKeyPair(random), nonce: makeNonce(random) })

test('what opens is kept byte for byte; a wrong check number is said, and is no reason to hide the document', async () => {
  const keys = newKeys()
  const page = sealedFor(keys, [DOCUMENT, DOCUMENT])
  const [first, second] = page.entries
  assert.ok(first && second)
  const { documents, unopened, entries } = await openPage(keys, {
    ...page,
    entries: [first, { ...second, checksum: checksumOf('another') }],
  })
  assert.deepEqual(
    documents.map(({ text, checksumDiffers }) => [text, checksumDiffers]),
    [
      [DOCUMENT, false],
      [DOCUMENT, true],
    ],
  )
  assert.deepEqual(unopened, [])
  assert.deepEqual(entries, [{ careContextReference: 'visit-0' }, { careContextReference: 'visit-1' }])
})

test('what does not open is named by a word of a list, and the rest of the page is fine', async () => {
  const keys = newKeys()
  const page = sealedFor(keys, [DOCUMENT, 'no JSON at all', '[1]', new Uint8Array([0xff, 0xfe])])
  const linked = { careContextReference: 'visit-9', link: 'https://elsewhere.example/x' }
  const { documents, unopened } = await openPage(keys, { ...page, entries: [...page.entries, linked] })
  assert.equal(documents.length, 1)
  assert.deepEqual(
    unopened.map(({ careContextReference, fault }) => [careContextReference, fault]),
    [
      ['visit-1', 'not-readable'],
      ['visit-2', 'not-readable'],
      ['visit-3', 'not-readable'],
      ['visit-9', 'by-link'],
    ],
  )
  assert.ok(!JSON.stringify(unopened).includes('no JSON at all'))
})

test('a page for another key, and one whose own key is none', async () => {
  const page = sealedFor(newKeys(), [DOCUMENT])
  const faultsOf = async (changed: Parameters<typeof openPage>[1]): Promise<readonly string[]> =>
    (await openPage(newKeys(), changed)).unopened.map(({ fault }) => fault)
  assert.deepEqual(await faultsOf(page), ['not-authentic'])
  assert.deepEqual(await faultsOf({ ...page, keyMaterial: { ...page.keyMaterial, keyValue: 'AAAA' } }), ['bad-key'])
  assert.deepEqual(await faultsOf({ ...page, keyMaterial: { ...page.keyMaterial, nonce: 'AAAA' } }), ['bad-key'])
})
