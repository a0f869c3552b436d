import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { dumpSchema } from './dump-schema.ts'
import { migrate, migrateDown, migrationStatus } from './migrate.ts'
import { MIGRATIONS_FOLDER, readMigrations, UNDOABLE_FROM } from './migration-files.ts'

let database: TestDatabase
before(async () => {
  database = await openTestDatabase()
})
after(() => database.close())

test('every migration since 0080 says how it is undone, or why it cannot be', () => {
  const silent = readMigrations(MIGRATIONS_FOLDER).filter(
    ({ number, down }) => number >= UNDOABLE_FROM && down.kind === 'irreversible' && down.why === 'it has no way back',
  )
  assert.deepEqual(
    silent.map(({ name }) => name),
    [],
    'write NNNN_name.down.sql beside it: SQL, or one line "-- irreversible: why"',
  )
})

test('up, down and up again is the same schema, as far down as there is a way', async () => {
  const before = await dumpSchema(database.pool)
  const migrations = readMigrations(MIGRATIONS_FOLDER)
  const floor = Math.max(UNDOABLE_FROM - 1, ...migrations.filter(hasNoWay).map(({ number }) => number))
  const undone = await migrateDown(database.pool, floor)
  assert.equal(undone.length, migrations.filter(({ number }) => number > floor).length)
  assert.deepEqual((await migrationStatus(database.pool)).pending, undone.toReversed())
  await migrate(database.pool)
  assert.equal(await dumpSchema(database.pool), before)
})

test('what has no way back is refused before anything is undone', async () => {
  const { applied } = await migrationStatus(database.pool)
  await assert.rejects(migrateDown(database.pool, 1), { code: 'migration_irreversible' })
  assert.deepEqual((await migrationStatus(database.pool)).applied, applied)
})

function hasNoWay({ down }: { down: { kind: string } }): boolean {
  return down.kind === 'irreversible'
}
