import { asText, isObject, type Obj } from '../json.ts'
import { MASKED } from './values.ts'

/** One person of an export: what others could know of her, and what they must not learn. */
export type Person = {
  readonly pseudonym: string
  /** Gender, birth year, state … as they stand in the export. */
  readonly quasi: readonly string[]
  /** Codes of what she has. */
  readonly sensitive: ReadonlySet<string>
}

export type AnonymityReport = {
  readonly persons: number
  readonly classes: number
  /** Persons in the smallest class; 0 of nobody (Sweeney 2002: k-anonymity). */
  readonly k: number
  /** The fewest different sensitive values in a class (Machanavajjhala et al. 2007: distinct l-diversity). */
  readonly l: number
  /** exp of the smallest entropy of sensitive values in a class (same: entropy l-diversity). */
  readonly entropyL: number
  /** The largest part of a class that has the same condition; 1: whoever is known to be in it is known to have that (1/ℓ of Wong et al. 2006). */
  readonly mostShared: number
  /** Persons whose class is smaller than asked for, or too uniform: to be left out, or their classes widened. */
  readonly atRisk: readonly string[]
}

const NOTHING_KNOWN = 'none'

/** How well the persons of an export hide among each other. `wanted.k` and `wanted.l` are whole numbers from 1. */
export function anonymityReport(
  persons: readonly Person[],
  wanted: { readonly k: number; readonly l: number },
): AnonymityReport {
  const classes = [...Map.groupBy(persons, ({ quasi }) => JSON.stringify(quasi)).values()]
  const atRisk = classes.filter((members) => members.length < wanted.k || valuesOf(members).size < wanted.l)
  const least = (numbers: readonly number[]): number => (numbers.length === 0 ? 0 : Math.min(...numbers))
  return {
    persons: persons.length,
    classes: classes.length,
    k: least(classes.map(({ length }) => length)),
    l: least(classes.map((members) => valuesOf(members).size)),
    entropyL: least(classes.map((members) => Math.exp(entropyOf(members)))),
    mostShared: Math.max(0, ...classes.map(mostShared)),
    atRisk: atRisk.flat().map(({ pseudonym }) => pseudonym),
  }
}

/** How often each sensitive value is met among the members; who has none has the value "none". */
function valuesOf(members: readonly Person[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { sensitive } of members)
    for (const value of sensitive.size === 0 ? [NOTHING_KNOWN] : sensitive)
      counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

function mostShared(members: readonly Person[]): number {
  const counts = [...valuesOf(members)].filter(([value]) => value !== NOTHING_KNOWN).map(([, count]) => count)
  return Math.max(0, ...counts) / members.length
}

function entropyOf(members: readonly Person[]): number {
  const counts = [...valuesOf(members).values()]
  const all = counts.reduce((sum, count) => sum + count, 0)
  return counts.reduce((sum, count) => sum - (count / all) * Math.log(count / all), 0)
}

/** The persons in de-identified documents, several documents of one being one person. */
export function personsOf(documents: readonly Obj[]): readonly Person[] {
  const found = documents.flatMap((document) => {
    const resources = (Array.isArray(document['entry']) ? document['entry'] : []).flatMap((entry: unknown) =>
      isObject(entry) && isObject(entry['resource']) ? [entry['resource']] : [],
    )
    const patient = resources.find(({ resourceType }) => resourceType === 'Patient')
    return patient === undefined ? [] : [personOf(patient, resources)]
  })
  return [...Map.groupBy(found, ({ pseudonym }) => pseudonym)].map(([pseudonym, same]) => ({
    pseudonym,
    // All that her documents say, two addresses too: who knows one of them knows more than who knows none.
    quasi: QUASI.map((_, at) =>
      [...new Set(same.flatMap(({ quasi }) => (quasi[at] ?? '').split(BETWEEN)))]
        .filter((one) => one !== '')
        .toSorted()
        .join(BETWEEN),
    ),
    sensitive: new Set(same.flatMap(({ sensitive }) => [...sensitive])),
  }))
}

const BETWEEN = ' and '
const QUASI: readonly ((patient: Obj) => readonly unknown[])[] = [
  (patient) => [patient['gender']],
  (patient) => [asText(patient['birthDate']).slice(0, 4)],
  (patient) => objects(patient['address']).map(({ state }) => state),
  (patient) => objects(patient['address']).map(({ postalCode }) => postalCode),
]

function personOf(patient: Obj, resources: readonly Obj[]): Person {
  const codes = resources
    .filter(({ resourceType }) => resourceType === 'Condition')
    .flatMap(({ code }) => (isObject(code) && Array.isArray(code['coding']) ? code['coding'] : []))
    // That a condition is masked says nothing of which it is.
    .flatMap((coding: unknown) =>
      isObject(coding) && coding['code'] !== MASKED.code
        ? [`${asText(coding['system'])}|${asText(coding['code'])}`]
        : [],
    )
  return {
    pseudonym: asText(objects(patient['identifier'])[0]?.['value']),
    quasi: QUASI.map((read) => read(patient).map(asText).join(BETWEEN)),
    sensitive: new Set(codes),
  }
}

function objects(list: unknown): readonly Obj[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}
