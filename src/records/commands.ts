import { createHmac } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Finding } from '../fhir/findings.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { validateDocument } from '../fhir/validate.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { isBirthDate } from '../kernel/civil-day.ts'
import { type AbhaAddress, type AbhaNumber, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { readDocument } from './document-bytes.ts'
import { isAbout } from './identity.ts'
import type { NewPatient, NewRecord } from './messages.ts'
import { indexWords, isNamed, searchWords } from './name-index.ts'
import type { FacilityPatient } from './patient.ts'
import * as store from './store.ts'

export type RecordsNeeds = { readonly facility: { readonly id: FacilityId }; readonly indexKey: Uint8Array }

/** Added, or changed (`changed` is false when all was known already). */
export type PatientSaved = { readonly patient: FacilityPatient; readonly changed: boolean }

/** Registers a patient of this facility, or changes what is known of one. The ABHA address may belong to one patient only. */
export async function addPatient(
  tx: Tx,
  needs: RecordsNeeds,
  actor: Actor,
  input: NewPatient,
): Promise<PatientSaved | Refusal> {
  const patient = withoutAbsent(input)
  const before = await store.loadPatient(tx, patient.reference)
  if (before !== undefined && JSON.stringify(withoutAbsent(before)) === JSON.stringify(patient))
    return { patient, changed: false }
  if (!isBirthDate(patient.birthDate, tx.now))
    return refuse('request/invalid-field', 'Nobody who lives was born on this day.', 'birthDate')
  if (patient.abhaAddress !== undefined) {
    const holders = await findPatients(tx, needs, 'abha-address', patient.abhaAddress)
    if (holders.some((holder) => holder.reference !== patient.reference))
      return refuse('records/abha-taken', undefined, 'abhaAddress')
  }
  const recorded = await record(tx, {
    type: before === undefined ? 'records.patient-registered' : 'records.patient-changed',
    actor,
    patient: patient.reference,
    subject: patient.reference,
  })
  await store.savePatient(tx, recorded, patient)
  await store.saveIdentifiers(
    tx,
    recorded,
    patient.reference,
    before ? hashesOf(needs, before) : [],
    hashesOf(needs, patient),
  )
  await announce(tx, recorded)
  return { patient, changed: true }
}

/** The members in one order, without the absent ones: so that equal patients have equal JSON. */
function withoutAbsent(input: NewPatient | FacilityPatient): FacilityPatient {
  const { reference, name, gender, birthDate, abhaAddress, abhaNumber, mobile, address } = input
  return {
    reference,
    name,
    gender,
    birthDate,
    ...(abhaAddress === undefined ? {} : { abhaAddress }),
    ...(abhaNumber === undefined ? {} : { abhaNumber }),
    ...(mobile === undefined ? {} : { mobile }),
    ...(address === undefined ? {} : { address }),
  }
}

/** Learns the ABHA address of a patient, when a link proved it. Leaves one that another patient has. */
export async function learnAbhaAddress(
  tx: Tx,
  needs: RecordsNeeds,
  actor: Actor,
  reference: string,
  abhaAddress: AbhaAddress,
): Promise<void> {
  const patient = await store.loadPatient(tx, reference)
  if (patient === undefined || patient.abhaAddress !== undefined) return
  await addPatient(tx, needs, actor, { ...patient, abhaAddress })
}

/** A patient by the facility's own number. */
export async function readPatient(tx: Tx, reference: string): Promise<FacilityPatient | Refusal> {
  return (await store.loadPatient(tx, reference)) ?? refuse('records/unknown-patient')
}

/** Whether the facility knows a patient since a time only. */
export async function isPatientSince(tx: Tx, reference: string, since: Date): Promise<boolean> {
  return store.isRegisteredSince(tx, reference, since)
}

/** All patients that have an identifier. */
export async function findPatients(
  tx: Tx,
  needs: Pick<RecordsNeeds, 'indexKey'>,
  kind: store.IdentifierKind,
  value: AbhaAddress | AbhaNumber | string,
): Promise<readonly FacilityPatient[]> {
  const references = await store.referencesByIdentifier(tx, hashOf(needs, kind, value))
  const patients: FacilityPatient[] = []
  for (const reference of references) {
    const patient = await store.loadPatient(tx, reference)
    if (patient !== undefined) patients.push(patient)
  }
  return patients
}

/**
 * Patients whose name has words that begin as these do, at most `limit` and whether there are more. Asks the keyed index of names and
 * opens nobody whom it does not show; undefined when no word is long enough to ask for.
 */
export async function findPatientsByName(
  tx: Tx,
  needs: Pick<RecordsNeeds, 'indexKey'>,
  text: string,
  limit: number,
): Promise<{ readonly patients: readonly FacilityPatient[]; readonly hasMore: boolean } | undefined> {
  const words = searchWords(text)
  if (words.length === 0) return undefined
  const hashes = words.map((word) => hashOf(needs, 'name', word))
  const references = await store.referencesByAll(tx, hashes, limit + 1)
  const patients: FacilityPatient[] = []
  for (const reference of references.slice(0, limit)) {
    const patient = await store.loadPatient(tx, reference)
    if (patient !== undefined && isNamed(patient.name, text)) patients.push(patient)
  }
  return { patients, hasMore: references.length > limit }
}

/** Puts the names of patients into the index that were registered before there was one: some at a time. Returns how many. */
export async function indexNames(tx: Tx, needs: RecordsNeeds, limit: number): Promise<number> {
  const references = await store.patientsToIndex(tx, limit)
  if (references.length === 0) return 0
  const recorded = await record(tx, {
    type: 'records.names-indexed',
    actor: { kind: 'system', id: 'names' },
    patients: references.length,
  })
  for (const reference of references) {
    const patient = await store.loadPatient(tx, reference)
    if (patient !== undefined)
      await store.saveIdentifiers(tx, recorded, reference, hashesOf(needs, patient), hashesOf(needs, patient))
    await store.markIndexed(tx, recorded, reference)
  }
  return references.length
}

/** Patients of the facility, page by page; `after` is the last reference of the page before. */
export async function listPatients(
  tx: Tx,
  after: string | undefined,
  limit: number,
): Promise<readonly FacilityPatient[]> {
  return store.listPatients(tx, after, limit)
}

function hashOf(
  needs: Pick<RecordsNeeds, 'indexKey'>,
  kind: store.IdentifierKind,
  value: string,
): store.HashedIdentifier {
  return { kind, hash: createHmac('sha256', needs.indexKey).update(`facility-patient\n${kind}\n${value}`).digest() }
}

function hashesOf(needs: Pick<RecordsNeeds, 'indexKey'>, patient: FacilityPatient): readonly store.HashedIdentifier[] {
  const known: readonly (readonly [store.IdentifierKind, string | undefined])[] = [
    ['abha-address', patient.abhaAddress],
    ['abha-number', patient.abhaNumber],
    ['mobile', patient.mobile],
  ]
  return [
    ...known.flatMap(([kind, value]) => (value === undefined ? [] : [hashOf(needs, kind, value)])),
    ...indexWords(patient.name).map((word) => hashOf(needs, 'name', word)),
  ]
}

export type RecordAdded = {
  readonly id: Id<'record'>
  readonly careContextReference: string
  readonly hiType: HiType
  readonly date: Date
  /** What would keep a document made by others from being sent as it is. */
  readonly findings: readonly Finding[]
}

/** Adds a record of one of the facility's patients. Refuses what is about somebody else, and bytes that are no document. */
export async function addRecord(
  tx: Tx,
  actor: Actor,
  reference: string,
  input: NewRecord,
): Promise<RecordAdded | Refusal> {
  const patient = await store.loadPatient(tx, reference)
  if (patient === undefined) return refuse('records/unknown-patient')
  const content =
    input.input === undefined ? readForeign(patient, input.document ?? '') : readFacts(patient, input.input)
  if (isRefusal(content)) return content
  const id = makeId<'record'>(tx.now, tx.random, bucketOf(reference))
  const careContextReference = input.careContextReference ?? id
  const added = { id, careContextReference, hiType: content.hiType, date: content.date }
  const recorded = await record(tx, {
    type: 'records.record-added',
    actor,
    patient: reference,
    subject: id,
    careContextReference,
    hiType: content.hiType,
    date: content.date.toISOString(),
  })
  await store.insertRecord(tx, recorded, { ...added, patientReference: reference, form: content.form }, content.bytes)
  await announce(tx, recorded)
  return { ...added, findings: content.findings }
}

/** What somebody wants to add, as data: facts, or a document made by others; undefined when it is none, which {@link addRecord} refuses. */
export function givenDocument({ input, document = '' }: NewRecord): unknown {
  if (input !== undefined) return input
  const read = readDocument(Buffer.from(document, 'base64'))
  return isRefusal(read) ? undefined : read.bundle
}

type Content = {
  readonly form: 'input' | 'document'
  readonly hiType: HiType
  readonly date: Date
  readonly bytes: Uint8Array | string
  readonly findings: readonly Finding[]
}

function readFacts(patient: FacilityPatient, input: NonNullable<NewRecord['input']>): Content | Refusal {
  const { mrn, abhaAddress, abhaNumber, birthDate } = input.patient
  const differs =
    mrn !== patient.reference ||
    birthDate !== patient.birthDate ||
    (abhaAddress !== undefined &&
      patient.abhaAddress !== undefined &&
      abhaAddress.toLowerCase() !== patient.abhaAddress) ||
    (abhaNumber !== undefined && patient.abhaNumber !== undefined && abhaNumber !== patient.abhaNumber)
  if (differs)
    return refuse(
      'fhir/other-patient',
      'The patient in the record is not the one it is filed under: mrn, birthDate or ABHA differ.',
      'input.patient',
    )
  return { form: 'input', hiType: input.hiType, date: new Date(input.date), bytes: JSON.stringify(input), findings: [] }
}

function readForeign(patient: FacilityPatient, base64: string): Content | Refusal {
  const bytes = Buffer.from(base64, 'base64')
  const document = readDocument(bytes)
  if (isRefusal(document)) return document
  if (isAbout(document.identity, patient) === 'no') return refuse('fhir/other-patient', undefined, 'document')
  const findings = validateDocument(document.bundle, 'strict')
  return { form: 'document', hiType: document.hiType, date: document.date, bytes, findings }
}
