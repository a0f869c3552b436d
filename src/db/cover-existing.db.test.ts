import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { openTestDatabase, TEST_VEIL, type TestDatabase } from '../../test/database.ts'
import { coverExisting } from './cover-existing.ts'

let database: TestDatabase
let plain: pg.Client
describe('db/cover-existing', () => {
  before(async () => {
    database = await openTestDatabase()
    // As an earlier release saw the database, and as its administrator sees it.
    plain = new pg.Client({ connectionString: database.connectionString })
    await plain.connect()
  })
  after(async () => {
    await plain.end()
    await database.close()
  })

  const NOW = new Date('2026-11-22T06:30:00.000Z')
  const addresses = async (): Promise<readonly string[]> => {
    const { rows } = await plain.query<{ a: string }>(
      `select abha_address as a from patient union all select patient from data_key union all select person from web_session
     union all select client_id from bridge union all select bridge from facility`,
    )
    return rows.map(({ a }) => a)
  }

  test('addresses that stood in plain are hidden once, in every table; what a killed start had done already stays', async () => {
    await plain.query(`
    alter table data_key drop constraint data_key_covered;
    insert into patient select 1, 'p' || n || '@sbx', '\\x00', 'active', now(), now() from generate_series(10, 1209) n;
    insert into data_key select 1, 'p' || n || '@sbx', 'patient', '\\x00', 'k', now(), null from generate_series(10, 1209) n;
    insert into web_session select sha256(n::text::bytea), gen_random_uuid(), 'patient', 'p' || n || '@sbx', 'otp', 'a phone', now(), now(), now(), null, ''
      from generate_series(10, 1209) n;
    insert into bridge values ('bridge@sbx', 'B', 'http://b', 'x', 'active', now(), now(), now(), '');
    insert into facility values ('F1', 'bridge@sbx', 'F', '{hip}', 'active', false, '{}', now(), now(), '')`)
    const first = TEST_VEIL.cover('p10@sbx')
    await plain.query(`update patient set abha_address = $1 where abha_address = 'p10@sbx'`, [first])

    await coverExisting(database.pool, NOW)
    const { rows: notes } = await plain.query(
      `select value from setting where name like 'veil.%' order by name limit 2`,
    )
    // Two columns of 1200 people, less the one that was done; a client id. A key is a patient's, who may have another name than an address.
    assert.deepEqual(notes, [{ value: { values: 2 * 1200 - 1 + 1 } }, { value: { values: 1200 } }])
    for (const stored of await addresses()) assert.match(stored, /^pt1\./)
    const { rows } = await database.pool.query(
      `select p.abha_address, s.device from patient p join data_key k on k.bucket = p.bucket and k.patient = p.abha_address
     join web_session s on s.person = p.abha_address where p.bucket = 1 and p.abha_address = any($1) order by 1`,
      [['p10@sbx', 'p777@sbx', 'nobody@sbx']],
    )
    assert.deepEqual(
      rows,
      [
        { abha_address: 'p10@sbx', device: 'a phone' },
        { abha_address: 'p777@sbx', device: 'a phone' },
      ].sort((a, b) => (TEST_VEIL.cover(a.abha_address) < TEST_VEIL.cover(b.abha_address) ? -1 : 1)),
    )
    const { rows: bridges } = await database.pool.query(
      'select client_id, id from bridge join facility on bridge = client_id',
    )
    assert.deepEqual(bridges, [{ client_id: 'bridge@sbx', id: 'F1' }])
  })

  test('messages that stood in plain are sealed and read as before, whichever type their column has', async () => {
    const own = await openTestDatabase()
    const admin = new pg.Client({ connectionString: own.connectionString })
    await admin.connect()
    try {
      await admin.query(`
      insert into job (id, kind, payload, status, run_at, created_at, last_error)
        select gen_random_uuid(), 'send', jsonb_build_object('n', n, 'name', 'Asha Rao'), 'waiting', now(), now(), 'answered Asha Rao'
        from generate_series(1, 1201) n;
      insert into seen_request values ('bridge:b', 'r1', '\\x00', 202, '{"name":"Asha Rao"}', now());
      insert into text_message values (gen_random_uuid(), '9876543210', 'Asha Rao, your code', now())`)
      await coverExisting(own.pool, NOW)
      const stored = await admin.query<{ text: string }>(`
      select j::text as text from job j union all select s::text from seen_request s union all select t::text from text_message t`)
      assert.equal(stored.rows.length, 1203)
      for (const { text } of stored.rows) assert.doesNotMatch(text, /Asha|9876543210/)
      const { rows: jobs } = await own.pool.query(
        `select payload, last_error from job where seq = (select max(seq) from job)`,
      )
      assert.deepEqual(jobs, [{ payload: { n: 1201, name: 'Asha Rao' }, last_error: 'answered Asha Rao' }])
      const { rows: answers } = await own.pool.query('select answer from seen_request')
      assert.deepEqual(answers, [{ answer: { name: 'Asha Rao' } }])
      const { rows: texts } = await own.pool.query('select mobile, words from text_message')
      assert.deepEqual(texts, [{ mobile: '9876543210', words: 'Asha Rao, your code' }])
    } finally {
      await admin.end()
      await own.close()
    }
  })
})
