import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { openTestDatabase, TEST_VEIL, type TestDatabase, temporaryRoot } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { ONCE_PLAIN_COLUMNS } from '../db/at-rest.ts'
import { type Connection, connect } from '../db/connect.ts'
import { coverExisting } from '../db/cover-existing.ts'
import { migrate } from '../db/migrate.ts'
import { type Machine, transact } from '../db/tx.ts'
import { sealExisting } from './seal-existing.ts'
import { openJson } from './sealed-json.ts'

const BEFORE_SEALING = 83
const MIGRATIONS_FOLDER = path.join(import.meta.dirname, '../db/migrations')
const ID = '00000000-0000-7000-8000-000000000001'
const DETAIL = `{"consentId":"${ID}","patient":{"id":"asha.rao@sbx"},"purpose":{"text":"MARK in the detail é"}}`

let database: TestDatabase
let old: Connection
let plain: pg.Client
let machine: Machine
const name = `old_${process.pid}`

describe('vault/seal-existing', () => {
  before(async () => {
    database = await openTestDatabase()
    await database.pool.query(`create database ${name}`)
    const url = new URL(database.connectionString)
    url.pathname = `/${name}`
    old = await connect({ connectionString: url.href, veil: TEST_VEIL, onError: (error) => assert.fail(error) })
    machine = makeTestMachine({ ...database, db: old.db })
    plain = new pg.Client({ connectionString: url.href })
    await plain.connect()
  })
  after(async () => {
    await plain.end()
    await old.close()
    await database.pool.query(`drop database ${name}`)
    await database.close()
  })

  /** The migrations of the release before. */
  async function migrateAsBefore(): Promise<void> {
    const folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-migrations-'))
    const files = fs.readdirSync(MIGRATIONS_FOLDER).filter((file) => Number(file.slice(0, 4)) < BEFORE_SEALING)
    for (const file of files) fs.copyFileSync(path.join(MIGRATIONS_FOLDER, file), path.join(folder, file))
    await migrate(old.pool, folder)
    fs.rmSync(folder, { recursive: true })
  }

  async function fillAsBefore(): Promise<void> {
    await plain.query(
      `insert into consent_request select 1, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'asha.rao@sbx', 'H', 'DENIED',
       jsonb_build_object('purpose', jsonb_build_object('code', case n when 7 then 'BTG' else 'CAREMGT' end, 'text', 'MARK ' || n)),
       now(), now(), now(), case n when 8 then '' else 'MARK reason' end, null from generate_series(1, 450) n`,
    )
    await plain.query(
      `insert into consent_artefact values (1, $1, $1, 'asha.rao@sbx', 'P', 'H', 'GRANTED', $2, 'MARK signature', now(), now(), now(), null)`,
      [ID, DETAIL],
    )
    await plain.query(`
    insert into approval_policy values (1, '${ID}', 'asha.rao@sbx', 'H', true, '{"MARK":1}', now(), now());
    insert into subscription values (1, '${ID}', 'asha.rao@sbx', 'H', 'denied', '{"MARK":1}', '{"MARK":2}', 'MARK', now(), now(), now(), now());
    insert into data_request values (1, '${ID}', '${ID}', 'asha.rao@sbx', 'P', 'H', now(), now(), now(), 'r', 'FAILED', now(), null, null,
      '[{"description":"MARK"}]', '[]', 'c', 'MARK');
    insert into hip_link_call values (1, '${ID}', 'contexts', 'UHID-1', 'asha.rao@sbx', 'done',
      '[{"reference":"c1","display":"MARK one"},{"reference":"c2","display":"MARK two"}]', '["Prescription","DiagnosticReport"]', 1, null, now(), now())`)
  }

  async function everything(): Promise<string> {
    const tables = [...new Set(ONCE_PLAIN_COLUMNS.map(({ table }) => table))]
    const texts: string[] = []
    for (const table of tables) {
      const { rows } = await plain.query<Record<string, unknown>>(`select * from ${table}`)
      texts.push(JSON.stringify(rows, (_key, value: unknown) => bytesAsText(value)))
    }
    return texts.join('\n')
  }

  /** A Buffer reaches JSON as `{type: 'Buffer', data}`. */
  function bytesAsText(value: unknown): unknown {
    const isBytes = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
    return isBytes && 'data' in value ? Buffer.from(value.data as number[]).toString('latin1') : value
  }

  test('a database of the release before is sealed at the next start; a start that was killed half way goes on', async () => {
    await migrateAsBefore()
    await fillAsBefore()
    assert.match(await everything(), /MARK 450/)

    await migrate(old.pool)
    await coverExisting(old.pool, machine.now())
    let left = 300
    const dying: Machine = {
      ...machine,
      random: (bytes) => {
        if (left-- === 0) throw new Error('killed')
        return machine.random(bytes)
      },
    }
    await assert.rejects(sealExisting(dying), /killed/)
    assert.match(await everything(), /MARK/)
    await sealExisting(machine)
    assert.doesNotMatch(await everything(), /MARK|asha/)
    await sealExisting(machine)
  })

  test('what was sealed reads as it stood there: the signed text to the byte', async () => {
    await transact(machine, async (tx) => {
      const opened = async (table: string, column: string, row = ID, patient = 'asha.rao@sbx') => {
        const key = table === 'hip_link_call' ? 'request_id' : 'id'
        const { rows } = await old.pool.query<{ blob: Buffer }>(
          `select ${column} as blob from ${table} where ${key} = $1`,
          [row],
        )
        return openJson(tx, { table, column, row, patient }, rows[0]?.blob ?? Buffer.of())
      }
      assert.deepEqual(await opened('consent_artefact', 'detail'), { text: DETAIL, signature: 'MARK signature' })
      const eighth = '00000000-0000-7000-8000-000000000008'
      assert.deepEqual(await opened('consent_request', 'asked', eighth), {
        purpose: { code: 'CAREMGT', text: 'MARK 8' },
      })
      assert.equal(await opened('consent_request', 'reason', eighth), '')
      assert.deepEqual(await opened('subscription', 'terms'), { MARK: 2 })
      assert.equal(await opened('data_request', 'error_message'), 'MARK')
      assert.deepEqual(await opened('hip_link_call', 'care_contexts', ID, 'UHID-1'), [
        { reference: 'c1', display: 'MARK one', hiType: 'Prescription' },
        { reference: 'c2', display: 'MARK two', hiType: 'DiagnosticReport' },
      ])
    })
    const { rows } = await plain.query<{ id: string }>('select id from consent_request where is_emergency')
    assert.deepEqual(rows, [{ id: '00000000-0000-7000-8000-000000000007' }])
  })
})
