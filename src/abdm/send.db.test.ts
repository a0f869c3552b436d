import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { pino } from 'pino'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { CallOutcome } from '../http/outbound.ts'
import { claimJobs } from '../jobs/queue.ts'
import { runJob } from '../jobs/worker.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { SEND_JOB, sendHandler, sendToFacility } from './send.ts'

const HOSPITAL = 'IN2710000011' as FacilityId
const clock = makeTestClock()
let database: TestDatabase
let machine: Machine
describe('abdm/send', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
  })
  after(() => database.close())
  beforeEach(() => database.db.deleteFrom('job').execute())

  /** One try of the only message that is due; how its job stands then. */
  async function tryOnce(answer: CallOutcome | Error): Promise<{ readonly status: string; readonly attempts: number }> {
    clock.advance(LIMITS.jobRetryDelayMsMax)
    const address = { url: 'http://hospital.example/x', headers: {}, peer: HOSPITAL }
    const send = sendHandler({
      outbound: {
        call: async () => {
          if (answer instanceof Error) throw answer
          return answer
        },
        close: async () => undefined,
      },
      sender: { address: async () => address, tokenRefused: () => undefined },
      failures: new Map(),
      log: pino({ level: 'silent' }),
    })
    for (const job of await claimJobs(machine, 1))
      await runJob({ machine, handlers: new Map([[SEND_JOB, send]]), log: pino({ level: 'silent' }) }, job)
    return database.db.selectFrom('job').select(['status', 'attempts']).executeTakeFirstOrThrow()
  }

  const put = (lasting?: true) =>
    transact(machine, (tx) =>
      sendToFacility(tx, { facility: HOSPITAL, as: 'hip', path: '/x', body: {}, ...(lasting ? { lasting } : {}) }),
    )
  const refused = (code: string, message: string): CallOutcome => ({
    kind: 'answered',
    status: 400,
    headers: {},
    body: Buffer.from(JSON.stringify({ error: { code, message } })),
    tookMs: 1,
  })

  test('a message that a wrong clock has refused is tried again; one that is itself wrong is given up', async () => {
    await put()
    assert.equal(
      (await tryOnce(refused('ABDM-2402', 'TIMESTAMP is 3600 seconds ahead of our clock'))).status,
      'waiting',
    )
    assert.equal((await tryOnce(refused('400', 'Invalid Timestamp'))).status, 'waiting')
    assert.equal((await tryOnce(refused('ABDM-1006', 'consent.id is missing'))).status, 'dead')
  })

  test('the end of a consent is told to who is away for days; other messages end in the dead letters', async () => {
    const nobody = { kind: 'failed', reason: 'ECONNREFUSED', tookMs: 1 } as const
    const broken = new Error('the database is away for a moment')
    for (const [lasting, answer] of [
      [undefined, nobody],
      [true, nobody],
      [true, broken],
    ] as const) {
      await database.db.deleteFrom('job').execute()
      await put(lasting)
      await database.db
        .updateTable('job')
        .set({ attempts: LIMITS.jobAttemptsMax - 1 })
        .execute()
      const after = await tryOnce(answer)
      assert.deepEqual(after, { status: lasting ? 'waiting' : 'dead', attempts: LIMITS.jobAttemptsMax })
    }
  })
})
