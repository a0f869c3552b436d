import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { openTestDatabase, TEST_VEIL, type TestDatabase } from '../../test/database.ts'
import { hideExisting } from './hide-existing.ts'

let database: TestDatabase
let plain: pg.Client
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
    insert into patient select 1, 'p' || n || '@sbx', '\\x00', 'active', now(), now() from generate_series(10, 1209) n;
    insert into data_key select 1, 'p' || n || '@sbx', 'patient', '\\x00', 'k', now(), null from generate_series(10, 1209) n;
    insert into web_session select sha256(n::text::bytea), gen_random_uuid(), 'patient', 'p' || n || '@sbx', 'otp', 'a phone', now(), now(), now()
      from generate_series(10, 1209) n;
    insert into bridge values ('bridge@sbx', 'B', 'http://b', 'x', 'active', now(), now(), now());
    insert into facility values ('F1', 'bridge@sbx', 'F', '{hip}', 'active', false, '{}', now(), now())`)
  const first = TEST_VEIL.cover('p10@sbx')
  await plain.query(`update patient set abha_address = $1 where abha_address = 'p10@sbx'`, [first])

  assert.equal(await hideExisting(database.pool, NOW), 3 * 1200 - 1 + 1)
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
  assert.equal(await hideExisting(database.pool, NOW), 0)
})
