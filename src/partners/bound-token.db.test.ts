import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { makeTestKey } from '../../test/partner-client.ts'
import { codeOf, MINE, PartnerWorld, URL_OF_PARTY } from '../../test/partner-world.ts'
import { generateSigningKey, importSigningKey } from '../crypto/signature.ts'
import { signToken } from '../vault/token.ts'

let world: PartnerWorld
describe('partners/bound-token', () => {
  before(async () => {
    world = await PartnerWorld.start()
  })
  after(() => world.stop())

  describe('a token bound to a key', () => {
    test('is worth nothing without that key', async () => {
      const token = await world.tokenOf()
      const thief = await makeTestKey()
      const unfit = [401, 'auth/invalid-dpop-proof']
      assert.deepEqual(codeOf(await world.read({ authorization: `Bearer ${token}` })), unfit)
      assert.deepEqual(codeOf(await world.read({ authorization: `DPoP ${token}` })), unfit)
      assert.deepEqual(codeOf(await world.read(await world.dpop(token, {}, thief))), unfit)
      const { jwk } = thief
      assert.deepEqual(
        codeOf(await world.read(await world.dpop(token, {}, thief, { jwk: world.key.jwk }))),
        unfit,
        'signed by another',
      )
      assert.deepEqual(
        codeOf(await world.read(await world.dpop(token, {}, world.key, { jwk }))),
        unfit,
        'names another',
      )
    })

    test('asks for a proof of this very call', async () => {
      const token = await world.tokenOf()
      const other = await world.tokenOf()
      const wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
        'another method': { htm: 'POST' },
        'another path': { htu: `${URL_OF_PARTY}/v1/mine/8` },
        'another host': { htu: 'https://other.example/v1/mine/7' },
        'no address': { htu: 'mine' },
        'another token': { ath: (await proofClaims(other))['ath'] },
        'no token': { ath: undefined },
        'two minutes old': { iat: world.nowS() - 120 },
        'from the future': { iat: world.nowS() + 61 },
        'no time': { iat: undefined },
        'no jti': { jti: undefined },
      }
      for (const [what, claims] of Object.entries(wrong))
        assert.deepEqual(
          codeOf(await world.read(await world.dpop(token, claims))),
          [401, 'auth/invalid-dpop-proof'],
          what,
        )
      for (const header of [{ typ: 'JWT' }, { jwk: undefined }, { jwk: { kty: 'oct', k: 'AAAA' } }])
        assert.deepEqual(codeOf(await world.read(await world.dpop(token, {}, world.key, header))), [
          401,
          'auth/invalid-dpop-proof',
        ])
      assert.equal((await world.read(await world.dpop(token, { htu: `${MINE}?x=2#y` }))).status, 200)
    })

    async function proofClaims(token: string): Promise<Readonly<Record<string, unknown>>> {
      return decodeJwt((await world.dpop(token)).dpop)
    }

    test('takes each proof once, also when two come at the same time', async () => {
      const token = await world.tokenOf()
      const headers = await world.dpop(token)
      const both = await Promise.all([world.read(headers), world.read(headers)])
      assert.equal(both[0].status + both[1].status, 200 + 401)
      assert.equal((await world.read(headers)).status, 401)
      const two = { ...headers, dpop: `${headers.dpop}, ${(await world.dpop(token)).dpop}` }
      assert.deepEqual(codeOf(await world.read(two)), [401, 'auth/invalid-dpop-proof'])
    })
  })

  describe('tokens of other kinds', () => {
    test('open nothing here, though the same key signed them', async () => {
      const order = {
        issuer: 'sbx',
        now: world.clock.now(),
        lifeMs: 60_000,
        claims: { sub: 'free', scope: 'system/*.rs' },
      }
      for (const audience of ['amanat:session', 'amanat:patient', 'amanat:link'] as const) {
        const token = await signToken(world.signing, { ...order, audience })
        assert.deepEqual(codeOf(await world.read({ authorization: `Bearer ${token}` })), [401, 'auth/wrong-audience'])
      }
      const elsewhere = await signToken(world.signing, { ...order, issuer: 'other', audience: 'amanat:partner' })
      assert.equal((await world.read({ authorization: `Bearer ${elsewhere}` })).status, 401)
      const strange = importSigningKey(await generateSigningKey())
      const forged = await signToken({ ...strange, kid: world.signing.kid }, { ...order, audience: 'amanat:partner' })
      assert.equal((await world.read({ authorization: `Bearer ${forged}` })).status, 401)
    })
  })
})
