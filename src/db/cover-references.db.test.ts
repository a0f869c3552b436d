import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { openTestDatabase, TEST_VEIL, type TestDatabase, temporaryRoot } from '../../test/database.ts'
import { dumpTables, tablesWith } from '../../test/database-dump.ts'
import { type Connection, connect } from './connect.ts'
import { coverExisting } from './cover-existing.ts'
import { coverReferences } from './cover-references.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS_FOLDER } from './migration-files.ts'
import { pseudonym, pseudonymOf } from './veil.ts'

const BEFORE_COVERING = 99
const PATIENTS = 1_150
const NOW = new Date('2026-11-22T06:30:00.000Z')
const ID = '00000000-0000-7000-8000-000000000001'

let database: TestDatabase
let old: Connection
let plain: pg.Client
const name = `references_${process.pid}`

describe('db/cover-references', () => {
  before(async () => {
    database = await openTestDatabase()
    await database.pool.query(`create database ${name}`)
    const url = new URL(database.connectionString)
    url.pathname = `/${name}`
    old = await connect({ connectionString: url.href, veil: TEST_VEIL, onError: (error) => assert.fail(error) })
    plain = new pg.Client({ connectionString: url.href })
    await plain.connect()
    const folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-migrations-'))
    const files = fs.readdirSync(MIGRATIONS_FOLDER).filter((file) => Number(file.slice(0, 4)) < BEFORE_COVERING)
    for (const file of files) fs.copyFileSync(path.join(MIGRATIONS_FOLDER, file), path.join(folder, file))
    await migrate(old.pool, folder)
    fs.rmSync(folder, { recursive: true })
  })
  after(async () => {
    await plain.end()
    await old.close()
    await database.pool.query(`drop database ${name}`)
    await database.close()
  })

  /** What the release before wrote: numbers as hospitals give them, one that looks like an address, and one that begins like a token. */
  async function fillAsBefore(): Promise<void> {
    await plain.query(`
    insert into facility_patient (bucket, reference, demographics, created_at, changed_at)
      select n % 7, 'UHID-26-0077' || n, '\\x00'::bytea, now(), now() from generate_series(1, ${PATIENTS}) n
      union all select 1, 'pt1.uhid', '\\x00'::bytea, now(), now() union all select 1, 'uhid26@old', '\\x00'::bytea, now(), now();
    insert into clinical_record (bucket, id, patient_reference, care_context_reference, hi_type, date, form, sealed, created_at, event)
      select bucket, gen_random_uuid(), reference, 'OPD-77-' || reference, 'Prescription', now(), 'input', '\\x00', now(), gen_random_uuid()
      from facility_patient;
    insert into visit (bucket, id, patient_reference, kind, status, started_at)
      select bucket, gen_random_uuid(), reference, 'outpatient', 'open', now() from facility_patient;
    insert into data_key (bucket, patient, scope, wrapped, key_wrap_id, created_at)
      select bucket, reference, 'patient', '\\x00', 'k', now() from facility_patient;
    insert into patient_identifier select bucket, 'name', '\\x0102', reference from facility_patient;
    insert into desk_look values (1, '${ID}', 'patient:UHID-26-00771', now());
    insert into care_context select 1, 'asha.rao@sbx', hip, 'UHID-26-00771', reference, 'Prescription', '\\x00', now(), now()
      from unnest('{IN2710000011,IN2710000022}'::text[]) hip, unnest('{OPD-77-1,opd77@old}'::text[]) reference`)
  }

  /** A pool whose connection breaks after some statements. */
  function dying(after: number): pg.Pool {
    const connectOnce = async (): Promise<pg.PoolClient> => {
      const client = await old.pool.connect()
      const query = client.query.bind(client) as (...parts: unknown[]) => unknown
      let left = after
      client.query = ((...parts: unknown[]) =>
        left-- > 0 ? query(...parts) : Promise.reject(new Error('killed'))) as never
      return client
    }
    return { connect: connectOnce } as never
  }

  const dump = () => dumpTables((text) => plain.query<Record<string, unknown>>(text))
  const count = async (query: string, values: unknown[] = []): Promise<unknown> =>
    (await old.pool.query<{ n: number }>(`select count(*)::int as n from ${query}`, values)).rows[0]?.n

  test('numbers that stood in plain are hidden once, in every table; a start that was killed goes on', async () => {
    await fillAsBefore()
    await migrate(old.pool)
    // Before the second batch of patients is committed: settings, three batches of records of which one is empty, one batch, three statements.
    await assert.rejects(coverReferences(dying(2 + 11 + 4 + 3)), /killed/)
    assert.equal(await count(`facility_patient where reference !~ '^pt1[.][A-Za-z0-9_-]{64}$'`), PATIENTS + 2 - 1_000)
    await coverExisting(old.pool, NOW)
    const after = await dump()
    for (const marker of ['UHID-26-0077', 'OPD-77-UHID', 'uhid26@old', 'opd77@old'])
      assert.deepEqual(tablesWith(after, marker), [], marker)
    const { rows } = await plain.query(`select value from setting where name = 'veil.references'`)
    // Of five rows of each patient two followed by themselves, as did a number of each record; a look; four links. What was done is done.
    assert.deepEqual(rows, [{ value: { values: 2 * (PATIENTS + 2) + (PATIENTS + 2 - 1_000) + 1 + 4 } }])
  })

  test('each is found by its number, and what belongs to it is still joined', async () => {
    for (const number of ['UHID-26-00771', 'UHID-26-00771149', 'pt1.uhid', 'uhid26@old']) {
      const { rows } = await old.pool.query(
        `select p.reference, r.care_context_reference as context, k.patient as key, i.reference as named from facility_patient p
       join clinical_record r on r.bucket = p.bucket and r.patient_reference = p.reference
       join visit v on v.bucket = p.bucket and v.patient_reference = p.reference
       join data_key k on k.bucket = p.bucket and k.patient = p.reference
       join patient_identifier i on i.bucket = p.bucket and i.reference = p.reference where p.reference = $1`,
        [pseudonym(number)],
      )
      assert.deepEqual(rows, [{ reference: number, context: `OPD-77-${number}`, key: number, named: number }])
    }
    assert.equal(await count('desk_look where what = $1', [pseudonym('patient:UHID-26-00771')]), 1)
  })

  test('the exchange finds a number under the facility that gave it; at another it has another pseudonym', async () => {
    for (const context of ['OPD-77-1', 'opd77@old']) {
      const values = [pseudonymOf('IN2710000011', 'UHID-26-00771'), pseudonymOf('IN2710000011', context)]
      const found = await old.pool.query(
        'select hip, patient from care_context where patient_reference = $1 and care_context_reference = $2',
        values,
      )
      assert.deepEqual(found.rows, [{ hip: 'IN2710000011', patient: 'asha.rao@sbx' }])
    }
    assert.equal(await count('(select distinct patient_reference from care_context) numbers'), 2)
  })
})
