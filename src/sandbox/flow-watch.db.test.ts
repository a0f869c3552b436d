import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { registerBridge, revokeBridge, shutFacilityOut } from '../partners/commands.ts'
import { readLanes } from './flow-watch.ts'

const ACTOR = { kind: 'operator', id: 'test' } as const
const OURS = ['IN2710000011', 'IN2710000022', 'IN2710000033'] as FacilityId[]
const needs = {
  exchange: { id: 'sbx', name: 'Test exchange' },
  publicUrl: 'http://127.0.0.1:4000',
  parties: ['sbx', ...OURS].map((id) => ({ id, url: 'http://127.0.0.1:9', operatorToken: '' })),
}

describe('who stands in the console of the sandbox', () => {
  let database: TestDatabase
  let machine: Machine
  const clock = makeTestClock()
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
  })
  after(() => database.close())

  /** Facilities of one bridge: each bridge has a secret, which takes its time to hash. */
  const admit = async (tx: Tx, clientId: string, ids: readonly FacilityId[], name: string): Promise<void> => {
    const like = { roles: ['hip'] as const, isActive: true, facilityTypes: [] }
    const services = ids.map((id) => ({ id, name: `${name} ${id}`, ...like }))
    must(await registerBridge(tx, { clientId, name, url: 'http://127.0.0.1:9', services, actor: ACTOR }))
  }
  const facilities = async () =>
    (await transact(machine, (tx) => readLanes(tx, needs))).filter(({ kind }) => kind === 'facility')

  test('own parties are there among however many others, and stay when they are shut out, with since when', async () => {
    await transact(machine, async (tx) => {
      for (const id of OURS) await admit(tx, `of-${id}`, [id], 'Zenith')
      const others = Array.from({ length: LIMITS.pageSizeMax }, (_, no) => `IN29${String(no).padStart(8, '0')}`)
      await admit(tx, 'of-others', others as FacilityId[], 'A clinic')
    })
    const own = async () => (await facilities()).filter(({ isSteered }) => isSteered)
    assert.deepEqual((await own()).map(({ id }) => id).toSorted(), OURS)
    const [first, second, third] = OURS
    assert.ok(first && second && third)
    const since = clock.now()
    await transact(machine, async (tx) => {
      must(await shutFacilityOut(tx, { id: first, reason: 'a test', actor: ACTOR }))
      must(await revokeBridge(tx, { clientId: `of-${second}`, actor: ACTOR }))
    })
    clock.advance(60_000)
    const outSince = new Map((await own()).map(({ id, shutOutAt }) => [id, shutOutAt?.getTime()]))
    assert.deepEqual(
      OURS.map((id) => outSince.get(id)),
      [since.getTime(), since.getTime(), undefined],
    )
  })
})
