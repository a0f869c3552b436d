// How fast the exchange takes consent requests through its real door (row, log event, message to the requester, delivery log), against
// an empty route behind the same door with the same authentication, and against bare inserts of the same rows.
// Run: node bench/consent.ts
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { Agent, request } from 'undici'
import { openTestDatabase } from '../test/database.ts'
import { type BenchExchange, HIU, startBenchExchange } from './exchange.ts'
import { cpu, latency, load, perSecond, type Rate, say } from './measure.ts'
import { openConnection, startBenchServer } from './server.ts'

const PATIENTS = 200
const REQUESTS = { 1: 300, 16: 1_200 } as const
const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()

const stopServer = await startBenchServer()
const database = await openTestDatabase()
const connection = await openConnection(database.connectionString)
const exchange = await startBenchExchange(connection, PATIENTS)
const agent = new Agent({ connections: 16 })

async function post({ url, accessToken }: BenchExchange, path: string, body: object): Promise<void> {
  const answer = await request(`${url}/api/hiecm${path}`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${accessToken}`,
      'request-id': randomUUID(),
      timestamp: new Date().toISOString(),
      'x-cm-id': 'sbx',
    },
    body: JSON.stringify(body),
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 202) throw new Error(`${path}: ${answer.statusCode} ${text}`)
}

const consent = (turn: number): object => ({
  consent: {
    purpose: {
      code: 'CAREMGT',
      text: 'Care management',
      refUri: 'http://terminology.hl7.org/ValueSet/v3-PurposeOfUse',
    },
    patient: { id: exchange.patients[turn % PATIENTS] },
    hiu: { id: HIU },
    requester: {
      name: 'Dr. Meera Nambiar',
      identifier: { type: 'REGNO', value: 'KMC-84213', system: 'https://www.nmc.org.in' },
    },
    hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport'],
    permission: {
      accessMode: 'VIEW',
      dateRange: { from: day(-400), to: day(-1) },
      dataEraseAt: day(30),
      frequency: { unit: 'DAY', value: 1, repeats: 1 },
    },
  },
})

/** The rows that one request leaves, and which column makes each of them another row. */
const LEFT = [
  ['seen_request', 'request_id'],
  ['consent_request', 'id'],
  ['audit_event', 'id'],
  ['log_queue', 'event'],
  ['job', 'id'],
  ['message', 'id'],
] as const

type Insert = { readonly text: string; readonly values: readonly unknown[]; readonly idAt: number }

/** Insert statements that write again, under new ids, what the last request wrote. */
async function lastRows(pool: pg.Pool): Promise<readonly Insert[]> {
  const inserts: Insert[] = []
  for (const [table, id] of LEFT) {
    const order = {
      seen_request: 'at',
      consent_request: 'created_at',
      audit_event: 'at',
      log_queue: 'seq',
      job: 'seq',
      message: 'at',
    }[table]
    const { rows } = await pool.query<Record<string, unknown>>(`select * from ${table} order by ${order} desc limit 1`)
    const [row] = rows
    if (row === undefined) throw new Error(`a consent request left no row in ${table}`)
    const columns = Object.keys(row).filter((name) => name !== 'seq')
    const isJson = (value: unknown): boolean =>
      typeof value === 'object' && value !== null && !(value instanceof Date) && !Buffer.isBuffer(value)
    inserts.push({
      text: `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, i) => `$${i + 1}`).join(', ')})`,
      values: columns.map((name) => (isJson(row[name]) ? JSON.stringify(row[name]) : row[name])),
      idAt: columns.indexOf(id),
    })
  }
  return inserts
}

async function insertAgain(pool: pg.Pool, inserts: readonly Insert[]): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    for (const { text, values, idAt } of inserts) {
      await client.query(
        text,
        values.map((value, i) => (i === idAt ? randomUUID() : value)),
      )
    }
    await client.query('commit')
  } finally {
    client.release()
  }
}

for (const turn of [1, 2]) await load(100 * turn, 8, (at) => post(exchange, '/consent/v3/request/init', consent(at)))
const rows = await lastRows(connection.pool)
for (const clients of [1, 16] as const) {
  const total = REQUESTS[clients]
  const empty = await load(total, clients, () => post(exchange, '/bench/empty', {}))
  const bare = await load(total, clients, () => insertAgain(connection.pool, rows))
  const init = await load(total, clients, (turn) => post(exchange, '/consent/v3/request/init', consent(turn)))
  report(clients, init, empty, bare)
}

function report(clients: number, init: Rate, empty: Rate, bare: Rate): void {
  const figures = `${perSecond(init)} ${latency(init)}, ${cpu(init)}`
  say(
    `consent init, ${clients} at once`,
    init.perSecond / empty.perSecond,
    'rate of an empty route',
    `${figures}; empty ${perSecond(empty)} ${latency(empty)}, ${cpu(empty)}`,
  )
  say(
    '',
    init.perSecond / bare.perSecond,
    'rate of bare inserts',
    `${' '.repeat(figures.length)}  bare ${perSecond(bare)} ${latency(bare)}, ${cpu(bare)}`,
  )
}

await agent.close()
await exchange.stop()
await connection.close()
await database.close()
await stopServer()
