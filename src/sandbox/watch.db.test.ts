import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { type Machine, transact } from '../db/tx.ts'
import { makeOutbound, type Outbound } from '../http/outbound.ts'
import { type FacilityId, parseFacilityId } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { registerBridge, revokeBridge } from '../partners/commands.ts'
import { readNetwork } from './network-view.ts'
import { makeNetworkWatch } from './watch.ts'

const ACTOR = { kind: 'operator', id: 'test' } as const
const PATIENCE_MS = 60_000
/** A port at which nobody listens, nor comes to: the system gives out none that low. */
const NOBODY = 'http://127.0.0.1:9'
let database: TestDatabase
let machine: Machine
let outbound: Outbound
const servers: Server[] = []

describe('sandbox/watch', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
    const real = makeOutbound({ allowPrivateNetworks: true, nowMs: () => performance.now() })
    // Nobody hangs here: on a busy machine an answer may take longer than the watch waits for it.
    outbound = { ...real, call: (wanted) => real.call({ ...wanted, timeoutMs: PATIENCE_MS }) }
  })
  after(async () => {
    for (const server of servers) server.close()
    await outbound.close()
    await database.close()
  })

  /** A party whose `/health/ready` answers this. */
  async function serve(status: number, body: string): Promise<string> {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/health/ready' ? status : 500, { connection: 'close' }).end(body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function admit(clientId: string, url: string, facilityTypes: readonly string[]): Promise<void> {
    const id = parseFacilityId(`IN27100000${clientId}`) as FacilityId
    const services = [{ id, name: `Facility ${clientId}`, roles: ['hip'] as const, isActive: true, facilityTypes }]
    must(await transact(machine, (tx) => registerBridge(tx, { clientId, name: clientId, url, services, actor: ACTOR })))
  }

  test('what each party says of itself; those with no such page are not called down', async () => {
    await admit('10', await serve(200, '{"status":"ready"}'), ['Hospital'])
    await admit('11', await serve(503, '{"status":"not ready","missing":["database"]}'), ['Diagnostic Laboratory'])
    await admit('12', NOBODY, ['Pharmacy'])
    await admit('13', await serve(404, '<h1>Not found</h1>'), [])
    await admit('14', await serve(200, 'x'.repeat(100_000)), ['Insurance company'])
    await admit('15', await serve(200, '{"status":"ready"}'), ['Hospital'])
    must(await transact(machine, (tx) => revokeBridge(tx, { clientId: '15', actor: ACTOR })))
    const watch = makeNetworkWatch({ machine, outbound })
    const needs = {
      exchange: { id: 'sbx', name: 'Exchange' },
      publicUrl: 'http://127.0.0.1:1',
      ownLog: { witnesses: [] },
      watch,
      doors: { console: true, desks: [] },
    }
    const shown = async () =>
      (await transact(machine, (tx) => readNetwork(tx, needs))).parties
        .map(({ id, kind, state }) => [id.slice(-2), kind, state].join(' '))
        .toSorted()

    const before = await shown()
    assert.equal(before.filter((line) => line.endsWith('unknown')).length, 5)
    await watch.chore.run()
    const pharmacy = [...watch.states()].filter(([, state]) => state === 'unknown')
    assert.equal(pharmacy.length, 1, 'one unanswered call may be a start under way')
    await watch.chore.run()
    assert.deepEqual(await shown(), [
      '10 hospital up',
      '11 laboratory not-ready',
      '12 pharmacy down',
      '13 facility silent',
      '14 insurer silent',
      'bx exchange up',
    ])
    assert.deepEqual(
      [...watch.states().keys()].toSorted(),
      ['10', '11', '12', '13', '14'],
      'a revoked bridge is not asked',
    )
  })

  test('where we may not call, nothing is claimed', async () => {
    const closed = makeOutbound({ allowPrivateNetworks: false, nowMs: () => performance.now() })
    const watch = makeNetworkWatch({ machine, outbound: closed })
    await watch.chore.run()
    assert.deepEqual([...new Set(watch.states().values())], ['silent'])
    await closed.close()
  })
})
