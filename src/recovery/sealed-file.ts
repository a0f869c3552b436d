import { createCipheriv, createDecipheriv, createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable, Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { ed25519 } from '@noble/curves/ed25519.js'
import { z } from 'zod'
import { isFull } from '../db/embedded-cluster.ts'
import { messageOf } from '../db/embedded-fault.ts'
import type { Random } from '../db/tx.ts'
import { RecoveryFault } from './recovery-fault.ts'
import {
  type BackupKeys,
  fileKeyAgain,
  fingerprintOf,
  freshFileKey,
  publicOf,
  type RecoveryKey,
} from './recovery-keys.ts'

/**
 * A sealed file: magic · length and JSON of the header · chunks (length, AES-256-GCM of at most {@link CHUNK_BYTES} of the gzipped
 * content) · a length of zero · Ed25519 signature over everything before. The nonce of a chunk is its number and whether it is the last
 * one (Rogaway's STREAM), its additional data the hash of the header: a chunk that was changed, moved, doubled, cut off or taken
 * from another file does not open.
 */
const MAGIC = Buffer.from('AMANATS1')
const CHUNK_BYTES = 256 * 1024
const TAG_BYTES = 16
const HEADER_BYTES_MAX = 4_096
const SIGNATURE_BYTES = 64
const GZIP_LEVEL = 1
const PLACES_TRIED_MAX = 64

const headerSchema = z.object({ what: z.string(), recipient: z.string(), ephemeral: z.base64() })

/** What was written: plain size, sealed size, SHA-256 of the sealed file in hex. */
export type SealedFile = { readonly plainBytes: number; readonly bytes: number; readonly sha256: string }

export type Sealing = { readonly recipient: Uint8Array; readonly keys: BackupKeys; readonly random: Random }

/**
 * Compresses, seals and signs `source` into `path`, forced to the disk. `what` names the file inside of the backup and is bound to it.
 * @throws RecoveryFault `disk_full`
 */
export async function writeSealed(path: string, what: string, source: Readable, sealing: Sealing): Promise<SealedFile> {
  const { key, ephemeral } = freshFileKey(sealing.recipient, sealing.random)
  const header = Buffer.from(
    JSON.stringify({
      what,
      recipient: fingerprintOf(sealing.recipient),
      ephemeral: Buffer.from(ephemeral).toString('base64'),
    }),
  )
  const sealer = new Sealer(key, header, sealing.keys.signingSeed)
  const counter = new Counter()
  try {
    await pipeline(
      source,
      counter,
      createGzip({ level: GZIP_LEVEL }),
      sealer,
      createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
    )
  } catch (error) {
    if (isFull(messageOf(error)))
      throw new RecoveryFault(
        'disk_full',
        `There is no room left for ${what} on the disk of ${path}. The unfinished backup was thrown away.`,
      )
    throw error
  }
  return { plainBytes: counter.bytes, bytes: sealer.bytes, sha256: sealer.sha256() }
}

/**
 * The content of a sealed file, checked as it is read; only when it has ended without an error is it whole and signed.
 * Errors of the stream: RecoveryFault `wrong_key`, `backup_damaged`.
 */
export function readSealed(path: string, what: string, recovery: RecoveryKey): Readable {
  return Readable.from(contentOf(path, what, recovery), { objectMode: false })
}

async function* contentOf(path: string, what: string, recovery: RecoveryKey): AsyncGenerator<Buffer> {
  const content = createGunzip()
  // The outcome is asked for after the last byte: a signature stands behind it.
  const outcome = pipeline(createReadStream(path), new Opener(what, recovery), content).then(
    () => undefined,
    (error: unknown) => explain(error, what),
  )
  try {
    for await (const part of content) yield part as Buffer
  } catch (error) {
    throw (await outcome) ?? error
  }
  const fault = await outcome
  if (fault !== undefined) throw fault
}

/** All of a small sealed file. */
export async function readSealedText(path: string, what: string, recovery: RecoveryKey): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of readSealed(path, what, recovery)) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function explain(error: unknown, what: string): Error {
  if (error instanceof RecoveryFault) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return damaged(what, 'the file is missing')
  return damaged(what, `it cannot be read (${messageOf(error)})`)
}

function damaged(what: string, why: string): RecoveryFault {
  return new RecoveryFault('backup_damaged', `The backup file ${what} is damaged: ${why}. Nothing of it is used.`)
}

/** Nonce of STREAM: last-chunk flag, three zero bytes, number of the chunk. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt8(isLast ? 1 : 0, 0)
  nonce.writeBigUInt64BE(BigInt(number), 4)
  return nonce
}

const lengthBytes = (length: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

const hashOf = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

class Counter extends Transform {
  bytes = 0
  override _transform(part: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += part.length
    done(null, part)
  }
}

class Sealer extends Transform {
  bytes = 0
  readonly #key: Uint8Array
  readonly #seed: Uint8Array
  readonly #headerHash: Buffer
  readonly #signed = createHash('sha512')
  readonly #whole: Hash = createHash('sha256')
  #rest: Buffer[] = []
  #restBytes = 0
  #number = 0

  constructor(key: Uint8Array, header: Buffer, seed: Uint8Array) {
    super()
    this.#key = key
    this.#seed = seed
    this.#headerHash = hashOf(header)
    this.#emit(Buffer.concat([MAGIC, lengthBytes(header.length), header]))
  }

  sha256(): string {
    return this.#whole.copy().digest('hex')
  }

  #emit(bytes: Buffer): void {
    this.#signed.update(bytes)
    this.#send(bytes)
  }

  #send(bytes: Buffer): void {
    this.bytes += bytes.length
    this.#whole.update(bytes)
    this.push(bytes)
  }

  #seal(chunk: Buffer, isLast: boolean): void {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#number++, isLast))
    cipher.setAAD(this.#headerHash)
    const sealed = [cipher.update(chunk), cipher.final(), cipher.getAuthTag()]
    this.#emit(Buffer.concat([lengthBytes(chunk.length + TAG_BYTES), ...sealed]))
  }

  override _transform(part: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#rest.push(part)
    this.#restBytes += part.length
    if (this.#restBytes > CHUNK_BYTES) {
      let all = Buffer.concat(this.#rest)
      for (; all.length > CHUNK_BYTES; all = all.subarray(CHUNK_BYTES)) this.#seal(all.subarray(0, CHUNK_BYTES), false)
      this.#rest = [all]
      this.#restBytes = all.length
    }
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#seal(Buffer.concat(this.#rest), true)
    this.#emit(lengthBytes(0))
    this.#send(Buffer.from(ed25519.sign(this.#signed.digest(), this.#seed)))
    done()
  }
}

class Opener extends Transform {
  readonly #what: string
  readonly #recovery: RecoveryKey
  readonly #signed = createHash('sha512')
  #rest: Buffer = Buffer.alloc(0)
  #key: Uint8Array | undefined
  #headerHash: Buffer = Buffer.alloc(0)
  #number = 0
  #state: 'header' | 'chunks' | 'last chunk read' | 'signature' | 'end' = 'header'

  constructor(what: string, recovery: RecoveryKey) {
    super()
    this.#what = what
    this.#recovery = recovery
  }

  override _transform(part: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#rest = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part])
    try {
      while (this.#step());
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#state === 'end' && this.#rest.length === 0) return done()
    if (this.#state === 'end') return done(damaged(this.#what, 'something was added after its end'))
    const where = this.#state === 'header' ? 'inside its header' : `after chunk ${this.#number}`
    done(damaged(this.#what, `it was cut off ${where}`))
  }

  /** Reads the next part; false when there are not enough bytes yet. */
  #step(): boolean {
    if (this.#state === 'header') return this.#readHeader()
    if (this.#state === 'signature') return this.#readSignature()
    if (this.#state === 'end' || this.#rest.length < 4) return false
    const length = this.#rest.readUInt32BE(0)
    if (this.#state === 'last chunk read') {
      if (length !== 0) throw damaged(this.#what, 'something was added after its last chunk')
      this.#take(4)
      this.#state = 'signature'
      return true
    }
    if (length < TAG_BYTES || length > CHUNK_BYTES + TAG_BYTES)
      throw damaged(this.#what, `chunk ${this.#number + 1} has a length that cannot be`)
    if (this.#rest.length < 4 + length) return false
    this.#open(this.#take(4 + length).subarray(4))
    return true
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    this.#signed.update(taken)
    return taken
  }

  #readHeader(): boolean {
    const start = MAGIC.length + 4
    if (this.#rest.length < start) return false
    const length = this.#rest.readUInt32BE(MAGIC.length)
    if (!this.#rest.subarray(0, MAGIC.length).equals(MAGIC) || length > HEADER_BYTES_MAX)
      throw damaged(this.#what, 'its beginning is not that of a sealed file')
    if (this.#rest.length < start + length) return false
    const bytes = this.#take(start + length).subarray(start)
    const header = parseHeader(bytes)
    if (header === undefined) throw damaged(this.#what, 'its header was changed')
    if (header.what !== this.#what) throw damaged(this.#what, `it is ${header.what}, put in its place`)
    const wanted = fingerprintOf(publicOf(this.#recovery))
    if (header.recipient !== wanted)
      throw new RecoveryFault(
        'wrong_key',
        `${this.#what} was sealed for the recovery key ${header.recipient}, this one is ${wanted}.`,
      )
    this.#headerHash = hashOf(bytes)
    this.#key = fileKeyAgain(this.#recovery, new Uint8Array(Buffer.from(header.ephemeral, 'base64')))
    this.#state = 'chunks'
    return true
  }

  #open(sealed: Buffer): void {
    const number = this.#number++
    for (const isLast of [false, true]) {
      const plain = this.#tryPlace(sealed, number, isLast)
      if (plain === undefined) continue
      if (isLast) this.#state = 'last chunk read'
      this.push(plain)
      return
    }
    const places = Array.from({ length: PLACES_TRIED_MAX }, (_, i) => i)
    const own = places.find((i) => [false, true].some((last) => this.#tryPlace(sealed, i, last) !== undefined))
    const why =
      own === undefined
        ? `chunk ${number + 1} was changed`
        : `chunk ${own + 1} stands in the place of chunk ${number + 1}`
    throw damaged(this.#what, why)
  }

  #tryPlace(sealed: Buffer, number: number, isLast: boolean): Buffer | undefined {
    if (this.#key === undefined) return undefined
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(number, isLast))
    decipher.setAAD(this.#headerHash)
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()])
    } catch {
      return undefined // not authentic in this place; the caller says so
    }
  }

  #readSignature(): boolean {
    if (this.#rest.length < SIGNATURE_BYTES) return false
    const signature = this.#rest.subarray(0, SIGNATURE_BYTES)
    this.#rest = this.#rest.subarray(SIGNATURE_BYTES)
    if (!isSigned(signature, this.#signed.digest(), this.#recovery.signer))
      throw damaged(this.#what, 'the party that this recovery key belongs to did not sign it')
    this.#state = 'end'
    return true
  }
}

/** Whether `signature` is the signer's over `message`; malformed ones are not. */
export function isSigned(signature: Uint8Array, message: Uint8Array, signer: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, signer)
  } catch {
    return false // not 64 bytes, or no point of the curve
  }
}

function parseHeader(bytes: Buffer): z.output<typeof headerSchema> | undefined {
  try {
    return headerSchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    return undefined // the caller says that it was changed
  }
}
