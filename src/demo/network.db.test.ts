import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { TestNetwork } from '../../test/network.ts'
import { transact } from '../db/tx.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { bridgeById, facilityById, revokeBridge } from '../partners/commands.ts'
import type { Network } from '../sandbox/network-file.ts'
import { type PartyStarter, registerBridge } from './network.ts'
import { DEMO_PARTIES } from './parties.ts'

const unneeded = (): never => assert.fail('not for a registration')
const starter: PartyStarter = {
  randomToken: () => 'operator-token',
  logKeys: unneeded,
  start: unneeded,
  buildWeb: unneeded,
}

describe('demo/network: a sample network that is started at other ports', () => {
  let exchange: TestNetwork
  const dataFolder = mkdtempSync(join(tmpdir(), 'amanat-moved-'))
  before(async () => {
    exchange = await TestNetwork.start()
  })
  after(async () => {
    await exchange.stop()
    rmSync(dataFolder, { recursive: true, force: true })
  })

  it('tells the exchange the new address of each party with the credentials that it has; who is shut out stays so', async () => {
    const party = DEMO_PARTIES.find(({ role }) => role === 'facility')
    const facilityId = parseFacilityId(party?.id ?? '')
    assert.ok(party && facilityId)
    const startedAt = async (firstPort: number) => {
      const { url, operatorToken } = exchange.exchange
      const { key, id, name, what } = party
      const own = { key, role: party.role, id, name, what, operatorToken: 'operator-token' }
      const parties: Network['parties'] = [
        { ...own, key: 'exchange', role: 'exchange', id: 'sbx', url, operatorToken },
        { ...own, url: `http://127.0.0.1:${firstPort + 1}` },
      ]
      const { machine } = exchange.exchange.running
      await registerBridge({ dataFolder, firstPort, starter, now: machine.now }, { firstPort, parties }, party)
      const facility = await transact(machine, (tx) => facilityById(tx, facilityId))
      assert.ok(facility)
      return { ...facility.bridge, machine }
    }
    const first = await startedAt(4100)
    assert.equal(first.url, 'http://127.0.0.1:4101')
    const moved = await startedAt(4200)
    assert.deepEqual([moved.url, moved.clientId], ['http://127.0.0.1:4201', first.clientId])
    assert.equal(await moves(), 1)
    assert.equal((await startedAt(4200)).url, moved.url)
    assert.equal(await moves(), 1, 'it says nothing while it stays')

    const { clientId, machine } = moved
    const actor = { kind: 'operator', id: 'test' } as const
    must(await transact(machine, (tx) => revokeBridge(tx, { clientId, actor })))
    await startedAt(4300)
    const out = await transact(machine, (tx) => bridgeById(tx, clientId))
    assert.deepEqual([out?.status, out?.url], ['revoked', moved.url])
    // Not told, so it is told again at the start after somebody let it in again.
    assert.match(
      readFileSync(join(dataFolder, party.key, 'party.json'), 'utf8'),
      /"url": ?"http:\/\/127\.0\.0\.1:4201"/,
    )
  })

  const moves = async (): Promise<number> => {
    const { db } = exchange.exchange.running.machine
    return (await db.selectFrom('audit_event').select('id').where('type', '=', 'partners.bridge-url-changed').execute())
      .length
  }
})
