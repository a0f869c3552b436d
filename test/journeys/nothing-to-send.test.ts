import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { TestNetwork } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, daysFromNow } from '../people.ts'
import { waitFor } from '../wait.ts'

const HOLDER = 'IN2710000011'
const ASKER = 'IN2710000022'

describe('a patient allows a period in which the provider has no record', () => {
  let network: TestNetwork
  let asha: PatientApp
  let asker: FacilityDesk
  before(async () => {
    network = await TestNetwork.start({ facilities: [HOLDER, ASKER] })
    await network.enrol(ASHA)
    asha = await PatientApp.open(network, ASHA.abhaAddress)
    asker = new FacilityDesk(network, ASKER)
    const holder = new FacilityDesk(network, HOLDER)
    await holder.addPatient('22-7225', ASHA)
    await holder.addDocument('22-7225', 'op-1', sampleDocument('OPConsultation'))
    await holder.link('22-7225', 1)
  })
  after(() => network.stop())

  test('who asks learns soon that nothing comes, and why; so does the exchange', async () => {
    const { own, request } = await asker.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'] })
    const permission = at(await asha.request(request), 'permission') as object
    const dateRange = { from: daysFromNow(-3).toISOString(), to: daysFromNow(-2).toISOString() }
    await asha.grant(request, HOLDER, { permission: { ...permission, dateRange } })
    const transfer = await asker.transferred(own, ['complete', 'incomplete', 'failed'])
    assert.equal(at(transfer, 'status'), 'incomplete')
    assert.deepEqual(
      listAt(transfer, 'careContexts').map((one) => [at(one, 'careContextReference'), at(one, 'reason')]),
      [['op-1', 'The provider says: No record of the permitted types and dates.']],
    )
    assert.deepEqual(await asker.records(ASHA.abhaAddress), [])
    const { db } = network.exchange.running.machine
    const known = await waitFor('the report of who asked', () =>
      db
        .selectFrom('data_request')
        .select(['hip_status', 'hiu_status'])
        .where('bucket', '>=', 0)
        .where('id', '=', textAt(transfer, 'transaction'))
        .where('hiu_status', 'is not', null)
        .executeTakeFirst(),
    )
    assert.deepEqual(known, { hip_status: 'FAILED', hiu_status: 'FAILED' })
  })
})
