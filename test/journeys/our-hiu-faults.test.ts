import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sweepExpired } from '../../src/consent/jobs.ts'
import { put, sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { callJson, TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, heldPatient, heldRecord } from '../people.ts'
import { reachMoment, waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const HIP = 'IN2710000088'

/** A document of the field, changed by `change`. */
function document(change: (it: ReturnType<typeof sampleDocument>) => unknown = () => undefined): string {
  const it = sampleDocument('OPConsultation')
  change(it)
  return JSON.stringify(it)
}

describe('what a HIP sends wrongly', () => {
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
    // Known here, so a document with another ABHA number gives itself away.
    await desk.addPatient('22-7225', ASHA)
    const add = (reference: string, text: string): void =>
      void hospital.hip.records.push(heldRecord(reference, 'OPConsultation', text))
    add('good-1', document())
    add('not-json', 'this is not JSON')
    add('not-fhir', '{"resourceType":"Patient","id":"x"}')
    add(
      'invalid',
      document((it) => put(it, '$.entry[0].resource.status', undefined)),
    )
    add(
      'other-patient',
      document((it) =>
        put(put(it, '$.entry[1].resource.birthDate', '1950-01-01'), '$.entry[1].resource.identifier', [
          { system: 'https://healthid.ndhm.gov.in', value: '91-0000-0000-0099' },
        ]),
      ),
    )
    add(
      'other-address',
      document((it) =>
        put(it, '$.entry[1].resource.identifier', [{ system: 'https://healthid.abdm.gov.in', value: 'ravi.iyer@sbx' }]),
      ),
    )
    add(
      'too-old',
      document((it) =>
        put(
          put(it, '$.entry[0].resource.date', '2001-01-01T10:00:00+05:30'),
          '$.timestamp',
          '2001-01-01T10:00:00+05:30',
        ),
      ),
    )
    const token = await hospital.hip.askLinkToken(heldPatient(ASHA))
    await hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'))
  })
  after(() => network.stop())

  const contexts = (...references: readonly string[]) =>
    references.map((careContextReference) => ({ patientReference: 'patient-1', careContextReference }))

  /** Asks, grants these contexts, and gives the transfer when it ended. */
  async function fetched(
    references: readonly string[],
    statuses: readonly string[],
  ): Promise<{ own: string; consent: string; transfer: unknown }> {
    const { own, request } = await desk.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'] })
    const consent = await asha.grant(request, HIP, { careContexts: contexts(...references) })
    return { own, consent, transfer: await desk.transferred(own, statuses) }
  }
  const statusOf = (transfer: unknown, reference: string): unknown =>
    listAt(transfer, 'careContexts').find((one) => at(one, 'careContextReference') === reference)

  test('broken, foreign and old documents are kept out, each with its reason; the good one is held', async () => {
    const bad = ['not-json', 'not-fhir', 'other-patient', 'other-address', 'too-old']
    const { transfer } = await fetched(['good-1', 'invalid', ...bad], ['complete', 'incomplete'])
    const records = await desk.records(ASHA.abhaAddress)
    const held = records.filter((one) => at(one, 'status') === 'held').map((one) => textAt(one, 'careContextReference'))
    assert.ok(held.includes('good-1'), JSON.stringify(transfer))
    for (const reference of bad) {
      assert.ok(!held.includes(reference), `${reference} is held: ${JSON.stringify(records)}`)
      assert.ok(
        typeof at(statusOf(transfer, reference), 'reason') === 'string',
        `${reference}: ${JSON.stringify(statusOf(transfer, reference))}`,
      )
    }
    const shown = await desk.view(ASHA.abhaAddress)
    for (const one of shown) assert.ok(!bad.includes(textAt(one, 'careContextReference')))
    // Strict when sending, tolerant when receiving: an invalid document is shown with what is wrong with it.
    const invalid = shown.find((one) => at(one, 'careContextReference') === 'invalid')
    assert.ok(invalid !== undefined && listAt(invalid, 'findings').length > 0)
  })

  test('a ciphertext that was changed on its way is not stored, and the exchange is told', async () => {
    const before = (await desk.records(ASHA.abhaAddress)).length
    hospital.hip.changesCiphertext = true
    const { transfer } = await fetched(['good-1'], ['complete', 'incomplete', 'failed'])
    hospital.hip.changesCiphertext = false
    assert.equal((await desk.records(ASHA.abhaAddress)).length, before)
    assert.equal(typeof at(statusOf(transfer, 'good-1'), 'reason'), 'string', JSON.stringify(transfer))
    const status = await waitFor('our report', async () => {
      const { text } = await hospital.bridge.call(
        `/data-flow/v3/health-information/request/status/${textAt(transfer, 'transaction')}`,
        undefined,
        { method: 'GET' },
      )
      const body: unknown = JSON.parse(text)
      return at(body, 'hiRequest.hiu.sessionStatus') !== 'REQUESTED' && body
    })
    assert.equal(at(status, 'hiRequest.hiu.sessionStatus'), 'FAILED', JSON.stringify(status))
    assert.equal(at(listAt(status, 'hiRequest.hiu.statusResponses')[0], 'hiStatus'), 'ERRORED')
  })

  test('habits of peers are borne: a shared secret without its leading zero, content behind a link', async () => {
    for (const habit of ['stripsZeros', 'sendsLinks'] as const) {
      hospital.hip[habit] = true
      const { own, consent, transfer } = await fetched(['good-1'], ['complete', 'incomplete', 'failed'])
      hospital.hip[habit] = false
      assert.equal(at(transfer, 'status'), 'complete', `${habit}: ${JSON.stringify(transfer)}`)
      const records = await desk.records(ASHA.abhaAddress)
      assert.ok(
        records.some((one) => at(one, 'artefact') === consent && at(one, 'status') === 'held'),
        `${habit} ${own}`,
      )
    }
  })

  test('a HIP that does everything twice is borne by exchange and hospital, and each document is held once', async () => {
    hospital.bridge.misbehave('/api/v3/consent/request/hip/notify', 'twice', 1)
    hospital.bridge.misbehave('/api/v3/hip/health-information/request', 'twice', 1)
    const { consent, transfer } = await fetched(['good-1'], ['complete', 'incomplete', 'failed'])
    assert.equal(at(transfer, 'status'), 'complete', JSON.stringify(transfer))
    const transactionId = textAt(transfer, 'transaction')
    const report = await waitFor('both reports', async () => {
      const { text } = await hospital.bridge.call(
        `/data-flow/v3/health-information/request/status/${transactionId}`,
        undefined,
        { method: 'GET' },
      )
      const body: unknown = JSON.parse(text)
      return (
        at(body, 'hiRequest.hip.sessionStatus') === 'TRANSFERRED' &&
        at(body, 'hiRequest.hiu.sessionStatus') !== 'REQUESTED' &&
        body
      )
    })
    assert.notEqual(at(report, 'hiRequest.hiu.sessionStatus'), 'FAILED')
    await hospital.bridge.idle()
    const held = (await desk.records(ASHA.abhaAddress)).filter((one) => at(one, 'artefact') === consent)
    assert.deepEqual(
      held.map((one) => at(one, 'careContextReference')),
      ['good-1'],
    )
  })

  test('a consent that ran out shows nothing from that moment, and its copies go', async () => {
    const of = async (consent: string) =>
      (await desk.records(ASHA.abhaAddress)).filter((one) => at(one, 'artefact') === consent)
    const look = (held: string): Promise<{ readonly status: number; readonly body: unknown }> =>
      network.operator(OURS, `/v1/records/${held}/view`, {
        person: { name: 'Dr. Farida Khan', role: 'physician' },
        purpose: 'CAREMGT',
      })
    const { consent, held } = await reachMoment(async (dataEraseAt) => {
      const { request, own } = await desk.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'], dataEraseAt })
      const given = await asha.grant(request, HIP, { careContexts: contexts('good-1') })
      await desk.transferred(own)
      const came = textAt((await of(given))[0], 'id')
      assert.equal((await look(came)).status, 200)
      return { consent: given, held: came }
    })
    assert.ok([403, 404].includes((await look(held)).status))
    await sweepExpired(network.exchange.running.machine)
    await waitFor('the copies to be erased', async () => (await of(consent)).length === 0)
    await waitFor('the attestation', async () => {
      const { body } = await asha.call('/v1/me/sharing')
      return JSON.stringify(listAt(body, 'items').find((one) => at(one, 'id') === consent)).includes('erasedAt')
    })
  })

  test('a push to an address that we never gave is refused, whatever it holds', async () => {
    const asked = hospital.bridge.received.findLast((one) => one.path === '/api/v3/hip/health-information/request')
    const url = textAt(asked?.body, 'hiRequest.dataPushUrl')
    const page = {
      pageNumber: 1,
      pageCount: 1,
      transactionId: randomUUID(),
      entries: [],
      keyMaterial: at(asked?.body, 'hiRequest.keyMaterial'),
    }
    const entries = [{ content: 'AAAA', media: 'application/fhir+json', checksum: '', careContextReference: 'good-1' }]
    const unknown = await callJson(url.replace(/[0-9a-f]{8}(?=[^/]*$)/, 'ffffffff'), {}, { ...page, entries })
    assert.ok(unknown.status >= 400 && unknown.status < 500, JSON.stringify(unknown))
    const empty = await callJson(url, {}, { nothing: true })
    assert.equal(empty.status, 400)
    assert.match(textAt(empty.body, 'error.code'), /^ABDM-\d{4}$/)
    const other = await callJson(url, {}, { ...page, entries })
    assert.ok(other.status >= 400 && other.status < 500, `another transaction: ${JSON.stringify(other)}`)
  })

  test('a page that comes after revocation is not stored', async () => {
    hospital.bridge.on('/api/v3/hip/health-information/request', () => undefined)
    const { own, request } = await desk.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'] })
    const consent = await asha.grant(request, HIP, { careContexts: contexts('good-1') })
    const asked = await hospital.bridge.callback(
      '/api/v3/hip/health-information/request',
      (one) => at(one.body, 'hiRequest.consent.id') === consent,
    )
    assert.equal((await asha.revoke(consent)).status, 202)
    await waitFor(
      'our facility to know',
      async () => at(listAt(await desk.consent(own), 'artefacts')[0], 'status') === 'revoked',
    )
    const before = (await desk.records(ASHA.abhaAddress)).length
    const page = {
      pageNumber: 1,
      pageCount: 1,
      transactionId: textAt(asked.body, 'transactionId'),
      entries: [{ content: 'AAAA', media: 'application/fhir+json', checksum: '', careContextReference: 'good-1' }],
      keyMaterial: at(asked.body, 'hiRequest.keyMaterial'),
    }
    const late = await callJson(textAt(asked.body, 'hiRequest.dataPushUrl'), {}, page)
    assert.ok(late.status >= 400 && late.status < 500, JSON.stringify(late))
    assert.match(textAt(late.body, 'error.code'), /^ABDM-1062/)
    assert.equal((await desk.records(ASHA.abhaAddress)).length, before)
  })
})
