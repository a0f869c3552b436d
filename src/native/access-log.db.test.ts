import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { record } from '../audit/record.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { findLooks } from './access-log-routes.ts'

const ASHA = 'asha.rao@sbx'
const actor = {
  kind: 'facility',
  id: 'IN2710000011' as FacilityId,
  person: { name: 'Dr. Farida Khan', role: 'doctor' },
} as const
const clock = makeTestClock()
let database: TestDatabase
let machine: Machine
before(async () => {
  database = await openTestDatabase()
  machine = makeTestMachine(database, { clock })
})
after(() => database.close())

test('looks at one patient’s records, newest first, with who and why, between two times; nothing else of the log', async () => {
  const about = { actor, patient: ASHA, subject: 'consent-1', purpose: 'CAREMGT' } as const
  const times: string[] = []
  for (const event of [
    { type: 'hiu.record-viewed', ...about },
    { type: 'consent.granted', ...about },
    { type: 'hiu.view-denied', ...about },
    { type: 'hiu.record-viewed', ...about, patient: 'ravi.k@sbx' },
  ]) {
    times.push(clock.now().toISOString())
    await transact(machine, (tx) => record(tx, event))
    clock.advance(60_000)
  }
  const { looks } = await transact(machine, (tx) => findLooks(tx, { patient: ASHA }))
  assert.deepEqual(
    looks.map(({ id: _id, ...look }) => look),
    ['hiu.view-denied', 'hiu.record-viewed'].map((type, n) => ({
      at: times[n === 0 ? 2 : 0],
      type,
      person: actor.person,
      purpose: 'CAREMGT',
      ground: 'consent-1',
    })),
  )
  const between = { patient: ASHA, from: times[0] ?? '', until: times[2] ?? '' }
  const first = await transact(machine, (tx) => findLooks(tx, between))
  assert.deepEqual(
    first.looks.map(({ type }) => type),
    ['hiu.record-viewed'],
  )
  const older = await transact(machine, (tx) => findLooks(tx, { patient: ASHA, before: looks[0]?.id ?? '' }))
  assert.deepEqual(
    older.looks.map(({ type }) => type),
    ['hiu.record-viewed'],
  )
  assert.deepEqual(await transact(machine, (tx) => findLooks(tx, { patient: 'nobody@sbx' })), { looks: [] })
})
