import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import pino from 'pino'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { type Machine, transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { claimJobs, enqueue, listOpenJobs, redeliverJob, retryDelayMs } from './queue.ts'
import { type JobHandler, runJob, settle, startWorker } from './worker.ts'

let database: TestDatabase
const clock = makeTestClock()
let machine: Machine
describe('jobs/queue', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
  })
  after(() => database.close())
  beforeEach(() => database.db.deleteFrom('job').execute())

  const put = (kind: string, more: { lane?: string; runAt?: Date } = {}) =>
    transact(machine, (tx) => enqueue(tx, { kind, payload: { kind }, ...more }))
  const claim = (limit = 10) => claimJobs(machine, limit)

  test('a job exists if and only if its cause was committed', async () => {
    await assert.rejects(
      transact(machine, async (tx) => {
        await enqueue(tx, { kind: 'a', payload: {} })
        throw new Error('the cause failed')
      }),
      /the cause failed/,
    )
    assert.deepEqual(await claim(), [])
    await put('a')
    assert.equal((await claim()).length, 1)
  })

  test('what waits is listed oldest first, and further behind the last one seen', async () => {
    for (const kind of ['a', 'b', 'c']) await put(kind)
    const listed = (after?: number) => transact(machine, (tx) => listOpenJobs(tx, { after, limit: 2 }))
    const first = await listed()
    assert.deepEqual(
      first.map(({ kind }) => kind),
      ['a', 'b'],
    )
    const second = await listed(first.at(-1)?.seq)
    assert.deepEqual(
      second.map(({ kind }) => kind),
      ['c'],
    )
    assert.deepEqual(await listed(second.at(-1)?.seq), [])
  })

  test('a claimed job is not claimed twice until its lease is over (its worker died)', async () => {
    await put('a')
    const [first] = await claim()
    assert.equal(first?.attempt, 1)
    assert.deepEqual(await claim(), [])
    clock.advance(LIMITS.jobLeaseMs + 1)
    const [second] = await claim()
    assert.equal(second?.id, first?.id)
    assert.equal(second?.attempt, 2)
  })

  test('a lane keeps its order: the later job waits for the earlier one, other lanes do not', async () => {
    await put('first', { lane: 'consent-1' })
    await put('second', { lane: 'consent-1' })
    await put('other', { lane: 'consent-2' })
    const now = await claim()
    assert.deepEqual(now.map((job) => job.kind).sort(), ['first', 'other'])
    const [first] = now.filter((job) => job.kind === 'first')
    assert.ok(first)
    await transact(machine, (tx) => settle(tx, first, { outcome: 'retry', error: 'down' }))
    assert.deepEqual(await claim(), [], 'a failing head holds its lane back')
    clock.advance(LIMITS.jobRetryDelayMsMax)
    const again = (await claim()).find((job) => job.kind === 'first')
    assert.ok(again)
    await transact(machine, (tx) => settle(tx, again, { outcome: 'done' }))
    assert.ok((await claim()).some((job) => job.kind === 'second'))
  })

  test('what stands behind a failing head is due no earlier than the head, and leaves right after it', async () => {
    await put('first', { lane: 'consent-1' })
    await put('second', { lane: 'consent-1' })
    await put('elsewhere', { lane: 'consent-2' })
    const [first] = (await claim()).filter((job) => job.kind === 'first')
    assert.ok(first)
    await transact(machine, (tx) => settle(tx, first, { outcome: 'retry', error: 'down' }))
    await put('third', { lane: 'consent-1' })
    const rows = await database.db.selectFrom('job').select(['kind', 'run_at']).orderBy('seq').execute()
    const dueAt = (kind: string) => rows.find((row) => row.kind === kind)?.run_at
    assert.ok((dueAt('first')?.getTime() ?? 0) > clock.now().getTime())
    assert.deepEqual([dueAt('second'), dueAt('third')], [dueAt('first'), dueAt('first')])
    assert.deepEqual(dueAt('elsewhere'), clock.now(), 'other lanes wait for nothing')
    clock.set(dueAt('first') ?? clock.now())
    for (const kind of ['first', 'second', 'third']) {
      const job = (await claim()).find((one) => one.kind === kind)
      assert.ok(job, `${kind} leaves in its turn, at once`)
      await transact(machine, (tx) => settle(tx, job, { outcome: 'done' }))
    }
  })

  test('a job for later is not taken early', async () => {
    await put('later', { runAt: new Date(clock.now().getTime() + 5_000) })
    assert.deepEqual(await claim(), [])
    clock.advance(5_000)
    assert.equal((await claim()).length, 1)
  })

  test('tries run out into the dead letters, with their last error, and an operator can put the job back', async () => {
    const id = await put('a')
    let deaths = 0
    for (let attempt = 1; attempt <= LIMITS.jobAttemptsMax; attempt++) {
      clock.advance(LIMITS.jobRetryDelayMsMax)
      const [job] = await claim()
      assert.equal(job?.attempt, attempt)
      if (job)
        await transact(machine, (tx) =>
          settle(tx, job, { outcome: 'retry', error: 'host is down', whenDead: async () => void deaths++ }),
        )
    }
    assert.equal(deaths, 1)
    const row = await database.db.selectFrom('job').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    assert.equal(row.status, 'dead')
    assert.equal(row.last_error, 'host is down')
    assert.equal(await transact(machine, (tx) => redeliverJob(tx, id)), true)
    assert.equal(await transact(machine, (tx) => redeliverJob(tx, id)), false, 'only a dead job is put back')
    assert.equal((await claim())[0]?.attempt, 1)
  })

  test('at its last try a job whose end cannot be written has not ended: what is to be done then is done later', async () => {
    const id = await put('a')
    await database.db
      .updateTable('job')
      .set({ attempts: LIMITS.jobAttemptsMax - 1 })
      .where('id', '=', id)
      .execute()
    const deaths: string[] = []
    const whenDead = async (): Promise<void> => {
      deaths.push('tried')
      if (deaths.length === 1) throw new Error('the database is away')
    }
    const handlers = new Map([['a', async () => ({ outcome: 'retry', error: 'host is down', whenDead }) as const]])
    const status = async () =>
      (await database.db.selectFrom('job').select('status').where('id', '=', id).executeTakeFirstOrThrow()).status
    for (const wanted of ['waiting', 'dead']) {
      const [job] = await claim()
      assert.ok(job)
      await runJob({ machine, handlers, log: pino({ level: 'silent' }) }, job)
      assert.equal(await status(), wanted)
      clock.advance(LIMITS.jobRetryDelayMsMax)
    }
    assert.equal(deaths.length, 2)
  })

  test('what a job changes and its end are one transaction', async () => {
    await put('a')
    const [job] = await claim()
    assert.ok(job)
    await assert.rejects(
      transact(machine, (tx) =>
        settle(tx, job, { outcome: 'done', commit: async () => Promise.reject(new Error('broke')) }),
      ),
    )
    const row = await database.db.selectFrom('job').select('status').where('id', '=', job.id).executeTakeFirstOrThrow()
    assert.equal(row.status, 'waiting')
  })

  test('back-off grows, has jitter, and is bounded', () => {
    const low = (n: number): Uint8Array => new Uint8Array(n)
    const high = (n: number): Uint8Array => new Uint8Array(n).fill(255)
    for (let attempt = 1; attempt < 40; attempt++) {
      const least = retryDelayMs(attempt, low)
      const most = retryDelayMs(attempt, high)
      assert.ok(least >= LIMITS.jobRetryDelayMsMin / 2 && most <= LIMITS.jobRetryDelayMsMax && least < most)
      assert.ok(least >= retryDelayMs(Math.max(1, attempt - 1), low))
    }
  })

  test('the worker runs jobs as they come, survives a handler that throws, and stops cleanly', async () => {
    const seen: string[] = []
    let enough = (): void => undefined
    const done = new Promise<void>((resolve) => (enough = resolve))
    const note: JobHandler = async (_machine, job) => {
      seen.push(job.kind)
      if (seen.length === 3) enough()
      if (job.kind === 'throws') throw new Error('a bug')
      return { outcome: 'done' }
    }
    let wake = (): void => undefined
    const live = makeTestMachine(database, { clock, wake: () => wake() })
    const handlers = new Map(['a', 'throws', 'b'].map((kind) => [kind, note]))
    const worker = startWorker({ machine: live, handlers, log: pino({ level: 'silent' }), pollMs: 60_000 })
    wake = worker.wake
    for (const kind of ['a', 'throws', 'b']) await transact(live, (tx) => enqueue(tx, { kind, payload: {} }))
    await done
    await worker.stop()
    const rows = await database.db.selectFrom('job').select(['kind', 'status', 'last_error']).orderBy('kind').execute()
    assert.deepEqual(
      rows.map((row) => [row.kind, row.status]),
      [
        ['a', 'done'],
        ['b', 'done'],
        ['throws', 'waiting'],
      ],
    )
    assert.match(rows[2]?.last_error ?? '', /a bug/)
  })
})
