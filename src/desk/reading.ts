import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { ShownDocument } from '../fhir/show.ts'
import {
  type ErasedCopy,
  type GroundOfCopy,
  type ReceivedReading,
  readReceived,
  type WithheldDocument,
} from '../hiu/reading.ts'
import { listRecords } from '../hiu/view.ts'
import { openEmergencyOf } from '../incidents/commands.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import { readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { type Ground, listedTypes, type Reading, readingsOf } from '../records/rules.ts'
import { denyOwnView, listOwnRecords, viewOwnRecords } from '../records/view.ts'
import { isAttending } from './commands.ts'
import { type DeskConsent, type DeskConsentNeeds, listDeskConsents } from './consents.ts'
import { lookAtPatient } from './looks.ts'
import { attendantOf } from './rules.ts'

export type DeskReadingNeeds = DeskConsentNeeds & {
  /** Sources of our own records that are not read here: their answers may take longer than a person waits. */
  readonly recordsElsewhere: readonly ('folder' | 'fhir')[]
}

type Person = Pick<FacilityPatient, 'reference' | 'name' | 'gender' | 'birthDate'>

/** How many documents of a kind there are; without their content. */
export type Count = { readonly hiType: HiType; readonly own: number; readonly received: number }

/** What a person may read of a patient, and how; before anything is opened. */
export type ReadingDoor = {
  readonly patient: Person
  /** The usual one first; empty when the content is closed to this person now. */
  readonly ways: readonly { readonly purpose: PurposeCode; readonly ground: Ground; readonly until?: Date }[]
  readonly counts: readonly Count[]
}

export type ReadingEntry = {
  readonly id: string
  readonly hiType: HiType
  /** Of the record. */
  readonly date: Date
  /** Absent where the document cannot be shown. */
  readonly document?: ShownDocument
  /** Absent for our own. */
  readonly received?: GroundOfCopy & { readonly at: Date; readonly findings: number }
}

export type OpenReading = {
  readonly patient: Person
  readonly purpose: PurposeCode
  readonly ground: Ground
  /** The ground ends by itself then. */
  readonly until?: Date
  readonly entries: readonly ReadingEntry[]
  readonly withheld: readonly WithheldDocument[]
  readonly erased: readonly ErasedCopy[]
  /** Consents as this person sees them: what is waited for, what the patient left out, which places sent nothing. */
  readonly consents: readonly DeskConsent[]
  /** Where more of our own may lie, which this reading does not show. */
  readonly elsewhere: readonly ('folder' | 'fhir')[]
}

/** Before reading: for which purposes this person may read, and how much there is. */
export async function openDoor(
  tx: Tx,
  needs: DeskConsentNeeds,
  staff: StaffCaller,
  reference: string,
): Promise<ReadingDoor | Refusal> {
  const patient = await readPatient(tx, reference)
  if (isRefusal(patient)) return patient
  await lookAtPatient(tx, needs, staff, patient.reference)
  const ways = await waysOf(tx, staff, patient.reference)
  return {
    patient: personOf(patient),
    ways: ways.map(({ purpose, ground, until }) => ({ purpose, ground, ...(until === undefined ? {} : { until }) })),
    counts: await countRecords(tx, staff, patient),
  }
}

/** Every way in which this person may read the patient's records now. */
async function waysOf(tx: Tx, staff: StaffCaller, reference: string): Promise<readonly Reading[]> {
  const attendant = attendantOf(staff)
  const attends = attendant !== undefined && (await isAttending(tx, reference, attendant))
  const emergency = await openEmergencyOf(tx, reference, staff.id)
  return readingsOf({
    role: staff.role,
    attends,
    ...(emergency === undefined ? {} : { emergencyUntil: emergency.until }),
  })
}

const personOf = ({ reference, name, gender, birthDate }: FacilityPatient): Person => ({
  reference,
  name,
  gender,
  birthDate,
})

async function countRecords(tx: Tx, staff: StaffCaller, patient: FacilityPatient): Promise<readonly Count[]> {
  const own = await listOwnRecords(tx, patient)
  const received = patient.abhaAddress === undefined ? [] : await listRecords(tx, patient.abhaAddress)
  return listedTypes(staff.role).flatMap((hiType) => {
    const count = {
      hiType,
      own: own.filter((one) => one.hiType === hiType).length,
      received: received.filter((one) => one.hiType === hiType && one.status === 'held').length,
    }
    return count.own + count.received === 0 ? [] : [count]
  })
}

/**
 * Opens the records of a patient for a purpose: our own, and what others sent, each recorded with the person, her role and the purpose
 * before it is opened. Refuses `records/not-yours`, which is recorded too.
 */
export async function readPatientRecords(
  tx: Tx,
  needs: DeskReadingNeeds,
  staff: StaffCaller,
  input: { readonly reference: string; readonly purpose: PurposeCode },
): Promise<OpenReading | Refusal> {
  const patient = await readPatient(tx, input.reference)
  if (isRefusal(patient)) return patient
  const ways = await waysOf(tx, staff, patient.reference)
  const reading = ways.find(({ purpose }) => purpose === input.purpose)
  if (reading === undefined) {
    await denyOwnView(tx, needs, { patient, staff, purpose: input.purpose })
    return refuse('records/not-yours')
  }
  const own = await viewOwnRecords(tx, needs, { patient, staff, reading, as: 'records.viewed' })
  const received = await receivedOf(tx, needs, patient, staff, reading)
  const consents = await listDeskConsents(tx, needs, staff, { patient: patient.reference })
  return {
    patient: personOf(patient),
    purpose: reading.purpose,
    ground: reading.ground,
    ...(reading.until === undefined ? {} : { until: reading.until }),
    entries: [
      ...own.map(({ id, hiType, date, display }) => entry({ id, hiType, date }, display)),
      ...received.shown.map(({ id, hiType, date, display, ground, receivedAt, findings }) => ({
        ...entry({ id, hiType, date }, display),
        received: { ...ground, at: receivedAt, findings: findings.length },
      })),
    ],
    withheld: received.withheld,
    erased: received.erased,
    consents: isRefusal(consents) ? [] : consents,
    elsewhere: needs.recordsElsewhere,
  }
}

function entry(head: Pick<ReadingEntry, 'id' | 'hiType' | 'date'>, document: ShownDocument | undefined): ReadingEntry {
  return document === undefined ? head : { ...head, document }
}

async function receivedOf(
  tx: Tx,
  needs: DeskConsentNeeds,
  { abhaAddress }: FacilityPatient,
  { id, name, role }: StaffCaller,
  { purpose, received }: Reading,
): Promise<ReceivedReading> {
  if (abhaAddress === undefined) return { shown: [], withheld: [], erased: [] }
  return readReceived(tx, needs, { patient: abhaAddress, viewer: { name, role, purpose, staff: id }, types: received })
}
