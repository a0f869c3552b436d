import assert from 'node:assert/strict'
import dns from 'node:dns'
import { createServer, type RequestListener, type Server } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { isPrivateAddress, makeOutbound } from './outbound.ts'

const servers: Server[] = []
describe('http/outbound', () => {
  after(() => servers.forEach((server) => server.closeAllConnections() ?? server.close()))

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const nowMs = (): number => performance.now()
  const open = makeOutbound({ allowPrivateNetworks: true, nowMs })
  const guarded = makeOutbound({ allowPrivateNetworks: false, nowMs })
  after(async () => {
    await open.close()
    await guarded.close()
  })

  test('private, loopback, link-local and mapped addresses are known as such', () => {
    for (const bad of [
      '127.0.0.1',
      '10.1.2.3',
      '172.20.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '0.0.0.0',
      '100.64.1.1',
      '::1',
      'fe80::1',
      'fd00::1',
      '::ffff:10.0.0.1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::7f00:1',
      '::ffff:0:7f00:1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::a00:1',
      '2002:7f00:1::',
      '2001:0:7f00:1::',
      'fec0::1',
    ]) {
      assert.ok(isPrivateAddress(bad), bad)
    }
    for (const good of ['8.8.8.8', '13.232.1.1', '2400:cb00::1']) assert.ok(!isPrivateAddress(good), good)
  })

  test('no way to write a private address gets past the guard', async () => {
    for (const host of [
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.0.0.1.',
      '①②⑦.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[64:ff9b::127.0.0.1]',
      '[2002:7f00:1::1]',
      '[0:0:0:0:0:0:0:1]',
      'localhost',
      'LOCALHOST.',
      'ip6-localhost.localhost',
    ]) {
      const outcome = await guarded.call({ method: 'GET', url: `https://${host}:9443/`, headers: {} })
      // Nobody knows the name, or nobody said so in time; who is connected to says at once that nobody listens there.
      const isSafe =
        outcome.kind === 'forbidden' ||
        (outcome.kind === 'failed' && /ENOTFOUND|EAI_AGAIN|no answer in time/.test(outcome.reason))
      assert.ok(isSafe, `${host}: ${JSON.stringify(outcome)}`)
    }
  })

  test('a host that lets us wait again and again is left alone for a while, others are not', async () => {
    let nowMs = 0
    const hanging = await serve(() => undefined)
    const quick = await serve((_request, response) => response.end('ok'))
    const way = makeOutbound({ allowPrivateNetworks: true, nowMs: () => nowMs })
    const ask = (url: string, timeoutMs = 50) => way.call({ method: 'GET', url, headers: {}, timeoutMs })
    for (let n = 0; n < 5; n++) assert.match(JSON.stringify(await ask(hanging)), /no answer in time/)
    assert.match(JSON.stringify(await ask(`${hanging}/other`)), /not called for a while/)
    assert.equal((await ask(quick, 10_000)).kind, 'answered')
    nowMs = 30_001
    assert.match(JSON.stringify(await ask(hanging)), /no answer in time/)
    assert.match(JSON.stringify(await ask(hanging)), /not called for a while/)
    await way.close()
  })

  test('a guarded way out calls no private address, by number or by name, and sends nothing', async () => {
    let reached = 0
    const base = await serve((_request, response) => {
      reached++
      response.end()
    })
    for (const url of [
      base,
      base.replace('127.0.0.1', 'localhost'),
      'http://[::1]:9/',
      'http://169.254.169.254/latest',
      base.replace('http:', 'https:').replace('127.0.0.1', 'localhost'),
    ]) {
      const outcome = await guarded.call({ method: 'POST', url, headers: {}, body: '{}' })
      assert.equal(outcome.kind, 'forbidden', `${url}: ${JSON.stringify(outcome)}`)
    }
    assert.equal(reached, 0)
  })

  test('with a list of hosts no other one is called, however alike its name', async () => {
    let reached = 0
    const base = await serve((_request, response) => {
      reached++
      response.end()
    })
    const listed = makeOutbound({ allowPrivateNetworks: true, hosts: ['127.0.0.1', '.example.org'], nowMs })
    try {
      assert.equal((await listed.call({ method: 'GET', url: base, headers: {} })).kind, 'answered')
      for (const url of [
        base.replace('127.0.0.1', 'localhost'),
        'https://example.org/',
        'https://evil-example.org/',
        'https://callback.example.org.evil.net/',
        'https://callback.example.org@evil.net/',
      ]) {
        const outcome = await listed.call({ method: 'POST', url, headers: {}, body: '{}' })
        assert.equal(outcome.kind, 'forbidden', `${url}: ${JSON.stringify(outcome)}`)
      }
      assert.equal(reached, 1)
      const below = await listed.call({ method: 'GET', url: 'https://nobody.here.example.org/', headers: {} })
      assert.equal(below.kind, 'failed', 'on the list, though nobody is there')
    } finally {
      await listed.close()
    }
  })

  test('other schemes and credentials in the address are refused', async () => {
    for (const url of ['file:///etc/passwd', 'ftp://example.org', 'http://user:secret@example.org', 'nonsense']) {
      assert.equal((await open.call({ method: 'GET', url, headers: {} })).kind, 'forbidden', url)
    }
  })

  test('outside a network of our own nothing is called without TLS, nor at the port of another service', async () => {
    for (const [url, why] of [
      ['http://callback.example.org/', /only https/],
      ['http://callback.example.org:8080/', /only https/],
      ['https://callback.example.org:25/', /another service/],
      ['https://callback.example.org:22/', /another service/],
    ] as const) {
      const outcome = await guarded.call({ method: 'POST', url, headers: {}, body: '{}' })
      assert.ok(outcome.kind === 'forbidden' && why.test(outcome.reason), `${url}: ${JSON.stringify(outcome)}`)
    }
  })

  test('a name that answers a public address first and a private one when it is called leads nowhere', async (t) => {
    const answers = ['8.8.8.8', '127.0.0.1', '::ffff:10.0.0.1', '169.254.169.254']
    const NAME = 'rebinding.example'
    let asked = 0
    const { lookup } = dns
    t.mock.method(dns, 'lookup', ((name: string, options: object, done: (...given: unknown[]) => void) => {
      // Other tests of this process may have something under way still.
      if (name !== NAME) return lookup(name, options, done as never)
      const address = answers[++asked] ?? '127.0.0.1'
      done(null, [{ address, family: address.includes(':') ? 6 : 4 }])
    }) as never)
    syncBuiltinESMExports()
    try {
      for (let n = 0; n < 3; n++) {
        const outcome = await guarded.call({
          method: 'GET',
          url: `https://${NAME}:${9443 + n}/`,
          headers: {},
        })
        assert.ok(outcome.kind === 'forbidden' && /only to private/.test(outcome.reason), JSON.stringify(outcome))
      }
      assert.equal(asked, 3)
    } finally {
      t.mock.restoreAll()
      syncBuiltinESMExports()
    }
  })

  test('a redirect is an answer, never followed', async () => {
    let followed = 0
    const target = await serve((_request, response) => {
      followed++
      response.end()
    })
    const base = await serve((_request, response) => {
      response.writeHead(307, { location: target })
      response.end()
    })
    const outcome = await open.call({ method: 'POST', url: base, headers: {}, body: '{}' })
    assert.ok(outcome.kind === 'answered' && outcome.status === 307)
    assert.equal(followed, 0)
  })

  test('down, slow, broken off and endless peers each give a reason', async () => {
    const slow = await serve(() => undefined)
    const dropping = await serve((request) => request.socket.destroy())
    const endless = await serve((_request, response) => {
      const chunk = Buffer.alloc(65_536, 97)
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) continue
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    const down = 'http://127.0.0.1:9'
    const reasons: Record<string, RegExp> = {
      [slow]: /no answer in time/,
      [dropping]: /socket|closed|other side/i,
      [endless]: /larger than/,
      [down]: /ECONNREFUSED/,
    }
    for (const [url, reason] of Object.entries(reasons)) {
      const patience = url === slow ? { timeoutMs: 300 } : {}
      const outcome = await open.call({ method: 'POST', url, headers: {}, body: '{}', ...patience })
      assert.ok(outcome.kind === 'failed' && reason.test(outcome.reason), `${url}: ${JSON.stringify(outcome)}`)
    }
  })
})
