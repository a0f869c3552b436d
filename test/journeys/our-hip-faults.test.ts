import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { put, sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA } from '../people.ts'
import { usualAsk } from '../third-party-world.ts'
import { waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const HIU = 'IN2710000099'
const MRN = '22-7225'

describe('our hospital sends, and something goes wrong', () => {
  let network: TestNetwork
  let clinic: ThirdParty
  let desk: FacilityDesk
  let asha: PatientApp
  before(async () => {
    network = await TestNetwork.start({ facilities: [OURS], changesNoRows: true })
    await network.enrol(ASHA)
    clinic = await network.join('care', HIU)
    asha = await PatientApp.open(network, ASHA.abhaAddress)
    desk = new FacilityDesk(network, OURS)
    await desk.addPatient(MRN, ASHA)
    await desk.addDocument(MRN, 'op-1', sampleDocument('OPConsultation'))
    await desk.addDocument(MRN, 'bad-1', put(sampleDocument('OPConsultation'), '$.entry[0].resource.status', undefined))
    await desk.link(MRN, 2)
  })
  after(() => network.stop())

  type Under = { readonly consent: string; readonly range: { readonly from: string; readonly to: string } }
  async function consented(...references: readonly string[]): Promise<Under> {
    const request = await clinic.hiu.askFor(usualAsk({ hiTypes: ['OPConsultation'] }))
    const careContexts = references.map((careContextReference) => ({ patientReference: MRN, careContextReference }))
    const consent = await asha.grant(request, OURS, { careContexts })
    const { detail } = await waitFor('the artefact', () => clinic.hiu.artefacts.get(consent))
    return {
      consent,
      range: { from: textAt(detail, 'permission.dateRange.from'), to: textAt(detail, 'permission.dateRange.to') },
    }
  }
  async function requested({
    consent,
    range,
  }: Under): Promise<{ readonly transaction: string; readonly transfer: string }> {
    return waitFor('the request to be taken', async () => {
      const { answer, transfer } = await clinic.hiu.request(consent, range)
      return at(answer, 'error') === undefined && { transaction: textAt(answer, 'hiRequest.transactionId'), transfer }
    })
  }
  async function hipReport(transaction: string): Promise<unknown> {
    return waitFor('the report of our HIP', async () => {
      await network.hurry(OURS)
      const { text } = await clinic.bridge.call(
        `/data-flow/v3/health-information/request/status/${transaction}`,
        undefined,
        { method: 'GET' },
      )
      const body: unknown = JSON.parse(text)
      return !['REQUESTED', 'ACKNOWLEDGED'].includes(String(at(body, 'hiRequest.hip.sessionStatus'))) && body
    })
  }
  const disclosed = async (transaction: string) =>
    (await desk.disclosures(ASHA.abhaAddress)).filter((one) => at(one, 'transactionId') === transaction)

  test("another patient's document is not even taken in", async () => {
    const other = put(sampleDocument('OPConsultation'), '$.entry[1].resource.birthDate', '1950-01-01')
    await desk.call(
      `/v1/patients/${MRN}/records`,
      { careContextReference: 'other-1', document: Buffer.from(JSON.stringify(other)).toString('base64') },
      [422],
    )
  })

  test('an invalid document is withheld, and said to be; the valid one goes', async () => {
    const { transaction, transfer } = await requested(await consented('op-1', 'bad-1'))
    const documents = await clinic.hiu.documents(transfer)
    assert.deepEqual(
      documents.map(({ careContextReference }) => careContextReference),
      ['op-1'],
    )
    const report = await hipReport(transaction)
    const outcomes = new Map(
      listAt(report, 'hiRequest.hip.statusResponses').map((one) => [
        textAt(one, 'careContextReference'),
        textAt(one, 'hiStatus'),
      ]),
    )
    assert.deepEqual([outcomes.get('op-1'), outcomes.get('bad-1')], ['DELIVERED', 'ERRORED'])
  })

  test('a push host that fails, then acts without saying so, gets the page again and one disclosure counts', async () => {
    clinic.bridge.misbehave('/push/', 'error', 1)
    clinic.bridge.misbehave('/push/', 'drop', 1)
    const { transaction, transfer } = await requested(await consented('op-1'))
    const pushes = () =>
      clinic.bridge.received.filter(
        (one) => at(one.body, 'transactionId') === transaction && one.path.startsWith('/push/'),
      )
    await waitFor('both deliveries', async () => {
      await network.hurry(OURS)
      return pushes().length === 2
    })
    assert.equal(clinic.hiu.pagesOf(transfer), 1)
    assert.equal(at(await hipReport(transaction), 'hiRequest.hip.sessionStatus'), 'TRANSFERRED')
    const pages = await disclosed(transaction)
    assert.deepEqual(
      pages.map((one) => at(one, 'careContextReference')),
      ['op-1'],
    )
    assert.equal(typeof at(pages[0], 'event'), 'string')
    assert.deepEqual(pushes()[0]?.body, pushes()[1]?.body)
  })

  test('a push address that redirects is not followed; the transfer fails with a reason', async () => {
    let followed = 0
    const elsewhere = createServer((_request, response) => {
      followed++
      response.end()
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    clinic.bridge.misbehave('/push/', {
      redirectTo: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/steal`,
    })
    const { transaction } = await requested(await consented('op-1'))
    const report = await hipReport(transaction)
    assert.equal(at(report, 'hiRequest.hip.sessionStatus'), 'FAILED')
    assert.equal(at(listAt(report, 'hiRequest.hip.statusResponses')[0], 'hiStatus'), 'ERRORED')
    assert.equal(followed, 0)
    clinic.bridge.behave()
    elsewhere.close()
  })

  test('what waits to be pushed when the patient revokes is held back', async () => {
    clinic.bridge.misbehave('/push/', 'down')
    const under = await consented('op-1')
    const { transaction, transfer } = await requested(under)
    await waitFor('a try', async () =>
      (await network.jobs(OURS)).some(
        (job) =>
          at(job, 'kind') === 'hip.push' && at(job, 'status') === 'waiting' && typeof at(job, 'lastError') === 'string',
      ),
    )
    assert.equal((await asha.revoke(under.consent)).status, 202)
    await waitFor('the HIP to know', async () =>
      listAt(await desk.call('/v1/artefacts'), 'artefacts').some(
        (one) => at(one, 'consentId') === under.consent && JSON.stringify(one).toLowerCase().includes('revoked'),
      ),
    )
    clinic.bridge.behave()
    await waitFor('an empty queue', async () => {
      await network.hurry(OURS)
      return (await network.jobs(OURS)).every(
        (job) => at(job, 'status') === 'dead' || at(job, 'kind') === 'hip.deadline',
      )
    })
    assert.equal(clinic.hiu.pagesOf(transfer), 0)
    assert.equal(at(await hipReport(transaction), 'hiRequest.hip.sessionStatus'), 'FAILED')
  })

  test('who is shut out gets no page of what waits, and the order to erase waits for it', async () => {
    clinic.bridge.misbehave('/push/', 'down')
    const under = await consented('op-1')
    const { transfer } = await requested(under)
    await waitFor('a try', async () => (await network.jobs(OURS)).some((job) => isTried(job, 'hip.push')))
    const shutOut = await network.operator('sbx', `/v1/facilities/${HIU}/shut-out`, { reason: 'sold what it got' })
    assert.equal(shutOut.status, 200)
    await waitFor('the HIP to know', async () =>
      listAt(await desk.call('/v1/artefacts'), 'artefacts').some(
        (one) => at(one, 'consentId') === under.consent && JSON.stringify(one).toLowerCase().includes('revoked'),
      ),
    )
    clinic.bridge.behave()
    await waitFor('an empty queue', async () => {
      await network.hurry(OURS)
      return (await network.jobs(OURS)).every(
        (job) => at(job, 'status') === 'dead' || at(job, 'kind') === 'hip.deadline',
      )
    })
    assert.equal(clinic.hiu.pagesOf(transfer), 0)
    await waitFor('the order to erase to be tried in vain', async () =>
      (await network.jobs('sbx')).some(
        (job) => at(job, 'path') === '/api/v3/hiu/consent/request/notify' && isTried(job, 'abdm.send'),
      ),
    )
    assert.equal((await network.operator('sbx', `/v1/facilities/${HIU}/confirm`, {})).status, 200)
    await waitFor('the order to erase', async () => {
      await network.hurry('sbx')
      return clinic.hiu.artefacts.get(under.consent)?.status === 'REVOKED'
    })
  })
})

const isTried = (job: unknown, kind: string): boolean =>
  at(job, 'kind') === kind && at(job, 'status') === 'waiting' && typeof at(job, 'lastError') === 'string'
