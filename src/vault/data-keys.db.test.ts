import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { openWith, sealWith } from '../crypto/envelope.ts'
import { type Machine, transact } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { makeId } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { dataKey, eraseDataKey, existingPatientKey, patientKey } from './data-keys.ts'

let database: TestDatabase
let machine: Machine
before(async () => {
  database = await openTestDatabase()
  machine = makeTestMachine(database)
})
after(() => database.close())

const ASHA = 'asha.rao@sbx'
const place = { table: 't', column: 'c', row: '1', patient: ASHA }

test('everyone gets the same key for a patient, also when many ask at once', async () => {
  const keys = await Promise.all(
    Array.from({ length: 20 }, () => transact(machine, (tx) => patientKey(tx, 'crowd@sbx'))),
  )
  assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 1)
})

test('keys of patients and of received copies are apart; the database holds them wrapped', async () => {
  const consent = makeId<'artefact'>(machine.now(), machine.random, bucketOf(ASHA))
  const [own, copy, other] = await transact(machine, async (tx) => [
    await patientKey(tx, ASHA),
    await dataKey(tx, ASHA, consent),
    await patientKey(tx, 'ravi.k@sbx'),
  ])
  const texts = [own, copy, other].map((key) => Buffer.from(key ?? []).toString('hex'))
  assert.equal(new Set(texts).size, 3)
  const rows = await database.pool.query<{ wrapped: Buffer }>('select wrapped from data_key')
  for (const { wrapped } of rows.rows) for (const text of texts) assert.ok(!wrapped.toString('hex').includes(text))
})

test('what a destroyed key sealed cannot be opened any more, and the rest can', async () => {
  const consent = makeId<'artefact'>(machine.now(), machine.random, bucketOf(ASHA))
  const sealed = await transact(machine, async (tx) => ({
    copy: sealWith(await dataKey(tx, ASHA, consent), 'received', place, tx.random),
    own: sealWith(await patientKey(tx, ASHA), 'ours', place, tx.random),
  }))
  assert.equal(await transact(machine, (tx) => eraseDataKey(tx, ASHA, consent)), true)
  assert.equal(await transact(machine, (tx) => eraseDataKey(tx, ASHA, consent)), false, 'once')
  await transact(machine, async (tx) => {
    const fresh = await dataKey(tx, ASHA, consent)
    assert.ok(isRefusal(openWith(fresh, sealed.copy, place)), 'a key made later opens nothing of before')
    const own = await existingPatientKey(tx, ASHA)
    assert.ok(own)
    assert.equal(Buffer.from(openWith(own, sealed.own, place) as Uint8Array).toString(), 'ours')
  })
})
