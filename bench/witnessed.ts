// Whether the log keeps its pace while it is used: 2,000 entries a second, two witnesses (each a process' worth of `amanat witness`, with
// its memory on the disk), a checkpoint each second.
// Run: node bench/witnessed.ts [seconds]
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import pino from 'pino'
import { logChores, type SendText } from '../src/audit/jobs.ts'
import type { OwnLog } from '../src/audit/log.ts'
import { addLog } from '../src/audit/witness-role/known-logs.ts'
import { serveWitness } from '../src/audit/witness-role/server.ts'
import { openWitness } from '../src/audit/witness-role/witness.ts'
import { formatVkey, makeSigner } from '../src/crypto/signed-note.ts'
import type { Machine } from '../src/db/tx.ts'
import { startSchedule } from '../src/jobs/schedule.ts'
import { openTestDatabase } from '../test/database.ts'
import { makeTestMachine } from '../test/machine.ts'
import { ms, quantile, say } from './measure.ts'
import { openConnection, startBenchServer } from './server.ts'

const SECONDS = Number(process.argv[2] ?? 20)
const PER_SECOND = 2_000
const PARTS = 10

const stopServer = await startBenchServer()
const database = await openTestDatabase()
const connection = await openConnection(database.connectionString)
const clock = (): Date => new Date()
const machine: Machine = { ...makeTestMachine(database), db: connection.db, now: clock }
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-bench-witness-'))
const signer = makeSigner('bench.example/log', randomBytes(32))

const running = await Promise.all(
  ['first', 'second'].map(async (name) => {
    const own = path.join(folder, name)
    const witness = await openWitness(own, `${name}.example/witness`, { now: clock, random: machine.random })
    addLog(own, formatVkey(signer.key))
    const server = await serveWitness({ witness, now: clock, fault: console.error }, { host: '127.0.0.1', port: 0 })
    return { name, vkey: formatVkey(witness.cosigner.key), url: `http://127.0.0.1:${server.port}`, witness, server }
  }),
)
const log: OwnLog = { signer, witnesses: running.map(({ name, vkey, url }) => ({ name, vkey, url })) }
const send: SendText = async (url, body) => {
  const answer = await fetch(url, { method: 'POST', body })
  return { status: answer.status, body: await answer.text() }
}

/** A part of a second's entries, as many transactions at once would have left them. */
async function feed(count: number): Promise<void> {
  await sql`with fresh as (select gen_random_uuid() as id, (random() * 255)::int::smallint as bucket from generate_series(1, ${count}::int)),
    stored as (insert into audit_event (bucket, id, at, type, actor_kind, body)
      select bucket, id, now(), 'bench.done', 'system', decode(repeat('ab', 400), 'hex') from fresh)
    insert into log_queue (event, commitment) select id, decode(repeat('cd', 32), 'hex') from fresh`.execute(machine.db)
}

const schedule = startSchedule(
  logChores({ machine, log, send, logger: pino({ level: 'warn' }) }).filter(({ name }) => name !== 'log rows check'),
  pino({ level: 'error' }),
)
await feed(PER_SECOND)
const started = performance.now()
let fed = 0
for (let part = 0; part < SECONDS * PARTS; part++) {
  await feed(PER_SECOND / PARTS)
  fed += PER_SECOND / PARTS
  const due = started + ((part + 1) * 1000) / PARTS
  await pause(Math.max(0, due - performance.now()))
}
const tookSeconds = (performance.now() - started) / 1000
await schedule.stop()
const { rows } = await sql<{ signed_at: Date; size: number; by: number }>`
  select signed_at, size, (select count(*)::int from log_cosignature c where c.size = p.size) as by
  from log_checkpoint p order by size`.execute(machine.db)
const gaps = rows.slice(1).map(({ signed_at }, i) => signed_at.getTime() - (rows[i]?.signed_at.getTime() ?? 0))
const cosigned = rows.filter(({ by }) => by === 2).length
say(
  `checkpoints at ${Math.round(fed / tookSeconds)} entries/s`,
  rows.length / tookSeconds,
  'one each second (goal 1)',
  `${rows.length} in ${tookSeconds.toFixed(1)} s, gap p50 ${ms(quantile(gaps, 0.5))}, longest ${ms(Math.max(...gaps))}; ${cosigned} cosigned by both; ${rows.at(-1)?.size ?? 0} entries`,
)
for (const { server, witness } of running) {
  await server.close()
  await witness.close()
}
fs.rmSync(folder, { recursive: true, force: true })
await connection.close()
await database.close()
await stopServer()
