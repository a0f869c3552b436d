import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type ServiceFault, startAwsKmsFake, startVaultFake } from '../../test/key-services.ts'
import { makeMemoryShares } from '../../test/keyring.ts'
import { KeysAway, readWrapped } from '../crypto/envelope.ts'
import { makeOutbound, type Outbound } from '../http/outbound.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { makeAwsKmsProvider } from './aws-kms.ts'
import { makeFileProvider } from './file-provider.ts'
import type { KeyProvider } from './key-provider.ts'
import { makeKeyring } from './key-wrap.ts'
import { makeVaultProvider } from './vault-transit.ts'

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b)
const now = (): Date => new Date('2026-11-22T06:30:00Z')
const REGION = 'ap-south-1'
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the secret of the tests' }
const TOKEN = 'hvs.of-the-tests'

let vault: Awaited<ReturnType<typeof startVaultFake>>
let aws: Awaited<ReturnType<typeof startAwsKmsFake>>
let outbound: Outbound
describe('vault/key-services', () => {
  before(async () => {
    vault = await startVaultFake({ key: 'amanat', token: TOKEN })
    aws = await startAwsKmsFake({ region: REGION, credentials: CREDENTIALS, now })
    // A clock that stands still: hosts that were slow are asked again at once.
    outbound = makeOutbound({ allowPrivateNetworks: true, nowMs: () => 0 })
  })
  after(() => Promise.all([vault.stop(), aws.stop(), outbound.close()]))

  /** The way out, with as little patience as is told; with more than usual otherwise: a busy machine takes its time. */
  const way = (timeoutMs = 60_000): Pick<Outbound, 'call'> => ({
    call: (call) => outbound.call({ ...call, timeoutMs }),
  })

  function vaultProvider(options: { readonly timeoutMs?: number; readonly token?: string } = {}): KeyProvider {
    const settings = { url: vault.url, mount: 'transit', key: 'amanat', token: options.token ?? TOKEN }
    return makeVaultProvider({ settings, outbound: way(options.timeoutMs), nowMs: () => 0 })
  }

  function awsProvider(options: { readonly timeoutMs?: number; readonly secretAccessKey?: string } = {}): KeyProvider {
    const secretAccessKey = options.secretAccessKey ?? CREDENTIALS.secretAccessKey
    const settings = { ...CREDENTIALS, secretAccessKey, region: REGION, keyId: 'alias/amanat', endpoint: aws.url }
    return makeAwsKmsProvider({ settings, outbound: way(options.timeoutMs), now, nowMs: () => 0 })
  }

  const services = [
    ['Vault', () => vault, vaultProvider],
    ['AWS KMS', () => aws, awsProvider],
  ] as const

  for (const [name, fake, provider] of services) {
    test(`${name}: what was wrapped unwraps; what was changed is a fault, not a key`, async () => {
      const secret = random(61)
      const { wrapId, ciphertext } = await provider().wrap(secret)
      assert.ok(provider().owns(wrapId) && !provider().owns('file-00') && !provider().owns(undefined))
      assert.equal(wrapId, await provider().current())
      assert.deepEqual(await provider().unwrap(wrapId, ciphertext), secret)
      const changed = Uint8Array.from(ciphertext)
      const at = changed.length - 6
      changed[at] = changed[at] === 65 ? 66 : 65
      await assert.rejects(provider().unwrap(wrapId, changed), (e) => !(e instanceof KeysAway))
    })

    const faults: readonly (readonly [string, ServiceFault, RegExp])[] = [
      ['does not answer', 'silent', /cannot be asked/],
      ['did it and answered too late', 'late', /cannot be asked/],
      ['answers nonsense', 'garbage', /not JSON/],
      ['answers JSON of another kind', { status: 200, body: { data: 7 } }, /in a form/],
      ['forbids it', { status: 403, body: { errors: ['permission denied'] } }, /answered 403/],
      ['is sealed or broken', { status: 503, body: { errors: ['Vault is sealed'] } }, /answered 503/],
      ['is throttling', { status: 429, body: { __type: 'ThrottlingException' } }, /answered 429/],
    ]
    for (const [what, fault, says] of faults)
      test(`${name} ${what}: nothing is wrapped or unwrapped, and it works again by itself`, async () => {
        const away = (e: unknown): boolean => e instanceof KeysAway && says.test(e.message)
        // Little patience only with what never answers.
        const of = provider(fault === 'silent' || fault === 'late' ? { timeoutMs: 200 } : {})
        const { wrapId, ciphertext } = await provider().wrap(random(32))
        fake().breakBy(fault)
        try {
          await assert.rejects(of.wrap(random(32)), away)
          await assert.rejects(of.unwrap(wrapId, ciphertext), away)
          await assert.rejects(of.current(), away)
        } finally {
          fake().breakBy(undefined)
        }
        assert.equal((await provider().unwrap(wrapId, ciphertext)).length, 32)
      })
  }

  test('a service that is not there, and one that does not believe us', async () => {
    const settings = { url: 'http://127.0.0.1:9', mount: 'transit', key: 'amanat', token: TOKEN }
    await assert.rejects(makeVaultProvider({ settings, outbound, nowMs: () => 0 }).wrap(random(32)), KeysAway)
    await assert.rejects(vaultProvider({ token: 'another' }).wrap(random(32)), /403: permission denied/)
    await assert.rejects(awsProvider({ secretAccessKey: 'another' }).wrap(random(32)), /InvalidSignatureException/)
    const noFile = { url: vault.url, mount: 'transit', key: 'amanat', tokenFile: '/nowhere/token' }
    await assert.rejects(
      async () => makeVaultProvider({ settings: noFile, outbound, nowMs: () => 0 }).current(),
      KeysAway,
    )
  })

  test('a Vault rotates at our word; one that did it and answered too late is seen at the next look', async () => {
    const of = vaultProvider()
    const { wrapId, ciphertext } = await of.wrap(random(32))
    const made = await of.rotate()
    assert.ok(!isRefusal(made) && made !== wrapId)
    assert.equal((await of.wrap(random(32))).wrapId, made)
    assert.equal((await of.unwrap(wrapId, ciphertext)).length, 32, 'older versions still unwrap')
    vault.breakBy('late')
    vault.asked.length = 0
    // With more and more patience, until it was asked before nobody waited any more.
    for (let timeoutMs = 500; vault.asked.length === 0; timeoutMs *= 2)
      await assert.rejects(vaultProvider({ timeoutMs }).rotate(), KeysAway)
    vault.breakBy(undefined)
    assert.notEqual(await vaultProvider().current(), made)
    const refused = await of.destroyVersion(wrapId)
    assert.ok(isRefusal(refused) && refused.code === 'keys/rotated-elsewhere')
  })

  test('AWS KMS: an alias that moved is a new version, and wrapping anew shows the key to nobody', async () => {
    const of = awsProvider()
    const secret = random(61)
    const before = await of.wrap(secret)
    const refused = await of.rotate()
    assert.ok(isRefusal(refused) && refused.code === 'keys/rotated-elsewhere')
    aws.pointAlias()
    assert.ok(of.rewrap)
    aws.asked.length = 0
    const anew = await of.rewrap(before.wrapId, before.ciphertext)
    assert.deepEqual(aws.asked, ['TrentService.ReEncrypt'])
    assert.notEqual(anew.wrapId, before.wrapId)
    assert.equal(anew.wrapId, await awsProvider().current())
    assert.deepEqual(await of.unwrap(anew.wrapId, anew.ciphertext), secret)
  })

  test('changing over from the file to a Vault: both unwrap, what is wrapped anew needs the file no more', async () => {
    const shares = makeMemoryShares(random)
    const inFile = makeFileProvider({ keys: [random(32)], save: () => undefined, random })
    const secret = random(61)
    const { blob } = await makeKeyring({ provider: inFile, previous: [], shares, nowMs: () => 0 }).wrap(secret)
    const both = makeKeyring({ provider: vaultProvider(), previous: [inFile], shares, nowMs: () => 0 })
    assert.ok(same(await both.unwrap(blob), secret))
    const anew = await both.rewrap(blob)
    assert.match(readWrapped(anew.blob).wrapId ?? '', /^vault-transit\/amanat:v\d+$/)
    const alone = makeKeyring({ provider: vaultProvider(), previous: [], shares, nowMs: () => 0 })
    assert.ok(same(await alone.unwrap(anew.blob), secret))
    await assert.rejects(alone.unwrap(blob), /no provider in the settings/)
  })
})
