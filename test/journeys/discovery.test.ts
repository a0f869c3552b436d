import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt, textsAt } from '../json-path.ts'
import { TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, heldRecord } from '../people.ts'
import { waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const PHR = 'IN2710000012'
const THEIRS = { care: 'IN2710000088', wrapper: 'IN2710000089' } as const
const MRN = '22-7225'
const LINK = '/api/hiecm/user-initiated-linking/v3'
const CALLBACK = '/api/v3/hiu/patient/care-context'

describe('the patient finds and links her records herself', () => {
  let network: TestNetwork
  let phr: ThirdParty
  let asha: PatientApp
  let desk: FacilityDesk
  before(async () => {
    network = await TestNetwork.start({ facilities: [OURS] })
    await network.enrol(ASHA)
    phr = await network.join('care', PHR)
    asha = await PatientApp.open(network, ASHA.abhaAddress)
    desk = new FacilityDesk(network, OURS)
    await desk.addPatient(MRN, ASHA)
    await desk.addDocument(MRN, 'op-1', sampleDocument('OPConsultation'))
    await desk.addDocument(MRN, 'rx-1', sampleDocument('Prescription'))
    for (const personality of ['care', 'wrapper'] as const) {
      const hospital = await network.join(personality, THEIRS[personality])
      hospital.hip.records.push(heldRecord('op-1', 'OPConsultation', '{}'), heldRecord('rx-1', 'Prescription', '{}'))
    }
  })
  after(() => network.stop())

  /** Calls as the patient's app, which hears the answer by callback; the answer's body. */
  async function step(path: string, callback: string, body: unknown): Promise<unknown> {
    const requestId = randomUUID()
    const { status, body: answer } = await asha.call(`${LINK}${path}`, body, {
      'X-HIU-ID': PHR,
      'REQUEST-ID': requestId,
    })
    assert.equal(status, 202, JSON.stringify(answer))
    return (await phr.bridge.callback(`${CALLBACK}/${callback}`, requestId)).body
  }
  const discover = (hip: string) =>
    step('/patient/care-context/discover', 'on-discover', {
      hip: { id: hip },
      unverifiedIdentifiers: [{ type: 'MR', value: MRN }],
    })
  const init = (found: unknown, patient: readonly unknown[]) =>
    step('/link/care-context/init', 'on-init', {
      transactionId: textAt(found, 'transactionId'),
      abhaAddress: ASHA.abhaAddress,
      patient,
    })
  const confirm = (linkRefNumber: string, token: string) =>
    step('/link/care-context/confirm', 'on-confirm', { token, linkRefNumber })

  const passwords: Readonly<Record<string, () => Promise<string>>> = {
    [OURS]: async () => {
      const text = await waitFor('the one-time password', async () => {
        const { body } = await network.operator(OURS, `/v1/sandbox/text-messages?mobile=${ASHA.mobile}`)
        return Array.isArray(body) && body.length > 0 && textAt(body[0], 'text')
      })
      return /\b\d{4,8}\b/.exec(text)?.[0] ?? 'none'
    },
    [THEIRS.care]: async () => '000000',
    [THEIRS.wrapper]: async () => '000000',
  }

  for (const [who, hip] of [
    ['our hospital', OURS],
    ['a care HIP', THEIRS.care],
    ['a wrapper HIP', THEIRS.wrapper],
  ] as const) {
    test(`at ${who}: a wrong password links nothing, the right one links what was chosen`, async () => {
      const found = await discover(hip)
      const groups = listAt(found, 'patient')
      assert.deepEqual(
        groups.map((group) => textAt(group, 'hiType')).sort(),
        ['OPConsultation', 'Prescription'],
        JSON.stringify(found),
      )
      const chosen = groups.filter((group) => at(group, 'hiType') === 'Prescription')
      const linkRefNumber = textAt(await init(found, chosen), 'link.referenceNumber')
      const password = await (passwords[hip] ?? (() => Promise.reject(new Error(hip))))()
      const wrong = password === '111111' ? '222222' : '111111'
      assert.match(textAt(await confirm(linkRefNumber, wrong), 'error.code'), /^ABDM-1035/)
      assert.deepEqual(await asha.contexts(hip), [])
      const confirmed = await confirm(linkRefNumber, password)
      assert.deepEqual(
        listAt(confirmed, 'patient').flatMap((group) => textsAt(group, 'careContexts', 'referenceNumber')),
        ['rx-1'],
        JSON.stringify(confirmed),
      )
      const linked = await waitFor('the link', async () => {
        const contexts = await asha.contexts(hip)
        return contexts.length > 0 && contexts
      })
      assert.deepEqual(
        linked.map((one) => at(one, 'careContextReference')),
        ['rx-1'],
      )
    })
  }

  test('what is linked already is not offered again', async () => {
    const found = await discover(OURS)
    assert.deepEqual(
      listAt(found, 'patient').flatMap((group) => textsAt(group, 'careContexts', 'referenceNumber')),
      ['op-1'],
    )
  })

  test('contexts that were not found cannot be chosen, nor another patient named', async () => {
    const found = await discover(OURS)
    const patient = [
      {
        referenceNumber: MRN,
        display: 'x',
        careContexts: [{ referenceNumber: 'op-9', display: 'x' }],
        hiType: 'OPConsultation',
        count: 1,
      },
    ]
    const headers = { 'X-HIU-ID': PHR }
    const stranger = await asha.call(
      `${LINK}/link/care-context/init`,
      { transactionId: textAt(found, 'transactionId'), abhaAddress: ASHA.abhaAddress, patient },
      headers,
    )
    assert.deepEqual([stranger.status, at(stranger.body, 'error.code')], [409, 'ABDM-1057'])
    const other = await asha.call(
      `${LINK}/link/care-context/init`,
      { transactionId: textAt(found, 'transactionId'), abhaAddress: 'ravi.iyer@sbx', patient },
      headers,
    )
    assert.deepEqual([other.status, at(other.body, 'error.code')], [403, 'ABDM-1084'])
    const nowhere = await asha.call(`${LINK}/patient/care-context/discover`, { hip: { id: 'IN9999999999' } }, headers)
    assert.deepEqual([nowhere.status, at(nowhere.body, 'error.code')], [404, 'ABDM-1035'])
  })

  test('three wrong passwords spend the link: the right one comes too late', async () => {
    const found = await discover(OURS)
    const linkRefNumber = textAt(await init(found, listAt(found, 'patient')), 'link.referenceNumber')
    const right = await waitFor('another one-time password', async () => {
      const { body } = await network.operator(OURS, `/v1/sandbox/text-messages?mobile=${ASHA.mobile}`)
      return Array.isArray(body) && body.length === 2 && /\b\d{4,8}\b/.exec(textAt(body[0], 'text'))?.[0]
    })
    const codes: string[] = []
    for (const wrong of ['100001', '100002', '100003'].map((each) => (each === right ? '100004' : each)))
      codes.push(textAt(await confirm(linkRefNumber, wrong), 'error.code'))
    // The last wrong try spends the password.
    assert.deepEqual(codes, ['ABDM-1035', 'ABDM-1035', 'ABDM-1100'])
    const late = await asha.call(
      `${LINK}/link/care-context/confirm`,
      { token: right, linkRefNumber },
      { 'X-HIU-ID': PHR },
    )
    assert.deepEqual([late.status, at(late.body, 'error.code')], [404, 'ABDM-1056'])
    assert.equal((await asha.contexts(OURS)).length, 1)
  })

  test('a patient whom the HIP does not know is not found', async () => {
    const other = {
      ...ASHA,
      abhaAddress: 'meera.das@sbx',
      abhaNumber: '91000000000003',
      name: 'Meera Das',
      birthDate: '1999-09-09',
      mobile: '9000000009',
    }
    await network.enrol(other)
    const meera = await PatientApp.open(network, other.abhaAddress)
    const requestId = randomUUID()
    const { status } = await meera.call(
      `${LINK}/patient/care-context/discover`,
      { hip: { id: OURS } },
      { 'X-HIU-ID': PHR, 'REQUEST-ID': requestId },
    )
    assert.equal(status, 202)
    const answer = await phr.bridge.callback(`${CALLBACK}/on-discover`, requestId)
    assert.match(textAt(answer.body, 'error.code'), /^ABDM-1010/)
  })
})
