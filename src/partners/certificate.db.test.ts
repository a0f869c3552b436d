import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect, Server as TlsServer } from 'node:tls'
import { decodeJwt } from 'jose'
import { makeCertificate, type TestCertificate } from '../../test/certificates.ts'
import { codeOf, errorOf, formOf, PartnerWorld, type Reply } from '../../test/partner-world.ts'
import { thumbprintOf } from '../http/client-certificate.ts'
import { makeOutbound } from '../http/outbound.ts'

const authority = makeCertificate('authority.example', { isAuthority: true })
const server = makeCertificate('exchange.test')
const own = makeCertificate('lab.example')
const stranger = makeCertificate('lab.example')
const ofAuthority = makeCertificate('insurer.example', { by: authority })
const otherOfAuthority = makeCertificate('other.example', { by: authority })
const thumbprint = ({ pem }: TestCertificate): string => thumbprintOf(new X509Certificate(pem).raw)

let world: PartnerWorld
let port: number
describe('partners/certificate', () => {
  before(async () => {
    world = await PartnerWorld.start({
      cert: Buffer.from(server.pem),
      key: Buffer.from(server.keyPem),
      ca: Buffer.from(authority.pem),
      requestCert: true,
      rejectUnauthorized: false,
    })
    await world.admit('by-thumbprint', { keys: undefined, certificates: { thumbprints: [thumbprint(own)] } })
    await world.admit('by-host', { keys: undefined, certificates: { thumbprints: [], host: 'insurer.example' } })
    await world.app.listen({ host: '127.0.0.1', port: 0 })
    port = (world.app.server.address() as AddressInfo).port
  })
  after(() => world.stop())

  /** A call over TLS, with a certificate or without. */
  async function call(
    as: TestCertificate | undefined,
    method: 'GET' | 'POST',
    path: string,
    headers: Readonly<Record<string, string>>,
    body = '',
  ): Promise<Reply> {
    const certificate = as === undefined ? {} : { cert: as.pem, key: as.keyPem }
    const sent = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      ca: server.pem,
      agent: false,
      ...certificate,
    })
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
    const parts: Buffer[] = []
    for await (const part of answer) parts.push(part)
    return { status: answer.statusCode, body: JSON.parse(Buffer.concat(parts).toString()) as Reply['body'] }
  }

  const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
  const ask = (as: TestCertificate | undefined, fields: Readonly<Record<string, string>>, headers = {}) =>
    call(as, 'POST', '/oauth/token', { ...FORM, ...headers }, new URLSearchParams(fields).toString())
  const asClient = (client_id: string) => ({
    grant_type: 'client_credentials',
    scope: 'system/Consent.rs',
    client_id,
  })
  const read = (as: TestCertificate | undefined, token: string, headers = {}) =>
    call(as, 'GET', '/v1/mine/7', { authorization: `Bearer ${token}`, ...headers })

  test('a registered certificate, or one of a trusted authority for the registered host, proves a client; its token is bound to it', async () => {
    for (const [client, certificate] of [
      ['by-thumbprint', own],
      ['by-host', ofAuthority],
    ] as const) {
      const reply = await ask(certificate, asClient(client))
      assert.equal(reply.status, 200, JSON.stringify(reply.body))
      const token = String(reply.body['access_token'])
      assert.deepEqual(decodeJwt(token)['cnf'], { 'x5t#S256': thumbprint(certificate) })
      assert.equal((await read(certificate, token)).status, 200)
      for (const thief of [undefined, stranger, otherOfAuthority])
        assert.deepEqual(codeOf(await read(thief, token)), [401, 'auth/wrong-certificate'])
    }
  })

  test('no certificate, a made-up one of the same name, and another of the same authority prove nothing', async () => {
    const bad: readonly (readonly [string, TestCertificate | undefined])[] = [
      ['by-thumbprint', undefined],
      ['by-thumbprint', stranger],
      ['by-thumbprint', ofAuthority],
      ['by-host', otherOfAuthority],
      ['by-host', makeCertificate('insurer.example')],
      ['lab', own],
      ['nobody', own],
    ]
    for (const [client, certificate] of bad)
      assert.deepEqual(errorOf(await ask(certificate, asClient(client))), [401, 'invalid_client'], client)
  })

  test('an assertion over TLS binds the token to the certificate that came with it', async () => {
    const reply = await ask(own, formOf(await world.assertion()))
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    const token = String(reply.body['access_token'])
    assert.equal((await read(own, token)).status, 200)
    assert.deepEqual(codeOf(await read(undefined, token)), [401, 'auth/wrong-certificate'])
  })

  test('the certificate in a header is believed of the configured proxies only', async () => {
    const der = new X509Certificate(own.pem).raw
    const headers = [`:${der.toString('base64')}:`, encodeURIComponent(own.pem)]
    for (const header of headers) {
      const fields = new URLSearchParams(asClient('by-thumbprint')).toString()
      const send = (remoteAddress: string, value: string) =>
        world.app.inject({
          method: 'POST',
          url: '/oauth/token',
          headers: { ...FORM, 'client-cert': value },
          payload: fields,
          remoteAddress,
        })
      assert.equal((await send('127.0.0.1', header)).statusCode, 200)
      assert.equal((await send('10.9.8.7', header)).statusCode, 401)
      for (const rubbish of ['', ':AAAA:', '%zz', 'x'.repeat(20_000)])
        assert.equal((await send('127.0.0.1', rubbish)).statusCode, 401)
    }
    // A header from the very caller says nothing beside what TLS says.
    const fields = asClient('by-thumbprint')
    const header = { 'client-cert': headers[0] ?? '' }
    assert.equal((await ask(stranger, fields, header)).status, 401)
  })

  test('our own way out presents our certificate to the party that it is for, and to no other', async () => {
    const files = { cert: Buffer.from(own.pem), key: Buffer.from(own.keyPem), ca: Buffer.from(server.pem) }
    const call = async (origin: string) => {
      const outbound = makeOutbound({
        allowPrivateNetworks: true,
        nowMs: () => performance.now(),
        certificates: [{ origin, files: () => files }],
      })
      const body = new URLSearchParams(asClient('by-thumbprint')).toString()
      const outcome = await outbound.call({
        method: 'POST',
        url: `https://127.0.0.1:${port}/oauth/token`,
        headers: FORM,
        body,
      })
      await outbound.close()
      return outcome.kind === 'answered' ? outcome.status : outcome.kind
    }
    assert.equal(await call(`https://127.0.0.1:${port}`), 200)
    // Their certificate is not one that everybody trusts: without ours, it is not even believed.
    assert.equal(await call('https://other.example'), 'failed')
  })

  test('renewed files are taken without a restart', async () => {
    const renewed = makeCertificate('exchange.test')
    assert.ok(world.app.server instanceof TlsServer)
    world.app.server.setSecureContext({ cert: renewed.pem, key: renewed.keyPem })
    const socket = connect({ host: '127.0.0.1', port, ca: renewed.pem })
    await once(socket, 'secureConnect')
    assert.equal(socket.authorized, true)
    socket.destroy()
  })
})
