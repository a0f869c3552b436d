import type { Access } from '../audit/access.ts'
import type { AuditEvent } from '../audit/record.ts'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { buildDocument } from '../fhir/build/document.ts'
import type { DocumentInput } from '../fhir/build/inputs.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { type ShownDocument, showDocument } from '../fhir/show.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { admits, decide } from '../policy/decide.ts'
import type { ConsentFact, Decision } from '../policy/gate.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import { readDocument } from './document-bytes.ts'
import { isAbout } from './identity.ts'
import type { FacilityPatient } from './patient.ts'
import type { Ground, Reading, Standing } from './rules.ts'
import * as store from './store.ts'

export type OwnViewNeeds = { readonly facility: { readonly id: FacilityId } }

/** What there is of our own, without content. */
export type OwnHead = Pick<store.StoredRecord, 'id' | 'careContextReference' | 'hiType' | 'date'>

/** A record of ours, opened; both are absent where it cannot be read any more. */
export type OwnRecord = OwnHead & { readonly document?: unknown; readonly display?: ShownDocument }

/** Everything that the patient can be told of a view: who, in which role, why, on what ground, which records. */
export type OwnViewEvent = AuditEvent & {
  readonly type: 'records.viewed' | 'records.exported' | 'records.view-denied'
  /** The facility's own reference. */
  readonly patient: string
  readonly subject: string
  readonly abhaAddress?: AbhaAddress
  readonly person: { readonly name: string; readonly role: string; readonly staff: Id<'staff'> }
  readonly purpose: PurposeCode
  readonly ground?: Ground
  /** Absent in an emergency, and for who takes records out on request. */
  readonly standing?: Standing
  readonly records: readonly {
    readonly id: Id<'record'>
    readonly hiType: HiType
    readonly careContextReference: string
    readonly date: string
  }[]
  readonly at: string
  readonly policyVersion?: string
  readonly rules?: readonly string[]
}

/** Our own records of a patient, oldest first, without any content. */
async function listOwnRecords(tx: Tx, patient: FacilityPatient): Promise<readonly OwnHead[]> {
  const records = await store.listRecords(tx, patient.reference)
  return records.map(({ id, careContextReference, hiType, date }) => ({ id, careContextReference, hiType, date }))
}

/** Up to `limit` of our own records, newest first from below a place in that list, without any content; with their sealed size. */
export async function ownRecordsBelow(
  tx: Tx,
  { reference }: FacilityPatient,
  wanted: Parameters<typeof store.recordsBelow>[2],
): Promise<readonly (OwnHead & { readonly bytes: number })[]> {
  const records = await store.recordsBelow(tx, reference, wanted)
  return records.map(({ id, careContextReference, hiType, date, bytes }) => ({
    id,
    careContextReference,
    hiType,
    date,
    bytes,
  }))
}

/** How many of our own records of each type there are. */
export async function countOwnRecords(tx: Tx, { reference }: FacilityPatient): Promise<ReadonlyMap<HiType, number>> {
  return store.countByType(tx, reference)
}

/** How large our own records of a patient are together, in bytes, without any content. */
export async function sizeOfOwnRecords(tx: Tx, { reference }: FacilityPatient): Promise<number> {
  return store.sizeOfRecords(tx, reference)
}

/**
 * Opens our own records of a patient to a person of the staff, on a screen or as a file: each passes the gate, one access record names them all, then they are
 * opened, in one transaction. A view that finds nothing is a view too.
 */
export async function viewOwnRecords(
  tx: Tx,
  needs: OwnViewNeeds,
  input: {
    readonly patient: FacilityPatient
    readonly staff: StaffCaller
    readonly reading: Reading
    readonly standing?: Standing | undefined
    readonly as: 'records.viewed' | 'records.exported'
    /** These alone; without it, all that there are. */
    readonly found?: readonly OwnHead[]
  },
): Promise<readonly OwnRecord[]> {
  const { patient, staff, reading, standing, as } = input
  const admitted: OwnHead[] = []
  const rules = new Set<string>()
  let policyVersion = ''
  for (const found of input.found ?? (await listOwnRecords(tx, patient))) {
    const decision = gate(tx, needs, patient.reference, found, staff, reading)
    policyVersion = decision.policyVersion
    for (const { rule } of decision.explain) rules.add(rule)
    const { careContextReference } = found
    if (admits(decision, { type: found.hiType, date: found.date, careContext: { careContextReference } }))
      admitted.push(found)
  }
  const recorded = await record<OwnViewEvent & { readonly type: 'records.viewed' | 'records.exported' }>(tx, {
    ...about(tx, needs, patient, staff, reading.purpose),
    type: as,
    ground: reading.ground,
    ...(standing === undefined ? {} : { standing }),
    records: admitted.map(({ id, hiType, careContextReference, date }) => ({
      id,
      hiType,
      careContextReference,
      date: date.toISOString(),
    })),
    ...(policyVersion === '' ? {} : { policyVersion, rules: [...rules] }),
  })
  await announce(tx, recorded)
  const shown: OwnRecord[] = []
  for (const { id, careContextReference, hiType, date } of admitted) {
    const document = await open(tx, recorded, patient, id)
    const display = document && showDocument(document)
    const opened = { ...(document === undefined ? {} : { document }), ...(display === undefined ? {} : { display }) }
    shown.push({ id, careContextReference, hiType, date, ...opened })
  }
  return shown
}

/** Records that somebody wanted to read and may not: who tried, and why. */
export async function denyOwnView(
  tx: Tx,
  needs: OwnViewNeeds,
  input: { readonly patient: FacilityPatient; readonly staff: StaffCaller; readonly purpose: PurposeCode },
): Promise<void> {
  const { patient, staff, purpose } = input
  const recorded = await record<OwnViewEvent>(tx, {
    ...about(tx, needs, patient, staff, purpose),
    type: 'records.view-denied',
    records: [],
  })
  await announce(tx, recorded)
}

function about(tx: Tx, needs: OwnViewNeeds, patient: FacilityPatient, staff: StaffCaller, purpose: PurposeCode) {
  const { reference, abhaAddress } = patient
  return {
    actor: staffActor(needs.facility.id, staff),
    patient: reference,
    subject: reference,
    ...(abhaAddress === undefined ? {} : { abhaAddress }),
    person: { name: staff.name, role: staff.role, staff: staff.id },
    purpose,
    at: tx.now.toISOString(),
  }
}

/** We are holder and recipient in one: what the work of the person permits stands where a consent stands for records of others. */
function gate(
  tx: Tx,
  needs: OwnViewNeeds,
  patient: string,
  found: OwnHead,
  staff: StaffCaller,
  { purpose, ground, own, until }: Reading,
): Decision {
  const { id } = needs.facility
  const fact: ConsentFact = {
    id: ground,
    readable: true,
    status: 'GRANTED',
    patient,
    recipient: id,
    holder: id,
    purpose,
    types: own,
    period: { from: found.date, to: found.date },
    // Work without an end of its own is judged anew at every view.
    eraseAt: until ?? new Date(tx.now.getTime() + 1),
    frequency: { unit: 'HOUR', value: 1, repeats: 1 },
    usedAt: [],
    acknowledged: true,
    isOwnWork: true,
  }
  const question = {
    patient,
    recipient: id,
    holder: id,
    purpose,
    types: [found.hiType],
    period: { from: found.date, to: found.date },
    actor: staffActor(id, staff),
    channel: 'desk',
    mode: 'view',
    now: tx.now,
  } as const
  return decide(question, { recipient: 'active', holder: 'active', consents: [fact], refusals: [] })
}

async function open(tx: Tx, access: Access, patient: FacilityPatient, id: Id<'record'>): Promise<object | undefined> {
  const found = await store.openRecord(tx, access, patient.reference, id)
  if (found === undefined) return undefined
  if (found.form === 'input') {
    const makeUuid = (): string => makeId<'resource'>(tx.now, tx.random, bucketOf(patient.reference))
    const input = JSON.parse(new TextDecoder().decode(found.content)) as DocumentInput
    return buildDocument(input, { bundleId: id, now: tx.now, makeUuid })
  }
  const document = readDocument(found.content)
  if (isRefusal(document) || isAbout(document.identity, patient) === 'no') return undefined
  return document.bundle
}
