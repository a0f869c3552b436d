// How fast sealing is, against the plain noble-curves path and bare node:crypto in the same process.
// Run: node bench/sealing.ts
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { BASE, CURVE_A, CURVE_B, FIELD, ORDER, sharedSecretPure } from '../src/crypto/curve25519.ts'
import { makeNonce, parseNonce } from '../src/crypto/key-agreement.ts'
import { encodeRaw, encodeX509, parsePeerKey } from '../src/crypto/key-material.ts'
import { decryptGcm, encryptGcm } from '../src/crypto/native-cipher.ts'
import { sharedSecretNative } from '../src/crypto/native-exchange.ts'
import { makeKeyPair, open, seal } from '../src/crypto/sealing.ts'
import { must } from '../src/kernel/refusal.ts'

const Plain = weierstrass({ p: FIELD, n: ORDER, h: 8n, a: CURVE_A, b: CURVE_B, Gx: BASE.x, Gy: BASE.y })
const document = randomBytes(15_000).toString('base64')
const page = randomBytes(1024 * 1024)

/** One push: both ends make keys, exchange them as ABDM writes them, seal and open. */
function exchangeByAmanat(plaintext: Uint8Array | string = document): void {
  const [hip, hiu] = [makeKeyPair(randomBytes), makeKeyPair(randomBytes)]
  const [hipNonce, hiuNonce] = [makeNonce(randomBytes), makeNonce(randomBytes)]
  const hiuKey = must(parsePeerKey(encodeRaw(hiu.publicKey)))
  const content = seal({
    own: hip,
    ownNonce: hipNonce,
    peer: hiuKey,
    peerNonce: must(parseNonce(hiuNonce)),
    plaintext,
  })
  const hipKey = must(parsePeerKey(encodeX509(hip.publicKey)))
  must(open({ own: hiu, ownNonce: hiuNonce, peer: hipKey, peerNonce: must(parseNonce(hipNonce)), content }))
}

/** The same with noble-curves used as its manual says (`fromBytes` checks the peer's point), and the same ciphers. */
function exchangeByNoble(): void {
  const [hip, hiu] = [plainKeyPair(), plainKeyPair()]
  const [hipNonce, hiuNonce] = [randomBytes(32), randomBytes(32)]
  const xor = hipNonce.map((byte, i) => byte ^ (hiuNonce[i] ?? 0))
  const sender = plainCipherKey(hip.scalar, hiu.publicKey, xor)
  const cipher = createCipheriv('aes-256-gcm', sender, xor.subarray(20))
  const sealed = Buffer.concat([cipher.update(document), cipher.final(), cipher.getAuthTag()]).toString('base64')
  const receiver = plainCipherKey(hiu.scalar, hip.publicKey, xor)
  const bytes = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', receiver, xor.subarray(20)).setAuthTag(bytes.subarray(-16))
  Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()])
}

function plainKeyPair(): { scalar: bigint; publicKey: Uint8Array } {
  const scalar = (BigInt(`0x${randomBytes(32).toString('hex')}`) % (ORDER - 1n)) + 1n
  return { scalar, publicKey: Plain.BASE.multiply(scalar).toBytes(false) }
}

function plainCipherKey(scalar: bigint, peer: Uint8Array, xor: Uint8Array): Uint8Array {
  const secret = Plain.fromBytes(peer).multiply(scalar).toBytes(false).subarray(1, 33)
  return new Uint8Array(hkdfSync('sha256', secret, xor.subarray(0, 20), '', 32))
}

const key = randomBytes(32)

function pageByAmanat(): void {
  const nonce = randomBytes(12)
  const { ciphertext, tag } = encryptGcm(key, nonce, page)
  decryptGcm(key, nonce, Buffer.concat([ciphertext, tag]))
}

function pageByNode(): void {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const bytes = Buffer.concat([cipher.update(page), cipher.final(), cipher.getAuthTag()])
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(bytes.subarray(-16))
  Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()])
}

/** Median milliseconds of `runs` rounds in which both take turns, so that a busy machine slows both. */
function compare(runs: number, ours: () => void, theirs: () => void): [number, number] {
  const times: [number[], number[]] = [[], []]
  for (let run = -20; run < runs; run++) {
    for (const [i, work] of [ours, theirs].entries()) {
      const start = performance.now()
      work()
      if (run >= 0) times[i]?.push(performance.now() - start)
    }
  }
  const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN
  return [median(times[0]), median(times[1])]
}

const [ours, noble] = compare(200, () => exchangeByAmanat(), exchangeByNoble)
console.log(`agree, seal and open 20 KB: ${ours.toFixed(3)} ms, pure noble-curves ${noble.toFixed(3)} ms`)
console.log(`  native : pure = ${(noble / ours).toFixed(1)} : 1 (wanted: 10 or more)`)
const [mine, peer] = [makeKeyPair(randomBytes), makeKeyPair(randomBytes)]
const [native, pure] = compare(
  200,
  () => sharedSecretNative(mine.privateKey, peer.publicKey),
  () => sharedSecretPure(mine.privateKey, peer.publicKey),
)
console.log(`shared secret alone: native ${native.toFixed(3)} ms, our pure version ${pure.toFixed(3)} ms`)
console.log(`  native : pure = ${(pure / native).toFixed(1)} : 1`)
const [own, bare] = compare(200, pageByAmanat, pageByNode)
console.log(`AES-256-GCM of 1 MB, both ways: ${own.toFixed(3)} ms, bare node:crypto ${bare.toFixed(3)} ms`)
console.log(`  ours / bare = ${(own / bare).toFixed(2)} (wanted: 1.3 or less)`)
const [whole] = compare(100, () => exchangeByAmanat(page), pageByNode)
console.log(`agree, seal and open 1 MB with base64: ${whole.toFixed(3)} ms`)
