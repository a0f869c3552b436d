import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { dumpSchema } from './dump-schema.ts'
import { breachesOfBuckets } from './schema-rules.ts'

describe('the schema', () => {
  let database: TestDatabase
  before(async () => {
    database = await openTestDatabase()
  })
  after(() => database.close())

  it('says of every table which kind it is, and has the bucket first in every key of a by-patient table', async () => {
    assert.deepEqual(breachesOfBuckets(await dumpSchema(database.pool)), [])
  })

  it('is found at fault in each way in which a table can break the rule', async () => {
    await database.pool.query(`
      create table a_reference (id text primary key);
      comment on table a_reference is 'reference: of the test';
      create table b_silent (id text primary key);
      create table c_no_key (bucket smallint not null, id text);
      comment on table c_no_key is 'by patient: of the test';
      create table d_wrong_key (id text, bucket smallint, primary key (id, bucket));
      comment on table d_wrong_key is 'by patient: of the test';
      create table e_unique (bucket smallint, id text, name text unique, primary key (bucket, id));
      comment on table e_unique is 'by patient: of the test';
      create table f_index (bucket smallint, id text, name text, primary key (bucket, id));
      create unique index f_index_name on f_index (name) where name <> '';
      comment on table f_index is 'by patient: of the test';
      create table g_foreign (bucket smallint, id text, parent text references a_reference, primary key (bucket, id),
        name text, foreign key (bucket, name) references e_unique);
      comment on table g_foreign is 'by patient: of the test';
      create table h_nullable (bucket integer, id text, unique (bucket, id));
      comment on table h_nullable is 'by patient: of the test'`)
    const tables = ['b_silent', 'c_no_key', 'd_wrong_key', 'e_unique', 'f_index', 'h_nullable', 'h_nullable']
    const breaches = breachesOfBuckets(await dumpSchema(database.pool))
    assert.deepEqual(
      breaches.map((breach) => breach.split(':')[0]),
      tables,
    )
    assert.match(breaches.join('\n'), /e_unique: .*e_unique_name_key/)
    assert.match(breaches.join('\n'), /f_index: .*f_index_name/)
  })
})
