import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Personality } from '../fake-demands.ts'
import { at, textAt, textsAt } from '../json-path.ts'
import { TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, daysFromNow, heldPatient, heldRecord, LONG_AGO } from '../people.ts'
import { waitFor } from '../wait.ts'

const HIP = 'IN2710000088'
const HIU = 'IN2710000099'

/** Checks an artefact as docs/artefact.md tells strangers to: RFC 8785 bytes of the detail, RS256 by a key of `certs`. */
async function isSigned({ bridge, hiu }: ThirdParty, consent: string): Promise<boolean> {
  const artefact = hiu.artefacts.get(consent)
  const certs = await bridge.call('/gateway/v3/certs', undefined, { method: 'GET' })
  const [jwk] = (JSON.parse(certs.text) as { keys: Record<string, string>[] }).keys
  if (artefact === undefined || jwk === undefined) return false
  const bytes = Buffer.from(canonical(artefact.detail))
  return verify(
    'RSA-SHA256',
    bytes,
    createPublicKey({ key: jwk, format: 'jwk' }),
    Buffer.from(artefact.signature, 'base64'),
  )
}

/** RFC 8785 for what an artefact holds: objects, lists, texts and whole numbers. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`
}

// The wrapper as HIP reads raw keys only; as HIU it reads X.509 only; CARE reads both.
for (const [asHip, asHiu] of [
  ['care', 'wrapper'],
  ['wrapper', 'care'],
] as const satisfies readonly (readonly [Personality, Personality])[]) {
  describe(`a ${asHip} HIP and a ${asHiu} HIU meet at our exchange`, () => {
    let network: TestNetwork
    let hospital: ThirdParty
    let clinic: ThirdParty
    let asha: PatientApp
    before(async () => {
      network = await TestNetwork.start({ changesNoRows: true })
      await network.enrol(ASHA)
      hospital = await network.join(asHip, HIP)
      clinic = await network.join(asHiu, HIU)
      asha = await PatientApp.open(network, ASHA.abhaAddress)
      for (let i = 1; i <= 9; i++)
        hospital.hip.records.push(
          heldRecord(
            `visit-${i}`,
            i % 2 ? 'OPConsultation' : 'Prescription',
            JSON.stringify({ resourceType: 'Bundle', id: `b${i}` }),
          ),
        )
    })
    after(() => network.stop())

    test('the HIP links its care contexts with a link token', async () => {
      const token = await hospital.hip.askLinkToken(heldPatient(ASHA))
      const linked = await hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'))
      assert.equal(at(linked, 'status'), 'Successfully Linked care context')
      assert.equal((await asha.contexts(HIP)).length, 9)
    })

    test('the patient narrows and grants; only what was granted arrives, readable', async () => {
      const request = await clinic.hiu.askFor({
        patient: ASHA.abhaAddress,
        hiTypes: ['OPConsultation', 'Prescription'],
        from: LONG_AGO,
        to: daysFromNow(-1),
        eraseAt: daysFromNow(30),
      })
      await asha.grant(request, HIP, { hiTypes: ['OPConsultation'] })
      const artefact = await clinic.hiu.granted(HIP)
      await waitFor('the HIP to hold the artefact', () => hospital.hip.artefacts.has(artefact.id))
      assert.equal(at(artefact.detail, 'hiu.id'), HIU)
      assert.ok(await isSigned(clinic, artefact.id), 'the signature of the artefact does not hold')
      const range = {
        from: textAt(artefact.detail, 'permission.dateRange.from'),
        to: textAt(artefact.detail, 'permission.dateRange.to'),
      }
      const { answer, transfer } = await waitFor('the HIP to have acknowledged', async () => {
        const asked = await clinic.hiu.request(artefact.id, range)
        return at(asked.answer, 'error') === undefined && asked
      })
      assert.equal(at(answer, 'hiRequest.sessionStatus'), 'REQUESTED')
      const documents = await clinic.hiu.documents(transfer)
      assert.deepEqual(documents.map(({ careContextReference }) => careContextReference).sort(), [
        'visit-1',
        'visit-3',
        'visit-5',
        'visit-7',
        'visit-9',
      ])
      for (const { careContextReference, text } of documents)
        assert.equal(textAt(JSON.parse(text), 'id'), careContextReference.replace('visit-', 'b'))
      const status = await waitFor('both sides to have reported', async () => {
        const { text } = await clinic.bridge.call(
          `/data-flow/v3/health-information/request/status/${textAt(answer, 'hiRequest.transactionId')}`,
          undefined,
          { method: 'GET' },
        )
        const body: unknown = JSON.parse(text)
        return (
          at(body, 'hiRequest.hiu.sessionStatus') !== 'REQUESTED' &&
          at(body, 'hiRequest.hip.sessionStatus') === 'TRANSFERRED' &&
          body
        )
      })
      assert.equal(at(status, 'hiRequest.consent.id'), artefact.id)
    })

    test('after revocation both sides know, and no further request is taken', async () => {
      const artefact = await clinic.hiu.granted(HIP)
      assert.equal((await asha.revoke(artefact.id)).status, 202)
      await waitFor(
        'both to be told',
        () =>
          hospital.hip.artefacts.get(artefact.id)?.status === 'REVOKED' &&
          clinic.hiu.artefacts.get(artefact.id)?.status === 'REVOKED',
      )
      const range = {
        from: textAt(artefact.detail, 'permission.dateRange.from'),
        to: textAt(artefact.detail, 'permission.dateRange.to'),
      }
      const { answer, transfer } = await clinic.hiu.request(artefact.id, range)
      assert.match(textAt(answer, 'error.code'), /^ABDM-1062/)
      assert.equal(clinic.hiu.pagesOf(transfer), 0)
    })

    test('a denial reaches the HIU without artefacts', async () => {
      const request = await clinic.hiu.askFor({
        patient: ASHA.abhaAddress,
        hiTypes: ['OPConsultation'],
        from: daysFromNow(-30),
        to: daysFromNow(-1),
        eraseAt: daysFromNow(3),
      })
      assert.equal(
        (await asha.call(`/api/hiecm/consent/v3/request/${request}/deny`, { reason: 'not now' })).status,
        202,
      )
      await waitFor('the denial', () =>
        clinic.hiu.statuses.some((one) => one.request === request && one.status === 'DENIED'),
      )
      const body = await clinic.hiu.status(request)
      assert.deepEqual(
        [at(body, 'consentRequest.status'), textsAt(body, 'consentRequest.consentArtefacts', 'id')],
        ['DENIED', []],
      )
    })
  })
}
