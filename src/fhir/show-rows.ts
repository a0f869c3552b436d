/** One line of a shown document per resource, read tolerantly: what is missing or odd is left out, never thrown. */

import { isObject } from './narrow-dates.ts'
import { billLine, moneyText } from './show-bill.ts'
import { type Facts, factsOf } from './show-facts.ts'
import { type NarrativeBlock, readNarrative } from './show-narrative.ts'
import {
  conceptText,
  filled,
  follow,
  items,
  type Json,
  notesOf,
  object,
  type Resolve,
  scalar,
  text,
  textsOf,
} from './show-reading.ts'

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
  /** The same in a shape of its kind, for tables and trends. */
  readonly facts?: Facts
  /** Its narrative as plain text, where the kind is unknown or the narrative says more than the values. */
  readonly words?: readonly NarrativeBlock[]
}

/** A file in the document: its base64 text stays where it is, `bytes` is its size when decoded. */
export type ShownAttachment = {
  readonly title: string
  readonly contentType: string
  readonly data: string
  readonly bytes: number
}

/** Reports show their results, and no reports within those: a document of a stranger may run in circles. */
const NESTING_MAX = 1
const RESULTS_MAX = 1000

export function rowOf(resource: Json, resolve: Resolve, depth = 0): Row {
  const kind = text(resource['resourceType']) ?? 'Unknown'
  const base = {
    kind,
    what: whatOf(resource, resolve) ?? kind,
    date: dateOf(resource),
    status: conceptText(resource['clinicalStatus']),
    note: notesOf(resource),
    facts: factsOf(resource, resolve),
  }
  const row = filled<Row>({ ...base, ...detailsOf(kind, resource, resolve, depth) })
  return filled<Row>({ ...row, words: wordsOf(resource, row) })
}

/** FHIR R4 narrative-status: only `generated` promises that the values say it all. */
function wordsOf(resource: Json, row: Row): readonly NarrativeBlock[] {
  const narrative = object(resource['text'])
  const isCovered = row.facts !== undefined && narrative['status'] === 'generated'
  return isCovered || row.attachment !== undefined ? [] : readNarrative(narrative['div'])
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
  const { what, amount } = billLine(line, resolve)
  return { kind: 'ChargeItem', what, value: `INR ${amount.toFixed(2)}` }
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
