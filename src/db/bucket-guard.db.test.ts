import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { MissingBucket, requireBuckets } from './bucket-guard.ts'

describe('the bucket guard', () => {
  const tables = new Set(['consent', 'care_context'])
  const named = [
    'select * from "consent" where "bucket" = $1 and "id" = $2',
    'select * from consent c where c.bucket=$1',
    'select * from consent where $1 = bucket',
    'select * from consent where bucket in ($1, $2)',
    'select * from consent where bucket between 0 and 15',
    'select * from consent where (bucket, id) > ($1, $2) order by bucket, id',
    'insert into "consent" ("bucket", "id") values ($1, $2)',
    'update "consent" set "status" = $1 where "bucket" = $2',
    'delete from public.consent where bucket = $1',
    'select * from consent join care_context on care_context.bucket = consent.bucket where consent.bucket = $1',
    'select * from consent join care_context using (bucket, id) where bucket = $1',
    'select bucket, count(*) from consent group by bucket',
    'select count(*) from consent /* all buckets: the nightly count */',
    'select * from facility',
    'select * from consents_of_others',
    `select 'from consent' as text`,
    'select "id", "consent" from "facility"',
    'update facility set id = $1, consent = $2',
    'insert into consent (bucket, id) values ($1, $2) on conflict (bucket, id) do update set name = $3',
    'select * from consent as a, care_context b where a.bucket = $1 and b.bucket = a.bucket',
  ]
  const unnamed = [
    'select * from "consent" where "id" = $1',
    'select bucket from consent where id = $1',
    'update consent set status = $1 where id = $2',
    'delete from consent where id = $1',
    'insert into consent (id) values ($1)',
    'select * from consent join care_context on care_context.id = consent.id where consent.bucket = $1',
    'select * from facility, consent where id = $1',
    'select * from consent as a, care_context b where a.bucket = $1',
    'select * from facility as f, "public"."consent" as c where c.id = $1',
    'select * from facility where exists (select 1 from public."consent" c where c.id = facility.id)',
    `select * from consent where name = 'bucket = 1'`,
    'select * from consent where id = $1 -- bucket = 1',
    'select * from consent where kind_of_bucket = $1',
    'select count(*) from consent /* all buckets:*/',
  ]

  for (const text of named) it(`lets pass: ${text}`, () => requireBuckets(text, tables))
  for (const text of unnamed)
    it(`stops: ${text}`, () => assert.throws(() => requireBuckets(text, tables), MissingBucket))

  describe('on a database', () => {
    let database: TestDatabase
    before(async () => {
      database = await openTestDatabase()
    })
    after(() => database.close())

    it('stops queries of the builder and raw ones before they run, on the pool and in a transaction', async () => {
      const { db } = database
      await assert.rejects(
        async () => db.selectFrom('data_key').selectAll().where('patient', '=', 'p').execute(),
        MissingBucket,
      )
      await assert.rejects(async () => sql`delete from data_key where patient = ${'p'}`.execute(db), MissingBucket)
      await assert.rejects(
        db.transaction().execute((tx) => tx.deleteFrom('data_key').where('patient', '=', 'p').execute()),
        MissingBucket,
      )
      assert.deepEqual(
        await db.selectFrom('data_key').selectAll().where('bucket', '=', 1).where('patient', '=', 'p').execute(),
        [],
      )
    })
  })
})
