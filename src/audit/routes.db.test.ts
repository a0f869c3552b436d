import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { makeCosigner } from '../crypto/cosignature.ts'
import { formatVkey, makeSigner } from '../crypto/signed-note.ts'
import { type Machine, transact } from '../db/tx.ts'
import { makeServer, nativeRules } from '../http/server.ts'
import { LIMITS } from '../kernel/limits.ts'
import { mayDo } from '../people/rules.ts'
import type { OwnLog } from './log.ts'
import { record } from './record.ts'
import { logRoutes, witnessRoutes } from './routes.ts'
import { sequenceNow } from './sequencer.ts'
import { logVerifyCommand } from './verify-command.ts'

const signer = makeSigner('exchange.example/log', new Uint8Array(32).fill(1))
const cosigner = makeCosigner('exchange.example/witness', new Uint8Array(32).fill(2))
const log: OwnLog = { signer, witnesses: [] }

let database: TestDatabase
let machine: Machine
let server: ReturnType<typeof makeServer>
describe('audit/routes', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
    const anonymous = async () => ({ kind: 'anonymous' }) as const
    server = makeServer({
      machine,
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      // It witnesses itself: enough to see that the bytes arrive.
      routes: [
        ...logRoutes(log),
        ...witnessRoutes({ cosigner, logs: [{ origin: signer.key.name, vkey: formatVkey(signer.key) }] }),
      ],
      dialects: { native: nativeRules, abdm: nativeRules },
      authenticate: {
        none: anonymous,
        bridge: anonymous,
        patient: anonymous,
        exchange: anonymous,
        operator: anonymous,
        staff: anonymous,
        console: anonymous,
        partner: anonymous,
      },
      mayDo,
      ready: async () => [],
    })
  })
  after(async () => {
    await server.close()
    await database.close()
  })

  test('the log over real HTTP verifies, and is empty before its first entry', async () => {
    const address = await server.listen({ port: 0, host: '127.0.0.1' })
    const lines: string[] = []
    const verify = (): Promise<number> =>
      logVerifyCommand([`${address}/log`], { print: (line) => lines.push(line), fetching: fetch })
    assert.equal(await verify(), 1, 'nothing to verify')
    await transact(machine, async (tx) => {
      for (let i = 0; i < 300; i++) await record(tx, { type: 'test.done', actor: { kind: 'system', id: 'test' } })
    })
    await sequenceNow(machine, signer)
    assert.equal(await verify(), 0, lines.join('\n'))
    const kinds = [
      ['/log/checkpoint', 'text/plain; charset=utf-8', 'public, max-age=1'],
      ['/log/tile/0/000', 'application/octet-stream', 'public, max-age=31536000, immutable'],
      ['/log/tile/entries/001.p/44', 'application/octet-stream', 'public, max-age=31536000, immutable'],
      ['/log/entries/001.p/44', 'application/octet-stream', 'public, max-age=31536000, immutable'],
      ['/witness/vkey', 'text/plain; charset=utf-8', 'public, max-age=300'],
    ] as const
    for (const [url, type, cache] of kinds) {
      const answer = await server.inject(url)
      assert.equal(answer.statusCode, 200, url)
      assert.equal(answer.headers['access-control-allow-origin'], '*')
      assert.deepEqual([answer.headers['content-type'], answer.headers['cache-control']], [type, cache])
    }
    for (const url of [
      '/log/tile/0/001',
      '/log/tile/9/000',
      '/log/entries/000.p/256',
      '/log/tile/',
      '/log/tile/0/%2e%2e/000',
    ]) {
      assert.equal((await server.inject(url)).statusCode, 404, url)
    }
  })

  test('add-checkpoint takes its body as text, any type or none, up to its limit', async () => {
    const checkpoint = (await server.inject('/log/checkpoint')).body
    const post = (payload: string, headers = {}) =>
      server.inject({ method: 'POST', url: '/witness/add-checkpoint', payload, headers })
    const first = await post(`old 0\n\n${checkpoint}`, { 'content-type': 'text/plain' })
    assert.equal(first.statusCode, 200, first.body)
    const again = await post(`old 0\n\n${checkpoint}`)
    assert.deepEqual([again.statusCode, again.body, again.headers['content-type']], [409, '300\n', 'text/x.tlog.size'])
    assert.equal((await post('\u0000')).statusCode, 400)
    assert.equal((await post('x'.repeat(LIMITS.witnessBodyBytesMax + 1))).statusCode, 413)
  })
})
