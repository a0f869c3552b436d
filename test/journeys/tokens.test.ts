import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { openKeys } from '../../src/app.ts'
import { at } from '../json-path.ts'
import { callJson, TestNetwork } from '../network.ts'
import { ASHA } from '../people.ts'
import { consented, HIP, HIU, startWorld, usualAsk, type World } from '../third-party-world.ts'

type Claims = Readonly<Record<string, unknown>>
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const claimsOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Claims

/** A JWT as RFC 7519 and RFC 7515 write it, by hand. */
function jwt(claims: Claims, key: Parameters<typeof sign>[2], head: Claims = { alg: 'RS256', typ: 'JWT' }): string {
  const text = `${encode(head)}.${encode(claims)}`
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`
}

const nowS = (): number => Math.floor(Date.now() / 1000)

describe('tokens that prove nothing', () => {
  let world: World
  let session: string
  let patient: string
  let genuine: Parameters<typeof sign>[2]
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  before(async () => {
    world = await startWorld()
    session = await world.clinic.bridge.token()
    patient = await world.network.patientToken(ASHA.abhaAddress)
    genuine = (await openKeys(world.network.keysFolder('sbx'))).signing.privateKey
  })
  after(() => world.stop())

  const init = () => ({ consent: world.clinic.hiu.consentOf(usualAsk()) })
  const bad = (kind: string): string => {
    const claims = claimsOf(session)
    const cases: Readonly<Record<string, () => string>> = {
      'not a token at all': () => 'abc',
      'a forged signature': () => jwt(claims, stranger),
      'no signature (alg none)': () => `${encode({ alg: 'none' })}.${encode(claims)}.`,
      'a changed claim': () =>
        [session.split('.')[0], encode({ ...claims, sub: 'bridge-other' }), session.split('.')[2]].join('.'),
      'an expired token of our own key': () => jwt({ ...claims, iat: nowS() - 4000, exp: nowS() - 60 }, genuine),
      "a patient's token": () => patient,
      'a token of another exchange': () => jwt({ ...claims, iss: 'other' }, genuine),
      'a bridge that does not exist': () => jwt({ ...claims, sub: 'bridge-IN9999999999' }, genuine),
      'the audience of callbacks': () => jwt({ ...claims, aud: 'account' }, genuine),
    }
    const make = cases[kind]
    assert.ok(make)
    return make()
  }
  const kinds = [
    'not a token at all',
    'a forged signature',
    'no signature (alg none)',
    'a changed claim',
    'an expired token of our own key',
    "a patient's token",
    'a token of another exchange',
    'a bridge that does not exist',
    'the audience of callbacks',
  ]

  for (const kind of kinds) {
    test(`a call with ${kind} is answered 401 with 900901`, async () => {
      const answer = await world.clinic.bridge.call('/consent/v3/request/init', init(), {
        token: bad(kind),
        ...world.clinic.hiu.asHiu,
      })
      assert.equal(answer.status, 401, answer.text)
      const body: unknown = JSON.parse(answer.text)
      assert.equal(at(body, 'code'), '900901')
      assert.equal(typeof at(body, 'message'), 'string')
      assert.equal(typeof at(body, 'description'), 'string')
    })
  }

  test('the very same claims, signed rightly, are taken', async () => {
    const answer = await world.clinic.bridge.call('/consent/v3/request/init', init(), {
      token: jwt({ ...claimsOf(session), exp: nowS() + 100 }, genuine),
      ...world.clinic.hiu.asHiu,
    })
    assert.equal(answer.status, 202, answer.text)
  })

  test('a call without a token is answered 401 with 900902', async () => {
    const headers = { 'REQUEST-ID': randomUUID(), TIMESTAMP: new Date().toISOString(), 'X-CM-ID': 'sbx' }
    const { status, body } = await callJson(
      `${world.network.exchange.url}/api/hiecm/consent/v3/request/init`,
      headers,
      init(),
    )
    assert.deepEqual([status, at(body, 'code')], [401, '900902'])
  })

  test("a bridge may not speak for another's facility, in header or body", async () => {
    const header = await world.clinic.bridge.call(
      '/consent/v3/fetch',
      { consentId: randomUUID() },
      { headers: { 'X-HIU-ID': HIP } },
    )
    assert.deepEqual([header.status, at(JSON.parse(header.text), 'code')], [403, '900908'])
    const consent = { ...world.clinic.hiu.consentOf(usualAsk()), hiu: { id: HIP } }
    const body = await world.clinic.bridge.call('/consent/v3/request/init', { consent }, world.clinic.hiu.asHiu)
    assert.deepEqual([body.status, at(JSON.parse(body.text), 'code')], [403, '900908'])
    const missing = await world.clinic.bridge.call('/consent/v3/fetch', { consentId: randomUUID() })
    assert.deepEqual([missing.status, at(JSON.parse(missing.text), 'error.code')], [400, 'ABDM-1032'])
  })

  test('patient calls take patient tokens only, with ABDM-1065', async () => {
    const path = '/api/hiecm/consent/v3/request?limit=10&offset=0'
    const claims = claimsOf(patient)
    const tokens = [
      session,
      'abc',
      jwt(claims, stranger),
      jwt({ ...claims, iat: nowS() - 90_000, exp: nowS() - 60 }, genuine),
      jwt({ ...claims, sub: 'nobody.here@sbx' }, genuine),
    ]
    for (const token of tokens) {
      const { status, body } = await world.network.asPatient(token, path)
      assert.deepEqual([status, at(body, 'error.code')], [401, 'ABDM-1065'])
    }
    for (const token of [patient, `Bearer ${patient}`])
      assert.equal((await world.network.asPatient(token, path)).status, 200)
  })

  test('a wrong secret gets no session, an unknown client hears the same', async () => {
    const url = `${world.network.exchange.url}/api/hiecm/gateway/v3/sessions`
    const headers = () => ({ 'REQUEST-ID': randomUUID(), TIMESTAMP: new Date().toISOString(), 'X-CM-ID': 'sbx' })
    const answers = await Promise.all(
      [`bridge-${HIU}`, 'bridge-nobody'].map((clientId) =>
        callJson(url, headers(), { clientId, clientSecret: 'wrong', grantType: 'client_credentials' }),
      ),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [401, 401],
    )
    assert.deepEqual(answers[0]?.body, answers[1]?.body)
  })

  test("one patient never sees another's request", async () => {
    const { id } = await consented(world)
    const other = { ...ASHA, abhaAddress: 'meera.das@sbx', abhaNumber: '91000000000003', name: 'Meera Das' }
    await world.network.enrol(other)
    const token = await world.network.patientToken(other.abhaAddress)
    const theirs = await world.network.asPatient(token, `/api/hiecm/consent/v3/artefact/${id}`)
    const nobodys = await world.network.asPatient(token, `/api/hiecm/consent/v3/artefact/${randomUUID()}`)
    assert.equal(theirs.status, 404)
    assert.deepEqual([theirs.status, theirs.body], [nobodys.status, nobodys.body])
    const revoking = await world.network.asPatient(token, '/api/hiecm/consent/v3/revoke', { consents: [id] })
    assert.deepEqual([revoking.status, at(revoking.body, 'error.code')], [404, 'ABDM-1112'])
  })
})

describe('callbacks to a facility of ours', () => {
  const FACILITY = 'IN2710000011'
  let network: TestNetwork
  before(async () => {
    network = await TestNetwork.start({ facilities: [FACILITY] })
  })
  after(() => network.stop())

  test('are believed only with a token of the exchange for callbacks', async () => {
    const keys = await openKeys(network.keysFolder('sbx'))
    const own = await openKeys(network.keysFolder(FACILITY))
    const claims = { aud: 'account', sub: FACILITY, iat: nowS(), exp: nowS() + 60 }
    const head = { alg: 'RS256', typ: 'JWT', kid: keys.signing.kid }
    const body = { notification: { status: 'REVOKED', consentId: randomUUID() } }
    const send = (token: string | undefined) =>
      callJson(
        `${network.party(FACILITY).url}/api/v3/consent/request/hip/notify`,
        {
          'REQUEST-ID': randomUUID(),
          TIMESTAMP: new Date().toISOString(),
          'X-HIP-ID': FACILITY,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body,
      )
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const refused: readonly (string | undefined)[] = [
      undefined,
      'abc',
      jwt(claims, stranger, head),
      jwt(claims, own.signing.privateKey, head),
      jwt({ ...claims, aud: 'amanat:session' }, keys.signing.privateKey, head),
      // What the exchange sends to another facility, played to us by whoever received it.
      jwt({ ...claims, sub: 'IN2910000022' }, keys.signing.privateKey, head),
      jwt({ ...claims, sub: undefined }, keys.signing.privateKey, head),
      jwt({ ...claims, iat: nowS() - 900, exp: nowS() - 600 }, keys.signing.privateKey, head),
    ]
    for (const token of refused) {
      const answer = await send(token)
      assert.equal(answer.status, 401, JSON.stringify(answer.body))
      assert.match(String(at(answer.body, 'code')), /^90090[12]$/)
    }
    const believed = await send(jwt(claims, keys.signing.privateKey, head))
    assert.ok(believed.status === 200 || believed.status === 202, JSON.stringify(believed))
  })
})
