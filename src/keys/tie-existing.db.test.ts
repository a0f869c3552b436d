import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { asWritten } from '../audit/watch/tampered.ts'
import { type Machine, transact } from '../db/tx.ts'
import { tieExisting } from './tie-existing.ts'

let database: TestDatabase
let machine: Machine
/** Who may write everything in the database, and sees it as it stands there. */
let plain: pg.Client
let home: string
describe('keys/tie-existing', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
    plain = new pg.Client({ connectionString: database.connectionString })
    await plain.connect()
    home = mkdtempSync(join(tmpdir(), 'amanat-ties-'))
  })
  after(async () => {
    await plain.end()
    await database.close()
    rmSync(home, { recursive: true, force: true })
  })

  const keysFolder = (): string => mkdtempSync(join(home, 'keys-'))
  const believed = async (table: 'web_session' | 'passkey'): Promise<number> => {
    const rows = await (table === 'passkey'
      ? database.db.selectFrom('passkey').selectAll().where('bucket', '=', 1).execute()
      : database.db.selectFrom('web_session').selectAll().execute())
    const written = await Promise.all(
      rows.map((row) => transact(machine, (tx) => asWritten(tx, table, row as never).catch(() => undefined))),
    )
    return written.filter((row) => row !== undefined).length
  }
  /** Rows as an earlier release left them, in plain SQL: with microseconds, and some sessions over. */
  async function fill(rows: number): Promise<void> {
    await plain.query('delete from setting; delete from web_session; delete from passkey; delete from log_alarm')
    await plain.query(
      `insert into web_session select sha256(n::text::bytea), gen_random_uuid(), 'staff', gen_random_uuid()::text, 'otp', 'a phone', now(),
         now(), now(), case when n % 2 = 0 then now() end, '' from generate_series(1, ${rows}) n;
       insert into passkey select 1, sha256(n::text::bytea), 'patient', 'x' || n, 'a phone', '\\x01', 0, '{internal,hybrid}', 'host', now(),
         null, '' from generate_series(1, ${rows}) n`,
    )
  }

  test('what an earlier release wrote is tied at the first start, in more than one batch, and recorded; what was over is not', async () => {
    await fill(1_200)
    await tieExisting(machine, keysFolder())
    assert.equal(await believed('passkey'), 1_200)
    const { rows } = await plain.query<{ tie: string; n: number }>(
      `select case when tie like 'tie1.%' then 'tied' else tie end as tie, count(*)::int as n from web_session group by 1 order by 1`,
    )
    assert.deepEqual(rows, [
      { tie: 'over', n: 600 },
      { tie: 'tied', n: 600 },
    ])
    const { rows: events } = await plain.query(`select 1 from audit_event where type = 'keys.rows-tied'`)
    assert.equal(events.length, 5)
  })

  test('nobody has a row tied later: not by emptying ties, nor by taking the mark away, nor with a mark of her own', async () => {
    const folder = keysFolder()
    await fill(3)
    await tieExisting(machine, folder)
    const forge = () => plain.query(`update passkey set person = 'boss', tie = ''`)
    await forge()
    await tieExisting(machine, folder)
    assert.equal(await believed('passkey'), 0, 'the mark stands')
    await plain.query('create table kept_mark as select name, value from setting')
    await plain.query('delete from setting')
    assert.deepEqual(await tieExisting(machine, folder), [
      'ties.made',
      'ties.partners',
      'ties.recovery-codes',
      'ties.confirmations',
      'ties.approvals',
    ])
    assert.equal(await believed('passkey'), 0, 'the keys folder remembers')
    await plain.query(`insert into setting select name, value, now() from kept_mark`)
    await tieExisting(machine, keysFolder())
    assert.equal(await believed('passkey'), 0, 'the database remembers, for a second machine with the same keys')
  })

  test('a start that was killed goes on; a mark that she wrote is none', async () => {
    await fill(3)
    await plain.query(`update web_session set ended_at = null`)
    await plain.query(
      `insert into setting (name, value, changed_at) values ('ties.made', '{"mark": "ties.made"}', now())`,
    )
    await tieExisting(machine, keysFolder())
    assert.equal(await believed('web_session'), 3)
    assert.equal(await believed('passkey'), 3)
  })
})
