import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg, { type Pool } from 'pg'
import { openTestDatabase, TEST_VEIL, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { record } from '../audit/record.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { makeSigner } from '../crypto/signed-note.ts'
import { type Connection, connect } from './connect.ts'
import { coverExisting } from './cover-existing.ts'
import { grantLeastRights } from './least-rights.ts'
import { migrate, migrationStatus } from './migrate.ts'
import { transact } from './tx.ts'

const ROLE = `app_${randomBytes(4).toString('hex')}`
let database: TestDatabase
let app: Connection
let appendOnly: readonly string[]

/** The same database, as a role that owns nothing. */
const asRole = (role: string): Promise<Connection> => {
  const url = new URL(database.connectionString)
  url.searchParams.set('options', `-c role=${role}`)
  return connect({ connectionString: url.href, veil: TEST_VEIL, onError: (error) => assert.fail(error) })
}
const refused = (pool: Pool, query: string) =>
  assert.rejects(pool.query(query), (error: Error) => 'code' in error && error.code === '42501', query)

describe('a role that owns nothing', () => {
  before(async () => {
    database = await openTestDatabase()
    await coverExisting(database.pool, new Date())
    await database.pool.query(`create role ${ROLE}`)
    appendOnly = await grantLeastRights(database.pool, ROLE)
    app = await asRole(ROLE)
  })
  after(async () => {
    await app.close()
    await database.pool.query(`drop owned by ${ROLE}; drop role ${ROLE}`)
    await database.close()
  })

  test('a party starts, records and sequences as a role that owns nothing', async () => {
    assert.deepEqual(await migrate(app.pool), [])
    await coverExisting(app.pool, new Date())
    const machine = makeTestMachine({ ...app, connectionString: '' })
    await transact(
      machine,
      async (tx) => void (await record(tx, { type: 'test.event', actor: { kind: 'system', id: 'test' } })),
    )
    await sequenceNow(machine, makeSigner('rights.test/log', new Uint8Array(32).fill(1)))
    const { rows } = await app.pool.query('select count(*) as leaves from log_leaf')
    assert.equal(rows[0].leaves, 1)
  })

  test('it cannot change or delete what happened, nor the schema, nor what the database has seen', async () => {
    assert.deepEqual(appendOnly, ['audit_event', 'log_checkpoint', 'log_leaf', 'log_timestamp'])
    for (const table of appendOnly) {
      await refused(app.pool, `delete from ${table}`)
      await refused(app.pool, `truncate ${table}`)
    }
    await refused(app.pool, `update audit_event set type = 'nothing'`)
    await refused(app.pool, `update log_checkpoint set signed_at = now()`)
    for (const query of [
      'create table mine (id int)',
      'drop table audit_event',
      'alter table audit_event disable trigger all',
      'create trigger t before insert on audit_event for each row execute function suppress_redundant_updates_trigger()',
      'delete from schema_migrations',
    ])
      await assert.rejects(app.pool.query(query), /permission denied|must be owner/, query)
    await app.pool.query(`grant delete on audit_event to ${ROLE}`)
    const { rows } = await app.pool.query(`select has_table_privilege('audit_event', 'delete') as may`)
    assert.equal(rows[0].may, false)
  })

  test('it reads and writes every other table, and a right that was given before is taken back', async () => {
    await database.pool.query(`grant delete on audit_event to ${ROLE}; grant create on schema public to ${ROLE}`)
    await grantLeastRights(database.pool, ROLE)
    await refused(app.pool, 'delete from audit_event')
    await refused(app.pool, 'create table mine (id int)')
    const { rows } = await database.pool.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public'`,
    )
    for (const { name } of rows) {
      await app.pool.query(`select from ${name} limit 0`)
      if (!appendOnly.includes(name) && name !== 'schema_migrations')
        await app.pool.query(`delete from ${name} where false`)
    }
  })

  test('a role that cannot migrate is told who can; so is whoever names a server or database that is not there', async () => {
    const other = `${ROLE}_none`
    await database.pool.query(`create role ${other}`)
    const none = await asRole(other)
    try {
      for (const work of [() => migrate(none.pool), () => migrationStatus(none.pool)])
        await assert.rejects(work, /permission denied for table schema_migrations\. This role does not own the tables/)
    } finally {
      await none.close()
      await database.pool.query(`drop role ${other}`)
    }
    const url = new URL(database.connectionString)
    url.pathname = '/nowhere_at_all'
    const nowhere = new pg.Pool({ connectionString: url.href, max: 1 })
    await assert.rejects(
      migrationStatus(nowhere),
      /The database cannot be used: database "nowhere_at_all" does not exist/,
    )
    await nowhere.end()
  })

  test('only the owner can grant: PostgreSQL itself would only warn', async () => {
    const other = `${ROLE}_next`
    await database.pool.query(`create role ${other}`)
    try {
      await assert.rejects(
        grantLeastRights(app.pool, other),
        /does not own the tables .* name the owner in DATABASE_URL/,
      )
    } finally {
      await database.pool.query(`drop role ${other}`)
    }
  })

  test('a role that is not there, or owns the tables, is refused', async () => {
    await assert.rejects(grantLeastRights(database.pool, 'nobody_at_all'), /no role nobody_at_all/)
    const { rows } = await database.pool.query('select current_user as owner')
    await assert.rejects(grantLeastRights(database.pool, rows[0].owner), /owns these tables, or may do everything/)
  })

  test('a role that may do more by another way is refused, and nothing is granted to it', async () => {
    const other = `${ROLE}_other`
    await database.pool.query(`create role ${other}`)
    try {
      for (const [give, takeBack] of [
        [`grant pg_write_all_data to ${other}`, `revoke pg_write_all_data from ${other}`],
        ['grant delete on log_leaf to public', 'revoke delete on log_leaf from public'],
        ['grant update (type) on audit_event to public', 'revoke update (type) on audit_event from public'],
        ['grant create on schema public to public', 'revoke create on schema public from public'],
      ] as const) {
        await database.pool.query(give)
        await assert.rejects(grantLeastRights(database.pool, other), /could still change/, give)
        await database.pool.query(takeBack)
        const { rows } = await database.pool.query(`select has_table_privilege('${other}', 'staff', 'select') as may`)
        assert.equal(rows[0].may, false, give)
      }
      assert.deepEqual(await grantLeastRights(database.pool, other), appendOnly)
    } finally {
      await database.pool.query(`drop owned by ${other}; drop role ${other}`)
    }
  })

  test('no statement of the program changes these tables, but for the one after a restore', () => {
    const changing = new RegExp(
      `(updateTable|deleteFrom|update|delete from|truncate)[\\s('"\`]+(${appendOnly.join('|')})\\b`,
    )
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .filter((file) => changing.test(readFileSync(join('src', file), 'utf8')))
    assert.deepEqual(files, ['audit/successor.ts'])
  })
})
