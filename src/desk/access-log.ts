import { ACCESS_TYPES } from '../audit/access.ts'
import { type EventAbout, receiptsAbout } from '../audit/receipts.ts'
import type { AuditEvent } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type Id, parseAbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { findPatients, type RecordsNeeds, readPatient } from '../records/commands.ts'
import type { Standing } from '../records/rules.ts'
import { type Colleague, staffNames } from './colleagues.ts'
import { lastOpenings } from './look-store.ts'

/** What is a look: a page of a patient, records read, taken out or sent on, and what was refused. */
export const LOOK_TYPES = [...ACCESS_TYPES, 'desk.patient-opened', 'records.view-denied', 'hiu.view-denied'] as const

export type LookSearch = {
  /** As the facility knows the patient: her reference or her ABHA address. */
  readonly patient: string
  /** Of the staff. */
  readonly person?: string | undefined
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly before?: string | undefined
}

/** Who looked at a patient's records, or was denied it: one line for each look. */
export type LookLine = {
  readonly id: Id<'event'>
  readonly at: string
  readonly type: string
  /** Absent where the program opened records to send them on, as a consent said. */
  readonly person?: { readonly name: string; readonly role: string }
  readonly purpose?: string
  /** On what the look rested: of our own records how the person stood to the patient, of others' the consent. */
  readonly ground?: string
  /** What the ground rests on, where the facility knows. */
  readonly standing?: Standing
  /** How many records it opened. */
  readonly records?: number
  /** The row no longer opens: somebody changed it behind our back. */
  readonly changed?: true
}

export type Looks = { readonly looks: readonly LookLine[]; readonly next?: Id<'event'> }

/**
 * One page of looks at a patient's records, newest first, between two times. What was opened here stands under the patient's reference,
 * what others sent under her ABHA address: both are one list.
 */
export async function findLooks(tx: Tx, needs: RecordsNeeds, search: LookSearch): Promise<Looks> {
  const names = await namesOf(tx, needs, search.patient)
  const from = search.from === undefined ? undefined : new Date(search.from)
  const looks: LookLine[] = []
  let before = earlier(search.before, search.until && firstIdAt(new Date(search.until)))
  for (let searched = 0; searched < LIMITS.looksSearchedMax; searched += LIMITS.pageSizeMax) {
    const page = await newestOf(tx, names, before)
    for (const one of page) {
      if (from !== undefined && !('changed' in one) && new Date(one.at) < from) return { looks }
      // Whose look a changed row was, nobody can say: it stands in everybody's list.
      if (search.person === undefined || 'changed' in one || staffOf(one) === search.person) looks.push(lineOf(one))
      before = one.id
      if (looks.length === LIMITS.pageSizeMax) return { looks, next: one.id }
    }
    if (page.length < LIMITS.pageSizeMax) return { looks }
  }
  return before === undefined ? { looks } : { looks, next: before as Id<'event'> }
}

/** Under which names events about this patient stand, the given one first. */
export async function namesOf(tx: Tx, needs: RecordsNeeds, given: string): Promise<readonly string[]> {
  const address = parseAbhaAddress(given)
  if (address !== undefined) {
    const patients = await findPatients(tx, needs, 'abha-address', address)
    return [address, ...patients.map(({ reference }) => reference)]
  }
  const patient = await readPatient(tx, given)
  return isRefusal(patient) || patient.abhaAddress === undefined ? [given] : [given, patient.abhaAddress]
}

async function newestOf(tx: Tx, names: readonly string[], before: string | undefined): Promise<readonly EventAbout[]> {
  const filter = {
    types: LOOK_TYPES,
    limit: LIMITS.pageSizeMax,
    ...(before === undefined ? {} : { before: before as Id<'event'> }),
  }
  const found: EventAbout[] = []
  for (const name of names) found.push(...(await receiptsAbout(tx, name, filter)))
  return found.toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, LIMITS.pageSizeMax)
}

/** Sorts before every id of that moment (UUIDv7, RFC 9562 §5.7). */
function firstIdAt(at: Date): string {
  const hex = Math.max(0, at.getTime()).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`
}

function earlier(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a < b ? a : b
}

const staffOf = (one: EventAbout): string | undefined =>
  'changed' in one || one.event.actor.kind !== 'facility' ? undefined : one.event.actor.person?.staff

function lineOf(one: EventAbout): LookLine {
  if ('changed' in one) return { id: one.id, at: '', type: '', changed: true }
  const event = one.event as AuditEvent & {
    readonly purpose?: string
    readonly ground?: string
    readonly standing?: Standing
    readonly records?: unknown
  }
  const { type, actor, purpose, standing, records } = event
  const ground = event.ground ?? event.subject
  const person = actor.kind === 'facility' ? actor.person : undefined
  return {
    id: one.id,
    at: one.at,
    type,
    ...(person === undefined ? {} : { person: { name: person.name, role: person.role } }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(ground === undefined ? {} : { ground }),
    ...(standing === undefined ? {} : { standing }),
    ...(Array.isArray(records) ? { records: records.length } : {}),
  }
}

/** When a person of the staff last opened the page of a patient. */
export type OpeningLine = { readonly at: Date; readonly person: Colleague; readonly patient: string }
export type OpeningSearch = Pick<LookSearch, 'person' | 'from' | 'until' | 'before'>

/** Who of the staff last opened which patient, newest first: where to begin, without the patient's number at hand. */
export async function findOpenings(
  tx: Tx,
  { person, from, until, before }: OpeningSearch,
): Promise<{ readonly openings: readonly OpeningLine[]; readonly next?: string }> {
  const names = await staffNames(tx)
  const until_ = earlier(until && new Date(until).toISOString(), before && new Date(before).toISOString())
  const rows = await lastOpenings(tx, {
    staff: person,
    from: from === undefined ? undefined : new Date(from),
    before: until_ === undefined ? undefined : new Date(until_),
    limit: LIMITS.pageSizeMax,
  })
  const openings = rows.flatMap(({ staff, what, at }): OpeningLine[] => {
    const who = names.get(staff)
    const patient = what.startsWith('patient:') ? what.slice('patient:'.length) : undefined
    return who === undefined || patient === undefined ? [] : [{ at, person: who, patient }]
  })
  const last = rows.at(-1)
  return rows.length < LIMITS.pageSizeMax || last === undefined
    ? { openings }
    : { openings, next: last.at.toISOString() }
}
