import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isRefusal } from '../kernel/refusal.ts'
import { openCryptoki } from './cryptoki.ts'
import { KeyFault } from './key-file.ts'
import { makePkcs11Provider } from './pkcs11.ts'

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const LIBRARIES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
]
const library = existsSync('/usr/bin/softhsm2-util') ? LIBRARIES.find((path) => existsSync(path)) : undefined
const skip = library === undefined && 'SoftHSM is not on this machine'
const PIN = '4321'

const folder = mkdtempSync(join(tmpdir(), 'amanat-softhsm-'))
describe('vault/pkcs11', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** A token with a PIN, as an operator makes one with the tools of the device. */
  before(() => {
    if (library === undefined) return
    mkdirSync(join(folder, 'tokens'))
    writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\n`)
    process.env['SOFTHSM2_CONF'] = join(folder, 'softhsm2.conf')
    const labels = ['--label', 'amanat-tests', '--so-pin', '12345678', '--pin', PIN]
    execFileSync('softhsm2-util', ['--init-token', '--free', ...labels])
  })

  test('a PKCS#11 device wraps, unwraps, rotates and destroys; keys never leave it', { skip }, async () => {
    const cryptoki = await openCryptoki(library ?? '')
    const settings = { token: 'amanat-tests', key: 'amanat', pin: PIN }
    for (const wrong of [{ token: 'another' }, { pin: '0000' }])
      assert.throws(() => makePkcs11Provider({ cryptoki, settings: { ...settings, ...wrong }, random }), KeyFault)
    const provider = makePkcs11Provider({ cryptoki, settings, random })
    const secrets = Array.from({ length: 20 }, () => random(61))
    const wrapped = await Promise.all(secrets.map(provider.wrap))
    assert.equal(new Set(wrapped.map(({ wrapId }) => wrapId)).size, 1)
    const first = await provider.current()
    assert.equal(first, 'pkcs11-amanat-tests/amanat.v1')
    const second = await provider.rotate()
    assert.equal(second, 'pkcs11-amanat-tests/amanat.v2')
    const anew = await provider.wrap(random(61))
    assert.equal(anew.wrapId, second)
    const opened = await Promise.all(wrapped.map(({ wrapId, ciphertext }) => provider.unwrap(wrapId, ciphertext)))
    assert.deepEqual(opened, secrets)
    const changed = Uint8Array.from(anew.ciphertext)
    changed[20] = (changed[20] ?? 0) ^ 1
    await assert.rejects(provider.unwrap(anew.wrapId, changed))
    assert.equal((await provider.unwrap(anew.wrapId, anew.ciphertext)).length, 61, 'it goes on after a refusal')
    assert.ok((await provider.versions?.())?.includes(first))
    const destroyed = await provider.destroyVersion(first)
    assert.ok(!isRefusal(destroyed))
    const again = await provider.destroyVersion(first)
    assert.ok(isRefusal(again) && again.code === 'keys/unknown-version')
    assert.equal((await provider.versions?.())?.includes(first), false)
    await assert.rejects(provider.unwrap(first, wrapped[0]?.ciphertext ?? new Uint8Array()), /has no key amanat.v1/)
    provider.close()
  })

  test('a file that is no such library says so', async () => {
    await assert.rejects(
      openCryptoki('/no/such/library.so'),
      (error) => error instanceof KeyFault && /\/no\/such/.test(error.message),
    )
    await assert.rejects(openCryptoki(process.execPath), KeyFault)
  })
})
