import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { type BackupKeys, makeBackupKeys, type RecoveryKey, readBackupKeys, readRecoveryKey } from './recovery-keys.ts'
import { readSealed, writeSealed } from './sealed-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'amanat-sealed-'))
describe('recovery/sealed-file', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  const path = join(folder, 'part.sealed')
  const WHAT = 'base/1/base.tar'
  const CHUNK = 256 * 1024 + 20
  /** Random bytes do not shrink, so that there are five chunks. */
  const plain = randomBytes(1_200_000)
  let keys: BackupKeys
  let recovery: RecoveryKey
  let sealed: Buffer
  let start: number

  before(async () => {
    const [data = ''] = makeBackupKeys(join(folder, 'party'), join(folder, 'safe'), random)
    keys = readBackupKeys(join(folder, 'party'))
    recovery = readRecoveryKey(data, 'data')
    const written = await writeSealed(path, WHAT, Readable.from([plain]), {
      recipient: keys.dataRecipient,
      keys,
      random,
    })
    sealed = readFileSync(path)
    start = 12 + sealed.readUInt32BE(8)
    assert.equal(written.bytes, sealed.length)
    assert.equal(written.plainBytes, plain.length)
  })

  async function open(bytes: Buffer, what = WHAT, key = recovery): Promise<Buffer> {
    writeFileSync(path, bytes)
    const parts: Buffer[] = []
    for await (const part of readSealed(path, what, key)) parts.push(part as Buffer)
    return Buffer.concat(parts)
  }

  const chunk = (i: number): Buffer => sealed.subarray(start + i * CHUNK, start + (i + 1) * CHUNK)
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(sealed)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }

  test('what was sealed opens with the recovery key, also when it is empty', async () => {
    assert.ok((await open(sealed)).equals(plain))
    const empty = join(folder, 'empty.sealed')
    await writeSealed(empty, 'nothing', Readable.from([]), { recipient: keys.dataRecipient, keys, random })
    assert.equal((await open(readFileSync(empty), 'nothing')).length, 0)
  })

  test('every kind of damage is refused by name', async () => {
    const head = sealed.subarray(0, start)
    const rest = sealed.subarray(start + 4 * CHUNK)
    const broken: readonly [string, Buffer, RegExp][] = [
      ['a flipped byte', flipped(start + 2 * CHUNK + 100), /base\.tar is damaged: chunk 3 was changed/],
      [
        'a missing chunk',
        Buffer.concat([head, chunk(0), chunk(2), chunk(3), rest]),
        /chunk 3 stands in the place of chunk 2/,
      ],
      [
        'chunks in another order',
        Buffer.concat([head, chunk(1), chunk(0), chunk(2), chunk(3), rest]),
        /chunk 2 stands in the place of chunk 1/,
      ],
      [
        'a doubled chunk',
        Buffer.concat([head, chunk(0), chunk(0), chunk(1), chunk(2), chunk(3), rest]),
        /chunk 1 stands in the place of chunk 2/,
      ],
      ['cut between chunks', sealed.subarray(0, start + 2 * CHUNK), /cut off after chunk 2/],
      ['cut inside a chunk', sealed.subarray(0, start + 2 * CHUNK + 9), /cut off after chunk 2/],
      ['cut before the signature', sealed.subarray(0, sealed.length - 64), /cut off after chunk 5/],
      ['another signature', flipped(sealed.length - 3), /did not sign it/],
      ['something after the end', Buffer.concat([sealed, Buffer.of(1)]), /added after its end/],
      ['another header', flipped(16), /header was changed/],
      ['no sealed file', Buffer.from('PK not ours, whatever it may be'), /not that of a sealed file/],
      ['an empty file', Buffer.alloc(0), /cut off inside its header/],
    ]
    for (const [name, bytes, message] of broken)
      await assert.rejects(open(bytes), { code: 'backup_damaged', message }, name)
  })

  test('a file in the place of another one, a missing file, a wrong key are told', async () => {
    await assert.rejects(open(sealed, 'base/2/base.tar'), { message: /it is base\/1\/base\.tar, put in its place/ })
    rmSync(path)
    await assert.rejects(readSealed(path, WHAT, recovery).toArray(), { message: /the file is missing/ })
    await assert.rejects(open(sealed, WHAT, { ...recovery, secret: random(32) }), { code: 'wrong_key' })
  })

  test('a backup that somebody else sealed to our public key is not ours', async () => {
    const forged = join(folder, 'forged.sealed')
    const foreign = { ...keys, signingSeed: random(32) }
    await writeSealed(forged, WHAT, Readable.from([plain]), { recipient: keys.dataRecipient, keys: foreign, random })
    await assert.rejects(open(readFileSync(forged)), { message: /did not sign it/ })
  })

  test('keys are never written over, and a recovery key opens its own kind only', () => {
    assert.throws(() => makeBackupKeys(join(folder, 'party'), join(folder, 'other'), random), {
      code: 'place_not_empty',
    })
    assert.throws(() => readRecoveryKey(join(folder, 'safe', 'recovery-keys.json'), 'data'), { code: 'wrong_key' })
    assert.throws(() => readBackupKeys(join(folder, 'nobody')), { code: 'keys_missing', message: /amanat backup init/ })
  })
})
