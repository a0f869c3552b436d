import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { KeysAway } from '../crypto/envelope.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type Cryptoki, openCryptoki } from './cryptoki.ts'
import { CryptokiFault } from './cryptoki-library.ts'
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

  test('a session that the device lost is opened again by the next use, of whatever kind', { skip }, async () => {
    const device = await openCryptoki(library ?? '')
    const settings = { token: 'amanat-tests', key: 'amanat-lost', pin: PIN }
    let session = 0n
    const openSession = (slot: bigint, pin: string): bigint => (session = device.openSession(slot, pin))
    const provider = makePkcs11Provider({ cryptoki: { ...device, openSession }, settings, random })
    const { wrapId, ciphertext } = await provider.wrap(random(61))
    for (const lose of [() => device.closeSession(session), () => device.finalize()]) {
      for (const use of [() => provider.unwrap(wrapId, ciphertext), provider.rotate, () => provider.wrap(random(61))]) {
        lose()
        assert.ok(!isRefusal(await use()))
      }
    }
    assert.equal((await provider.versions?.())?.length, 3, 'each rotation made one version')
    device.finalize()
    provider.close()
  })

  /** A device of which a test decides what it answers to; `asked` counts what it was asked for. */
  function fakeDevice() {
    const fake = {
      fault: undefined as string | undefined,
      pinFault: undefined as string | undefined,
      opened: 0,
      asked: 0,
    }
    const answer = (): void => {
      fake.asked += 1
      if (fake.fault !== undefined) throw new CryptokiFault(`${fake.fault} at C_Something`)
    }
    const cryptoki: Cryptoki = {
      initialize: () => undefined,
      finalize: () => undefined,
      tokens: () => new Map(fake.fault === 'CKR_DEVICE_REMOVED' ? [] : [['amanat-tests', 1n]]),
      openSession: () => {
        fake.opened += 1
        if (fake.pinFault !== undefined) throw new CryptokiFault(`${fake.pinFault} at C_Login`)
        return BigInt(fake.opened)
      },
      closeSession: () => undefined,
      secretKeys: () => {
        answer()
        return [{ key: 1n, label: 'amanat.v1' }]
      },
      generateAesKey: answer,
      destroy: answer,
      encrypt: async (_session, _key, _gcm, data) => data,
      decrypt: async (_session, _key, _gcm, data) => data,
    }
    const settings = { token: 'amanat-tests', key: 'amanat', pin: PIN }
    return { fake, provider: makePkcs11Provider({ cryptoki, settings, random }) }
  }

  test('while the device is away each use tries once and says so; when it is back, the next one goes on', async () => {
    const { fake, provider } = fakeDevice()
    fake.fault = 'CKR_DEVICE_REMOVED'
    for (const use of [provider.current, () => provider.wrap(random(61)), provider.rotate])
      await assert.rejects(use(), KeysAway)
    assert.deepEqual([fake.opened, fake.asked], [1, 1], 'asked once before it was known to be away')
    fake.fault = undefined
    assert.equal(await provider.current(), 'pkcs11-amanat-tests/amanat.v1')
    assert.equal(fake.opened, 2)
  })

  test('a device that loses each session is opened once for each use, and never in a loop', async () => {
    const { fake, provider } = fakeDevice()
    fake.fault = 'CKR_SESSION_HANDLE_INVALID'
    await assert.rejects(provider.current(), KeysAway)
    assert.equal(fake.opened, 2)
    await assert.rejects(provider.current(), KeysAway)
    assert.equal(fake.opened, 3)
  })

  test('a PIN that the device refuses is not tried a second time, so that nothing is locked', async () => {
    const { fake, provider } = fakeDevice()
    fake.fault = 'CKR_USER_NOT_LOGGED_IN'
    fake.pinFault = 'CKR_PIN_INCORRECT'
    for (let i = 0; i < 5; i++) await assert.rejects(provider.current(), KeysAway)
    assert.equal(fake.opened, 2)
  })

  test('what is no lost session is refused as before, and the session stays', async () => {
    const { fake, provider } = fakeDevice()
    fake.fault = 'CKR_DEVICE_MEMORY'
    await assert.rejects(provider.current(), KeysAway)
    fake.fault = undefined
    await provider.current()
    assert.equal(fake.opened, 1)
  })

  test('a file that is no such library says so', async () => {
    await assert.rejects(
      openCryptoki('/no/such/library.so'),
      (error) => error instanceof KeyFault && /\/no\/such/.test(error.message),
    )
    await assert.rejects(openCryptoki(process.execPath), KeyFault)
  })
})
