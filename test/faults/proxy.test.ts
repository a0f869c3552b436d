import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../wait.ts'
import { FaultProxy, type Trouble } from './proxy.ts'

const FORGET_MS = 60
const NEVER_MS = 600_000
/** Timers count whole milliseconds: each may come a little early. */
const EARLY_MS = 5
const SENT = 'q'.repeat(20_000)
const ANSWER = 'a'.repeat(20_000)

describe('a bad wire', () => {
  let proxy: FaultProxy
  let port: number
  /** Requests that the server heard to their end. */
  let heard = 0
  const server = http.createServer((request, answer) => {
    request.on('error', () => undefined)
    request.resume().on('end', () => {
      heard++
      answer.end(ANSWER)
    })
  })
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
    proxy = await FaultProxy.open(port, FORGET_MS)
  })
  after(async () => {
    await proxy.close()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  /** One call over a connection of its own; what came: the answer's length, or the fault's code. */
  function call(trouble?: Trouble, over = proxy): Promise<{ readonly came: number | string; readonly ms: number }> {
    over.weather = () => trouble
    const startedMs = performance.now()
    return new Promise((resolve) => {
      const end = (came: number | string): void => resolve({ came, ms: performance.now() - startedMs })
      const request = http.request(over.url, { method: 'POST', agent: false }, (answer) => {
        let size = 0
        answer.on('data', (chunk: Buffer) => (size += chunk.length))
        answer.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
        answer.on('end', () => end(size))
      })
      request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
      request.end(SENT)
    })
  }

  test('a good one brings everything across', async () => {
    assert.equal((await call()).came, ANSWER.length)
  })

  test('latency and throttling delay, and lose nothing', async () => {
    const late = await call({ kind: 'latency', ms: 40 })
    assert.equal(late.came, ANSWER.length)
    assert.ok(late.ms >= 80 - EARLY_MS, `${late.ms} ms`)
    const slow = await call({ kind: 'throttle', bytesPerSecond: 200_000 })
    assert.equal(slow.came, ANSWER.length)
    assert.ok(slow.ms >= 150 - EARLY_MS, `${slow.ms} ms`)
  })

  for (const kind of ['cut', 'reset'] as const)
    test(`${kind}: a request in its middle is not heard, an answer in its middle was`, async () => {
      const before = heard
      assert.equal(typeof (await call({ kind, of: 'request', afterBytes: 9_000 })).came, 'string')
      assert.equal(heard, before)
      assert.equal(typeof (await call({ kind, of: 'answer', afterBytes: 9_000 })).came, 'string')
      assert.equal(heard, before + 1)
    })

  test('half-open: heard, and the caller hears nothing until somebody forgets the connection', async () => {
    const before = heard
    const { came, ms } = await call({ kind: 'half-open', afterBytes: 0 })
    assert.equal(came, 'ECONNRESET')
    assert.ok(ms >= FORGET_MS - EARLY_MS, `${ms} ms`)
    assert.equal(heard, before + 1)
  })

  test('a black hole hears nothing; healing tells who waits', async () => {
    const before = heard
    const patient = await FaultProxy.open(port, NEVER_MS)
    const waiting = call({ kind: 'black hole' }, patient)
    await waitFor('the call to be in the hole', () => patient.met.get('black hole') === 1)
    patient.heal()
    const { came, ms } = await waiting
    await patient.close()
    assert.equal(came, 'ECONNRESET')
    assert.ok(ms < NEVER_MS, `${ms} ms`)
    assert.equal(heard, before)
  })
})
