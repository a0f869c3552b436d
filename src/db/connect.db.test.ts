import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { openTestDatabase, TEST_VEIL, type TestDatabase } from '../../test/database.ts'
import { connect, requireVersion } from './connect.ts'
import { isTooBusy } from './tx.ts'

describe('a connection', () => {
  let database: TestDatabase
  before(async () => {
    database = await openTestDatabase()
  })
  after(() => database.close())

  it('reads counts as numbers, days as text, moments as dates, and never loses digits', async () => {
    const { rows } = await sql`select count(*) as count, 9007199254740991 as large, date '2026-11-22' as day,
      timestamptz '2026-11-22T10:00:00+05:30' as moment, '{"a":[1]}'::jsonb as json, '\\x00ff'::bytea as bytes, 1.10 as decimal`.execute(
      database.db,
    )
    assert.deepEqual(rows, [
      {
        count: 1,
        large: 9007199254740991,
        day: '2026-11-22',
        moment: new Date('2026-11-22T04:30:00Z'),
        json: { a: [1] },
        bytes: Buffer.from([0, 255]),
        decimal: '1.10',
      },
    ])
    await assert.rejects(sql`select 9007199254740992::int8`.execute(database.db), /9007199254740992.*too large/)
    assert.equal((await database.pool.query('select 1 as still')).rows.length, 1)
  })

  it('limits the time of a statement and says whose it is', async () => {
    const { rows } = await database.pool.query(
      `select current_setting('statement_timeout') t, current_setting('application_name') n`,
    )
    assert.deepEqual(rows, [{ t: '30s', n: 'amanat' }])
  })

  it('says when too much is asked at once, and takes nothing else for that', async () => {
    const own = new pg.Pool({ connectionString: database.connectionString, max: 1 })
    const only = await own.connect()
    own.options.connectionTimeoutMillis = 200
    try {
      const fault = await own.query('select 1').catch((error: unknown) => error)
      assert.equal(isTooBusy(fault), true, String(fault))
      await only.query("set statement_timeout = '1ms'")
      assert.equal(isTooBusy(await only.query('select pg_sleep(1)').catch((error: unknown) => error)), true)
      await only.query('set statement_timeout = 0')
      assert.equal(isTooBusy(await only.query('select 1/0').catch((error: unknown) => error)), false)
      assert.equal(isTooBusy(undefined), false)
    } finally {
      only.release()
      await own.end()
    }
  })

  it('tells of connections that break while idle, and goes on', async () => {
    const told: Error[] = []
    const own = await connect({
      connectionString: database.connectionString,
      veil: TEST_VEIL,
      onError: (error) => told.push(error),
    })
    try {
      const { rows } = await own.pool.query<{ pid: number }>('select pg_backend_pid() as pid')
      const heard = new Promise((resolve) => own.pool.once('error', resolve))
      await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid])
      await heard
      assert.equal(told.length, 1)
      assert.equal((await own.pool.query('select 1')).rowCount, 1)
    } finally {
      await own.close()
      await own.close()
    }
  })

  it('says what is wrong with a server that is not there, refuses us, or is too old', async () => {
    const onError = () => {}
    const nowhere = connect({
      connectionString: 'postgresql://a:b@127.0.0.1:1/none',
      veil: TEST_VEIL,
      onError,
    })
    await assert.rejects(nowhere, { code: 'unreachable', message: /DATABASE_URL/ })
    const missing = new URL(database.connectionString)
    missing.pathname = '/there_is_no_such_database'
    await assert.rejects(connect({ connectionString: missing.href, veil: TEST_VEIL, onError }), {
      code: 'unreachable',
      message: /there_is_no_such_database/,
    })
    assert.throws(() => requireVersion(140_011), { code: 'server_too_old', message: /PostgreSQL 14;.*15/ })
    requireVersion(150_000)
  })
})
