import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  consistencyRanges,
  EMPTY_ROOT,
  foldRight,
  type Hash,
  inclusionRanges,
  leafHash,
  nodeHash,
  provesConsistency,
  provesInclusion,
  type Range,
  rootOf,
} from './merkle.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const leaves = (size: number): Hash[] => Array.from({ length: size }, (_, i) => leafHash(text(`leaf ${i}`)))

/** RFC 6962 §2.1 read literally: the oracle. */
function mth(hashes: readonly Hash[]): Hash {
  if (hashes.length === 0) return EMPTY_ROOT
  const [only] = hashes
  if (hashes.length === 1 && only !== undefined) return only
  let k = 1
  while (k * 2 < hashes.length) k *= 2
  return nodeHash(mth(hashes.slice(0, k)), mth(hashes.slice(k)))
}

const over =
  (all: readonly Hash[]) =>
  ({ start, end }: Range): Hash =>
    mth(all.slice(start, end))

test('hashes of RFC 6962', () => {
  assert.equal(hex(EMPTY_ROOT), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  // Known values of the empty leaf and of the eight-leaf tree of the certificate-transparency reference.
  assert.equal(hex(leafHash(text(''))), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const hashes = inputs.map((input) => leafHash(Buffer.from(input, 'hex')))
  assert.equal(hex(rootOf(hashes)), '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
})

test('every inclusion proof of every small tree leads to the root', () => {
  for (let size = 1; size <= 70; size++) {
    const all = leaves(size)
    const root = rootOf(all)
    assert.deepEqual(root, mth(all))
    for (const [index, leaf] of all.entries()) {
      const proof = inclusionRanges(index, size).map(over(all))
      assert.ok(provesInclusion(leaf, index, size, proof, root), `${index} of ${size}`)
    }
  }
})

test('every consistency proof of every small pair of trees holds', () => {
  const all = leaves(50)
  for (let size = 0; size <= 50; size++) {
    for (let old = 0; old <= size; old++) {
      const proof = consistencyRanges(old, size).map(over(all))
      const [oldRoot, root] = [mth(all.slice(0, old)), mth(all.slice(0, size))]
      assert.ok(provesConsistency(old, oldRoot, size, root, proof), `${old} to ${size}`)
    }
  }
})

const sizes = fc.integer({ min: 2, max: 400 })

test('an inclusion proof with anything changed leads nowhere', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (size, at, which, flip) => {
      const all = leaves(size)
      const index = at % size
      const leaf = all[index] ?? EMPTY_ROOT
      const root = rootOf(all)
      const proof = inclusionRanges(index, size).map(over(all))
      const changed = proof.map((hash) => Uint8Array.from(hash))
      const target = changed[which % changed.length]
      if (target) target[which % 32] = (target[which % 32] ?? 0) ^ flip
      assert.ok(!provesInclusion(leaf, index, size, changed, root), 'byte')
      assert.ok(!provesInclusion(leaf, index, size, proof.slice(1), root), 'shorter')
      assert.ok(!provesInclusion(leaf, index, size, [...proof, EMPTY_ROOT], root), 'longer')
      assert.ok(!provesInclusion(leaf, (index + 1) % size, size, proof, root), 'index')
      assert.ok(!provesInclusion(leafHash(text('other')), index, size, proof, root), 'leaf')
      assert.ok(!provesInclusion(leaf, size, size, proof, root), 'outside')
      assert.ok(!provesInclusion(leaf, -1, size, proof, root) && !provesInclusion(leaf, 0.5, size, proof, root))
    }),
    { numRuns: 60 },
  )
})

test('a consistency proof does not hold for a forked or shortened past', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), (size, a, b) => {
      const old = 1 + (a % size)
      const all = leaves(size)
      const forked = all.map((leaf, i) => (i === b % old ? leafHash(text('forked')) : leaf))
      const proof = consistencyRanges(old, size).map(over(all))
      assert.ok(provesConsistency(old, rootOf(all.slice(0, old)), size, rootOf(all), proof))
      assert.ok(!provesConsistency(old, rootOf(forked.slice(0, old)), size, rootOf(all), proof), 'old root')
      assert.ok(!provesConsistency(old, rootOf(all.slice(0, old)), size, rootOf(forked), proof), 'new root')
      assert.ok(!provesConsistency(size + 1, rootOf(all), size, rootOf(all), proof), 'shrunk')
      assert.ok(!provesConsistency(0, rootOf(all), size, rootOf(all), []), 'size 0 has one root')
      assert.ok(!provesConsistency(old, rootOf(all.slice(0, old)), size, rootOf(all), [...proof, EMPTY_ROOT]), 'longer')
    }),
    { numRuns: 60 },
  )
})

test('ranges outside the tree are bugs', () => {
  assert.throws(() => inclusionRanges(3, 3), RangeError)
  assert.throws(() => consistencyRanges(4, 3), RangeError)
  assert.deepEqual(foldRight([]), EMPTY_ROOT)
})
