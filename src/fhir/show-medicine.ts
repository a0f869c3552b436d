import {
  codeOf,
  conceptText,
  displayOf,
  filled,
  follow,
  items,
  type Json,
  type Named,
  named,
  notesOf,
  number,
  object,
  type Resolve,
  text,
} from './show-reading.ts'

export type Amount = { readonly value: number; readonly unit?: string }
type TimeUnit = 's' | 'min' | 'h' | 'd' | 'wk' | 'mo' | 'a'
const TIME_UNITS: readonly TimeUnit[] = ['s', 'min', 'h', 'd', 'wk', 'mo', 'a']

/** `{ times: 2, every: 1, unit: 'd' }` is twice a day. */
export type HowOften = {
  readonly times?: number
  readonly timesMax?: number
  readonly every?: number
  readonly unit?: TimeUnit
  /** FHIR event timing such as `PC` (after food), `HS` (before sleep). */
  readonly when?: readonly string[]
  /** `BID` or words, where the source gave those. */
  readonly words?: string
}

export type Dosage = {
  /** As the source wrote it. */
  readonly text?: string
  readonly dose?: Amount & { readonly max?: number }
  readonly howOften?: HowOften
  readonly route?: string
  readonly site?: string
  readonly method?: string
  readonly asNeeded?: true
  /** What it is needed for. */
  readonly asNeededFor?: string
  readonly instructions?: readonly string[]
  readonly lasts?: { readonly value: number; readonly unit: TimeUnit }
  readonly from?: string
  /** FHIR date; from the source, or its start with the duration added. */
  readonly until?: string
}

/** A medicine ordered (`request`) or said to be taken (`statement`). */
export type MedicineFacts = {
  readonly type: 'medicine'
  readonly said: 'request' | 'statement'
  readonly drug: Named
  /** The entry says that no medicine is taken. */
  readonly isNone?: true
  readonly dosages?: readonly Dosage[]
  /** FHIR status: `active`, `completed`, `stopped`, `entered-in-error`… */
  readonly status?: string
  readonly written?: string
  readonly until?: string
  readonly reason?: string
  readonly prescriber?: string
  readonly note?: string
}

const DOSAGES_MAX = 20
/** SNOMED CT: no drug therapy, no current medication. */
const NO_MEDICINE = new Set(['182904002', '787481004'])

/** The facts of a MedicationRequest or MedicationStatement. */
export function medicineFacts(resource: Json, resolve: Resolve): MedicineFacts | undefined {
  const drug = drugOf(resource, resolve)
  if (drug === undefined) return undefined
  const isRequest = resource['resourceType'] === 'MedicationRequest'
  const written = text(resource['authoredOn']) ?? text(resource['dateAsserted']) ?? text(resource['effectiveDateTime'])
  const period = object(resource['effectivePeriod'])
  const supply = object(object(resource['dispenseRequest'])['expectedSupplyDuration'])
  const dosages = items(resource[isRequest ? 'dosageInstruction' : 'dosage'])
    .slice(0, DOSAGES_MAX)
    .map((one) => dosageOf(one, written ?? text(period['start']), supply))
  return filled<MedicineFacts>({
    type: 'medicine',
    said: isRequest ? 'request' : 'statement',
    drug,
    isNone: drug.codes.some(({ code }) => NO_MEDICINE.has(code)) ? true : undefined,
    dosages,
    status: text(resource['status']),
    written: written ?? text(period['start']),
    until: text(period['end']) ?? latest(dosages.map(({ until }) => until)),
    reason: reasonOf(resource, resolve),
    prescriber: displayOf(resource['requester']),
    note: notesOf(resource),
  })
}

function drugOf(resource: Json, resolve: Resolve): Named | undefined {
  const direct = named(resource['medicationCodeableConcept'])
  if (direct !== undefined) return direct
  const target = follow(resource['medicationReference'], resolve)
  const words = displayOf(resource['medicationReference'])
  return (target && named(target['code'])) ?? (words === undefined ? undefined : { words, codes: [] })
}

export function reasonOf(resource: Json, resolve: Resolve): string | undefined {
  const coded = items(resource['reasonCode']).map(conceptText)
  const pointed = items(resource['reasonReference']).map(
    (one) => conceptText(follow(one, resolve)?.['code']) ?? displayOf(one),
  )
  return text([...new Set([...coded, ...pointed].filter(Boolean))].join(', '))
}

function dosageOf(dosage: Json, start: string | undefined, supply: Json): Dosage {
  const repeat = object(object(dosage['timing'])['repeat'])
  const bounds = object(repeat['boundsPeriod'])
  const lasts = durationOf(object(repeat['boundsDuration'])) ?? durationOf(supply)
  const from = text(bounds['start'])
  const needed = dosage['asNeededCodeableConcept']
  return filled<Dosage>({
    text: text(dosage['text']),
    dose: doseOf(object(items(dosage['doseAndRate'])[0])),
    howOften: howOften(object(dosage['timing']), repeat),
    route: conceptText(dosage['route']),
    site: conceptText(dosage['site']),
    method: conceptText(dosage['method']),
    asNeeded: dosage['asNeededBoolean'] === true || conceptText(needed) !== undefined ? true : undefined,
    asNeededFor: conceptText(needed),
    instructions: instructionsOf(dosage),
    lasts,
    from,
    until: text(bounds['end']) ?? endAfter(from ?? start, lasts),
  })
}

function instructionsOf(dosage: Json): readonly string[] {
  const extra = items(dosage['additionalInstruction']).flatMap((one) => conceptText(one) ?? [])
  const told = text(dosage['patientInstruction'])
  return [...new Set(told === undefined ? extra : [...extra, told])].filter((one) => one !== dosage['text'])
}

function doseOf(rate: Json): Dosage['dose'] {
  const quantity = object(rate['doseQuantity'])
  const value = number(quantity['value'])
  if (value !== undefined) return amount(value, quantity)
  const range = object(rate['doseRange'])
  const [low, high] = [object(range['low']), object(range['high'])]
  const [from, to] = [number(low['value']), number(high['value'])]
  if (from === undefined) return to === undefined ? undefined : amount(to, high)
  return to === undefined ? amount(from, low) : { ...amount(from, low), max: to }
}

/** UCUM annotations such as `{tbl}` are for machines: the unit in words where there is one. */
function amount(value: number, quantity: Json): Amount {
  return filled<Amount>({ value, unit: text(quantity['unit']) ?? text(quantity['code'])?.replaceAll(/[{}[\]]/g, '') })
}

function howOften(timing: Json, repeat: Json): HowOften | undefined {
  const when = Array.isArray(repeat['when']) ? repeat['when'].flatMap((one) => text(one) ?? []) : []
  const found = filled<HowOften>({
    times: number(repeat['frequency']),
    timesMax: number(repeat['frequencyMax']),
    every: number(repeat['period']),
    unit: TIME_UNITS.find((unit) => unit === repeat['periodUnit']),
    when,
    words: codeOf(timing['code']) ?? conceptText(timing['code']),
  })
  return Object.keys(found).length === 0 ? undefined : found
}

const UNIT_WORDS: Readonly<Record<string, TimeUnit>> = {
  day: 'd',
  days: 'd',
  week: 'wk',
  weeks: 'wk',
  month: 'mo',
  months: 'mo',
  year: 'a',
  years: 'a',
  hour: 'h',
  hours: 'h',
}

function durationOf(quantity: Json): Dosage['lasts'] {
  const value = number(quantity['value'])
  const said = [quantity['code'], quantity['unit']].flatMap((one) => text(one)?.toLowerCase() ?? [])
  const unit = said.map((one) => TIME_UNITS.find((known) => known === one) ?? UNIT_WORDS[one]).find(Boolean)
  return value === undefined || value <= 0 || unit === undefined ? undefined : { value, unit }
}

const DAYS: Readonly<Partial<Record<TimeUnit, number>>> = { d: 1, wk: 7 }
const MONTHS: Readonly<Partial<Record<TimeUnit, number>>> = { mo: 1, a: 12 }
const YEARS_MAX = 100

/** The day on which a course that starts on `start` ends: 30 days from 1 March end on 31 March. Calendar days, no time zone. */
function endAfter(start: string | undefined, lasts: Dosage['lasts']): string | undefined {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(start ?? '')?.[0]
  if (day === undefined || lasts === undefined) return undefined
  const at = new Date(`${day}T00:00:00Z`)
  const [days, months] = [DAYS[lasts.unit], MONTHS[lasts.unit]]
  if (Number.isNaN(at.getTime()) || (days === undefined && months === undefined)) return undefined
  if (lasts.value * (days ?? (months ?? 0) * 31) > YEARS_MAX * 366) return undefined
  if (days !== undefined) at.setUTCDate(at.getUTCDate() + Math.ceil(lasts.value * days))
  if (months !== undefined) addMonths(at, Math.round(lasts.value * months))
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString().slice(0, 10)
}

/** One month after 31 January is the last day of February. */
function addMonths(at: Date, months: number): void {
  const day = at.getUTCDate()
  at.setUTCMonth(at.getUTCMonth() + months)
  if (at.getUTCDate() !== day) at.setUTCDate(0)
}

/** Unknown as soon as one of several courses has no end. */
function latest(ends: readonly (string | undefined)[]): string | undefined {
  return ends.includes(undefined)
    ? undefined
    : ends
        .filter((end) => end !== undefined)
        .sort()
        .at(-1)
}
