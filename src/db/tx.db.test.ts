import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { transact } from './tx.ts'

let database: TestDatabase
describe('db/tx', () => {
  before(async () => {
    database = await openTestDatabase()
  })
  after(() => database.close())

  test('an error of the database does not carry the values of the row that it was about', async () => {
    const machine = makeTestMachine(database)
    const failing = [
      sql`create temp table t (name text primary key) on commit drop`,
      sql`insert into t values ('Asha Rao'), ('Asha Rao')`,
    ]
    const bad = [sql`select '{"name": "Asha Rao", }'::text::jsonb`]
    for (const queries of [failing, bad])
      await assert.rejects(
        transact(machine, async (tx) => {
          for (const query of queries) await query.execute(tx.db)
        }),
        (error: Error) => {
          assert.doesNotMatch(inspect(error), /Asha/)
          return 'code' in error
        },
      )
  })
})
