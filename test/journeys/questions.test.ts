import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, heldPatient, heldRecord } from '../people.ts'
import { waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const HIP = 'IN2710000088'

describe('a patient asks about a look, and our hospital answers', () => {
  let network: TestNetwork
  let hospital: ThirdParty
  let desk: FacilityDesk
  let asha: PatientApp
  before(async () => {
    network = await TestNetwork.start({ facilities: [OURS], changesNoRows: true })
    await network.enrol(ASHA)
    hospital = await network.join('care', HIP)
    desk = new FacilityDesk(network, OURS)
    asha = await PatientApp.open(network, ASHA.abhaAddress)
    hospital.hip.records.push(heldRecord('visit-1', 'OPConsultation', JSON.stringify(sampleDocument('OPConsultation'))))
    const token = await hospital.hip.askLinkToken(heldPatient(ASHA))
    await hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'))
    const { own, request } = await desk.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'] })
    await asha.grant(request, HIP)
    await desk.transferred(own)
    await desk.view(ASHA.abhaAddress)
  })
  after(() => network.stop())

  const statusOf = async (): Promise<unknown> => at((await asha.call('/v1/me/questions')).body, '0.status')

  test('her question reaches the hospital, and its answer reaches her', async () => {
    const look = await waitFor('the report of the look', async () => at((await asha.call('/v1/me/looks')).body, '0.id'))
    const asked = await asha.call(`/v1/me/looks/${String(look)}/question`, { text: 'Why did you look?' })
    assert.equal(asked.status, 201, JSON.stringify(asked.body))
    await waitFor('the hospital to have it', async () => (await statusOf()) === 'delivered')
    const list = (await network.operator(OURS, '/v1/questions')).body
    const [received] = listAt(list, 'questions')
    assert.equal(textAt(received, 'text'), 'Why did you look?')
    assert.equal(textAt(received, 'number'), textAt(asked.body, 'number'))
    assert.equal(textAt(received, 'look.person'), 'Dr. Farida Khan')
    const path = `/v1/questions/${ASHA.abhaAddress}/${textAt(received, 'id')}/answer`
    const answer = { text: 'To prepare your visit of Monday.', by: 'A. Bose, data protection officer' }
    assert.equal((await network.operator(OURS, path, answer)).status, 200)
    assert.equal((await network.operator(OURS, path, { ...answer, text: 'Other' })).status, 409)
    await waitFor('the answer', async () => (await statusOf()) === 'answered')
    const shown = at((await asha.call('/v1/me/questions')).body, '0.answer')
    assert.equal(textAt(shown, 'text'), answer.text)
    assert.equal(textAt(shown, 'by'), answer.by)
  })

  test('what nobody asked cannot be answered', async () => {
    const stranger = await network.operator(OURS, `/v1/questions/ravi.k@sbx/${crypto.randomUUID()}/answer`, {
      text: 'x',
      by: 'y',
    })
    assert.equal(stranger.status, 404)
  })
})
