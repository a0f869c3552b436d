import assert from 'node:assert/strict'
import { transact } from '../../src/db/tx.ts'
import { makePopulation } from '../../src/demo/people/population.ts'
import { asVisitActor, startVisit } from '../../src/desk/commands.ts'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import type { StaffCaller } from '../../src/kernel/caller.ts'
import type { FacilityId } from '../../src/kernel/id.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { addRecord } from '../../src/records/commands.ts'
import { addStaff } from '../desk-bench.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, textAt } from '../json-path.ts'
import type { TestNetwork } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { daysFromNow, heldPatient, heldRecord } from '../people.ts'
import { waitFor } from '../wait.ts'

export const HOSPITAL = 'IN2710000011'
export const LAB = 'IN2710000033'
/** A hospital with other software. */
const OTHER = 'IN2710000088'
const SEED = 20_261_122
/** Twenty-two documents on a busy machine. */
const PATIENCE_MS = 60_000

export type ReadingWorld = {
  /** The hospital's number for Asha. */
  readonly mrn: string
  readonly doctor: StaffCaller
  readonly nurse: StaffCaller
  readonly lab: StaffCaller
  /** Writes that many of the hospital's own records, of long ago. */
  readonly writeOld: (count: number) => Promise<void>
}

/**
 * Asha of the sample network: eight years of diabetes. The hospital holds its visits; her laboratory's results came under a consent;
 * another hospital sent one document of hers and one of somebody else; a second request waits for her.
 */
export async function fillReadingWorld(network: TestNetwork): Promise<ReadingWorld> {
  const { patients, holdings } = makePopulation(new Date(), SEED)
  const asha = patients.find(({ abhaAddress }) => abhaAddress === 'asha.rao@sbx')
  assert.ok(asha)
  await network.enrol(asha)
  const hospital = new FacilityDesk(network, HOSPITAL, PATIENCE_MS)
  for (const [id, holder] of [
    [HOSPITAL, 'tarangini'],
    [LAB, 'pratibimb'],
  ] as const) {
    const desk = new FacilityDesk(network, id, PATIENCE_MS)
    const holding = holdings.find((one) => one.abhaAddress === asha.abhaAddress && one.holder === holder)
    assert.ok(holding)
    await desk.addPatient(holding.mrn, asha)
    for (const { careContextReference, document } of holding.careContexts)
      await desk.call(`/v1/patients/${holding.mrn}/records`, { careContextReference, input: document })
    if (id === LAB) await desk.link(holding.mrn, holding.careContexts.length)
  }
  await linkOther(network, asha)
  const app = await PatientApp.open(network, asha.abhaAddress)
  await receive(hospital, app, asha.abhaAddress, LAB)
  await receive(hospital, app, asha.abhaAddress, OTHER)
  await hospital.ask({ patient: asha.abhaAddress, hiTypes: ['ImmunizationRecord'] })
  const mrn = holdings.find((one) => one.abhaAddress === asha.abhaAddress && one.holder === 'tarangini')?.mrn ?? ''
  const { machine } = network.party(HOSPITAL).running
  const doctor = await addStaff(machine, 'doctor', 'Dr. Farida Khan', 'MMC/2009/4417')
  const nurse = await addStaff(machine, 'nurse', 'Rosy Mathew')
  const lab = await addStaff(machine, 'lab', 'Vivek Salunkhe')
  const visit = { patient: mrn, kind: 'outpatient', attendants: [] } as const
  assert.ok(
    !isRefusal(
      await transact(machine, (tx) =>
        startVisit(tx, asVisitActor({ facility: { id: HOSPITAL as FacilityId } }, doctor), visit),
      ),
    ),
  )
  const writeOld = async (count: number) => {
    const visit = holdings.find((one) => one.mrn === mrn)?.careContexts[0]?.document
    assert.ok(visit)
    await transact(machine, async (tx) => {
      for (let n = 0; n < count; n++) {
        const date = daysFromNow(-4_000 - n).toISOString()
        const added = await addRecord(tx, { kind: 'system', id: 'test' }, mrn, { input: { ...visit, date } })
        assert.ok(!isRefusal(added), JSON.stringify(added))
      }
    })
  }
  return { mrn, doctor, nurse, lab, writeOld }
}

type Asha = Parameters<typeof heldPatient>[0]

async function linkOther(network: TestNetwork, asha: Asha): Promise<void> {
  const other = await network.join('wrapper', OTHER, 'Sunrise Nursing Home')
  const own = aboutAsha(sampleDocument('Prescription'), asha)
  const foreign = structuredClone(own)
  for (const { resource } of foreign.entry)
    if (resource['resourceType'] === 'Patient')
      Object.assign(resource, {
        name: [{ text: 'Bina Das' }],
        birthDate: '1950-01-01',
        identifier: [healthId('bina.das@sbx')],
      })
  other.hip.records.push(heldRecord('visit-1', 'Prescription', JSON.stringify(own)))
  other.hip.records.push(heldRecord('visit-2', 'Prescription', JSON.stringify(foreign)))
  const token = await other.hip.askLinkToken(heldPatient(asha))
  await other.hip.link(heldPatient(asha), textAt(token, 'linkToken'))
}

type Bundle = { readonly entry: readonly { readonly resource: Record<string, unknown> }[] }

const healthId = (value: string) => ({
  type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
  system: 'https://healthid.abdm.gov.in',
  value,
})

function aboutAsha(document: unknown, asha: Asha): Bundle {
  const copy = structuredClone(document) as Bundle
  const written = daysFromNow(-60).toISOString()
  for (const { resource } of copy.entry) {
    if (resource['resourceType'] === 'Composition') resource['date'] = written
    if (resource['resourceType'] === 'MedicationRequest') resource['authoredOn'] = written.slice(0, 10)
    if (resource['resourceType'] === 'Patient')
      Object.assign(resource, {
        name: [{ text: asha.name }],
        birthDate: asha.birthDate,
        identifier: [healthId(asha.abhaAddress)],
      })
  }
  return copy
}

/** Asks one provider for everything of nine years, lets the patient allow it, and waits for the data. */
async function receive(desk: FacilityDesk, app: PatientApp, patient: string, hip: string): Promise<void> {
  const terms = {
    patient,
    hip: { id: hip },
    purpose: 'CAREMGT',
    hiTypes: ['DiagnosticReport', 'Prescription', 'OPConsultation'],
    from: daysFromNow(-9 * 365).toISOString(),
    to: daysFromNow(-1).toISOString(),
    dataEraseAt: daysFromNow(30).toISOString(),
    requester: { name: 'Dr. Farida Khan', registrationNumber: 'MMC/2009/4417' },
  }
  const own = textAt(await desk.call('/v1/consent-requests', terms), 'id')
  const isTaken = async () => {
    const id = at(await desk.consent(own), 'exchangeId')
    return typeof id === 'string' && id
  }
  const request = await waitFor('the exchange to take the request', isTaken, PATIENCE_MS)
  await app.grant(request, hip)
  await desk.transferred(own)
}
