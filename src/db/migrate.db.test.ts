import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { migrate, migrateDown } from './migrate.ts'
import { MIGRATIONS_FOLDER } from './migration-files.ts'

describe('migrations', () => {
  let database: TestDatabase
  let folder: string
  let next: number
  const write = (number: number, text: string, name = 'test') => {
    fs.writeFileSync(path.join(folder, `${String(number).padStart(4, '0')}_${name}.sql`), text)
  }
  const tables = async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select relname as name from pg_class where relname like 'mig_%' and relkind = 'r' order by 1`,
    )
    return rows.map((row) => row.name)
  }

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-migrations-'))
  })
  beforeEach(async () => {
    await database?.close()
    database = await openTestDatabase()
    fs.cpSync(MIGRATIONS_FOLDER, folder, { recursive: true })
    const known = Math.max(...fs.readdirSync(MIGRATIONS_FOLDER).map((name) => Number(name.slice(0, 4))))
    for (const name of fs.readdirSync(folder))
      if (Number(name.slice(0, 4)) > known || !/^\d{4}_/.test(name)) fs.rmSync(path.join(folder, name))
    next = known + 1
  })
  after(async () => {
    await database.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('run once each, in order, whoever else migrates at the same time', async () => {
    write(next, 'create table mig_a (id integer primary key); select pg_sleep(0.05)')
    write(next + 1, 'insert into mig_a values (1); create table mig_b (id integer primary key)')
    const ran = await Promise.all([
      migrate(database.pool, folder),
      migrate(database.pool, folder),
      migrate(database.pool, folder),
    ])
    assert.deepEqual(
      ran.map((names) => names.length).toSorted((a, b) => a - b),
      [0, 0, 2],
    )
    assert.deepEqual(await tables(), ['mig_a', 'mig_b'])
    assert.deepEqual(await migrate(database.pool, folder), [])
  })

  it('are undone as a whole when they fail, and tell the line; those before stay', async () => {
    write(next, 'create table mig_a (id integer primary key)')
    write(next + 1, 'create table mig_b (id integer primary key);\n\ncreate table mig_c (id nonsense)')
    await assert.rejects(migrate(database.pool, folder), {
      code: 'migration_failed',
      message: /test failed and was undone: .*nonsense.*\(line 3\)/,
    })
    assert.deepEqual(await tables(), ['mig_a'])
    write(next + 1, 'create table mig_b (id integer primary key)')
    assert.equal((await migrate(database.pool, folder)).length, 1)
  })

  it('may take longer than a statement may usually take', async () => {
    await database.pool.query(
      `alter database ${new URL(database.connectionString).pathname.slice(1)} set statement_timeout = '50ms'`,
    )
    write(next, 'select pg_sleep(0.1)')
    assert.equal((await migrate(database.pool, folder)).length, 1)
  })

  it('must not change after they ran', async () => {
    write(next, 'create table mig_a (id integer primary key)')
    await migrate(database.pool, folder)
    write(next, 'create table mig_a (id bigint primary key)')
    await assert.rejects(migrate(database.pool, folder), { code: 'migration_changed', message: /new migration/ })
  })

  it('must have a number each and be named with four digits', async () => {
    write(next, 'select 1')
    write(next, 'select 1', 'twin')
    await assert.rejects(migrate(database.pool, folder), { code: 'migration_misnamed', message: /number/ })
    fs.renameSync(path.join(folder, `${String(next).padStart(4, '0')}_twin.sql`), path.join(folder, '9.sql'))
    await assert.rejects(migrate(database.pool, folder), { code: 'migration_misnamed', message: /9\.sql/ })
  })

  it('run whatever a database has not seen, also a number below its highest', async () => {
    write(next + 5, 'create table mig_later (id integer primary key)')
    assert.equal((await migrate(database.pool, folder)).length, 1)
    write(next + 2, 'create table mig_between (id integer primary key)')
    assert.deepEqual(await migrate(database.pool, folder), [`${String(next + 2).padStart(4, '0')}_test`])
    assert.deepEqual(await tables(), ['mig_between', 'mig_later'])
  })

  it('refuse a database that a newer program made, wherever its unknown migration stands', async () => {
    for (const number of [next, 9_999]) {
      await database.pool.query('delete from schema_migrations where number >= $1', [next])
      const row = `insert into schema_migrations (number, name, checksum) values ($1, 'from_the_future', '')`
      await database.pool.query(row, [number])
      write(next + 1, 'create table mig_never (id integer primary key)')
      await assert.rejects(migrate(database.pool, folder), { code: 'database_newer', message: /from_the_future/ })
      assert.deepEqual(await tables(), [])
    }
  })

  it('are undone newest first down to a number, all of them or none', async () => {
    write(next, 'create table mig_a (id integer primary key)')
    write(next + 1, 'create table mig_b (id integer primary key)')
    write(next + 2, 'insert into mig_a values (1)')
    const down = (number: number, text: string) =>
      fs.writeFileSync(path.join(folder, `${String(number).padStart(4, '0')}_test.down.sql`), text)
    down(next, 'drop table mig_a')
    down(next + 1, '-- irreversible: its rows are sealed and nobody keeps them plain\n')
    down(next + 2, 'delete from mig_a')
    await migrate(database.pool, folder)
    await assert.rejects(migrateDown(database.pool, next, folder), {
      code: 'migration_irreversible',
      message: /test cannot be undone: its rows are sealed/,
    })
    assert.equal((await database.pool.query('select from mig_a')).rowCount, 1, 'nothing was undone')
    down(next + 1, 'drop table mig_b')
    const name = (number: number) => `${String(number).padStart(4, '0')}_test`
    assert.deepEqual(await migrateDown(database.pool, next, folder), [name(next + 2), name(next + 1)])
    assert.deepEqual(await tables(), ['mig_a'])
    assert.deepEqual(await migrate(database.pool, folder), [name(next + 1), name(next + 2)])
    down(next + 9, 'select 1')
    await assert.rejects(migrate(database.pool, folder), { code: 'migration_misnamed', message: /undoes no migration/ })
  })
})
