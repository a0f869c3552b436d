/** One line of a shown document per resource, read tolerantly: what is missing or odd is left out, never thrown. */

import { isObject } from './narrow-dates.ts'

type Json = { readonly [key: string]: unknown }

export type Row = {
  /** FHIR resource type. */
  readonly kind: string
  /** What it is about: `HbA1c`, `Metformin 500 mg tablet`. */
  readonly what: string
  /** `6.8 %`, `1 tablet, twice a day after food, for 30 days`. */
  readonly value?: string
  /** Reference range as the source reported it. */
  readonly range?: string
  /** Interpretation as the source reported it: `High`. */
  readonly flag?: string
  readonly status?: string
  readonly note?: string
  /** FHIR date or dateTime, as written. */
  readonly date?: string
  readonly attachment?: ShownAttachment
  /** Results of a report, lines of a bill. */
  readonly rows?: readonly Row[]
}

/** A file in the document: its base64 text stays where it is, `bytes` is its size when decoded. */
export type ShownAttachment = {
  readonly title: string
  readonly contentType: string
  readonly data: string
  readonly bytes: number
}

/** Finds the resource that a reference names. */
export type Resolve = (reference: string) => Json | undefined

/** Reports show their results, and no reports within those: a document of a stranger may run in circles. */
const NESTING_MAX = 1
const RESULTS_MAX = 1000

export function rowOf(resource: Json, resolve: Resolve, depth = 0): Row {
  const kind = typeof resource['resourceType'] === 'string' ? resource['resourceType'] : 'Unknown'
  const base = {
    kind,
    what: whatOf(resource, resolve) ?? kind,
    date: dateOf(resource),
    status: conceptText(resource['clinicalStatus']),
    note: notesOf(resource),
  }
  return filled({ ...base, ...detailsOf(kind, resource, resolve, depth) })
}

function detailsOf(kind: string, resource: Json, resolve: Resolve, depth: number): Partial<Row> {
  switch (kind) {
    case 'Observation':
      return filled({
        value: observed(resource),
        range: rangeText(resource),
        flag: textsOf(resource['interpretation']),
      })
    case 'MedicationRequest':
      return filled({ value: items(resource['dosageInstruction']).flatMap(dosageText).join('; ') })
    case 'MedicationStatement':
      return filled({ value: items(resource['dosage']).flatMap(dosageText).join('; ') })
    case 'DiagnosticReport':
      return filled({
        value: text(resource['conclusion']),
        attachment: attachmentOf(items(resource['presentedForm'])[0]),
        rows: depth < NESTING_MAX ? resultRows(resource, resolve, depth) : [],
      })
    case 'DocumentReference':
      return filled({ attachment: attachmentOf(items(resource['content'])[0]?.['attachment']) })
    case 'Media':
      return filled({ attachment: attachmentOf(resource['content']) })
    case 'Binary':
      return filled({ attachment: attachmentOf(resource) })
    case 'Immunization':
      return filled({ value: doseText(resource), note: lotText(resource) })
    case 'ImmunizationRecommendation':
      return filled({ rows: items(resource['recommendation']).map(dueRow) })
    case 'Invoice':
      return filled({
        value: moneyText(resource['totalGross']),
        rows: items(resource['lineItem']).map((line) => lineRow(line, resolve)),
      })
    case 'Condition':
      return filled({ value: sinceText(resource) })
    case 'CarePlan':
      return filled({ value: text(resource['description']) })
    case 'AllergyIntolerance':
      return filled({
        value: items(resource['reaction'])
          .flatMap((one) => items(one['manifestation']).map(conceptText))
          .join(', '),
      })
    case 'FamilyMemberHistory':
      return filled({
        value: items(resource['condition'])
          .map((one) => conceptText(one['code']))
          .join(', '),
      })
    default:
      return {}
  }
}

const NAMED = ['code', 'medicationCodeableConcept', 'vaccineCode', 'relationship', 'type'] as const

function whatOf(resource: Json, resolve: Resolve): string | undefined {
  const named = NAMED.map((name) => conceptText(resource[name])).find((found) => found !== undefined)
  if (named !== undefined) return named
  const medicine = resource['medicationReference']
  const target = isObject(medicine) ? follow(medicine, resolve) : undefined
  return (
    (target && conceptText(target['code'])) ??
    (isObject(medicine) ? text(medicine['display']) : undefined) ??
    text(resource['title']) ??
    text(resource['description']) ??
    (resource['resourceType'] === 'Appointment' ? 'Follow-up' : undefined)
  )
}

const DATES = [
  'effectiveDateTime',
  'performedDateTime',
  'occurrenceDateTime',
  'authoredOn',
  'start',
  'recordedDate',
  'date',
  'issued',
  'createdDateTime',
  'created',
  'onsetDateTime',
]

function dateOf(resource: Json): string | undefined {
  const period = ['effectivePeriod', 'performedPeriod', 'period'].map((name) => resource[name]).find(isObject)
  return DATES.map((name) => text(resource[name])).find((found) => found !== undefined) ?? text(period?.['start'])
}

function observed(resource: Json): string | undefined {
  const parts = items(resource['component']).map((one) =>
    [conceptText(one['code']), valueText(one)].filter(Boolean).join(' '),
  )
  return [valueText(resource), ...parts].filter(Boolean).join(', ')
}

function valueText(node: Json): string | undefined {
  const quantity = node['valueQuantity']
  if (isObject(quantity)) return quantityText(quantity)
  const plain = ['valueString', 'valueDateTime', 'valueInteger', 'valueBoolean', 'valueTime'].map((name) => node[name])
  return conceptText(node['valueCodeableConcept']) ?? plain.map(scalar).find((found) => found !== undefined)
}

function quantityText(quantity: Json): string | undefined {
  const value = scalar(quantity['value'])
  if (value === undefined) return undefined
  return [text(quantity['comparator']), value, text(quantity['unit']) ?? text(quantity['code'])]
    .filter(Boolean)
    .join(' ')
}

function rangeText(resource: Json): string | undefined {
  const [range] = items(resource['referenceRange'])
  if (!range) return undefined
  const [low, high] = [range['low'], range['high']].map((one) => (isObject(one) ? scalar(one['value']) : undefined))
  if (low !== undefined && high !== undefined) return `${low} to ${high}`
  if (high !== undefined) return `up to ${high}`
  return low === undefined ? text(range['text']) : `from ${low}`
}

function dosageText(dosage: Json): string[] {
  const said =
    text(dosage['text']) ?? items(dosage['additionalInstruction']).map(conceptText).filter(Boolean).join(', ')
  return said === '' ? [] : [said]
}

function resultRows(report: Json, resolve: Resolve, depth: number): Row[] {
  const links = [...items(report['result']), ...items(report['media']).map((one) => one['link'])]
  return links
    .filter(isObject)
    .slice(0, RESULTS_MAX)
    .flatMap((link) => {
      const target = follow(link, resolve)
      return target ? [rowOf(target, resolve, depth + 1)] : []
    })
}

function doseText(resource: Json): string | undefined {
  const [protocol] = items(resource['protocolApplied'])
  const dose = protocol && (scalar(protocol['doseNumberPositiveInt']) ?? scalar(protocol['doseNumberString']))
  const series = protocol && (scalar(protocol['seriesDosesPositiveInt']) ?? scalar(protocol['seriesDosesString']))
  return dose === undefined ? undefined : `dose ${dose}${series === undefined ? '' : ` of ${series}`}`
}

function sinceText(resource: Json): string | undefined {
  const onset = text(resource['onsetDateTime']) ?? text(resource['onsetString'])
  return onset === undefined ? undefined : `since ${onset}`
}

function lotText(resource: Json): string | undefined {
  const lot = text(resource['lotNumber'])
  return lot === undefined ? undefined : `lot ${lot}`
}

function dueRow(recommendation: Json): Row {
  const [vaccine] = items(recommendation['vaccineCode'])
  const [criterion] = items(recommendation['dateCriterion'])
  const due = {
    kind: 'ImmunizationRecommendation',
    what: conceptText(vaccine) ?? 'Vaccine due',
    date: text(criterion?.['value']),
  }
  return filled(due)
}

function lineRow(line: Json, resolve: Resolve): Row {
  const reference = line['chargeItemReference']
  const charge = isObject(reference) ? follow(reference, resolve) : undefined
  const product = charge && (conceptText(charge['productCodeableConcept']) ?? conceptText(charge['code']))
  const prices = items(line['priceComponent']).filter((one) => one['type'] !== 'informational')
  const sum = prices.reduce((total, one) => total + signed(one), 0)
  const fallback = isObject(reference) ? text(reference['display']) : undefined
  const what = product ?? conceptText(line['chargeItemCodeableConcept']) ?? fallback ?? 'Item'
  return { kind: 'ChargeItem', what, value: `INR ${sum.toFixed(2)}` }
}

function signed(price: Json): number {
  const amount =
    isObject(price['amount']) && typeof price['amount']['value'] === 'number' ? price['amount']['value'] : 0
  return price['type'] === 'discount' || price['type'] === 'deduction' ? -Math.abs(amount) : amount
}

function moneyText(money: unknown): string | undefined {
  if (!isObject(money) || typeof money['value'] !== 'number') return undefined
  return `${text(money['currency']) ?? 'INR'} ${money['value'].toFixed(2)}`
}

function attachmentOf(node: unknown): ShownAttachment | undefined {
  if (!isObject(node)) return undefined
  const [contentType, data] = [text(node['contentType']), text(node['data'])]
  if (contentType === undefined || data === undefined) return undefined
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0
  return {
    title: text(node['title']) ?? contentType,
    contentType,
    data,
    bytes: Math.floor(data.length / 4) * 3 - padding,
  }
}

function notesOf(resource: Json): string | undefined {
  return items(resource['note'])
    .flatMap((one) => text(one['text']) ?? [])
    .join(' ')
}

/** Words of a CodeableConcept: its text, else a display, else a code. */
export function conceptText(concept: unknown): string | undefined {
  if (!isObject(concept)) return undefined
  const codings = items(concept['coding'])
  const display = codings.map((one) => text(one['display'])).find((found) => found !== undefined)
  return (
    text(concept['text']) ?? display ?? codings.map((one) => text(one['code'])).find((found) => found !== undefined)
  )
}

const textsOf = (concepts: unknown) => items(concepts).map(conceptText).filter(Boolean).join(', ')

export function follow(reference: Json, resolve: Resolve): Json | undefined {
  return typeof reference['reference'] === 'string' ? resolve(reference['reference']) : undefined
}

export function items(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

function scalar(value: unknown): string | undefined {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : text(value)
}

/** Without members that say nothing. */
export function filled<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  const said = Object.entries(members).filter(
    ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
  return Object.fromEntries(said) as T
}
