import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '@noble/hashes/sha2.js'
import type { KeyShares } from '../crypto/envelope.ts'
import type { Random } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { KeyFault } from './key-file.ts'

/** `shares.bin`: 16 bytes of name, 16 random bytes that tell one such file from another, 32 spare, then 32 bytes for each share. */
const MAGIC = Buffer.from('amanat shares v1')
const HEADER_BYTES = 64
const SHARE_BYTES = 32
/** Stands where a share was destroyed. Zeros would look like a hole in a damaged file. */
const DESTROYED = Buffer.from(sha256(Buffer.from('amanat: this share was destroyed')))
const ZEROS = Buffer.alloc(SHARE_BYTES)

export type ShareFile = KeyShares & { readonly close: () => void }

export const sharesPath = (folder: string): string => join(folder, 'shares.bin')

/** Opens the shares of a party, or makes them at its first start. */
export function openShares(folder: string, random: Random): ShareFile {
  const path = sharesPath(folder)
  if (!existsSync(path)) makeShares(path, random)
  const file = openSync(path, 'r+')
  const header = Buffer.alloc(HEADER_BYTES)
  const isOurs = readSync(file, header, 0, HEADER_BYTES, 0) === HEADER_BYTES && header.subarray(0, 16).equals(MAGIC)
  if (!isOurs) {
    closeSync(file)
    throw new KeyFault(
      `${path} is not a file of shares, or is damaged. Put the file back from your backup of the keys.`,
    )
  }
  const reaches = (number: number): boolean => fstatSync(file).size >= offsetOf(number + 1)
  return {
    id: header.subarray(16, 32).toString('hex'),
    reaches,
    read: (number) => readShare(file, number, path),
    grow: (number) => growFile(file, number, random),
    destroy: (numbers) => {
      for (const number of numbers) if (reaches(number)) writeSync(file, DESTROYED, 0, SHARE_BYTES, offsetOf(number))
    },
    flush: () => fsyncSync(file),
    close: () => closeSync(file),
  }
}

const offsetOf = (number: number): number => HEADER_BYTES + number * SHARE_BYTES

function makeShares(path: string, random: Random): void {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  Buffer.from(random(16)).copy(header, 16)
  const fresh = `${path}.new`
  writeFileSync(fresh, Buffer.concat([header, random(LIMITS.sharesAhead * SHARE_BYTES)]), { mode: 0o600, flush: true })
  renameSync(fresh, path)
}

function readShare(file: number, number: number, path: string): Uint8Array | undefined {
  const share = Buffer.alloc(SHARE_BYTES)
  const bytes = readSync(file, share, 0, SHARE_BYTES, offsetOf(number))
  if (bytes < SHARE_BYTES || share.equals(ZEROS))
    throw new KeyFault(
      `${path} has no share ${number}: the file is older than the database, or damaged. Put back the newest backup of the keys.`,
    )
  return share.equals(DESTROYED) ? undefined : share
}

/** Makes shares up to `number` and as many more as are kept ahead; those that are there stay. */
function growFile(file: number, number: number, random: Random): void {
  const have = Math.ceil((fstatSync(file).size - HEADER_BYTES) / SHARE_BYTES)
  const want = number + 1 + LIMITS.sharesAhead
  if (want <= have) return
  writeSync(file, random((want - have) * SHARE_BYTES), 0, undefined, offsetOf(have))
  fsyncSync(file)
}
