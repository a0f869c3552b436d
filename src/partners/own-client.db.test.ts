import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import {
  codeOf,
  LAB,
  MINE,
  OPERATOR,
  PartnerWorld,
  type Reply,
  TOKEN_URL,
  URL_OF_PARTY,
} from '../../test/partner-world.ts'
import type { CallOutcome, OutboundCall } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { type ClientKey, importClientKey, makeClientKeyPem } from '../vault/client-key.ts'
import { registerBridge, renewBridgeSecret, revokeBridge } from './commands.ts'
import { makeOwnClient } from './own-client.ts'

let world: PartnerWorld
let key: ClientKey
let isDown = false
const sent: OutboundCall[] = []
const outbound = {
  call: async (call: OutboundCall): Promise<CallOutcome> => {
    sent.push(call)
    if (isDown) return { kind: 'failed', reason: 'down', tookMs: 1 }
    const { pathname } = new URL(call.url)
    const { method, headers, body = '' } = call
    const answer = await world.app.inject({ method, url: pathname, headers, payload: body })
    return { kind: 'answered', status: answer.statusCode, headers: {}, body: answer.rawPayload, tookMs: 1 }
  },
  close: async () => undefined,
}
const shows = (...keys: readonly ClientKey[]): void => {
  const body = Buffer.from(JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }))
  world.published = () => ({ kind: 'answered', status: 200, headers: {}, body, tookMs: 1 })
}
const clientOf = (by: ClientKey) =>
  makeOwnClient({
    outbound,
    baseUrl: URL_OF_PARTY,
    clientId: 'hospital',
    key: by,
    scopes: ['system/Consent.rs'],
    boundByCertificate: false,
  })
/** Reads with a fresh proof; status 0 and why, when there is no token to read with. */
async function read(client: ReturnType<typeof clientOf>): Promise<Reply> {
  const headers: Readonly<Record<string, string | undefined>> = await client.headers(world.machine, 'GET', MINE)
  const { unreachable, authorization = '', DPoP = '' } = headers
  return unreachable === undefined
    ? world.read({ authorization, dpop: DPoP })
    : { status: 0, body: { type: unreachable } }
}

describe('partners/own-client', () => {
  before(async () => {
    world = await PartnerWorld.start()
    key = await importClientKey(makeClientKeyPem())
    const services = [{ id: LAB, name: 'Hospital', roles: ['hip'], isActive: true }] as const
    const url = 'https://hospital.example'
    must(
      await world.inTx((tx) =>
        registerBridge(tx, { clientId: 'hospital', name: 'Hospital', url, services, actor: OPERATOR }),
      ),
    )
    shows(key)
  })
  after(() => world.stop())

  test('a bridge comes in by the keys that it publishes below its callback address, with one token for many calls', async () => {
    const client = clientOf(key)
    const both = await Promise.all([read(client), read(client)])
    for (const reply of both) assert.deepEqual(codeOf(reply), [200, ''])
    assert.equal(sent.length, 1)
    assert.deepEqual(
      [sent[0]?.url, world.asked.at(-1)?.url],
      [TOKEN_URL, 'https://hospital.example/.well-known/jwks.json'],
    )
    assert.deepEqual(both[0].body['facilities'], [LAB])
    world.clock.advance(LIMITS.partnerTokenMs - 20_000)
    assert.deepEqual(codeOf(await read(client)), [200, ''])
    assert.equal(sent.length, 2, 'renewed before its end')
    client.forget()
    assert.deepEqual(codeOf(await read(client)), [200, ''])
    assert.equal(sent.length, 3)
  })

  test('a token belongs to the key: another program with the stolen token gets nothing', async () => {
    const headers = await clientOf(key).headers(world.machine, 'GET', MINE)
    const { authorization = '' } = headers as Readonly<Record<string, string>>
    const token = authorization.replace('DPoP ', '')
    assert.equal(decodeJwt(token)['sub'], 'hospital')
    assert.deepEqual(codeOf(await world.read({ authorization: `Bearer ${token}` })), [401, 'auth/invalid-dpop-proof'])
    assert.deepEqual(codeOf(await world.read(await world.dpop(token))), [401, 'auth/invalid-dpop-proof'])
  })

  test('a new key is taken once it is published; what cannot be had is said, and tried again later', async () => {
    const next = await importClientKey(makeClientKeyPem())
    const unknown = await read(clientOf(next))
    assert.match(String(codeOf(unknown)), /^0,.*401/)
    shows(next, key)
    world.clock.advance(LIMITS.jwksUnknownKeyMs)
    assert.deepEqual(codeOf(await read(clientOf(next))), [200, ''])
    isDown = true
    const down = await read(clientOf(next))
    assert.match(String(codeOf(down)), /^0,.*down/)
    isDown = false
  })

  test('a bridge with a new secret, or shut out, has no token any more', async () => {
    const client = clientOf(key)
    assert.deepEqual(codeOf(await read(client)), [200, ''])
    world.clock.advance(1_000)
    must(await world.inTx((tx) => renewBridgeSecret(tx, { clientId: 'hospital', actor: OPERATOR })))
    assert.deepEqual(codeOf(await read(client)), [401, 'auth/invalid-token'])
    client.forget()
    assert.deepEqual(codeOf(await read(client)), [200, ''])
    must(await world.inTx((tx) => revokeBridge(tx, { clientId: 'hospital', actor: OPERATOR })))
    assert.deepEqual(codeOf(await read(client)), [401, 'auth/invalid-token'])
    client.forget()
    assert.match(String(codeOf(await read(client))), /^0,.*401/)
  })
})
