import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import type { Personality } from '../fake-demands.ts'
import { at, textAt } from '../json-path.ts'
import { TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, heldPatient, heldRecord } from '../people.ts'
import { waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const HIP = 'IN2710000088'
const COUNT = 9

for (const personality of ['care', 'wrapper'] as const satisfies readonly Personality[]) {
  describe(`our hospital reads from a ${personality} HIP`, () => {
    let network: TestNetwork
    let hospital: ThirdParty
    let desk: FacilityDesk
    let asha: PatientApp
    before(async () => {
      network = await TestNetwork.start({ facilities: [OURS], changesNoRows: true })
      await network.enrol(ASHA)
      hospital = await network.join(personality, HIP)
      desk = new FacilityDesk(network, OURS)
      asha = await PatientApp.open(network, ASHA.abhaAddress)
      for (let i = 1; i <= COUNT; i++) {
        const hiType = i % 2 ? 'OPConsultation' : 'Prescription'
        hospital.hip.records.push(heldRecord(`visit-${i}`, hiType, JSON.stringify(sampleDocument(hiType))))
      }
      const token = await hospital.hip.askLinkToken(heldPatient(ASHA))
      await hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'))
    })
    after(() => network.stop())

    test('asks, gets every page, stores and shows', async () => {
      const { own, request } = await desk.ask({
        patient: ASHA.abhaAddress,
        hiTypes: ['OPConsultation', 'Prescription'],
      })
      await asha.grant(request, HIP)
      const transfer = await desk.transferred(own)
      assert.equal(at(transfer, 'pagesMissing'), 0)
      const records = await desk.records(ASHA.abhaAddress)
      assert.deepEqual(
        records.map((one) => textAt(one, 'careContextReference')).sort(),
        Array.from({ length: COUNT }, (_, i) => `visit-${i + 1}`),
      )
      assert.deepEqual([...new Set(records.map((one) => at(one, 'status')))], ['held'])
      const shown = await desk.view(ASHA.abhaAddress)
      assert.equal(shown.length, COUNT)
      const first = shown.find((one) => at(one, 'careContextReference') === 'visit-1')
      assert.deepEqual(at(first, 'document'), sampleDocument('OPConsultation'))
    })

    test('the patient sees who looked, by name', async () => {
      const looks = await waitFor('the reports of looks', async () => {
        const { body } = await asha.call('/v1/me/looks?limit=100')
        return Array.isArray(body) && body.length >= COUNT && body
      })
      assert.ok(JSON.stringify(looks).includes('Dr. Farida Khan'))
    })

    test('erases after revocation, shows nothing, and attests it', async () => {
      const { body } = await asha.call('/v1/me/sharing')
      const id = textAt(at(body, 'items.0') ?? at(body, '0'), 'id')
      assert.equal((await asha.revoke(id)).status, 202)
      await waitFor('the copies to be erased', async () => (await desk.records(ASHA.abhaAddress)).length === 0)
      assert.deepEqual(await desk.view(ASHA.abhaAddress), [])
      assert.ok((await desk.erasures()).length > 0)
      await waitFor('the attestation at the exchange', async () =>
        JSON.stringify((await asha.call('/v1/me/sharing')).body).includes('erasedAt'),
      )
    })
  })
}
