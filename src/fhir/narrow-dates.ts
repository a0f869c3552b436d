/** When things happened, as far as a resource says: the part of `narrow` that decides by date. */

/** Both ends inclusive, milliseconds since 1970. */
export type Interval = { readonly start: number; readonly end: number }

type Json = { readonly [key: string]: unknown }

const PATTERN = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(T.+)?)?)?$/
/** Dates without a time are days in India. */
const OFFSET = '+05:30'
const DAY_MS = 86_400_000

/**
 * The time that a FHIR date, dateTime or instant covers. A year or month alone is `vague`: it must lie wholly inside a
 * range to count as inside. Undefined when it is no FHIR date.
 */
export function readMoment(text: unknown): (Interval & { readonly vague: boolean }) | undefined {
  const [, year, month, day, time] = (typeof text === 'string' && PATTERN.exec(text)) || []
  if (year === undefined) return undefined
  if (time !== undefined) {
    const at = Date.parse(String(text))
    return Number.isNaN(at) ? undefined : { start: at, end: at, vague: false }
  }
  const start = Date.parse(`${year}-${month ?? '01'}-${day ?? '01'}T00:00:00${OFFSET}`)
  const end =
    day !== undefined ? start + DAY_MS - 1 : endOfMonth(Number(year), month === undefined ? 12 : Number(month))
  return Number.isNaN(start) ? undefined : { start, end, vague: day === undefined }
}

function endOfMonth(year: number, month: number): number {
  const next = month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, '0')}`
  return Date.parse(`${next}-01T00:00:00${OFFSET}`) - 1
}

/** Whether the moment lies in the range; false for what cannot be read, so that doubt cuts. */
export function isMomentWithin(text: unknown, range: Interval): boolean {
  const moment = readMoment(text)
  if (!moment) return false
  return moment.vague ? moment.start >= range.start && moment.end <= range.end : overlaps(moment, range)
}

function overlaps(a: Interval, b: Interval): boolean {
  return a.start <= b.end && a.end >= b.start
}

/** Whether a Period overlaps the range: open ends reach for ever, an end that cannot be read counts as outside. */
export function isPeriodWithin(period: unknown, range: Interval): boolean {
  const { start, end } = isObject(period) ? period : {}
  if (start === undefined && end === undefined) return true
  const from = start === undefined ? { start: Number.NEGATIVE_INFINITY } : readMoment(start)
  const until = end === undefined ? { end: Number.POSITIVE_INFINITY } : readMoment(end)
  return from !== undefined && until !== undefined && overlaps({ start: from.start, end: until.end }, range)
}

/**
 * Where each resource type says when it happened; the first that is present decides. An appointment counts from the day
 * on which it was made, since its own day lies ahead of the visit that it belongs to.
 */
const DATE_OF: Readonly<Record<string, readonly string[]>> = {
  Appointment: ['created'],
  CarePlan: ['created', 'period'],
  ChargeItem: ['occurrenceDateTime', 'occurrencePeriod', 'enteredDate'],
  DiagnosticReport: ['effectiveDateTime', 'effectivePeriod', 'issued'],
  DocumentReference: ['date'],
  Encounter: ['period'],
  FamilyMemberHistory: ['date'],
  ImagingStudy: ['started'],
  Immunization: ['occurrenceDateTime', 'recorded'],
  ImmunizationRecommendation: ['date'],
  Invoice: ['date'],
  Media: ['createdDateTime', 'createdPeriod', 'issued'],
  MedicationRequest: ['authoredOn'],
  MedicationStatement: ['effectiveDateTime', 'effectivePeriod', 'dateAsserted'],
  Observation: ['effectiveDateTime', 'effectivePeriod', 'effectiveInstant', 'issued'],
  Procedure: ['performedDateTime', 'performedPeriod'],
  ServiceRequest: ['authoredOn', 'occurrenceDateTime', 'occurrencePeriod'],
}

/** For resource types that the ABDM profiles do not have. */
const ANY_DATE = [
  'effectiveDateTime',
  'effectivePeriod',
  'occurrenceDateTime',
  'occurrencePeriod',
  'performedDateTime',
  'performedPeriod',
  'authoredOn',
  'recordedDate',
  'date',
  'created',
  'period',
  'issued',
]

/** Who and where, not when: never outside a range. */
const TIMELESS = new Set([
  'Composition',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'RelatedPerson',
  'Device',
  'Medication',
  'Substance',
  'Binary',
])

/** Whether `resource` happened within the range. What says no date is as old as its document: within. */
export function isWithin(resource: Json, range: Interval): boolean {
  const type = String(resource['resourceType'])
  if (TIMELESS.has(type)) return true
  if (type === 'Condition' || type === 'AllergyIntolerance') return isLastingWithin(resource, range)
  if (type === 'Specimen') return isCollectedWithin(resource, range)
  if (type === 'DocumentReference' && resource['date'] === undefined) return isContentWithin(resource, range)
  const name = (DATE_OF[type] ?? ANY_DATE).find((one) => resource[one] !== undefined)
  if (name === undefined) return true
  const value = resource[name]
  return isObject(value) ? isPeriodWithin(value, range) : isMomentWithin(value, range)
}

/**
 * A condition or allergy lasts from its onset until it was last recorded; one that is over, until it ended (its onset
 * if no end is given). So an active diabetes since 2018 belongs to a note of today, a healed fracture of 2018 does not.
 */
function isLastingWithin(resource: Json, range: Interval): boolean {
  const onset = resource['onsetDateTime'] ?? startOf(resource['onsetPeriod'])
  const ended = resource['abatementDateTime'] ?? startOf(resource['abatementPeriod'])
  const recorded = resource['recordedDate']
  if (isOver(resource)) {
    const last = ended ?? onset ?? recorded
    return last === undefined || isMomentWithin(last, range)
  }
  if (recorded !== undefined && onset !== undefined) {
    return isPeriodWithin({ start: earlier(onset, recorded), end: recorded }, range)
  }
  return recorded === undefined ? true : isMomentWithin(recorded, range)
}

function isOver(resource: Json): boolean {
  const status = resource['clinicalStatus']
  const codings = isObject(status) && Array.isArray(status['coding']) ? status['coding'] : []
  const over = codings.some((one) => isObject(one) && ['resolved', 'inactive'].includes(String(one['code'])))
  return over || resource['abatementDateTime'] !== undefined || resource['abatementPeriod'] !== undefined
}

function earlier(a: unknown, b: unknown): unknown {
  const [first, second] = [readMoment(a), readMoment(b)]
  return first && second && second.start < first.start ? b : a
}

function startOf(period: unknown): unknown {
  return isObject(period) ? (period['start'] ?? period['end']) : undefined
}

function isCollectedWithin(resource: Json, range: Interval): boolean {
  const collection = isObject(resource['collection']) ? resource['collection'] : {}
  if (collection['collectedPeriod'] !== undefined) return isPeriodWithin(collection['collectedPeriod'], range)
  const at = collection['collectedDateTime'] ?? resource['receivedTime']
  return at === undefined || isMomentWithin(at, range)
}

function isContentWithin(resource: Json, range: Interval): boolean {
  const contents = Array.isArray(resource['content']) ? resource['content'] : []
  return contents.every((content) => {
    const attachment: unknown = isObject(content) ? content['attachment'] : undefined
    const made = isObject(attachment) ? attachment['creation'] : undefined
    return made === undefined || isMomentWithin(made, range)
  })
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
