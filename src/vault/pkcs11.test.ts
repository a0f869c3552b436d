import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { isRefusal } from '../kernel/refusal.ts'
import { KeyFault } from './key-file.ts'
import { loadPkcs11, makePkcs11Provider, type Pkcs11Module } from './pkcs11.ts'

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const LIBRARIES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
]
const library = LIBRARIES.find((path) => existsSync(path))
const isInstalled = ((): boolean => {
  try {
    createRequire(import.meta.url).resolve('pkcs11js')
    return true
  } catch {
    return false
  }
})()
const skip =
  library === undefined
    ? 'SoftHSM is not on this machine'
    : isInstalled
      ? false
      : 'the package pkcs11js is not installed'

const folder = mkdtempSync(join(tmpdir(), 'amanat-softhsm-'))
describe('vault/pkcs11', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))

  type Admin = InstanceType<Pkcs11Module['PKCS11']> & {
    C_InitToken(slot: Buffer, pin: string, label: string): string
    C_InitPIN(session: Buffer, pin: string): void
    C_Logout(session: Buffer): void
  }

  /** A token with a PIN, as an operator makes one with the tools of the device. */
  function makeToken(p11: Pkcs11Module, path: string): void {
    mkdirSync(join(folder, 'tokens'))
    writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\n`)
    process.env['SOFTHSM2_CONF'] = join(folder, 'softhsm2.conf')
    const admin = new p11.PKCS11() as Admin
    admin.load(path)
    admin.C_Initialize()
    const [slot] = admin.C_GetSlotList(true)
    assert.ok(slot)
    admin.C_InitToken(slot, '12345678', 'amanat-tests'.padEnd(32))
    const session = admin.C_OpenSession(slot, (p11['CKF_SERIAL_SESSION'] ?? 0) | (p11['CKF_RW_SESSION'] ?? 0))
    admin.C_Login(session, p11['CKU_SO'] ?? 0, '12345678')
    admin.C_InitPIN(session, '4321')
    admin.C_Logout(session)
    admin.C_CloseSession(session)
    admin.C_Finalize()
    admin.close()
  }

  test('a PKCS#11 device wraps, unwraps, rotates and destroys; keys never leave it', { skip }, async () => {
    const p11 = await loadPkcs11()
    makeToken(p11, library ?? '')
    const settings = { library: library ?? '', token: 'amanat-tests', key: 'amanat', pin: '4321' }
    assert.throws(
      () => makePkcs11Provider({ module: p11, settings: { ...settings, token: 'another' }, random }),
      KeyFault,
    )
    const provider = makePkcs11Provider({ module: p11, settings, random })
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
    const destroyed = await provider.destroyVersion(first)
    assert.ok(!isRefusal(destroyed))
    await assert.rejects(provider.unwrap(first, wrapped[0]?.ciphertext ?? new Uint8Array()), /has no key amanat.v1/)
    provider.close()
  })

  test('without the package the settings say how to install it', {
    skip: isInstalled && 'pkcs11js is installed',
  }, async () => {
    await assert.rejects(
      loadPkcs11(),
      (error) => error instanceof KeyFault && /npm install pkcs11js/.test(error.message),
    )
  })
})
