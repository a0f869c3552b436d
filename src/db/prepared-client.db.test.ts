import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'

let database: TestDatabase
describe('db/prepared-client', () => {
  before(async () => void (database = await openTestDatabase()))
  after(() => database.close())

  test('what comes again is prepared, and answers the same; what names no columns is not', async () => {
    await database.db.connection().execute(async (db) => {
      const ask = async (n: number): Promise<unknown> =>
        (await sql<{ n: number }>`select ${n}::int + 1 as n`.execute(db)).rows[0]?.n
      for (let n = 0; n < 8; n++) assert.equal(await ask(n), n + 1)
      for (let n = 0; n < 8; n++) await sql`select * from (select ${n}::int as n) as one`.execute(db)
      const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db)
      const texts = rows.map(({ statement }) => statement)
      assert.ok(texts.includes('select $1::int + 1 as n'), texts.join('\n'))
      assert.ok(!texts.some((text) => text.includes('*')))
    })
  })

  test('a statement that fails is sent again as well as before', async () => {
    for (let n = 0; n < 6; n++) {
      await assert.rejects(sql`select 1 / ${0}::int as n`.execute(database.db), /division by zero/)
      assert.equal((await sql<{ n: number }>`select 6 / ${n + 1}::int as n`.execute(database.db)).rows.length, 1)
    }
  })
})
