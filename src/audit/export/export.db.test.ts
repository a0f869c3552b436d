import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../../test/machine.ts'
import { makeSigner } from '../../crypto/signed-note.ts'
import { type Machine, transact } from '../../db/tx.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { record } from '../record.ts'
import { sequenceNow } from '../sequencer.ts'
import { type ExportNeeds, type ExportTarget, exportTo } from './jobs.ts'
import { frame, sendSyslog } from './syslog.ts'

const signer = makeSigner('hospital.example/log', new Uint8Array(32).fill(1))
const PATIENT = 'asha.rao@sbx'
const ENTRIES = 450
const clock = makeTestClock()
let database: TestDatabase
let machine: Machine
const sockets = new Set<Socket>()
const open: { close: (done?: () => void) => unknown }[] = []

describe('audit/export/export', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
    await transact(machine, async (tx) => {
      for (let i = 0; i < ENTRIES; i++)
        await record(tx, {
          type: i % 10 === 0 ? 'hiu.view-denied' : 'hiu.record-viewed',
          actor: { kind: 'system', id: 'test' },
          patient: PATIENT,
          subject: 'tuberculosis',
        })
    })
    await sequenceNow(machine, signer)
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    for (const each of open) await new Promise<void>((resolve) => void each.close(() => resolve()))
    await database.close()
  })

  const needs = (): ExportNeeds => ({
    machine,
    origin: signer.key.name,
    fetching: fetch,
    logger: { warn: () => undefined } as unknown as ExportNeeds['logger'],
  })

  /** Runs until everything was taken; each fault costs a pause of the clock. Answers the faults. */
  async function exportAll(target: ExportTarget): Promise<readonly string[]> {
    const faults: string[] = []
    for (let turn = 0; turn < 20; turn++) {
      const fault = await exportTo(target, needs())
      if (fault === undefined) return faults
      faults.push(fault)
      assert.equal(await exportTo(target, needs()), undefined, 'nothing is tried before its time')
      clock.advance(LIMITS.logExportPauseMsMax)
    }
    throw new Error(`it never ends: ${faults.join('; ')}`)
  }

  /** Leaves that a receiver heard of, in order of arrival, without those that came again. */
  const firsts = (leaves: readonly number[]): readonly number[] =>
    leaves.filter((leaf, at) => leaves.indexOf(leaf) === at)
  const ALL = Array.from({ length: ENTRIES }, (_, i) => i)

  /** Reads octet-counted frames; `mood` says what it does with each connection. */
  async function syslogReceiver(
    mood: (connection: number, socket: Socket) => 'read' | 'drop' | 'stall',
  ): Promise<{ target: ExportTarget; messages: string[] }> {
    const messages: string[] = []
    let connections = 0
    const server: Server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined) // the sender hears of it
      const is = mood(connections++, socket)
      if (is === 'stall') return void socket.pause()
      const parts: Buffer[] = []
      socket.on('data', (part) => {
        parts.push(part)
        if (is === 'drop' && Buffer.concat(parts).length > 20_000) socket.resetAndDestroy()
      })
      socket.on(is === 'drop' ? 'close' : 'end', () => messages.push(...deframe(Buffer.concat(parts))))
    })
    open.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { target: { kind: 'syslog', host: '127.0.0.1', port, tls: false }, messages }
  }

  function deframe(bytes: Buffer): string[] {
    const found: string[] = []
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(0x20, at)
      const size = Number(bytes.subarray(at, space).toString())
      if (space < 0 || space + 1 + size > bytes.length) break
      found.push(bytes.subarray(space + 1, space + 1 + size).toString())
      at = space + 1 + size
    }
    return found
  }

  const leafOf = (message: string): number => Number(/leaf="(\d+)"/.exec(message)?.[1])

  test('syslog over TCP: every entry once and in order when the receiver is well', async () => {
    const { target, messages } = await syslogReceiver(() => 'read')
    assert.deepEqual(await exportAll(target), [])
    assert.deepEqual(messages.map(leafOf), ALL)
    assert.match(
      messages[0] ?? '',
      /^<108>1 2026-11-22T06:30:00\.000Z hospital\.example amanat - hiu\.view-denied \[amanat@32473 id="[0-9a-f-]{36}" type="hiu\.view-denied" leaf="0" actor="system" outcome="failure" log="hospital\.example\/log"\]$/,
    )
    assert.match(messages[1] ?? '', /^<110>1 .* outcome="success"/)
    for (const message of messages) assert.doesNotMatch(message, /asha|tuberculosis|@sbx/)
    await exportTo(target, needs())
    assert.equal(messages.length, ENTRIES, 'nothing new, nothing sent')
  })

  test('syslog: a receiver that drops the line, then is well: all arrive, in order, some twice', async () => {
    const { target, messages } = await syslogReceiver((connection) => (connection < 2 ? 'drop' : 'read'))
    assert.equal((await exportAll(target)).length, 2)
    assert.deepEqual(firsts(messages.map(leafOf)), ALL)
    assert.ok(messages.length > ENTRIES, 'what was in doubt came again')
  })

  test('syslog: nobody listens, then somebody does', async () => {
    const { target } = await syslogReceiver(() => 'read')
    assert.ok(target.kind === 'syslog')
    const away: ExportTarget = { ...target, host: '127.0.0.2', port: 1 }
    assert.match((await exportTo(away, needs())) ?? '', /ECONNREFUSED/)
    const row = await machine.db
      .selectFrom('log_export')
      .selectAll()
      .where('target', '=', 'syslog 127.0.0.2:1')
      .execute()
    assert.deepEqual([row[0]?.next_leaf, row[0]?.attempts], [0, 1])
  })

  test('syslog: a receiver that stalls holds nothing up for longer than its time', async () => {
    const { target } = await syslogReceiver(() => 'stall')
    assert.ok(target.kind === 'syslog')
    const much = frame(Array.from({ length: 40_000 }, (_, i) => `${i} ${'x'.repeat(500)}`))
    await assert.rejects(
      sendSyslog(much, { host: target.host, port: target.port, tls: false }, 60),
      /took nothing for 60 ms/,
    )
  })

  type Taken = {
    resourceLogs: { scopeLogs: { logRecords: { attributes: { key: string; value: { intValue?: string } }[] }[] }[] }[]
  }

  test('OTLP over HTTP: a collector that is busy, breaks, and takes a batch without saying so', async () => {
    const leaves: number[] = []
    const bodies: string[] = []
    let calls = 0
    const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const parts: Buffer[] = []
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
      const call = calls++
      if (call === 0) return void response.writeHead(503, { 'retry-after': '120' }).end()
      if (call === 1) return void response.writeHead(500).end()
      const body = Buffer.concat(parts).toString()
      bodies.push(body)
      for (const { attributes } of (JSON.parse(body) as Taken).resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [])
        leaves.push(Number(attributes.find(({ key }) => key === 'amanat.leaf')?.value.intValue))
      // Applied, and the answer is lost.
      if (call === 2) return void request.socket.destroy()
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    }
    const server = createHttpServer((request, response) => void take(request, response))
    open.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`
    const faults = await exportAll({ kind: 'otlp', url, authorization: 'Bearer x' })
    assert.equal(faults.length, 3, faults.join('; '))
    assert.deepEqual(firsts(leaves), ALL)
    assert.equal(leaves.length, ENTRIES + LIMITS.logExportBatch)
    for (const body of bodies) assert.doesNotMatch(body, /asha|tuberculosis|@sbx|Bearer/)
  })
})
