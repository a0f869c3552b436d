import { sha256 } from '@noble/hashes/sha2.js'

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array

/** Leaves `start` (included) to `end` (excluded). */
export type Range = { readonly start: number; readonly end: number }

/** The complete subtree over leaves `index·2^level` to `(index+1)·2^level`. */
export type Subtree = { readonly level: number; readonly index: number }

export const HASH_BYTES = 32

/** Root of the tree without leaves: the hash of nothing (RFC 6962 §2.1). */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array(0))

/** `SHA-256(0x00 ‖ data)` (RFC 6962 §2.1). */
export function leafHash(data: Uint8Array): Hash {
  const input = new Uint8Array(1 + data.length)
  input.set(data, 1)
  return sha256(input)
}

/** `SHA-256(0x01 ‖ left ‖ right)` (RFC 6962 §2.1). */
export function nodeHash(left: Hash, right: Hash): Hash {
  const input = new Uint8Array(1 + 2 * HASH_BYTES)
  input[0] = 1
  input.set(left, 1)
  input.set(right, 1 + HASH_BYTES)
  return sha256(input)
}

/** Whether two byte strings are the same. What is compared here is public: no constant time needed. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** The largest power of two below `n`, for n ≥ 2. Not by shifts: sizes may exceed 32 bits. */
function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/**
 * The complete subtrees that make up `range`, left to right; {@link foldRight} of their hashes is the hash of the range.
 * `range.start` must be a multiple of the largest power of two that fits, as in every range of a proof.
 */
export function subtreesOf(range: Range): Subtree[] {
  const found: Subtree[] = []
  let { start } = range
  while (start < range.end) {
    let width = 1
    let level = 0
    while (start + width * 2 <= range.end) {
      width *= 2
      level++
    }
    if (start % width !== 0) throw new RangeError(`not a range of a proof: ${range.start} to ${range.end}`)
    found.push({ level, index: start / width })
    start += width
  }
  return found
}

/** The hash over a range from the hashes of its {@link subtreesOf}; the empty root for none. */
export function foldRight(hashes: readonly Hash[]): Hash {
  return hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right))
}

/** The root over leaf hashes (RFC 6962 §2.1, MTH). */
export function rootOf(leafHashes: readonly Hash[]): Hash {
  return foldRight(subtreesOf({ start: 0, end: leafHashes.length }).map((subtree) => completeRoot(leafHashes, subtree)))
}

function completeRoot(leafHashes: readonly Hash[], { level, index }: Subtree): Hash {
  const width = 2 ** level
  return completeFold(leafHashes.slice(index * width, (index + 1) * width))
}

/** The hash over 2^k neighbouring hashes of one level. */
export function completeFold(hashes: readonly Hash[]): Hash {
  let row = hashes
  while (row.length > 1) {
    const above: Hash[] = []
    for (let i = 0; i < row.length; i += 2) {
      const [left, right] = [row[i], row[i + 1]]
      if (left === undefined || right === undefined) throw new RangeError('a complete subtree has 2^k hashes')
      above.push(nodeHash(left, right))
    }
    row = above
  }
  const [root] = row
  if (root === undefined) throw new RangeError('a complete subtree has at least one hash')
  return root
}

/** The ranges whose hashes are the inclusion proof of leaf `index` in a tree of `size` leaves, lowest first (RFC 6962 §2.1.1). */
export function inclusionRanges(index: number, size: number): Range[] {
  if (!isSize(size) || !isSize(index) || index >= size)
    throw new RangeError(`leaf ${index} is not in a tree of ${size}`)
  const path: Range[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      path.push({ start: middle, end })
      end = middle
    } else {
      path.push({ start, end: middle })
      start = middle
    }
  }
  return path.reverse()
}

/** The ranges whose hashes prove that the tree of `size` leaves begins with the tree of `old` leaves (RFC 6962 §2.1.2). */
export function consistencyRanges(old: number, size: number): Range[] {
  if (!isSize(old) || !isSize(size) || old > size)
    throw new RangeError(`a tree of ${size} does not contain one of ${old}`)
  if (old === 0 || old === size) return []
  const path: Range[] = []
  let start = 0
  let end = size
  while (end !== old) {
    const middle = start + splitOf(end - start)
    if (old <= middle) {
      path.push({ start: middle, end })
      end = middle
    } else {
      path.push({ start, end: middle })
      start = middle
    }
  }
  // The old tree itself is left out where it is a complete subtree at the left edge: the verifier has its root.
  if (start !== 0) path.push({ start, end })
  return path.reverse()
}

/** Checks an inclusion proof (RFC 9162 §2.1.3.2). False for anything that does not lead exactly to `root`. */
export function provesInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!isSize(size) || !isSize(index) || index >= size || !areHashes([leaf, root, ...proof])) return false
  let fn = index
  let sn = size - 1
  let hash = leaf
  for (const step of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(step, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      hash = nodeHash(hash, step)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && sameBytes(hash, root)
}

/** Checks a consistency proof (RFC 9162 §2.1.4.2). A tree of no leaves is the beginning of every tree, with an empty proof. */
export function provesConsistency(
  old: number,
  oldRoot: Hash,
  size: number,
  root: Hash,
  proof: readonly Hash[],
): boolean {
  if (!isSize(old) || !isSize(size) || old > size || !areHashes([oldRoot, root, ...proof])) return false
  if (old === 0) return proof.length === 0 && sameBytes(oldRoot, EMPTY_ROOT)
  if (old === size) return proof.length === 0 && sameBytes(oldRoot, root)
  const steps = isPowerOfTwo(old) ? [oldRoot, ...proof] : [...proof]
  const first = steps.shift()
  if (first === undefined || proof.length === 0) return false
  let fn = old - 1
  let sn = size - 1
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)]
  let fromOld = first
  let fromNew = first
  for (const step of steps) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      fromOld = nodeHash(step, fromOld)
      fromNew = nodeHash(step, fromNew)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      fromNew = nodeHash(fromNew, step)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && sameBytes(fromOld, oldRoot) && sameBytes(fromNew, root)
}

function half(n: number): number {
  return Math.floor(n / 2)
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0
}

function isPowerOfTwo(n: number): boolean {
  return 2 ** Math.round(Math.log2(n)) === n
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES)
}
