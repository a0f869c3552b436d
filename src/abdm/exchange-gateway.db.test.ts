import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt, jwtVerify, SignJWT } from 'jose'
import {
  ASHA,
  HOSPITAL,
  type LinkingExchange,
  OPERATOR,
  OTHER_HOSPITAL,
  startLinkingExchange,
} from '../../test/linking-exchange.ts'
import { mayOpenInEmergency } from '../consent/emergency.ts'
import { generateSigningKey, importSigningKey } from '../crypto/signature.ts'
import { type FacilityId, parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import type { Facility } from '../partners/bridge.ts'
import {
  allBridges,
  confirmFacility,
  facilitiesByName,
  facilityById,
  listBridges,
  listFacilities,
  renewBridgeSecret,
  revokeBridge,
  saveServices,
  shutFacilityOut,
  unconfirmedFacilities,
} from '../partners/commands.ts'
import { countFacilities, countUnconfirmed } from '../partners/counts.ts'
import { issuePatientToken } from '../people/commands.ts'

let exchange: LinkingExchange
describe('abdm/exchange-gateway', () => {
  before(async () => {
    exchange = await startLinkingExchange()
  })
  after(() => exchange.close())

  const login = (change: object = {}) =>
    exchange.call('POST', '/gateway/v3/sessions', {
      clientId: 'bridge-hospital',
      clientSecret: exchange.secrets['bridge-hospital'],
      grantType: 'client_credentials',
      ...change,
    })
  const services = (token: string) =>
    exchange.call('GET', '/gateway/v3/bridge-services', undefined, { authorization: `Bearer ${token}` })
  const errorOf = (body: Record<string, unknown>) => body['error'] as { code: string; message: string } | undefined

  test('a client id and secret give a session, as exactly application/json', async () => {
    const reply = await login()
    assert.equal(reply.status, 200)
    assert.equal(reply.type, 'application/json')
    assert.deepEqual(Object.keys(reply.body).sort(), [
      'accessToken',
      'expiresIn',
      'refreshExpiresIn',
      'refreshToken',
      'tokenType',
    ])
    assert.equal(reply.body['expiresIn'], 1800)
    const found = await services(String(reply.body['accessToken']))
    assert.equal(found.status, 200)
    assert.deepEqual(found.body['services'], [{ id: HOSPITAL, name: 'City Hospital', types: ['HIP'], active: true }])
  })

  test('a wrong secret, an unknown client and a missing grant are refused alike', async () => {
    const wrong = await login({ clientSecret: 'no' })
    const unknown = await login({ clientId: 'nobody', clientSecret: 'no' })
    assert.equal(wrong.status, 401)
    assert.deepEqual(unknown, { ...wrong, requestId: unknown.requestId })
    assert.equal((await login({ grantType: 'password' })).status, 400)
  })

  test('guessing at one client is slowed down with ABDM-1022; who logged in before still gets in', async () => {
    assert.equal((await login()).status, 200)
    exchange.clock.advance(60_000)
    const guesses = await Promise.all(Array.from({ length: 30 }, (_, n) => login({ clientSecret: `guess ${n}` })))
    assert.equal(guesses.filter(({ status }) => status === 401).length, LIMITS.loginsFailedPerClientMinuteMax)
    const slowed = guesses.filter(({ status }) => status === 429)
    assert.equal(slowed.length, 30 - LIMITS.loginsFailedPerClientMinuteMax)
    assert.equal(errorOf(slowed[0]?.body ?? {})?.code, 'ABDM-1022')
    assert.equal((await login()).status, 200)
  })

  test('a refresh token works once; a second use voids every token of that login', async () => {
    const first = (await login()).body
    const renew = (refreshToken: unknown, clientId = 'bridge-hospital') =>
      exchange.call('POST', '/gateway/v3/sessions', { clientId, grantType: 'refresh_token', refreshToken })
    assert.equal((await renew(first['refreshToken'], 'bridge-other')).status, 401)
    const second = await renew(first['refreshToken'])
    assert.equal(second.status, 200)
    assert.equal((await services(String(second.body['accessToken']))).status, 200)
    assert.equal((await renew(first['refreshToken'])).status, 401)
    assert.equal((await renew(second.body['refreshToken'])).status, 401)
    assert.equal((await renew('made up')).status, 401)
    const third = (await login()).body
    exchange.clock.advance(25 * 3_600_000)
    assert.equal((await renew(third['refreshToken'])).status, 401)
  })

  test('unknown, expired, wrong-audience and forged tokens are refused, each with the code that clients test for', async () => {
    const good = String((await login()).body['accessToken'])
    assert.equal((await exchange.call('GET', '/gateway/v3/bridge-services', undefined)).body['code'], '900902')
    const stranger = importSigningKey(await generateSigningKey())
    const claims = decodeJwt(good)
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: exchange.needs.signingKey.kid })
      .sign(stranger.privateKey)
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`
    const patient = must(
      await exchange.inTx((tx) =>
        issuePatientToken(tx, exchange.needs, { patient: ASHA.abhaAddress, actor: OPERATOR }),
      ),
    )
    for (const bad of [forged, unsigned, 'rubbish', `${good.slice(0, -4)}AAAA`, patient.token]) {
      const reply = await services(bad)
      assert.equal(reply.status, 401, bad.slice(0, 20))
      assert.equal(reply.body['code'], '900901')
    }
    exchange.clock.advance(31 * 60_000)
    assert.equal((await services(good)).status, 401)
  })

  test('the key set has the signing key first, for everybody, and it verifies our tokens', async () => {
    const certs = await exchange.call('GET', '/gateway/v3/certs', undefined)
    const [key] = certs.body['keys'] as { kid: string; alg: string; d?: string }[]
    assert.equal(key?.alg, 'RS256')
    assert.equal(key?.d, undefined)
    const token = String((await login()).body['accessToken'])
    await jwtVerify(token, key as never, { currentDate: exchange.clock.now(), audience: 'amanat:session' })
    assert.equal(
      (await exchange.call('GET', '/gateway/v3/certs', undefined, { authorization: 'Bearer rubbish' })).status,
      200,
    )
    const openid = await exchange.call('GET', '/gateway/v3/.well-known/openid-configuration', undefined)
    assert.equal(openid.body['jwks_uri'], 'http://127.0.0.1:4000/api/hiecm/gateway/v3/certs')
  })

  test('a bridge moves its callback and adds services, but takes nobody else’s', async () => {
    const patch = (url: string) =>
      exchange.asBridge('bridge-hospital', '/gateway/v3/bridge/url', { url }, { method: 'PATCH' })
    assert.equal((await patch('http://127.0.0.1:9/new/')).status, 202)
    for (const bad of ['ftp://x/', 'http://user:pw@x/', 'http://x/?a=b', 'nowhere', 'file:///etc/passwd'])
      assert.equal((await patch(bad)).status, 400, bad)
    const put = (body: object) =>
      exchange.asBridge('bridge-hospital', '/gateway/v3/bridge-service', body, { method: 'PUT' })
    const added = await put([{ id: 'IN2710000013', name: 'City Hospital East', type: 'HIP_AND_HIU' }])
    assert.equal(added.status, 202)
    const taken = await put([
      { id: 'IN2710000014', name: 'New', type: 'HIP' },
      { id: OTHER_HOSPITAL, name: 'Mine now', type: 'HIP' },
    ])
    assert.equal(taken.status, 409)
    assert.equal(errorOf(taken.body)?.code, 'ABDM-1095')
    const found = await exchange.asBridge('bridge-hospital', '/gateway/v3/bridge-services', undefined, {
      method: 'GET',
    })
    assert.deepEqual((found.body['bridge'] as { url: string }).url, 'http://127.0.0.1:9/new')
    assert.deepEqual(
      (found.body['services'] as { id: string }[]).map(({ id }) => id),
      [HOSPITAL, 'IN2710000013'],
    )
  })

  test('a bridge does not say itself what kind of facility it is, nor that it is the government’s: a kind opens records in an emergency', async () => {
    const id = 'IN2710000015' as FacilityId
    const claim = { id, name: 'Insurer', type: 'HIU', facilityType: ['Hospital'], isGovtEntity: true }
    // As a new one, and when it is known.
    for (let turn = 0; turn < 2; turn++) {
      const path = '/gateway/v3/bridge-service'
      const put = await exchange.asBridge('bridge-other', path, [claim], { method: 'PUT' })
      assert.equal(put.status, 202)
      const kept = await exchange.inTx((tx) => facilityById(tx, id))
      assert.deepEqual([kept?.facilityTypes, kept?.isGovernment], [[], false])
      claim.name = 'City Hospital'
      assert.equal(kept?.name, 'Insurer', 'nor takes the name of another when it is known by its own')
      assert.equal(kept && mayOpenInEmergency(kept), false)
    }
  })

  test('a service that a bridge names takes no part until an operator has confirmed it', async () => {
    const id = 'IN2710000016' as FacilityId
    const put = (type: string, active = true) => {
      const claim = { id, name: 'AIIMS New Delhi', type, active }
      return exchange.asBridge('bridge-other', '/gateway/v3/bridge-service', [claim], { method: 'PUT' })
    }
    const standing = async () => {
      const found = await exchange.inTx((tx) => facilityById(tx, id))
      return [found?.status, found?.standing]
    }
    const named = await put('HIP_AND_HIU')
    const shown = (named.body as unknown as { id: string; active: boolean; standing?: string }[]).find(
      (one) => one.id === id,
    )
    assert.deepEqual([named.status, shown?.active, shown?.standing], [202, false, 'unconfirmed'])
    assert.deepEqual(await standing(), ['inactive', 'unconfirmed'])
    const found = await exchange.call('GET', '/gateway/v3/providers?name=AIIMS', undefined)
    assert.deepEqual(found.body, [], 'nobody links at it')
    const waiting = await exchange.inTx((tx) => unconfirmedFacilities(tx))
    assert.ok(waiting.some((one) => one.id === id))
    assert.equal(await exchange.inTx(countUnconfirmed), waiting.length)
    // Switching it off and on, or naming it again, does not help.
    for (const active of [false, true]) assert.equal((await put('HIP_AND_HIU', active)).status, 202)
    assert.deepEqual(await standing(), ['inactive', 'unconfirmed'])

    const says = { name: 'A clinic', roles: ['hip' as const], facilityTypes: ['Clinic'], isGovernment: true }
    const confirmed = must(await exchange.inTx((tx) => confirmFacility(tx, { id, says, actor: OPERATOR })))
    assert.deepEqual([confirmed.name, confirmed.isGovernment, confirmed.facilityTypes], ['A clinic', true, ['Clinic']])
    assert.deepEqual(await standing(), ['active', 'confirmed'])
    // From now on the bridge switches it, but does not make it more than was confirmed.
    assert.equal((await put('HIP', false)).status, 202)
    assert.deepEqual(await standing(), ['inactive', 'confirmed'])
    assert.equal((await put('HIP')).status, 202)
    assert.deepEqual(await standing(), ['active', 'confirmed'])
    assert.equal((await put('HIP_AND_HIU')).status, 403)

    must(await exchange.inTx((tx) => shutFacilityOut(tx, { id, reason: 'not who it said', actor: OPERATOR })))
    assert.equal((await put('HIP')).status, 403, 'who is shut out does not let itself in')
    assert.deepEqual(await standing(), ['inactive', 'shut-out'])
  })

  test('in a sandbox it takes part on trial, and nobody says that it is registered', async () => {
    const id = 'IN2710000017' as FacilityId
    const services = [{ id, name: 'New here', roles: ['hiu' as const], isActive: true }]
    const actor = { kind: 'system', id: 'bridge-other' } as const
    const order = { clientId: 'bridge-other', services, actor, ownWord: 'trial' as const }
    must(await exchange.inTx((tx) => saveServices(tx, order)))
    const found = await exchange.inTx((tx) => facilityById(tx, id))
    assert.deepEqual([found?.status, found?.standing], ['active', 'unconfirmed'])
  })

  test('the facilities that take part are read to their end, a page at a time, and counted', async () => {
    const all = await exchange.inTx((tx) => listFacilities(tx))
    const paged: Facility[] = []
    for (let place: string | undefined = ''; place !== undefined; ) {
      const after = parseFacilityId(place)
      const page: Awaited<ReturnType<typeof facilitiesByName>> = await exchange.inTx((tx) =>
        facilitiesByName(tx, {}, { after, limit: 1 }),
      )
      assert.equal(page.facilities.length, 1)
      paged.push(...page.facilities)
      place = page.next
    }
    assert.deepEqual(paged, all)
    assert.equal(await exchange.inTx(countFacilities), all.length)
    assert.ok(all.length > 2)
  })

  test('the registry finds providers by part of the name, and one by id', async () => {
    const found = await exchange.call('GET', '/gateway/v3/providers?name=lakeVIEW', undefined)
    assert.deepEqual(found.body, [
      {
        identifier: { id: OTHER_HOSPITAL, name: 'Lakeview Hospital' },
        facilityType: ['HIP', 'HIU'],
        isHIP: true,
        isGovtEntity: false,
      },
    ])
    assert.deepEqual((await exchange.call('GET', '/gateway/v3/providers?name=%25', undefined)).body, [])
    assert.equal((await exchange.call('GET', `/gateway/v3/providers/${HOSPITAL}`, undefined)).status, 200)
    assert.equal((await exchange.call('GET', '/gateway/v3/providers/IN0000000000', undefined)).status, 404)
    const lockers = await exchange.call('GET', '/gateway/v3/health-lockers', undefined)
    assert.equal((lockers.body as unknown as object[]).length, 1)
    assert.deepEqual((await exchange.call('GET', '/gateway/v3/govt-programs', undefined)).body, [])
    const one = await exchange.asBridge('bridge-app', `/gateway/v3/bridge-service/serviceId/${HOSPITAL}`, undefined, {
      method: 'GET',
    })
    assert.equal(one.body['id'], HOSPITAL)
  })

  test('a new secret ends the old sessions; a bridge that is shut out is nobody', async () => {
    const token = String(
      (await login({ clientId: 'bridge-locker', clientSecret: exchange.secrets['bridge-locker'] })).body['accessToken'],
    )
    exchange.clock.advance(1_000)
    const renewed = must(
      await exchange.inTx((tx) => renewBridgeSecret(tx, { clientId: 'bridge-locker', actor: OPERATOR })),
    )
    assert.equal((await services(token)).status, 401)
    assert.equal(
      (await login({ clientId: 'bridge-locker', clientSecret: exchange.secrets['bridge-locker'] })).status,
      401,
    )
    const again = await login({ clientId: 'bridge-locker', clientSecret: renewed.clientSecret })
    assert.equal(again.status, 200)
    await exchange.inTx((tx) => revokeBridge(tx, { clientId: 'bridge-locker', actor: OPERATOR }))
    assert.equal((await services(String(again.body['accessToken']))).status, 401)
    assert.equal((await login({ clientId: 'bridge-locker', clientSecret: renewed.clientSecret })).status, 401)
    assert.deepEqual((await exchange.call('GET', '/gateway/v3/health-lockers', undefined)).body, [])
  })

  test('bridges are listed by the page, each once, and together they are all', async () => {
    const all = (await exchange.inTx(allBridges)).map(({ clientId }) => clientId)
    assert.ok(all.length >= 4)
    const paged: string[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: Awaited<ReturnType<typeof listBridges>> = await exchange.inTx((tx) =>
        listBridges(tx, { after, limit: 2 }),
      )
      assert.ok(page.bridges.length <= 2)
      paged.push(...page.bridges.map(({ clientId }) => clientId))
      after = page.next
    }
    assert.deepEqual(paged, all)
    assert.deepEqual((await exchange.inTx((tx) => listBridges(tx, { limit: all.length }))).next, undefined)
  })
})
