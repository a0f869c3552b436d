import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { openTestDatabase, type TestDatabase, temporaryRoot } from '../../test/database.ts'
import { BRINGS_TIES } from '../keys/tie-existing.ts'
import { dumpSchema } from './dump-schema.ts'
import { migrate, migrateDown, migrationStatus } from './migrate.ts'
import { MIGRATIONS_FOLDER, readMigrations, UNDOABLE_FROM } from './migration-files.ts'

let database: TestDatabase
describe('db/migrate-down', () => {
  before(async () => {
    database = await openTestDatabase()
  })
  after(() => database.close())

  test('every migration since 0080 says how it is undone, or why it cannot be', () => {
    const silent = readMigrations(MIGRATIONS_FOLDER).filter(
      ({ number, down }) =>
        number >= UNDOABLE_FROM && down.kind === 'irreversible' && down.why === 'it has no way back',
    )
    assert.deepEqual(
      silent.map(({ name }) => name),
      [],
      'write NNNN_name.down.sql beside it: SQL, or one line "-- irreversible: why"',
    )
  })

  test('what takes a mark of the ties out of the database is known as such: or those rows would never be tied again', () => {
    const files = readdirSync(MIGRATIONS_FOLDER).filter((name) => name.endsWith('.down.sql'))
    const taking = files.filter((name) => readFileSync(join(MIGRATIONS_FOLDER, name), 'utf8').includes("name = 'ties."))
    assert.ok(taking.length > 3)
    assert.deepEqual(
      files.filter((name) => BRINGS_TIES.test(name)),
      taking,
    )
  })

  test('up, down and up again is the same schema, between what has no way back too', async () => {
    const migrations = readMigrations(MIGRATIONS_FOLDER).filter(({ number }) => number >= UNDOABLE_FROM)
    const walls = migrations.filter(({ down }) => down.kind === 'irreversible').map(({ number }) => number)
    const folder = mkdtempSync(join(temporaryRoot(), 'amanat-migrations-'))
    const empty = new pg.Pool({ connectionString: await emptyDatabase(), max: 1 })
    try {
      let undone = 0
      for (const [index, floor] of [UNDOABLE_FROM - 1, ...walls].entries()) {
        const top = walls[index] ?? Number.POSITIVE_INFINITY
        for (const file of readdirSync(MIGRATIONS_FOLDER))
          if (Number(file.slice(0, 4)) < top) cpSync(join(MIGRATIONS_FOLDER, file), join(folder, file))
        await migrate(empty, folder)
        const before = await dumpSchema(empty)
        const names = await migrateDown(empty, floor, folder)
        assert.deepEqual((await migrationStatus(empty, folder)).pending, names.toReversed())
        await migrate(empty, folder)
        assert.equal(await dumpSchema(empty), before)
        undone += names.length
      }
      assert.equal(undone, migrations.length - walls.length)
    } finally {
      await empty.end()
      await database.pool.query(`drop database ${EMPTY}`)
      rmSync(folder, { recursive: true })
    }
  })

  test('what has no way back is refused before anything is undone', async () => {
    const { applied } = await migrationStatus(database.pool)
    await assert.rejects(migrateDown(database.pool, 1), { code: 'migration_irreversible' })
    assert.deepEqual((await migrationStatus(database.pool)).applied, applied)
  })

  const EMPTY = `empty_${process.pid}`

  async function emptyDatabase(): Promise<string> {
    await database.pool.query(`create database ${EMPTY} template template0`)
    const url = new URL(database.connectionString)
    url.pathname = `/${EMPTY}`
    return url.href
  }
})
