import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type JWTHeaderParameters, SignJWT } from 'jose'
import { openKeys } from '../../src/app.ts'
import type { Route } from '../../src/http/route.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { callJson } from '../network.ts'
import { ASHA, RAVI } from '../people.ts'
import { validBody } from '../valid-body.ts'
import { AT_FACILITY, abdmHeaders, HOSPITAL, nameOf, startWorld, type World } from './world.ts'

const ID = '3f1c2f6e-1d8e-4c39-9a51-0d6f5d0a7c00'
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('attacks on a running exchange and hospital', () => {
  let world: World

  before(async () => {
    world = await startWorld()
  })
  after(() => world.network.stop())

  test('no trick of a token’s header makes another key, or none, good enough', async () => {
    const { signing } = await openKeys(world.network.keysFolder('sbx'))
    const own = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = own.publicKey.export({ format: 'jwk' })
    const pem = createPublicKey({ key: signing.publicJwk as never, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    })
    const makers: Readonly<Record<string, (audience: string, sub: string) => Promise<string>>> = {}
    const signed =
      (header: Partial<JWTHeaderParameters>, key = own.privateKey, claims = {}) =>
      (audience: string, sub: string) =>
        new SignJWT({ sub, ...claims })
          .setProtectedHeader({ alg: 'RS256', kid: signing.kid, ...header })
          .setIssuer('sbx')
          .setAudience(audience)
          .setIssuedAt()
          .setExpirationTime('10m')
          .sign(key)
    const byHand = (header: object, seal: (text: string) => string) => async (audience: string, sub: string) => {
      const nowS = Math.floor(Date.now() / 1_000)
      const text = `${encode(header)}.${encode({ sub, iss: 'sbx', aud: audience, iat: nowS, exp: nowS + 600 })}`
      return `${text}.${seal(text)}`
    }
    Object.assign(makers, {
      'a key in the header': signed({ jwk: jwk as never }),
      'an address of keys': signed({ jku: 'http://127.0.0.1:9/keys' }),
      'an address of a certificate': signed({ x5u: 'http://127.0.0.1:9/cert' }),
      'a key id that is a path': signed({ kid: '../../../../dev/null' }),
      'a key id that is SQL': signed({ kid: "' or '1'='1" }),
      'an empty key id': signed({ kid: '' }),
      'no algorithm': byHand({ alg: 'none', typ: 'JWT' }, () => ''),
      'no algorithm, oddly spelled': byHand({ alg: 'nOnE' }, () => ''),
      'HS256 by the public key': byHand({ alg: 'HS256', kid: signing.kid }, (text) =>
        createHmac('sha256', pem).update(text).digest('base64url'),
      ),
      'HS256 by nothing': byHand({ alg: 'HS256', kid: signing.kid }, (text) =>
        createHmac('sha256', '').update(text).digest('base64url'),
      ),
      'an unknown extension that is critical': byHand({ alg: 'RS256', kid: signing.kid, crit: ['x'], x: 1 }, (text) =>
        sign('sha256', Buffer.from(text), signing.privateKey).toString('base64url'),
      ),
      'an empty signature': byHand({ alg: 'RS256', kid: signing.kid }, () => ''),
      'not yet good': signed({}, signing.privateKey, { nbf: Math.floor(Date.now() / 1_000) + 3_600 }),
    })
    const doors = [
      ['amanat:session', world.bridge.clientId, '/api/hiecm/gateway/v3/bridge-services', 'authorization'],
      ['amanat:patient', ASHA.abhaAddress, '/v1/me', 'X-AUTH-TOKEN'],
    ] as const
    for (const [audience, sub, path, header] of doors) {
      const good = await signed({}, signing.privateKey)(audience, sub)
      const let_ = await callJson(`${world.exchange.url}${path}`, { ...abdmHeaders(), [header]: `Bearer ${good}` })
      assert.equal(let_.status, 200, `the honest one: ${JSON.stringify(let_.body)}`)
      for (const [name, make] of Object.entries(makers)) {
        const token = `Bearer ${await make(audience, sub)}`
        const { status, body } = await callJson(`${world.exchange.url}${path}`, { ...abdmHeaders(), [header]: token })
        assert.equal(status, 401, `${name} at ${path}: ${JSON.stringify(body)}`)
      }
    }
    const notify = `${world.hospital.url}/api/v3/consent/request/hip/notify`
    for (const [name, make] of Object.entries(makers)) {
      if (name === 'not yet good') continue
      const headers = {
        ...abdmHeaders(),
        authorization: `Bearer ${await make('account', HOSPITAL)}`,
        'X-HIP-ID': HOSPITAL,
      }
      assert.equal((await callJson(notify, headers, {})).status, 401, `${name} as a callback`)
    }
  })

  test('a page elsewhere makes no browser change anything at the desk', async () => {
    const { cookie = '', origin = '', 'X-CSRF': csrf = '' } = world.hospital.proofs.staff ?? {}
    const ways: readonly Readonly<Record<string, string>>[] = [
      {},
      { origin },
      { 'x-csrf': csrf },
      { origin: 'https://elsewhere.example', 'x-csrf': csrf },
      { origin: `${origin}.elsewhere.example`, 'x-csrf': csrf },
      { origin: 'null', 'x-csrf': csrf },
      { origin, 'x-csrf': `${csrf.slice(0, -1)}~` },
      { origin, 'content-type': 'text/plain' },
    ]
    const changing = AT_FACILITY.filter(({ auth, method }: Route) => auth === 'staff' && method !== 'GET')
    assert.ok(changing.length > 20)
    for (const route of changing) {
      const body = route.body === undefined ? undefined : JSON.stringify(validBody(route.body) ?? {})
      for (const headers of ways) {
        const answer = await fetch(`${world.hospital.url}${route.path.replaceAll(/:\w+/g, ID)}`, {
          method: route.method,
          headers: { 'content-type': 'application/json', cookie, ...headers },
          ...(body === undefined ? {} : { body }),
        })
        const text = await answer.text()
        const isRefused =
          (answer.status === 403 && text.includes('auth/cross-site')) ||
          (answer.status === 415 && 'content-type' in headers)
        assert.ok(
          isRefused,
          `${nameOf(route)} with ${Object.keys(headers).join(', ')}: ${answer.status} ${text.slice(0, 200)}`,
        )
      }
    }
  })

  test('SQL in a text is text', async () => {
    const name = `Robert'); drop table patient;-- " \\ %s $1 {{x}} <b>`
    const person = { ...ASHA, abhaAddress: 'robert.t@sbx', abhaNumber: '91000000000055', mobile: '9000000055', name }
    const enrolled = await world.network.operator('sbx', '/v1/patients', person)
    assert.equal(enrolled.status, 201, JSON.stringify(enrolled.body))
    const me = await world.network.asPatient(await world.network.patientToken(person.abhaAddress), '/v1/me')
    assert.equal(textAt(me.body, 'name'), name)
    const doctor = { ...world.hospital.proofs.staff }
    for (const text of ["' or '1'='1", '%', '_%_', "'; select pg_sleep(5); --", '\\']) {
      const ask = async () => {
        const startedMs = performance.now()
        const path = `/v1/desk/patients?q=${encodeURIComponent(`${text}abc`)}`
        return { ...(await callJson(`${world.hospital.url}${path}`, doctor)), tookMs: performance.now() - startedMs }
      }
      const found = await ask()
      assert.ok(found.status < 500, JSON.stringify(found.body))
      // A busy machine stalls now and then; what slept sleeps again.
      assert.ok(found.tookMs < 4_000 || (await ask()).tookMs < 4_000, 'nothing slept')
      if (found.status === 200) assert.deepEqual(listAt({ list: at(found.body, 'patients') ?? found.body }, 'list'), [])
    }
  })

  test('a REQUEST-ID sent again has no effect again, and belongs to who used it', async () => {
    const once = { ...abdmHeaders(), authorization: `Bearer ${world.bridge.session}` }
    const path = `${world.exchange.url}/api/hiecm/gateway/v3/bridge/url`
    const change = (headers: Readonly<Record<string, string>>, url: string) =>
      fetch(path, { method: 'PATCH', headers, body: JSON.stringify({ url }) })
    const first = await change(once, 'https://one.example')
    const again = await change(once, 'https://one.example')
    assert.deepEqual([again.status, await again.text()], [first.status, await first.text()])
    assert.equal((await change(once, 'https://two.example')).status, 409)
    assert.equal((await change({ ...once, TIMESTAMP: '2026-01-01T00:00:00.000Z' }, 'https://one.example')).status, 400)
    const upper = { ...once, 'REQUEST-ID': new Headers(once).get('request-id')?.toUpperCase() ?? '' }
    assert.equal((await change(upper, 'https://two.example')).status, 409, 'in capitals it is the same id')
  })

  test('who is not known is answered as who is known but another’s', async () => {
    const asRavi = await world.network.patientToken(RAVI.abhaAddress)
    const ask = (headers: Readonly<Record<string, string>>, path: string) =>
      callJson(`${world.exchange.url}${path}`, { ...abdmHeaders(), ...headers })
    const [known, unknown] = await Promise.all(
      [ASHA.abhaAddress, 'nobody.at.all@sbx'].map((person) =>
        ask({ 'X-AUTH-TOKEN': asRavi, 'x-acting-for': person }, '/v1/me'),
      ),
    )
    const shape = (answer: typeof known): unknown => {
      const { trace: _trace, ...rest } = (answer?.body ?? {}) as Record<string, unknown>
      return [answer?.status, rest]
    }
    assert.deepEqual(shape(known), shape(unknown))
    const codes = await Promise.all(
      [ASHA.abhaAddress, 'nobody.at.all@sbx'].map((abhaAddress) =>
        callJson(`${world.exchange.url}/v1/sign-in`, { origin: world.exchange.url }, { abhaAddress }),
      ),
    )
    const [one, two] = codes.map(({ status, body }) => [status, Object.keys(body as object)])
    assert.deepEqual(one, two)
  })

  test('what counts how parties do is for operators; health says one word', async () => {
    for (const { url } of [world.exchange, world.hospital]) {
      for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: `Bearer ${world.bridge.session}` }])
        assert.equal((await callJson(`${url}/metrics`, headers)).status, 401)
      assert.deepEqual((await callJson(`${url}/health/live`, {})).body, { status: 'live' })
    }
  })

  test('an address that a caller made up for itself is not believed', async () => {
    const { status } = await callJson(`${world.exchange.url}/v1/messages`, {
      'x-forwarded-for': '127.0.0.1',
      forwarded: 'for=127.0.0.1',
      'x-http-method-override': 'DELETE',
      'x-original-url': '/health/live',
    })
    assert.equal(status, 401)
  })
})
