import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { type Machine, transact } from '../db/tx.ts'
import { sweepMessages } from './message-log.ts'

const DAY_MS = 86_400_000

describe('http/message-log', () => {
  let database: TestDatabase
  let machine: Machine
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
  })
  after(() => database.close())

  test('traffic data are kept for a year (DPDP Rules r.8(3)), what has left the queue for a month', async () => {
    const daysAgo = (days: number): Date => new Date(machine.now().getTime() - days * DAY_MS)
    const message = { direction: 'in', peer: 'care', method: 'POST', path: '/x', took_ms: 1 } as const
    const job = { kind: 'x', payload: '{}', status: 'done', attempts: 1 } as const
    await transact(machine, async (tx) => {
      for (const days of [29, 364, 367])
        await tx.db
          .insertInto('message')
          .values({ ...message, id: randomUUID(), at: daysAgo(days) })
          .execute()
      for (const days of [29, 31])
        await tx.db
          .insertInto('job')
          .values({
            ...job,
            id: randomUUID(),
            run_at: daysAgo(days),
            created_at: daysAgo(days),
            ended_at: daysAgo(days),
          })
          .execute()
    })
    await sweepMessages(machine.db, machine.now())
    const messages = await machine.db.selectFrom('message').select('at').orderBy('at').execute()
    assert.deepEqual(
      messages.map(({ at }) => at),
      [daysAgo(364), daysAgo(29)],
    )
    const jobs = await machine.db.selectFrom('job').select('ended_at').execute()
    assert.deepEqual(
      jobs.map((one) => one.ended_at),
      [daysAgo(29)],
    )
  })
})
