import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { makeTestClock } from '../../test/machine.ts'
import { makeTestKey, type TestKey } from '../../test/partner-client.ts'
import { makeOutbound, type Outbound } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { makePublishedKeys } from './published-keys.ts'

let key: TestKey
let server: Server
let base: string
const seen: string[] = []
describe('partners/published-keys-wire', () => {
  before(async () => {
    key = await makeTestKey()
    server = createServer((request, response) => {
      seen.push(request.url ?? '')
      const keys = { keys: [key.jwk] }
      if (request.url === '/moved') return void response.writeHead(302, { location: '/keys' }).end(JSON.stringify(keys))
      const padding = request.url === '/huge' ? 'x'.repeat(LIMITS.jwksBytesMax) : ''
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...keys, padding }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => new Promise((resolve) => server.close(resolve)))

  async function fetched(address: string, allowPrivateNetworks: boolean): Promise<unknown> {
    const clock = makeTestClock()
    const outbound = makeOutbound({ allowPrivateNetworks, nowMs: () => performance.now() })
    // Nobody hangs here: a busy machine may take longer than we wait for a partner.
    const patient: Outbound = { ...outbound, call: (wanted) => outbound.call({ ...wanted, timeoutMs: 60_000 }) }
    const published = makePublishedKeys(patient, clock.now)
    await published.refresh(address, key.kid)
    await outbound.close()
    const keys = published.keysAt(address, clock.now())
    return isRefusal(keys) ? keys.code : keys.map(({ kid }) => kid)
  }

  test('keys come over the wire; not by a redirect, not in a huge answer, not from nobody, not from a private address', async () => {
    assert.deepEqual(await fetched(`${base}/keys`, true), [key.kid])
    assert.equal(await fetched(`${base}/moved`, true), 'machine/unavailable')
    assert.equal(await fetched(`${base}/huge`, true), 'machine/unavailable')
    assert.equal(await fetched('http://127.0.0.1:9/keys', true), 'machine/unavailable')
    assert.deepEqual(seen, ['/keys', '/moved', '/huge'], 'the redirect was not followed')
    for (const address of [`${base}/keys`, 'http://169.254.169.254/keys', 'http://[::1]/keys', 'file:///etc/passwd'])
      assert.equal(await fetched(address, false), 'machine/unavailable', address)
    assert.equal(seen.length, 3, 'nothing was asked of a private address')
  })
})
