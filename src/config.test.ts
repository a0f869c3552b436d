import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { insistOnBackupKeys } from './app-recovery.ts'
import { ConfigFault, parseConfig, readConfigFile, readDemoSettings } from './config.ts'
import { makeBackupKeys } from './recovery/recovery-keys.ts'

const good = {
  role: 'facility',
  id: 'IN2710000011',
  name: 'Tarangini Hospital',
  listen: { port: 4001 },
  publicUrl: 'http://127.0.0.1:4001',
  database: { url: 'postgresql://localhost/tarangini' },
  keysFolder: './keys',
  log: { origin: 'tarangini.example/log' },
  operatorToken: 'x'.repeat(32),
  textMessages: { kind: 'sandbox' },
  exchange: { baseUrl: 'http://127.0.0.1:4000/api/hiecm', cmId: 'sbx', clientId: 'a', clientSecret: 'b' },
}

test('settings that are right are taken, with their defaults', () => {
  const config = parseConfig(good, 'settings.json')
  assert.equal(config.listen.host, '127.0.0.1')
  assert.equal(config.allowPrivateNetworks, false)
  assert.ok(config.role === 'facility' && config.exchange.artefactSignature === 'rs256-jcs')
})

test('a party that is to make backups does not start without their keys; one that is not needs none', () => {
  const keysFolder = mkdtempSync(join(tmpdir(), 'amanat-no-keys-'))
  try {
    insistOnBackupKeys(parseConfig({ ...good, keysFolder }, 'settings.json'))
    const config = parseConfig({ ...good, keysFolder, backup: { folder: join(keysFolder, 'b') } }, 'settings.json')
    assert.throws(() => insistOnBackupKeys(config), /backup-keys\.json cannot be read .*amanat backup init/)
    makeBackupKeys(keysFolder, join(keysFolder, 'safe'), (count) => new Uint8Array(count).fill(3))
    insistOnBackupKeys(config)
  } finally {
    rmSync(keysFolder, { recursive: true, force: true })
  }
})

test('each wrong setting is named with its place and what to write', () => {
  const cases: readonly [Record<string, unknown>, RegExp][] = [
    [{ ...good, listen: { port: 70_000 } }, /listen\.port: write a port from 0 to 65535/],
    [
      { ...good, listen: { port: 1, trustedProxies: ['proxy.example'] } },
      /listen\.trustedProxies\.0: write an address/,
    ],
    [{ ...good, callsPerSecond: { caller: 0, address: 1 } }, /callsPerSecond\.caller/],
    [{ ...good, publicUrl: 'ftp://x' }, /publicUrl: write an http or https URL/],
    [{ ...good, publicUrl: 'http://x/' }, /publicUrl: .*without a slash/],
    [{ ...good, role: 'boss' }, /role: write "role": "exchange" or "role": "facility"/],
    [{ ...good, colour: 'red' }, /no setting named "colour"/],
    [{ ...good, operatorToken: 'short' }, /operatorToken: write at least 32/],
    [{ ...good, name: undefined }, /name: .*missing; write a string/],
    [{ ...good, database: { folder: 1 } }, /database: write \{"url"/],
    [{ ...good, log: { origin: 'a b' } }, /log\.origin: write a name without blanks/],
  ]
  for (const [value, expected] of cases) {
    assert.throws(
      () => parseConfig(value, 'settings.json'),
      (error) =>
        error instanceof ConfigFault && expected.test(error.message) && error.message.startsWith('settings.json'),
    )
  }
})

test('where the wrapping keys live: each kind is taken, its secrets come from the environment, and faults name field and rule', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'amanat-config-')), 'settings.json')
  const env = {
    AMANAT_VAULT_TOKEN: 'hvs.x',
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AMANAT_PKCS11_PIN: '4321',
  }
  const read = (keys: unknown, of: Record<string, string> = env) => {
    writeFileSync(path, JSON.stringify({ ...good, keys }))
    return readConfigFile(path, of).keys
  }
  const vault = { url: 'https://vault.example:8200', key: 'amanat' }
  const awsKms = { region: 'ap-south-1', keyId: 'alias/amanat' }
  const pkcs11 = { library: '/usr/lib/softhsm/libsofthsm2.so', token: 'amanat', key: 'amanat' }
  assert.deepEqual(read(undefined), { wrap: { file: {} }, previous: [] })
  assert.deepEqual(read({ wrap: { vault }, previous: ['file'] }), {
    wrap: { vault: { ...vault, mount: 'transit', token: 'hvs.x' } },
    previous: [{ file: {} }],
  })
  assert.equal(read({ wrap: { awsKms } }).wrap.awsKms?.secretAccessKey, 'secret')
  assert.equal(read({ wrap: { pkcs11 } }).wrap.pkcs11?.pin, '4321')
  const byFile = read({ wrap: { vault: { ...vault, tokenFile: 'token' } } }, {})
  assert.equal(byFile.wrap.vault?.tokenFile, join(dirname(path), 'token'))
  const faults: readonly (readonly [unknown, Record<string, string>, RegExp])[] = [
    [{ wrap: 'floppy' }, env, /keys\.wrap: .*write "file", \{"vault"/],
    [{ wrap: { vault, awsKms } }, env, /keys\.wrap: write one of/],
    [{ wrap: { vault: { ...vault, url: 'http://vault.example' } } }, env, /keys\.wrap\.vault\.url: write https/],
    [{ wrap: { vault } }, {}, /keys\.wrap\.vault\.tokenFile: .*AMANAT_VAULT_TOKEN/],
    [{ wrap: { vault: { ...vault, key: 'a/b' } } }, env, /keys\.wrap\.vault\.key: write the name/],
    [{ wrap: { awsKms: { ...awsKms, region: 'Mumbai' } } }, env, /keys\.wrap\.awsKms\.region: write an AWS region/],
    [{ wrap: { awsKms } }, {}, /keys\.wrap\.awsKms\.accessKeyId: .*AWS_ACCESS_KEY_ID/],
    [{ wrap: { pkcs11 } }, {}, /keys\.wrap\.pkcs11\.pin: .*AMANAT_PKCS11_PIN/],
    [{ wrap: { vault }, previous: ['paper'] }, env, /keys\.previous\.0: .*write "file"/],
    [{ rap: 'file' }, env, /keys: there is no setting named "rap"/],
  ]
  for (const [keys, of, says] of faults) assert.throws(() => read(keys, of), says)
})

test('an exchange names who answers patients’ questions, unless it is a sandbox', () => {
  const { exchange: _joined, ...common } = good
  const exchange = { ...common, role: 'exchange', id: 'sbx' }
  assert.throws(() => parseConfig(exchange, 'settings.json'), /contact: is missing; write \{"name", "email", "phone"\}/)
  assert.equal(parseConfig({ ...exchange, sandbox: true }, 'settings.json').role, 'exchange')
  const contact = { name: 'Data protection officer', email: 'dpo@exchange.example' }
  const config = parseConfig({ ...exchange, contact }, 'settings.json')
  assert.ok(config.role === 'exchange')
  assert.deepEqual(config.contact, contact)
  assert.throws(
    () => parseConfig({ ...exchange, contact: { ...contact, email: 'x' } }, 'settings.json'),
    /contact\.email/,
  )
})

test('a scanner for malware is named by host and port, or by its socket', () => {
  const read = (malwareScanner: object) => parseConfig({ ...good, malwareScanner }, 'settings.json')
  const config = read({ host: '127.0.0.1', port: 3310 })
  assert.ok(config.role === 'facility')
  assert.deepEqual(config.malwareScanner, { host: '127.0.0.1', port: 3310, timeoutSeconds: 30 })
  assert.equal(read({ socket: '/run/clamav/clamd.ctl', timeoutSeconds: 5 }).role, 'facility')
  for (const wrong of [{ host: '127.0.0.1' }, { socket: 'clamd.ctl' }, { socket: '/run/clamd', port: 3310 }])
    assert.throws(() => read(wrong), /malwareScanner/)
})

test('a missing or unreadable file is a sentence, not a stack', () => {
  assert.throws(
    () => readConfigFile('/nonexistent/settings.json', {}),
    /cannot be read \(ENOENT\)\. Name another one with --config/,
  )
})

test('the environment of the sample network is checked too', () => {
  assert.equal(readDemoSettings({}).firstPort, 4000)
  assert.throws(
    () => readDemoSettings({ AMANAT_PORT: '99999' }),
    /AMANAT_PORT: is "99999"; write the first of the ports/,
  )
  assert.throws(() => readDemoSettings({ AMANAT_DATA: '' }), /AMANAT_DATA: name a folder/)
  assert.throws(() => readDemoSettings({ DATABASE_URL: 'mysql://x' }), /DATABASE_URL: write postgresql/)
})

test('folders in a settings file are meant from where the file lies', () => {
  const base = mkdtempSync(join(tmpdir(), 'amanat-settings-'))
  const path = join(base, 'settings.json')
  const database = { embeddedFolder: 'postgres', name: 'hospital' }
  writeFileSync(
    path,
    JSON.stringify({ ...good, database, keysFolder: './keys', records: { folder: '/srv/documents' } }),
  )
  const config = readConfigFile(path, {})
  rmSync(base, { recursive: true })
  assert.equal(config.keysFolder, join(base, 'keys'))
  assert.ok('embeddedFolder' in config.database && config.database.embeddedFolder === join(base, 'postgres'))
  assert.ok(config.role === 'facility' && config.records.folder === '/srv/documents')
})

test('settings of single sign-on: one proof, a domain for e-mail addresses, https, and the secret from outside the file', () => {
  const oidc = { name: 'Login', issuer: 'https://login.example/', clientId: 'desk', clientSecret: 's' }
  const { clientSecret: _secret, ...bare } = oidc
  const read = (given: object, rest: object = {}) =>
    parseConfig({ ...good, ...rest, signIn: { oidc: given } }, 'x.json')
  const config = read(oidc)
  assert.ok(config.role === 'facility')
  assert.deepEqual(config.signIn.oidc, {
    ...bare,
    proof: { clientSecret: 's' },
    scope: 'openid profile email',
    login: { claim: 'preferred_username' },
    secondFactor: { acr: [], amr: [] },
  })
  const wrong: readonly [object, RegExp][] = [
    [bare, /clientSecret: write either clientSecret or privateKeyJwk/],
    [{ ...oidc, privateKeyJwk: { kty: 'RSA' } }, /clientSecret: write either/],
    [{ ...oidc, login: { claim: 'email' } }, /login\.domain: write the domain/],
    [{ ...oidc, issuer: 'http://login.example' }, /issuer: must begin with https/],
    [{ ...oidc, scope: 'profile' }, /scope: must name openid/],
  ]
  for (const [given, expected] of wrong) assert.throws(() => read(given), expected)
  assert.ok(read({ ...oidc, issuer: 'http://127.0.0.1:9' }, { allowPrivateNetworks: true }))
})
