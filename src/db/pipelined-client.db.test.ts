import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CompiledQuery, sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { posted } from './pipelined-client.ts'
import { type Tx, transact } from './tx.ts'

let database: TestDatabase
describe('db/pipelined-client', () => {
  before(async () => {
    database = await openTestDatabase()
    await sql`create table noted (n integer primary key)`.execute(database.db)
  })
  after(() => database.close())

  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(makeTestMachine(database), work)
  const note = (tx: Tx, n: number): Promise<unknown> =>
    tx.db.executeQuery(CompiledQuery.raw(posted('insert into noted (n) values ($1)'), [n]))
  const noted = async (): Promise<readonly number[]> =>
    (await sql<{ n: number }>`select n from noted order by n`.execute(database.db)).rows.map(({ n }) => n)

  test('what was posted is seen by the next statement, and there after the commit', async () => {
    const seen = await inTx(async (tx) => {
      await note(tx, 1)
      const { rows } = await sql<{ n: number }>`select n from noted`.execute(tx.db)
      await note(tx, 2)
      return rows.map(({ n }) => n)
    })
    assert.deepEqual([seen, await noted()], [[1], [1, 2]])
  })

  test('a posted statement that fails is the reason why the next one fails, or the commit; nothing is stored', async () => {
    await assert.rejects(
      inTx(async (tx) => {
        await note(tx, 3)
        await note(tx, 1)
        await sql`select 1`.execute(tx.db)
      }),
      /duplicate key/,
    )
    await assert.rejects(
      inTx(async (tx) => {
        await note(tx, 3)
        await note(tx, 1)
      }),
      /duplicate key/,
    )
    // Often enough that it is prepared, also while the transaction has failed.
    for (let n = 0; n < 6; n++)
      await assert.rejects(
        inTx((tx) => Promise.all([note(tx, 1), note(tx, 4)])),
        /duplicate key/,
      )
    assert.deepEqual(await noted(), [1, 2])
    await inTx((tx) => note(tx, 3))
    assert.deepEqual(await noted(), [1, 2, 3])
  })

  test('a transaction that throws stores nothing of what was posted; one that does nothing is well', async () => {
    const failed = inTx(async (tx) => {
      await note(tx, 9)
      throw new Error('the cause failed')
    })
    await assert.rejects(failed, /the cause failed/)
    assert.equal(await inTx(async () => 'well'), 'well')
    assert.deepEqual(await noted(), [1, 2, 3])
  })

  test('a connection that breaks fails what waits for it', async () => {
    const broken = inTx(async (tx) => {
      await sql`select 1`.execute(tx.db)
      await note(tx, 10)
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx.db)
    })
    await assert.rejects(broken)
    assert.deepEqual(await noted(), [1, 2, 3])
  })
})
