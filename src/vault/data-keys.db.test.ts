import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { type Machine, transact } from '../db/tx.ts'
import { dataKey, eraseDataKey, existingDataKey, existingPatientKey, patientKey } from './data-keys.ts'

const ASHA = 'asha.rao@sbx'
let database: TestDatabase
let machine: Machine
describe('vault/data-keys', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
  })
  after(() => database.close())

  const hex = (key: Uint8Array | undefined): string => Buffer.from(key ?? []).toString('hex')

  test('a patient has one key, the same within a transaction and after it', async () => {
    const [first, again] = await transact(machine, async (tx) => [
      await patientKey(tx, ASHA),
      await patientKey(tx, ASHA),
    ])
    assert.deepEqual(again, first)
    const later = await transact(machine, (tx) => existingPatientKey(tx, ASHA))
    assert.equal(hex(later), hex(first))
    assert.notEqual(hex(await transact(machine, (tx) => patientKey(tx, 'ravi.k@sbx'))), hex(first))
  })

  test('an erased key is gone at once, also in the transaction that used it; what is made next is another one', async () => {
    await transact(machine, async (tx) => {
      const key = await dataKey(tx, ASHA, 'patient')
      assert.equal(await eraseDataKey(tx, ASHA, 'patient'), true)
      assert.equal(await existingDataKey(tx, ASHA, 'patient'), undefined)
      assert.equal(await eraseDataKey(tx, ASHA, 'patient'), false)
      assert.notEqual(hex(await dataKey(tx, ASHA, 'patient')), hex(key))
    })
  })

  test('a key made by a transaction that failed was never there', async () => {
    const failed = transact(machine, async (tx) => {
      await patientKey(tx, 'meena@sbx')
      throw new Error('the cause failed')
    })
    await assert.rejects(failed, /the cause failed/)
    assert.equal(await transact(machine, (tx) => existingPatientKey(tx, 'meena@sbx')), undefined)
  })
})
