import type { Tx } from '../db/tx.ts'
import { HI_TYPES, type HiType } from '../fhir/hi-type.ts'
import type { ShownDocument } from '../fhir/show.ts'
import type { ErasedCopy, GroundOfCopy } from '../hiu/reading.ts'
import {
  countHeld,
  documentsOnShelf,
  erasedFromShelf,
  openFromShelf,
  type Shelf,
  shelfOf,
  type WithheldGroup,
} from '../hiu/shelf.ts'
import { openEmergencyOf } from '../incidents/commands.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type ListPlace, newestFirst } from '../kernel/list-place.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import { readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { type Ground, listedTypes, type Reading, readingsOf } from '../records/rules.ts'
import {
  countOwnRecords,
  denyOwnView,
  type OwnHead,
  type OwnRecord,
  ownRecordsBelow,
  viewOwnRecords,
} from '../records/view.ts'
import { isAttending, readStanding } from './commands.ts'
import { type DeskConsent, type DeskConsentNeeds, listDeskConsents } from './consents.ts'
import { lookAtPatient } from './looks.ts'
import { pickPage } from './reading-page.ts'
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

export type ReadingInput = {
  readonly reference: string
  readonly purpose: PurposeCode
  /** These kinds alone; without it, all that the person may read. */
  readonly hiTypes?: readonly HiType[] | undefined
  /** Below the last one of the page before. */
  readonly below?: ListPlace | undefined
}

/** One page of open records, newest first. */
export type OpenReading = {
  readonly patient: Person
  readonly purpose: PurposeCode
  readonly ground: Ground
  /** The ground ends by itself then. */
  readonly until?: Date
  /** What there was just before this was opened, as the door says it. */
  readonly counts: readonly Count[]
  /** How many documents this person may open for this purpose, page after page. */
  readonly there: readonly { readonly hiType: HiType; readonly documents: number }[]
  readonly entries: readonly ReadingEntry[]
  /** Of this page what was tried and closed by the gate; with the first page also all that we hold and this person does not see. */
  readonly withheld: readonly WithheldGroup[]
  /** The place of the last one, when there are older ones: `below` of the next page. */
  readonly more?: ListPlace
  /** With the first page alone, as is what follows. */
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
  const own = await countOwnRecords(tx, patient)
  const received = patient.abhaAddress === undefined ? undefined : await countHeld(tx, patient.abhaAddress)
  return listedTypes(staff.role).flatMap((hiType) => {
    const count = { hiType, own: own.get(hiType) ?? 0, received: received?.get(hiType) ?? 0 }
    return count.own + count.received === 0 ? [] : [count]
  })
}

/**
 * Opens the newest records of a patient for a purpose, or those below a place in that list: our own, and what others sent, each recorded
 * with the person, her role and the purpose before it is opened; what is not given out is not opened. Refuses `records/not-yours`, which is
 * recorded too.
 */
export async function readPatientRecords(
  tx: Tx,
  needs: DeskReadingNeeds,
  staff: StaffCaller,
  input: ReadingInput,
): Promise<OpenReading | Refusal> {
  const patient = await readPatient(tx, input.reference)
  if (isRefusal(patient)) return patient
  const ways = await waysOf(tx, staff, patient.reference)
  const reading = ways.find(({ purpose }) => purpose === input.purpose)
  if (reading === undefined) {
    await denyOwnView(tx, needs, { patient, staff, purpose: input.purpose })
    return refuse('records/not-yours')
  }
  const standing = reading.ground === 'emergency' ? undefined : await readStanding(tx, patient, staff)
  const viewer = {
    name: staff.name,
    role: staff.role,
    purpose: reading.purpose,
    staff: staff.id,
    // A unit reads what others sent by the consent alone.
    ...(standing === undefined || reading.ground === 'unit' ? {} : { standing }),
  }
  // Before what is opened: what comes meanwhile then counts as not yet open, and the page opens it, rather than never.
  const counts = await countRecords(tx, staff, patient)
  const { abhaAddress } = patient
  const shelf = abhaAddress === undefined ? undefined : await shelfOf(tx, abhaAddress, viewer, reading.received)
  const page = await findPage(tx, patient, reading, shelf, input)
  const own = await openOwn(tx, needs, {
    patient,
    staff,
    reading,
    standing,
    found: page.own,
    isFirst: input.below === undefined,
  })
  const { shown, withheld } = shelf
    ? await openFromShelf(tx, needs, shelf, viewer, page.received)
    : { shown: [], withheld: [] }
  return {
    patient: personOf(patient),
    purpose: reading.purpose,
    ground: reading.ground,
    ...(reading.until === undefined ? {} : { until: reading.until }),
    counts,
    there: await countOpenable(tx, patient, reading, shelf),
    entries: [
      ...own.map(({ id, hiType, date, display }) => entry({ id, hiType, date }, display)),
      ...shown.map(({ id, hiType, date, display, ground, receivedAt, findings }) => ({
        ...entry({ id, hiType, date }, display),
        received: { ...ground, at: receivedAt, findings: findings.length },
      })),
    ].sort(newestFirst),
    ...(page.more === undefined ? {} : { more: page.more }),
    withheld: input.below === undefined ? [...(shelf?.withheld ?? []), ...withheld] : withheld,
    ...(await besides(tx, needs, staff, patient, shelf, input.below === undefined)),
  }
}

/** The closed documents of the next page. */
async function findPage(
  tx: Tx,
  patient: FacilityPatient,
  { own }: Reading,
  shelf: Shelf | undefined,
  { hiTypes, below }: ReadingInput,
) {
  const types = hiTypes ?? HI_TYPES
  // One more than fits says whether there is more.
  const wanted = { types, below, limit: LIMITS.readingDocumentsMax + 1 }
  const ours = await ownRecordsBelow(tx, patient, { ...wanted, types: own.filter((type) => types.includes(type)) })
  const received = shelf === undefined ? [] : await documentsOnShelf(tx, shelf, wanted)
  return pickPage(ours, received, { documents: LIMITS.readingDocumentsMax, bytes: LIMITS.readingBytesMax })
}

/** A view that finds nothing is a view too, once: below it nobody looks at our own where there are none. */
async function openOwn(
  tx: Tx,
  needs: DeskReadingNeeds,
  {
    isFirst,
    ...view
  }: Omit<Parameters<typeof viewOwnRecords>[2], 'as' | 'found'> & {
    readonly found: readonly OwnHead[]
    readonly isFirst: boolean
  },
): Promise<readonly OwnRecord[]> {
  if (!isFirst && view.found.length === 0) return []
  return viewOwnRecords(tx, needs, { ...view, as: 'records.viewed' })
}

/** How many documents of each kind this reader may open, page after page. */
async function countOpenable(
  tx: Tx,
  patient: FacilityPatient,
  { own }: Reading,
  shelf: Shelf | undefined,
): Promise<OpenReading['there']> {
  const ours = await countOwnRecords(tx, patient)
  return HI_TYPES.flatMap((hiType) => {
    const documents = (own.includes(hiType) ? (ours.get(hiType) ?? 0) : 0) + (shelf?.counts.get(hiType) ?? 0)
    return documents === 0 ? [] : [{ hiType, documents }]
  })
}

/** What is said once, with the first page: what is not seen, and why. */
async function besides(
  tx: Tx,
  needs: DeskReadingNeeds,
  staff: StaffCaller,
  patient: FacilityPatient,
  shelf: Shelf | undefined,
  isFirst: boolean,
): Promise<Pick<OpenReading, 'erased' | 'consents' | 'elsewhere'>> {
  if (!isFirst) return { erased: [], consents: [], elsewhere: [] }
  const consents = await listDeskConsents(tx, needs, staff, { patient: patient.reference })
  return {
    erased: shelf === undefined ? [] : await erasedFromShelf(tx, shelf),
    consents: isRefusal(consents) ? [] : consents,
    elsewhere: needs.recordsElsewhere,
  }
}

function entry(head: Pick<ReadingEntry, 'id' | 'hiType' | 'date'>, document: ShownDocument | undefined): ReadingEntry {
  return document === undefined ? head : { ...head, document }
}
