/** A doctor's view over many documents of one patient: problems, medicines, allergies, each with where it came from. Pure. */

import { readMoment } from './narrow-dates.ts'
import { groupBy, makeJoiner } from './same-thing.ts'
import type { ShownDocument } from './show.ts'
import type { AllergyFacts, ProblemFacts } from './show-clinical.ts'
import type { Facts } from './show-facts.ts'
import type { MedicineFacts } from './show-medicine.ts'
import type { Named } from './show-reading.ts'
import type { Row } from './show-rows.ts'
import { isStanding, nameKey, type Source } from './trends.ts'

/** One thing as one document says it. */
export type Said<F, Origin> = {
  readonly facts: F
  readonly origin: Origin
  /** Date of the entry, else of the document. */
  readonly at?: string
}

/** One thing, however many documents say it; the newest saying first. */
export type Gathered<F, Origin> = {
  readonly name: Named
  readonly newest: Said<F, Origin>
  readonly said: readonly Said<F, Origin>[]
}

/** `current`: its end lies ahead. `open`: active, without an end, written lately. `unclear`: the same, but long ago. */
export type MedicineState = 'current' | 'open' | 'unclear' | 'ended'
export type GatheredMedicine<Origin> = Gathered<MedicineFacts, Origin> & {
  readonly state: MedicineState
  readonly until?: string
  /** Sources that are as new do not agree on dose or how often. */
  readonly differs: boolean
}

export type Overview<Origin> = {
  readonly problems: readonly Gathered<ProblemFacts, Origin>[]
  readonly pastProblems: readonly Gathered<ProblemFacts, Origin>[]
  readonly medicines: readonly GatheredMedicine<Origin>[]
  readonly pastMedicines: readonly GatheredMedicine<Origin>[]
  readonly allergies: readonly Gathered<AllergyFacts, Origin>[]
  /** Who says that there is no allergy; shown also when another source names one. */
  readonly noAllergies: readonly Said<AllergyFacts, Origin>[]
}

const DAY_MS = 86_400_000
/** An order without an end is asked about after half a year. */
const UNCLEAR_MS = 182 * DAY_MS
const TAKEN_BACK = new Set(['entered-in-error', 'refuted'])
const MEDICINE_OVER = new Set(['completed', 'stopped', 'cancelled', 'not-taken', 'draft'])
const PAST = new Set(['inactive', 'remission', 'resolved'])

/** Draws problems, medicines and allergies from all documents; the same thing is recognised by a code or by its name. */
export function overviewOf<Origin>(sources: readonly Source<Origin>[], now: Date): Overview<Origin> {
  const standing = sources.filter(({ document }) => isStanding(document))
  const problems = gather(saidIn(standing, isProblem))
  const allergies = saidIn(standing, isAllergy)
  const medicines = gather(saidIn(standing, isMedicine)).map((one) => withState(one, now))
  const isPast = ({ newest }: Gathered<ProblemFacts, Origin>) =>
    PAST.has(newest.facts.status ?? '') || newest.facts.ended !== undefined
  return {
    problems: problems.filter((one) => !isPast(one)),
    pastProblems: problems.filter(isPast),
    medicines: medicines.filter(({ state }) => state !== 'ended'),
    pastMedicines: medicines.filter(({ state }) => state === 'ended'),
    allergies: gather(allergies.filter(({ facts }) => facts.isNone === undefined && !PAST.has(facts.status ?? ''))),
    noAllergies: newestFirst(allergies.filter(({ facts }) => facts.isNone === true)),
  }
}

type Picked<F> = (facts: Facts | undefined, role: string | undefined) => F | undefined

/** A complaint is what the patient told, not a diagnosis. */
const isProblem: Picked<ProblemFacts> = (facts, role) =>
  facts?.type === 'problem' && role !== 'complaints' && !TAKEN_BACK.has(facts.verification ?? '') ? facts : undefined
const isAllergy: Picked<AllergyFacts> = (facts) =>
  facts?.type === 'allergy' && !TAKEN_BACK.has(facts.verification ?? '') ? facts : undefined
const isMedicine: Picked<MedicineFacts> = (facts) =>
  facts?.type === 'medicine' && facts.isNone === undefined && facts.status !== 'entered-in-error' ? facts : undefined

function saidIn<F, Origin>(sources: readonly Source<Origin>[], pick: Picked<F>): Said<F, Origin>[] {
  return sources.flatMap(({ document, origin }) =>
    rowsWithRole(document).flatMap(({ row, role }) => {
      const facts = pick(row.facts, role)
      const at = row.date ?? document.date
      return facts === undefined ? [] : [{ facts, origin, ...(at === undefined ? {} : { at }) }]
    }),
  )
}

function rowsWithRole(document: ShownDocument): readonly { readonly row: Row; readonly role: string | undefined }[] {
  return [
    ...document.sections.flatMap(({ rows, role }) => rows.map((row) => ({ row, role }))),
    ...document.others.map((row) => ({ row, role: undefined })),
  ]
}

const nameOf = (facts: ProblemFacts | AllergyFacts | MedicineFacts): Named =>
  facts.type === 'medicine' ? facts.drug : facts.name

/** Groups what has a code or a name in common, also over several steps; each group newest first. */
function gather<F extends ProblemFacts | AllergyFacts | MedicineFacts, Origin>(
  said: readonly Said<F, Origin>[],
): Gathered<F, Origin>[] {
  const { join, root } = makeJoiner()
  const keysOf = (one: Said<F, Origin>): string[] => {
    const { words, codes } = nameOf(one.facts)
    return [`name|${nameKey(words)}`, ...codes.map(({ system, code }) => `${system}|${code}`)]
  }
  for (const one of said) {
    const [first = '', ...rest] = keysOf(one)
    for (const key of rest) join(first, key)
  }
  const groups = [...groupBy(said, (one) => root(keysOf(one)[0] ?? '')).values()]
  return groups.flatMap((group) => {
    const sorted = newestFirst(group)
    const [newest] = sorted
    return newest === undefined ? [] : [{ name: nameOf(newest.facts), newest, said: sorted }]
  })
}

const timeOf = (at: string | undefined): number => readMoment(at)?.start ?? Number.NEGATIVE_INFINITY

function newestFirst<F extends Facts, Origin>(said: readonly Said<F, Origin>[]): Said<F, Origin>[] {
  return [...said].sort((a, b) => {
    const [x, y] = [timeOf(a.at), timeOf(b.at)]
    return x === y ? 0 : y > x ? 1 : -1
  })
}

function withState<Origin>(one: Gathered<MedicineFacts, Origin>, now: Date): GatheredMedicine<Origin> {
  const { facts, at } = one.newest
  const end = readMoment(facts.until)?.end
  const isOver = MEDICINE_OVER.has(facts.status ?? '') || (end !== undefined && end < now.getTime())
  const isOld = timeOf(at) < now.getTime() - UNCLEAR_MS
  const asNew = one.said.filter((other) => timeOf(other.at) >= timeOf(at) - DAY_MS)
  return {
    ...one,
    state: isOver ? 'ended' : end !== undefined ? 'current' : isOld ? 'unclear' : 'open',
    ...(facts.until === undefined ? {} : { until: facts.until }),
    differs: new Set(asNew.map((other) => doseKey(other.facts))).size > 1,
  }
}

function doseKey({ dosages }: MedicineFacts): string {
  const said = (dosages ?? []).map(
    ({ text, dose, howOften }) => text ?? `${dose?.value ?? ''} ${dose?.unit ?? ''} ${howOften?.times ?? ''}`,
  )
  return nameKey(said.join(' '))
}
