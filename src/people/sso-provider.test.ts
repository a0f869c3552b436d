import assert from 'node:assert/strict'
import { generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { JWK } from 'jose'
import { OidcWorld } from '../../test/oidc-world.ts'
import { makeOutbound, type Outbound, type OutboundCall } from '../http/outbound.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import type { SsoSettings } from './sso.ts'
import { makeSsoProvider } from './sso-provider.ts'

const BACK = 'https://desk.example.org/desk/sso'
const HERS = { sub: 'hers', preferred_username: 'meera.nair' }

type ClientKey = { readonly privateJwk: JsonWebKey & { readonly kty: string }; readonly publicJwk: JWK }

function makeClientKey(alg: 'ES256' | 'RS256', kid: string): ClientKey {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kty = alg === 'ES256' ? 'EC' : 'RSA'
  const named = { kty, kid, alg }
  return {
    privateJwk: { ...privateKey.export({ format: 'jwk' }), ...named },
    publicJwk: { ...publicKey.export({ format: 'jwk' }), ...named },
  }
}

const sent: OutboundCall[] = []
let outbound: Outbound
describe('people/sso-provider', () => {
  before(() => {
    const real = makeOutbound({ allowPrivateNetworks: true, nowMs: () => performance.now() })
    // Nobody hangs here: a busy machine may take longer than we wait for a provider.
    outbound = { call: (call) => (sent.push(call), real.call({ ...call, timeoutMs: 60_000 })), close: real.close }
  })
  after(() => outbound.close())

  /** Signs in at a provider that knows `registered`, by the settings' own key. */
  async function signIn(registered: ClientKey, own: ClientKey) {
    const world = await OidcWorld.start({ redirectUris: [BACK], clientKey: registered.publicJwk })
    world.person = HERS
    const { name, issuer, clientId } = world.settings
    const settings: SsoSettings = {
      name,
      issuer,
      clientId,
      proof: { privateKeyJwk: own.privateJwk },
      scope: 'openid profile email',
      login: { claim: 'preferred_username' },
      secondFactor: { acr: [], amr: [] },
    }
    const provider = makeSsoProvider(settings, outbound)
    const secret = (): string => randomBytes(32).toString('base64url')
    const secrets = { state: secret(), nonce: secret(), verifier: secret() }
    try {
      const address = must(await provider.addressOf(new Date(), BACK, secrets))
      const answeredAt = new URL(BACK)
      answeredAt.search = await world.browse(address)
      return await provider.identityOf(new Date(), answeredAt, secrets)
    } finally {
      await world.stop()
    }
  }

  test('a key in place of a secret: the provider is shown an assertion of it, once, and no secret', async () => {
    for (const alg of ['ES256', 'RS256'] as const) {
      sent.length = 0
      const key = makeClientKey(alg, 'desk-1')
      const identity = must(await signIn(key, key))
      assert.deepEqual([identity.subject, identity.login], [HERS.sub, HERS.preferred_username])
      const asked = sent.find(({ method }) => method === 'POST')
      const fields = new URLSearchParams(asked?.body)
      assert.equal(fields.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      const [head] = (fields.get('client_assertion') ?? '').split('.')
      assert.deepEqual(JSON.parse(Buffer.from(head ?? '', 'base64url').toString()), { alg, kid: 'desk-1' })
      assert.equal(fields.get('client_secret'), null)
      assert.equal(new Headers({ ...asked?.headers }).get('authorization'), null)
    }
  })

  test('another key of the same name proves nothing', async () => {
    const identity = await signIn(makeClientKey('ES256', 'desk-1'), makeClientKey('ES256', 'desk-1'))
    assert.ok(isRefusal(identity))
    assert.equal(identity.code, 'staff/sso-refused')
  })
})
