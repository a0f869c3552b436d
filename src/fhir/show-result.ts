import { isObject } from './narrow-dates.ts'
import {
  codeOf,
  conceptText,
  filled,
  items,
  type Json,
  type Named,
  named,
  notesOf,
  number,
  object,
  scalar,
  text,
} from './show-reading.ts'

export type Flag = 'normal' | 'low' | 'high' | 'critical-low' | 'critical-high' | 'abnormal'

/** A measurement, a finding, or an answer. `parts` are the components of one measurement, such as both blood pressures. */
export type ResultFacts = {
  readonly type: 'result'
  readonly name: Named
  readonly number?: number
  /** `<`, `<=`, `>=`, `>`: the true value lies below or above. */
  readonly comparator?: string
  readonly unit?: string
  /** UCUM, for comparing units. */
  readonly unitCode?: string
  /** A value that is no number. */
  readonly words?: string
  readonly low?: number
  readonly high?: number
  readonly rangeWords?: string
  readonly flag?: Flag
  /** `source`: the sender interpreted it. `range`: the value compared with the range that the sender gave. Never by rules of ours. */
  readonly flagFrom?: 'source' | 'range'
  readonly status?: string
  /** Why there is no value. */
  readonly absent?: string
  readonly method?: string
  readonly at?: string
  readonly note?: string
  readonly parts?: readonly ResultFacts[]
}

const PARTS_MAX = 100

/** The facts of an Observation. */
export function resultFacts(resource: Json): ResultFacts | undefined {
  const name = named(resource['code'])
  if (name === undefined) return undefined
  const at =
    text(resource['effectiveDateTime']) ??
    text(object(resource['effectivePeriod'])['start']) ??
    text(resource['effectiveInstant']) ??
    text(resource['issued'])
  return filled<ResultFacts>({
    ...measured(resource, name),
    status: text(resource['status']),
    method: conceptText(resource['method']),
    at,
    note: notesOf(resource),
    parts: items(resource['component'])
      .slice(0, PARTS_MAX)
      .flatMap((part) => {
        const partName = named(part['code'])
        return partName === undefined ? [] : [filled<ResultFacts>({ ...measured(part, partName), at })]
      }),
  })
}

function measured(node: Json, name: Named): ResultFacts {
  const quantity = object(node['valueQuantity'])
  const value = number(quantity['value']) ?? number(node['valueInteger'])
  const range = normalRange(node)
  const [low, high] = [bound(range?.['low'], quantity), bound(range?.['high'], quantity)]
  const comparator = text(quantity['comparator'])
  const said = flagSaid(node)
  const flag = said ?? (value === undefined ? undefined : flagOf(value, comparator, low, high))
  return filled<ResultFacts>({
    type: 'result',
    name,
    number: value,
    comparator: value === undefined ? undefined : comparator,
    unit: value === undefined ? undefined : unitOf(quantity),
    unitCode: value === undefined ? undefined : ucumOf(quantity),
    words: value === undefined ? wordsOf(node) : undefined,
    low,
    high,
    rangeWords: rangeWords(node, range, low, high),
    flag,
    flagFrom: flag === undefined ? undefined : said === undefined ? 'range' : 'source',
    absent: conceptText(node['dataAbsentReason']),
  })
}

const unitOf = (quantity: Json) => text(quantity['unit']) ?? text(quantity['code'])
const ucumOf = (quantity: Json) =>
  quantity['system'] === 'http://unitsofmeasure.org' ? text(quantity['code']) : undefined

function wordsOf(node: Json): string | undefined {
  const plain = ['valueString', 'valueDateTime', 'valueTime', 'valueBoolean'].map((name) => scalar(node[name]))
  const period = object(node['valuePeriod'])
  return (
    conceptText(node['valueCodeableConcept']) ??
    plain.find((found) => found !== undefined) ??
    ratioWords(node['valueRatio']) ??
    rangeText(object(node['valueRange'])) ??
    text([text(period['start']), text(period['end'])].filter(Boolean).join(' – ')) ??
    quantityWords(object(node['valueQuantity']))
  )
}

/** A quantity whose value is no number: as words, nothing computed from it. */
function quantityWords(quantity: Json): string | undefined {
  const value = text(quantity['value'])
  return value === undefined ? undefined : [value, unitOf(quantity)].filter(Boolean).join(' ')
}

function ratioWords(ratio: unknown): string | undefined {
  if (!isObject(ratio)) return undefined
  const [over, under] = [object(ratio['numerator']), object(ratio['denominator'])].map((one) => number(one['value']))
  return over === undefined || under === undefined ? undefined : `${over} : ${under}`
}

function rangeText(range: Json): string | undefined {
  const [low, high] = [object(range['low']), object(range['high'])]
  const [from, to] = [number(low['value']), number(high['value'])]
  if (from === undefined && to === undefined) return undefined
  return [from ?? '', '–', to ?? '', unitOf(low) ?? unitOf(high)]
    .filter((one) => one !== undefined)
    .join(' ')
    .trim()
}

/** The range that is meant for this result: the only one, or the only one of kind `normal`. Several for ages or sexes: none. */
function normalRange(node: Json): Json | undefined {
  const ranges = items(node['referenceRange'])
  if (ranges.length <= 1) return ranges[0]
  const normal = ranges.filter((one) => codeOf(one['type']) === 'normal')
  return normal.length === 1 ? normal[0] : undefined
}

/** A bound counts only in the unit of the value: 5.5 mmol/L says nothing of a value in mg/dL. */
function bound(limit: unknown, quantity: Json): number | undefined {
  if (!isObject(limit)) return undefined
  const [own, other] = [limit, quantity].map((one) => (ucumOf(one) ?? unitOf(one))?.toLowerCase())
  const words = [unitOf(limit), unitOf(quantity)].map((one) => one?.toLowerCase())
  const differs = own !== undefined && other !== undefined && own !== other && words[0] !== words[1]
  return differs ? undefined : number(limit['value'])
}

function rangeWords(
  node: Json,
  range: Json | undefined,
  low: number | undefined,
  high: number | undefined,
): string | undefined {
  if (range !== undefined) {
    const said = text(range['text'])
    return said ?? (low === undefined && high === undefined ? rangeText(range) : undefined)
  }
  const all = items(node['referenceRange']).map((one) =>
    [textFor(one), text(one['text']) ?? rangeText(one)].filter(Boolean).join(': '),
  )
  return text(all.filter(Boolean).join('; '))
}

/** For whom one of several ranges is. */
const textFor = (range: Json) =>
  text([conceptText(range['type']), ...items(range['appliesTo']).map(conceptText)].filter(Boolean).join(', '))

const FLAG_OF: Readonly<Record<string, Flag>> = {
  n: 'normal',
  normal: 'normal',
  l: 'low',
  low: 'low',
  lu: 'critical-low',
  ll: 'critical-low',
  'critical low': 'critical-low',
  'critically low': 'critical-low',
  h: 'high',
  high: 'high',
  hh: 'critical-high',
  hu: 'critical-high',
  'critical high': 'critical-high',
  'critically high': 'critical-high',
  a: 'abnormal',
  aa: 'abnormal',
  abnormal: 'abnormal',
  'critical abnormal': 'abnormal',
}

/** What the sender says of the value, by code (HL7 v3 ObservationInterpretation) or by the usual words. */
function flagSaid(node: Json): Flag | undefined {
  const words = items(node['interpretation']).flatMap((one) => [
    ...items(one['coding']).flatMap((coding) => [text(coding['code']), text(coding['display'])]),
    text(one['text']),
  ])
  return words.map((word) => (word === undefined ? undefined : FLAG_OF[word.trim().toLowerCase()])).find(Boolean)
}

/** Compares a value with the range that came with it. `< 5` is low only when 5 is not above the lower bound. */
export function flagOf(
  value: number,
  comparator: string | undefined,
  low: number | undefined,
  high: number | undefined,
): Flag | undefined {
  if ((low === undefined && high === undefined) || (low !== undefined && high !== undefined && low > high))
    return undefined
  const below = comparator === '<' || comparator === '<='
  const above = comparator === '>' || comparator === '>='
  if (comparator !== undefined && !below && !above) return undefined
  if (below) {
    if (low !== undefined) return value < low || (value === low && comparator === '<') ? 'low' : undefined
    return high !== undefined && value <= high ? 'normal' : undefined
  }
  if (above) {
    if (high !== undefined) return value > high || (value === high && comparator === '>') ? 'high' : undefined
    return low !== undefined && value >= low ? 'normal' : undefined
  }
  if (low !== undefined && value < low) return 'low'
  return high !== undefined && value > high ? 'high' : 'normal'
}
