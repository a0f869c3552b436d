import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import type { Personality } from '../fake-demands.ts'
import { at, textAt } from '../json-path.ts'
import { TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA } from '../people.ts'
import { usualAsk } from '../third-party-world.ts'
import { waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const HIU = 'IN2710000099'
const MRN = '22-7225'

for (const personality of ['care', 'wrapper'] as const satisfies readonly Personality[]) {
  describe(`a ${personality} HIU reads from our hospital`, () => {
    let network: TestNetwork
    let clinic: ThirdParty
    let desk: FacilityDesk
    let asha: PatientApp
    before(async () => {
      network = await TestNetwork.start({ facilities: [OURS], changesNoRows: true })
      await network.enrol(ASHA)
      clinic = await network.join(personality, HIU)
      asha = await PatientApp.open(network, ASHA.abhaAddress)
      desk = new FacilityDesk(network, OURS)
      await desk.addPatient(MRN, ASHA)
      await desk.addDocument(MRN, 'op-1', sampleDocument('OPConsultation'))
      await desk.addDocument(MRN, 'rx-1', sampleDocument('Prescription'))
      await desk.addDocument(MRN, 'lab-1', sampleDocument('DiagnosticReport'))
      await desk.link(MRN, 3)
    })
    after(() => network.stop())

    const ask = () => usualAsk({ hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport'] })

    test('gets what was granted, byte for byte, and every page has its record', async () => {
      const request = await clinic.hiu.askFor(ask())
      const id = await asha.grant(request, OURS, { hiTypes: ['OPConsultation', 'Prescription'] })
      const { detail } = await clinic.hiu.granted(OURS)
      const range = { from: textAt(detail, 'permission.dateRange.from'), to: textAt(detail, 'permission.dateRange.to') }
      const { answer, transfer } = await waitFor('our HIP to have acknowledged', async () => {
        const asked = await clinic.hiu.request(id, range)
        return at(asked.answer, 'error') === undefined && asked
      })
      const documents = await clinic.hiu.documents(transfer)
      assert.deepEqual(documents.map(({ careContextReference }) => careContextReference).sort(), ['op-1', 'rx-1'])
      const byContext = new Map(
        documents.map(({ careContextReference, text }) => [careContextReference, JSON.parse(text) as unknown]),
      )
      assert.deepEqual(byContext.get('op-1'), sampleDocument('OPConsultation'))
      assert.deepEqual(byContext.get('rx-1'), sampleDocument('Prescription'))
      const settled = await waitFor('the disclosures', async () => {
        const all = await desk.disclosures(ASHA.abhaAddress)
        return all.length === 2 && all
      })
      for (const one of settled) {
        assert.equal(at(one, 'transactionId'), textAt(answer, 'hiRequest.transactionId'))
        assert.equal(at(one, 'hiu'), HIU)
        assert.equal(typeof at(one, 'event'), 'string')
      }
    })

    test('gets nothing more after revocation', async () => {
      const { id, detail } = await clinic.hiu.granted(OURS)
      assert.equal((await asha.revoke(id)).status, 202)
      await waitFor('the HIU to be told', () => clinic.hiu.artefacts.get(id)?.status === 'REVOKED')
      const { answer, transfer } = await clinic.hiu.request(id, {
        from: textAt(detail, 'permission.dateRange.from'),
        to: textAt(detail, 'permission.dateRange.to'),
      })
      assert.equal(at(answer, 'error.code'), 'ABDM-1062')
      assert.equal(clinic.hiu.pagesOf(transfer), 0)
      assert.equal((await desk.disclosures(ASHA.abhaAddress)).length, 2)
    })
  })
}
