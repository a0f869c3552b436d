import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { type Machine, transact } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { eraseDataKey, existingPatientKey, patientKey } from '../vault/data-keys.ts'
import { guessPatientKey } from '../vault/known-keys.ts'
import { openBody, record } from './record.ts'
import { findEvent } from './store.ts'

const ASHA = 'asha.rao@sbx'
const event = { type: 'records.viewed', actor: { kind: 'system', id: 'test' }, patient: ASHA } as const
let database: TestDatabase
let machine: Machine
describe('audit/record-key', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
  })
  after(() => database.close())

  async function recordOne(): Promise<(key: Uint8Array) => Promise<boolean>> {
    const { id } = await transact(machine, (tx) => record(tx, event))
    return async (key) => {
      const row = await findEvent(database.db, id)
      return row !== undefined && openBody(id, row.body, { key, patient: ASHA }) !== undefined
    }
  }
  const keyNow = async (): Promise<Uint8Array> => {
    const key = await transact(machine, (tx) => existingPatientKey(tx, ASHA))
    assert.ok(key)
    return key
  }

  test('the key that is known is used as long as it is the patient’s: not after it was erased behind our back', async () => {
    await transact(machine, (tx) => patientKey(tx, ASHA))
    const old = await keyNow()
    assert.equal(await (await recordOne())(old), true)
    // By another program on the same database: this one is not told.
    await sql`update data_key set wrapped = null, share = null, erased_at = now()
    where bucket = ${bucketOf(ASHA)} and patient = ${ASHA}`.execute(database.db)
    const opens = await recordOne()
    assert.deepEqual([await opens(old), await opens(await keyNow())], [false, true])
  })

  test('a key whose share was destroyed is not used, though its row came back with an old copy of the database', async () => {
    const old = await keyNow()
    const row = sql`select wrapped, share from data_key where bucket = ${bucketOf(ASHA)} and patient = ${ASHA}`
    const [before] = (await row.execute(database.db)).rows as { wrapped: Buffer; share: number }[]
    assert.ok(before)
    await transact(machine, (tx) => eraseDataKey(tx, ASHA, 'patient'))
    await sql`update data_key set wrapped = ${before.wrapped}, share = ${before.share}, erased_at = null
    where bucket = ${bucketOf(ASHA)} and patient = ${ASHA}`.execute(database.db)
    const opens = await recordOne()
    assert.deepEqual([await opens(old), await opens(await keyNow())], [false, true])
  })

  test('what is remembered of a key is its row, not the whole packet in which the row came', async () => {
    const guess = await transact(machine, async (tx) => {
      await existingPatientKey(tx, ASHA)
      return guessPatientKey(tx, ASHA)
    })
    assert.ok(guess)
    assert.equal(guess.wrapped.buffer.byteLength, guess.wrapped.byteLength)
  })

  test('an event is there once, whether its key was known or asked for', async () => {
    const before = await sql<{
      n: number
    }>`/* all buckets: a count in a test */ select count(*) as n from audit_event`.execute(database.db)
    await transact(machine, async (tx) => {
      await record(tx, event)
      await record(tx, event)
    })
    const after = await sql<{
      n: number
    }>`/* all buckets: a count in a test */ select count(*) as n from audit_event`.execute(database.db)
    assert.equal((after.rows[0]?.n ?? 0) - (before.rows[0]?.n ?? 0), 2)
  })
})
