import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { makeTestKey, type TestKey } from '../../test/partner-client.ts'
import {
  codeOf,
  errorOf,
  type Fields,
  formOf,
  LAB,
  OPERATOR,
  PartnerWorld,
  TOKEN_URL,
} from '../../test/partner-world.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { changeClientKeys, listClients, setClientStatus } from './client-commands.ts'

let world: PartnerWorld
describe('partners/token', () => {
  before(async () => {
    world = await PartnerWorld.start()
  })
  after(() => world.stop())

  describe('a token', () => {
    test('is given for a key, bound to it, for what was registered; its purposes are carried', async () => {
      const extensions = { 'hl7-b2b': { version: '1', purpose_of_use: ['HPAYMT'] } }
      const reply = await world.ask(await world.assertion({ extensions }))
      const { access_token, ...rest } = reply.body
      assert.deepEqual([reply.status, rest], [200, { token_type: 'DPoP', expires_in: 300, scope: 'system/Consent.rs' }])
      const { aud, sub, cnf } = decodeJwt(String(access_token))
      assert.deepEqual([aud, sub, Object.keys(cnf ?? {})], ['amanat:partner', 'lab', ['jkt']])
      assert.deepEqual(await world.read(await world.dpop(String(access_token))), {
        status: 200,
        body: {
          kind: 'partner',
          clientId: 'lab',
          facilities: [LAB],
          scopes: ['system/Consent.rs'],
          purposes: ['HPAYMT'],
        },
      })
    })

    test('is given for each kind of key that is published', async () => {
      for (const alg of ['ES384', 'RS384', 'ES256', 'EdDSA'] as const) {
        const own = await makeTestKey(alg)
        await world.admit(`kind-${alg}`, { keys: { kind: 'inline', jwks: { keys: [{ ...own.jwk }] } } })
        const fields = formOf(await world.assertion({}, {}, own, `kind-${alg}`))
        const reply = await world.post(fields, { dpop: await world.proofAtToken(own) })
        assert.equal(reply.status, 200, JSON.stringify(reply.body))
      }
    })

    test('ends after five minutes, and at once when its client is shut out or gets other keys', async () => {
      await world.admit('short')
      const token = await world.tokenOf('short')
      assert.equal((await world.read(await world.dpop(token))).status, 200)
      world.clock.advance(LIMITS.partnerTokenMs)
      assert.deepEqual(codeOf(await world.read(await world.dpop(token))), [401, 'auth/invalid-token'])
      const fresh = await world.tokenOf('short')
      must(await world.inTx((tx) => setClientStatus(tx, { clientId: 'short', status: 'suspended', actor: OPERATOR })))
      assert.deepEqual(codeOf(await world.read(await world.dpop(fresh))), [401, 'auth/invalid-token'])
      assert.deepEqual(errorOf(await world.ask(await world.assertion({}, {}, world.key, 'short'))), [
        401,
        'invalid_client',
      ])
      world.clock.advance(1_000)
      must(await world.inTx((tx) => setClientStatus(tx, { clientId: 'short', status: 'active', actor: OPERATOR })))
      assert.deepEqual(codeOf(await world.read(await world.dpop(fresh))), [401, 'auth/invalid-token'], 'it stays void')
      const again = await world.tokenOf('short')
      world.clock.advance(1_000)
      const other = await makeTestKey()
      const keys = { kind: 'inline', jwks: { keys: [{ ...other.jwk }] } } as const
      must(
        await world.inTx((tx) =>
          changeClientKeys(tx, { clientId: 'short', keys, certificates: { thumbprints: [] }, actor: OPERATOR }),
        ),
      )
      assert.deepEqual(codeOf(await world.read(await world.dpop(again))), [401, 'auth/invalid-token'])
      assert.deepEqual(errorOf(await world.ask(await world.assertion({}, {}, world.key, 'short'))), [
        401,
        'invalid_client',
      ])
    })

    test('is for one of those whom an operator reads of by the page, each once', async () => {
      for (const id of ['page-1', 'page-2']) await world.admit(id)
      const { clients: all, next: end } = await world.inTx((tx) => listClients(tx, { limit: LIMITS.pageSizeMax }))
      assert.ok(all.length >= 3 && end === undefined)
      const paged: (typeof all)[number][] = []
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: Awaited<ReturnType<typeof listClients>> = await world.inTx((tx) =>
          listClients(tx, { after, limit: 2 }),
        )
        assert.ok(page.clients.length <= 2)
        paged.push(...page.clients)
        after = page.next
      }
      assert.deepEqual(paged, all)
    })

    test('opens what its scope says, and never asks for more than was registered', async () => {
      const reply = await world.ask(await world.assertion(), { scope: 'system/AuditEvent.rs' })
      const other = String(reply.body['access_token'])
      assert.deepEqual(codeOf(await world.read(await world.dpop(other))), [403, 'auth/scope-needed'])
      for (const scope of ['system/*.rs', 'system/Consent.cruds', 'system/Consent.rs openid', 'user/Consent.rs', ''])
        assert.deepEqual(errorOf(await world.ask(await world.assertion(), { scope })), [400, 'invalid_scope'], scope)
    })
  })

  describe('an assertion', () => {
    const refused = async (what: string, forged: string): Promise<void> =>
      assert.deepEqual(errorOf(await world.ask(forged)), [401, 'invalid_client'], what)

    test('with any wrong claim is refused', async () => {
      const wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
        'another audience': { aud: 'https://other.example/oauth/token' },
        'two audiences': { aud: [TOKEN_URL, 'https://other.example'] },
        'no audience': { aud: undefined },
        'another issuer': { iss: 'free' },
        'another subject': { sub: 'free' },
        'nobody at all': { iss: 'nobody', sub: 'nobody' },
        'already expired': { iat: world.nowS() - 400, exp: world.nowS() - 61 },
        'made in the future': { iat: world.nowS() + 61, exp: world.nowS() + 120 },
        'not good yet': { nbf: world.nowS() + 100 },
        'good for an hour': { exp: world.nowS() + 3600 },
        'good for six minutes': { iat: world.nowS() - 60, exp: world.nowS() + 301 },
        'no end': { exp: undefined },
        'no jti': { jti: undefined },
        'an empty jti': { jti: '' },
        'an endless jti': { jti: 'x'.repeat(300) },
      }
      for (const [what, claims] of Object.entries(wrong)) await refused(what, await world.assertion(claims))
      assert.equal(
        (await world.ask(await world.assertion({ iat: world.nowS() - 59, exp: world.nowS() - 59 + 300 }))).status,
        200,
      )
    })

    test('with a forged signature or header is refused, whatever keys it brings along', async () => {
      const stranger = await makeTestKey('ES384', world.key.kid)
      const good = await world.assertion()
      const [, claims = '', signature = ''] = good.split('.')
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const symmetric = `${encode({ alg: 'HS256', kid: world.key.kid })}.${claims}`
      const mac = createHmac('sha256', JSON.stringify(world.key.jwk)).update(symmetric).digest('base64url')
      const rs256 = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
      const forged: Readonly<Record<string, string>> = {
        'another key of the same name': await world.assertion({}, {}, stranger),
        'alg none': `${encode({ alg: 'none', kid: world.key.kid })}.${claims}.`,
        'alg none with a signature': `${encode({ alg: 'none', kid: world.key.kid })}.${claims}.${signature}`,
        'HS256 by the public key': `${symmetric}.${mac}`,
        'RS256, which is not taken': await world.assertion({}, {}, { ...world.key, alg: 'RS256', privateKey: rs256 }),
        'a key that it brings': await world.assertion({}, { jwk: stranger.jwk }, stranger),
        'an address of keys that it brings': await world.assertion(
          {},
          { jku: 'https://evil.example/jwks.json' },
          stranger,
        ),
        'certificates that it brings': await world.assertion(
          {},
          { x5u: 'https://evil.example/cert', x5c: ['AAAA'] },
          stranger,
        ),
        'a kid that climbs': await world.assertion({}, { kid: '../../../dev/null' }),
        'a kid that is a statement': await world.assertion({}, { kid: "x' or '1'='1" }),
        'no kid': await world.assertion({}, { kid: undefined }),
        'an unknown critical header': await world.assertion({}, { crit: ['b64'], b64: false }).catch(() => 'a.b.c'),
        'claims of another': [
          good.split('.')[0],
          encode({ ...decodeJwt(good), sub: 'free', iss: 'free' }),
          signature,
        ].join('.'),
        'two parts': 'a.b',
        'four parts': `${good}.x`,
        'too long': await world.assertion({ padding: 'x'.repeat(9_000) }),
        rubbish: 'not a token',
      }
      const before = world.asked.length
      for (const [what, one] of Object.entries(forged)) await refused(what, one)
      assert.equal(world.asked.length, before, 'nothing is ever fetched from where an assertion says')
    })

    test('is good once: again, at the same time, and after a restart it is refused and recorded', async () => {
      const one = await world.assertion()
      const [first, second] = await Promise.all([world.ask(one), world.ask(one)])
      assert.equal(first.status + second.status, 200 + 401)
      assert.deepEqual(errorOf(await world.ask(one)), [401, 'invalid_client'])
      await world.restart()
      assert.deepEqual(errorOf(await world.ask(one)), [401, 'invalid_client'])
      const { rows } = await world.database.pool.query<{ type: string }>(
        "select type from audit_event where type = 'partners.assertion-replayed'",
      )
      assert.equal(rows.length, 3)
      const sameJtiOfAnother = decodeJwt(one).jti
      assert.equal(
        (await world.ask(await world.assertion({ jti: sameJtiOfAnother }, {}, world.key, 'free'))).status,
        200,
      )
    })

    test('is remembered until it would have expired, and not longer', async () => {
      const one = await world.assertion()
      assert.equal((await world.ask(one)).status, 200)
      world.clock.advance(LIMITS.assertionMs + LIMITS.clockSkewMs - 1_000)
      assert.deepEqual(errorOf(await world.ask(one)), [401, 'invalid_client'])
      world.clock.advance(120_000)
      await world.tokenOf()
      const { rows } = await world.database.pool.query<{ left: string }>(
        'select count(*) as left from partner_proof_used where expires_at < $1',
        [world.clock.now()],
      )
      assert.equal(Number(rows[0]?.left), 0)
    })
  })

  describe('a request for a token', () => {
    test('has one form, each name once, one way to prove oneself', async () => {
      const good = formOf(await world.assertion())
      const bad: readonly (readonly [Fields, Readonly<Record<string, string>>, unknown])[] = [
        [[...Object.entries(good), ['scope', 'system/*.rs']], {}, 'invalid_request'],
        [[...Object.entries(good), ['client_assertion', 'x']], {}, 'invalid_request'],
        [{ ...good, grant_type: 'authorization_code' }, {}, 'unsupported_grant_type'],
        [{ ...good, client_secret: 'x' }, {}, 'invalid_request'],
        [good, { authorization: 'Basic bGFiOng=' }, 'invalid_request'],
        [good, { 'content-type': 'application/json' }, 'invalid_request'],
        [{ ...good, client_assertion_type: 'urn:other' }, {}, 'invalid_request'],
        [{ ...good, client_id: 'free' }, {}, 'invalid_client'],
        [{ grant_type: 'client_credentials', scope: 'system/Consent.rs' }, {}, 'invalid_client'],
        [{ grant_type: 'client_credentials', scope: 'system/Consent.rs', client_id: 'lab' }, {}, 'invalid_client'],
        [{}, {}, 'unsupported_grant_type'],
      ]
      for (const [fields, headers, error] of bad) {
        const reply = await world.post(fields, { dpop: await world.proofAtToken(), ...headers })
        assert.equal(reply.body['error'], error, JSON.stringify(reply.body))
        assert.equal(reply.status, error === 'invalid_client' ? 401 : 400)
      }
    })

    test('without key or certificate to bind to is refused, unless somebody decided so for this client', async () => {
      assert.deepEqual(errorOf(await world.post(formOf(await world.assertion()))), [400, 'invalid_request'])
      const free = await world.post(formOf(await world.assertion({}, {}, world.key, 'free')))
      assert.deepEqual([free.status, free.body['token_type']], [200, 'Bearer'])
      const token = String(free.body['access_token'])
      assert.equal((await world.read({ authorization: `Bearer ${token}` })).status, 200)
      assert.deepEqual(codeOf(await world.read({ authorization: `DPoP ${token}` })), [401, 'auth/invalid-token'])
    })
  })

  describe('published keys', () => {
    const shows = (...keys: readonly TestKey[]): void => {
      const body = Buffer.from(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }))
      world.published = () => ({ kind: 'answered', status: 200, headers: {}, body, tookMs: 1 })
    }
    const askWeb = async (by: TestKey) => world.ask(await world.assertion({}, {}, by, 'web'))

    test('are fetched when needed; while they cannot be, nobody is let in; a removed key ends within minutes', async () => {
      assert.deepEqual(errorOf(await askWeb(world.key)), [503, 'temporarily_unavailable'])
      world.clock.advance(LIMITS.jwksCoolDownMs)
      const next = await makeTestKey()
      shows(world.key)
      assert.equal((await askWeb(world.key)).status, 200)
      assert.deepEqual(errorOf(await askWeb(next)), [401, 'invalid_client'])
      shows(world.key, next)
      world.clock.advance(LIMITS.jwksUnknownKeyMs)
      assert.equal((await askWeb(next)).status, 200, 'a new key is found within a minute')
      shows(next)
      world.clock.advance(LIMITS.jwksFreshMs)
      assert.deepEqual(errorOf(await askWeb(world.key)), [401, 'invalid_client'])
      world.published = () => ({ kind: 'failed', reason: 'down', tookMs: 1 })
      world.clock.advance(LIMITS.jwksFreshMs)
      assert.equal((await askWeb(next)).status, 200, 'a short trouble of theirs is none of ours')
      world.clock.advance(LIMITS.jwksStaleMs)
      assert.deepEqual(errorOf(await askWeb(next)), [503, 'temporarily_unavailable'])
    })
  })
})
