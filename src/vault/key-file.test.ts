import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { KeyFault, openKeyFile } from './key-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'amanat-keys-'))
describe('vault/key-file', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

  test('keys are made once, for their owner only, and read again as they were', async () => {
    const place = join(folder, 'new', 'party')
    const made = await openKeyFile(place, random)
    const read = await openKeyFile(place, random)
    assert.deepEqual(read.keyEncryptionKeys, made.keyEncryptionKeys)
    assert.equal(read.signing.kid, made.signing.kid)
    assert.equal(statSync(join(place, 'keys.json')).mode & 0o777, 0o600)
    const secrets = [...made.keyEncryptionKeys, made.indexKey, made.logSeed, made.witnessSeed].map((key) =>
      Buffer.from(key).toString('hex'),
    )
    assert.equal(new Set(secrets).size, 4)
  })

  test('a damaged key file is a sentence that names the file and the field, never a fresh key', async () => {
    const path = join(folder, 'keys.json')
    await openKeyFile(folder, random)
    const whole = readFileSync(path, 'utf8')
    const broken: readonly [string, RegExp][] = [
      [whole.slice(0, 100), /cannot be read as JSON/],
      ['', /cannot be read as JSON/],
      [JSON.stringify({ ...JSON.parse(whole), logSeed: 'AAAA' }), /logSeed must be 32 bytes in base64/],
      [JSON.stringify({ ...JSON.parse(whole), indexKey: undefined }), /indexKey/],
    ]
    for (const [text, expected] of broken) {
      writeFileSync(path, text)
      await assert.rejects(
        openKeyFile(folder, random),
        (error) =>
          error instanceof KeyFault && expected.test(error.message) && /backup of the keys/.test(error.message),
      )
      assert.equal(readFileSync(path, 'utf8'), text, 'the damaged file is left for whoever repairs it')
    }
    writeFileSync(path, JSON.stringify({ ...JSON.parse(whole), signingKeyPem: 'nonsense' }))
    await assert.rejects(openKeyFile(folder, random), /signing key/)
  })
})
