/** What many documents of one patient say together: series of results. Pure; values are compared, never converted. */

import { readMoment } from './narrow-dates.ts'
import { groupBy, makeJoiner } from './same-thing.ts'
import type { ShownDocument } from './show.ts'
import type { Named } from './show-reading.ts'
import type { Flag, ResultFacts } from './show-result.ts'
import type { Row } from './show-rows.ts'

/** A shown document and where it came from, in the caller's own words. */
export type Source<Origin> = { readonly document: ShownDocument; readonly origin: Origin }

export type SeriesPoint<Origin> = {
  /** FHIR date or dateTime, as written. */
  readonly at: string
  /** Milliseconds since 1970, where the day or moment begins. */
  readonly time: number
  readonly value: number
  readonly comparator?: string
  readonly flag?: Flag
  readonly low?: number
  readonly high?: number
  /** Not final yet. */
  readonly preliminary?: true
  /** Several, where the same result came more than once. */
  readonly from: readonly Origin[]
}

/** One result over time in one unit, oldest first. */
export type Series<Origin> = {
  readonly key: string
  readonly name: Named
  readonly unit?: string
  readonly points: readonly SeriesPoint<Origin>[]
  /** Units in which the same result also stands, as a series of its own. */
  readonly otherUnits?: readonly string[]
}

type Found<Origin> = {
  readonly facts: ResultFacts
  readonly value: number
  readonly at: string
  readonly time: number
  readonly unit: string
  readonly origin: Origin
}

/** Results that were never meant to stand. */
const VOID = new Set(['entered-in-error', 'cancelled'])
const PRELIMINARY = new Set(['preliminary', 'registered'])

/** Whether a document may be drawn on: not when its author took it back. */
export function isStanding(document: ShownDocument): boolean {
  return document.status !== 'entered-in-error'
}

/** All rows of a document, results inside reports included. */
export function rowsOf(document: ShownDocument): readonly Row[] {
  const all = [...document.sections.flatMap(({ rows }) => rows), ...document.others]
  return all.flatMap((row) => [row, ...(row.rows ?? [])])
}

/** `mg/dL` and `mg/dl` are one unit; a UCUM code is better than words. */
function unitKey(facts: Pick<ResultFacts, 'unit' | 'unitCode'>): string {
  const unit = (facts.unitCode ?? facts.unit ?? '').replaceAll(/[[\]{}\s]/g, '').toLowerCase()
  return unit === 'percent' ? '%' : unit
}

/** Words without case, blanks and punctuation, for comparing names. */
export function nameKey(words: string): string {
  return words
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}%]+/gu, ' ')
    .trim()
}

const codeKeys = ({ codes }: Named): string[] => codes.map(({ system, code }) => `${system}|${code}`)

/**
 * The series of every numeric result: the same code, or the same name where no two codes of one system contradict it, in the same
 * unit. Other units never mix: they are a series of their own. The order of the documents makes no difference.
 */
export function resultSeries<Origin>(sources: readonly Source<Origin>[]): readonly Series<Origin>[] {
  const found = sources.flatMap((source) => (isStanding(source.document) ? foundIn(source) : []))
  const series = groupsOf(found).map((group) => seriesOf(group))
  const byName = groupBy(series, ({ name }) => nameKey(name.words))
  return series
    .map((one) => {
      const others = (byName.get(nameKey(one.name.words)) ?? []).flatMap((other) =>
        other.key === one.key || other.unit === undefined || other.unit === one.unit ? [] : [other.unit],
      )
      return others.length === 0 ? one : { ...one, otherUnits: [...new Set(others)].sort() }
    })
    .sort((a, b) => compare(a.name.words, b.name.words) || compare(a.key, b.key))
}

/** The series to which a result belongs, for a sparkline beside it. */
export function seriesFor<Origin>(
  all: readonly Series<Origin>[],
  facts: Pick<ResultFacts, 'name' | 'unit' | 'unitCode' | 'number'>,
  at: string | undefined,
): Series<Origin> | undefined {
  const codes = new Set(codeKeys(facts.name))
  const time = readMoment(at)?.start
  return all.find(
    (series) =>
      (nameKey(series.name.words) === nameKey(facts.name.words) ||
        codeKeys(series.name).some((key) => codes.has(key))) &&
      series.key.endsWith(`|${unitKey(facts)}`) &&
      series.points.some((point) => point.time === time && point.value === facts.number),
  )
}

function foundIn<Origin>({ document, origin }: Source<Origin>): Found<Origin>[] {
  return rowsOf(document).flatMap(({ facts }) => {
    if (facts?.type !== 'result' || VOID.has(facts.status ?? '')) return []
    const parts = (facts.parts ?? []).map((part) => ({
      ...partOf(facts, part),
      ...(facts.status && { status: facts.status }),
    }))
    return [facts, ...parts].flatMap((one) => {
      const at = one.at ?? document.date
      const time = readMoment(at)?.start
      if (one.number === undefined || at === undefined || time === undefined) return []
      return [{ facts: one, value: one.number, at, time, unit: unitKey(one), origin }]
    })
  })
}

/** A part under the name of its whole: `Blood pressure: systolic`. */
export function partOf(whole: ResultFacts, part: ResultFacts): ResultFacts {
  return { ...part, name: { ...part.name, words: `${whole.name.words}: ${part.name.words}` } }
}

/** Joined by code first; then by name, where joining would not bring two codes of one system together. */
function groupsOf<Origin>(found: readonly Found<Origin>[]): Found<Origin>[][] {
  const { join, root } = makeJoiner()
  const nameIn = (one: Found<Origin>) => `name|${nameKey(one.facts.name.words)}|${one.unit}`
  const keysOf = (one: Found<Origin>) => codeKeys(one.facts.name).map((key) => `code|${key}|${one.unit}`)
  for (const one of found) for (const key of keysOf(one)) join(keysOf(one)[0] ?? key, key)
  const homeOf = (one: Found<Origin>) => root(keysOf(one)[0] ?? nameIn(one))
  // In the order of the names: a join may decide a later one.
  for (const [name, alike] of [...groupBy(found, nameIn)].sort(([a], [b]) => compare(a, b))) {
    const homes = [...new Set(alike.map(homeOf))]
    if (
      homes.length > 1 &&
      !contradict(
        alike.map(({ facts }) => facts.name),
        homes,
        alike.map(homeOf),
      )
    )
      for (const home of homes) join(home, homes[0] ?? name)
  }
  return [...groupBy(found, homeOf).values()]
}

/** Whether two groups of one name have different codes in the same system: then they are different tests. */
function contradict(names: readonly Named[], homes: readonly string[], homeOfName: readonly string[]): boolean {
  const seen = new Map<string, string>()
  return homes.some((home) => {
    const systems = new Set(
      names.flatMap((name, at) => (homeOfName[at] === home ? name.codes.map(({ system }) => system) : [])),
    )
    return [...systems].some((system) => {
      const other = seen.get(system)
      seen.set(system, home)
      return other !== undefined && other !== home
    })
  })
}

function seriesOf<Origin>(group: readonly Found<Origin>[]): Series<Origin> {
  const sorted = [...group].sort(
    (a, b) =>
      a.time - b.time || a.value - b.value || compare(a.at, b.at) || compare(a.facts.name.words, b.facts.name.words),
  )
  const points = [...groupBy(sorted, (one) => `${one.time}|${one.value}|${one.facts.comparator ?? ''}`).values()]
  const names = group.map(({ facts }) => facts.name)
  const newest = sorted.at(-1)?.facts
  const codes = [
    ...new Map(
      names.flatMap((name) => name.codes.map((code) => [`${code.system}|${code.code}`, code] as const)),
    ).values(),
  ]
  codes.sort((a, b) => compare(a.system, b.system) || compare(a.code, b.code))
  const words = newest?.name.words ?? ''
  const [code] = codes
  const unit = sorted.findLast(({ facts }) => facts.unit !== undefined)?.facts.unit
  return {
    key: `${code === undefined ? nameKey(words) : `${code.system}|${code.code}`}|${sorted[0]?.unit ?? ''}`,
    name: { words, codes },
    ...(unit === undefined ? {} : { unit }),
    points: points.flatMap(pointOf),
  }
}

function pointOf<Origin>(same: readonly Found<Origin>[]): SeriesPoint<Origin>[] {
  const [first] = same
  if (first === undefined) return []
  const { low, high, flag, comparator } = first.facts
  const isPreliminary = same.every(({ facts }) => PRELIMINARY.has(facts.status ?? ''))
  return [
    {
      at: first.at,
      time: first.time,
      value: first.value,
      ...(comparator === undefined ? {} : { comparator }),
      ...(flag === undefined ? {} : { flag }),
      ...(low === undefined ? {} : { low }),
      ...(high === undefined ? {} : { high }),
      ...(isPreliminary ? { preliminary: true as const } : {}),
      from: [...new Set(same.map(({ origin }) => origin))],
    },
  ]
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
