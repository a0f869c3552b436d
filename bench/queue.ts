// What the outbox costs the transaction that fills it, and how fast jobs are taken from a queue in which many wait.
// Run: node bench/queue.ts [jobs waiting]
import { sql } from 'kysely'
import { record } from '../src/audit/record.ts'
import { type Machine, transact } from '../src/db/tx.ts'
import { claimJobs, enqueue, type Job, settleJob } from '../src/jobs/queue.ts'
import { openTestDatabase } from '../test/database.ts'
import { makeTestMachine } from '../test/machine.ts'
import { latency, load, perSecond, say } from './measure.ts'
import { openConnection, startBenchServer } from './server.ts'

const WAITING = Number(process.argv[2] ?? 10_000)
const TRANSACTIONS = 400
const CLAIMS = 60
const AT_ONCE = 8

const stopServer = await startBenchServer()
const database = await openTestDatabase()
const connection = await openConnection(database.connectionString)
const machine: Machine = { ...makeTestMachine(database), db: connection.db, now: () => new Date() }
const actor = { kind: 'system', id: 'bench' } as const
const payload = { path: '/api/v3/hiu/consent/request/on-init', body: { text: 'x'.repeat(500) } }

const business = (withJob: boolean) => (turn: number) =>
  transact(machine, async (tx) => {
    await record(tx, { type: 'bench.done', actor, patient: `p${turn % 50}@sbx` })
    if (withJob) await enqueue(tx, { kind: 'bench', payload, lane: `lane-${turn % 50}` })
  })
await load(100, 4, business(true))
for (const clients of [1, 16]) {
  const without = await load(TRANSACTIONS, clients, business(false))
  const withJob = await load(TRANSACTIONS, clients, business(true))
  say(
    `enqueue, ${clients} at once`,
    without.perSecond / withJob.perSecond,
    'the time without the job',
    `${perSecond(withJob)} ${latency(withJob)}; without ${perSecond(without)} ${latency(without)}`,
  )
}

/** Fills the queue; `lanes` 0 = no order among the jobs. */
async function fill(count: number, lanes: number): Promise<void> {
  await sql`truncate job`.execute(machine.db)
  await sql`insert into job (id, kind, lane, payload, status, run_at, created_at)
    select gen_random_uuid(), 'bench', case when ${lanes}::int > 0 then 'lane-' || (n % greatest(${lanes}::int, 1)) end,
      ${JSON.stringify(payload)}::jsonb, 'waiting', now() - interval '1 hour' + n * interval '1 millisecond', now()
    from generate_series(1, ${count}) as n`.execute(machine.db)
  await sql`analyze job`.execute(machine.db)
}

/** The least that a queue in PostgreSQL does: the oldest rows, locked, marked; no order within lanes. */
const bareClaim = async (): Promise<number> => {
  const { rows } = await sql`update job set claimed_until = now() + interval '1 minute' where id in (
    select id from job where status = 'waiting' and claimed_until is null order by run_at, seq limit ${AT_ONCE} for update skip locked)
    returning id, kind, payload, attempts`.execute(machine.db)
  return rows.length
}

const finish = (jobs: readonly Job[]): Promise<void> =>
  transact(machine, async (tx) => {
    for (const job of jobs) await settleJob(tx, job, { status: 'done' })
  })

await fill(WAITING, 0)
const bare = await load(CLAIMS, 1, bareClaim)
for (const [what, lanes] of [
  ['no lane', 0],
  ['one lane', 1],
  ['100 lanes', 100],
  ['a lane each', WAITING],
] as const) {
  await fill(WAITING, lanes)
  let taken = 0
  let finishingMs = 0
  const times = await load(CLAIMS, 1, async () => {
    const jobs = await claimJobs(machine, AT_ONCE)
    taken += jobs.length
    const started = performance.now()
    await finish(jobs)
    finishingMs += performance.now() - started
  })
  const claimMs = (1000 * CLAIMS) / times.perSecond - finishingMs
  const bareMs = (1000 * CLAIMS) / bare.perSecond
  say(
    `claim of ${WAITING} waiting, ${what}`,
    claimMs / bareMs,
    'a claim without lanes',
    `${((1000 * CLAIMS) / claimMs).toFixed(0)} claims/s of ${(taken / CLAIMS).toFixed(0)} jobs, ${(claimMs / CLAIMS).toFixed(2)} ms each; bare ${(bareMs / CLAIMS).toFixed(2)} ms`,
  )
}
/** Peers that are down: the first job of each lane waits for its next try, nine more stand behind it. */
await fill(WAITING, WAITING / 10)
let heads: readonly Job[] = []
do {
  heads = (await claimJobs(machine, 500)).filter(({ attempt }) => attempt === 1)
  for (let at = 0; at < heads.length; at += 50) {
    await transact(machine, async (tx) => {
      for (const head of heads.slice(at, at + 50))
        await settleJob(tx, head, { status: 'waiting', error: 'down', runAt: new Date(Date.now() + 3_600_000) })
    })
  }
} while (heads.length > 0)
const downTimes = await load(CLAIMS, 1, () => claimJobs(machine, AT_ONCE))
say(
  `claim, ${WAITING} behind failing heads`,
  bare.perSecond / downTimes.perSecond,
  'a claim without lanes',
  `${perSecond(downTimes)} claims that find nothing due, ${latency(downTimes)}`,
)
await connection.close()
await database.close()
await stopServer()
