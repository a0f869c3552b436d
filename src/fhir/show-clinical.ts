import { reasonOf } from './show-medicine.ts'
import {
  codeOf,
  codesOf,
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
  oneOf,
  type Resolve,
  scalar,
  text,
} from './show-reading.ts'

const CLINICAL = ['active', 'recurrence', 'relapse', 'inactive', 'remission', 'resolved'] as const
const VERIFIED = ['unconfirmed', 'provisional', 'differential', 'confirmed', 'refuted', 'entered-in-error'] as const

/** A diagnosis, a problem or a complaint. */
export type ProblemFacts = {
  readonly type: 'problem'
  readonly name: Named
  readonly status?: (typeof CLINICAL)[number]
  readonly verification?: (typeof VERIFIED)[number]
  readonly severity?: string
  /** FHIR date, or words. */
  readonly since?: string
  readonly ended?: string
  readonly site?: string
  readonly note?: string
}

/** The facts of a Condition. */
export function problemFacts(resource: Json): ProblemFacts | undefined {
  const name = named(resource['code'])
  if (name === undefined) return undefined
  return filled<ProblemFacts>({
    type: 'problem',
    name,
    status: oneOf(codeOf(resource['clinicalStatus']), CLINICAL),
    verification: oneOf(codeOf(resource['verificationStatus']), VERIFIED),
    severity: conceptText(resource['severity']),
    since:
      text(resource['onsetDateTime']) ??
      text(object(resource['onsetPeriod'])['start']) ??
      text(resource['onsetString']),
    ended: text(resource['abatementDateTime']) ?? text(object(resource['abatementPeriod'])['end']),
    site: items(resource['bodySite']).map(conceptText).filter(Boolean).join(', '),
    note: notesOf(resource),
  })
}

/** SNOMED CT: no known allergy, drug allergy, food allergy, environmental allergy, latex allergy; HL7's own `no-known-…`. */
const NO_ALLERGY = new Set(['716186003', '409137002', '429625007', '428607008', '1003774007', '716184000'])

export type AllergyFacts = {
  readonly type: 'allergy'
  readonly name: Named
  /** The entry says that there is none. */
  readonly isNone?: true
  readonly status?: (typeof CLINICAL)[number]
  readonly verification?: (typeof VERIFIED)[number]
  readonly danger?: 'low' | 'high' | 'unable-to-assess'
  readonly category?: string
  readonly reactions?: readonly string[]
  readonly severity?: 'mild' | 'moderate' | 'severe'
  readonly since?: string
  readonly note?: string
}

export function allergyFacts(resource: Json): AllergyFacts | undefined {
  const reactions = items(resource['reaction'])
  const substance = reactions.map((one) => named(one['substance'])).find(Boolean)
  const name = named(resource['code']) ?? substance
  if (name === undefined) return undefined
  const severities = reactions.map((one) => one['severity'])
  const isNone = name.codes.some(({ code }) => NO_ALLERGY.has(code) || code.startsWith('no-known-'))
  return filled<AllergyFacts>({
    type: 'allergy',
    name,
    isNone: isNone ? true : undefined,
    status: oneOf(codeOf(resource['clinicalStatus']), CLINICAL),
    verification: oneOf(codeOf(resource['verificationStatus']), VERIFIED),
    danger: oneOf(resource['criticality'], ['low', 'high', 'unable-to-assess']),
    category: Array.isArray(resource['category']) ? text(resource['category'][0]) : undefined,
    reactions: reactions.flatMap((one) => items(one['manifestation']).flatMap((found) => conceptText(found) ?? [])),
    severity: (['severe', 'moderate', 'mild'] as const).find((one) => severities.includes(one)),
    since: text(resource['onsetDateTime']) ?? text(resource['onsetString']),
    note: notesOf(resource),
  })
}

export type ProcedureFacts = {
  readonly type: 'procedure'
  readonly name: Named
  readonly status?: string
  readonly at?: string
  readonly until?: string
  readonly reason?: string
  readonly outcome?: string
  readonly site?: string
  readonly followUp?: string
  readonly note?: string
}

export function procedureFacts(resource: Json, resolve: Resolve): ProcedureFacts | undefined {
  const name = named(resource['code'])
  if (name === undefined) return undefined
  const period = object(resource['performedPeriod'])
  return filled<ProcedureFacts>({
    type: 'procedure',
    name,
    status: text(resource['status']),
    at: text(resource['performedDateTime']) ?? text(period['start']) ?? text(resource['performedString']),
    until: text(period['end']),
    reason: reasonOf(resource, resolve),
    outcome: conceptText(resource['outcome']),
    site: items(resource['bodySite']).map(conceptText).filter(Boolean).join(', '),
    followUp: items(resource['followUp']).map(conceptText).filter(Boolean).join(', '),
    note: notesOf(resource),
  })
}

/** Something asked for: a test, a referral. */
export type OrderFacts = {
  readonly type: 'order'
  readonly name: Named
  readonly status?: string
  readonly urgent?: true
  readonly at?: string
  readonly from?: string
  readonly reason?: string
  readonly note?: string
}

export function orderFacts(resource: Json, resolve: Resolve): OrderFacts | undefined {
  const name = named(resource['code'])
  if (name === undefined) return undefined
  const urgent = ['urgent', 'asap', 'stat'].includes(String(resource['priority']))
  return filled<OrderFacts>({
    type: 'order',
    name,
    status: text(resource['status']),
    urgent: urgent ? true : undefined,
    at: text(resource['authoredOn']) ?? text(resource['occurrenceDateTime']),
    from: displayOf(resource['requester']),
    reason: reasonOf(resource, resolve),
    note: notesOf(resource),
  })
}

type Relative = { readonly name: Named; readonly outcome?: string; readonly since?: string }
export type FamilyFacts = {
  readonly type: 'family'
  readonly relation: string
  /** v3-RoleCode such as `MTH`, for words in the reader's language. */
  readonly relationCode?: string
  readonly conditions?: readonly Relative[]
  readonly died?: string
  readonly note?: string
}

export function familyFacts(resource: Json): FamilyFacts | undefined {
  const relation = conceptText(resource['relationship']) ?? text(resource['name'])
  if (relation === undefined) return undefined
  const conditions = items(resource['condition']).flatMap((one) => {
    const name = named(one['code'])
    const since = text(one['onsetString']) ?? ageText(one['onsetAge'])
    return name === undefined ? [] : [filled<Relative>({ name, outcome: conceptText(one['outcome']), since })]
  })
  return filled<FamilyFacts>({
    type: 'family',
    relation,
    relationCode: codesOf(resource['relationship']).find(({ system }) => system.endsWith('v3-RoleCode'))?.code,
    conditions,
    died: text(resource['deceasedDate']) ?? text(resource['deceasedString']) ?? ageText(resource['deceasedAge']),
    note: notesOf(resource),
  })
}

function ageText(age: unknown): string | undefined {
  const { value, unit } = object(age)
  return number(value) === undefined ? undefined : [scalar(value), text(unit)].filter(Boolean).join(' ')
}

export type PlanFacts = {
  readonly type: 'plan'
  readonly title: string
  readonly description?: string
  readonly status?: string
  readonly from?: string
  readonly until?: string
  readonly activities?: readonly string[]
  readonly goals?: readonly string[]
  readonly note?: string
}

export function planFacts(resource: Json, resolve: Resolve): PlanFacts | undefined {
  const title = text(resource['title']) ?? text(items(resource['category']).map(conceptText).filter(Boolean).join(', '))
  const description = text(resource['description'])
  if (title === undefined && description === undefined) return undefined
  const period = object(resource['period'])
  const activities = items(resource['activity']).flatMap((one) => {
    const detail = object(one['detail'])
    const pointed = follow(one['reference'], resolve)
    return text(detail['description']) ?? conceptText(detail['code']) ?? conceptText(pointed?.['code']) ?? []
  })
  return filled<PlanFacts>({
    type: 'plan',
    title: title ?? description ?? '',
    description: title === undefined ? undefined : description,
    status: text(resource['status']),
    from: text(period['start']) ?? text(resource['created']),
    until: text(period['end']),
    activities,
    goals: items(resource['goal']).flatMap(
      (one) => conceptText(follow(one, resolve)?.['description']) ?? displayOf(one) ?? [],
    ),
    note: notesOf(resource),
  })
}

export type AppointmentFacts = {
  readonly type: 'appointment'
  readonly start?: string
  readonly end?: string
  readonly kind?: string
  readonly description?: string
  readonly status?: string
}

export function appointmentFacts(resource: Json): AppointmentFacts | undefined {
  return filled<AppointmentFacts>({
    type: 'appointment',
    start: text(resource['start']) ?? text(object(items(resource['requestedPeriod'])[0])['start']),
    end: text(resource['end']),
    kind:
      conceptText(resource['appointmentType']) ??
      text(items(resource['serviceType']).map(conceptText).filter(Boolean).join(', ')),
    description: text(resource['description']) ?? text(resource['comment']),
    status: text(resource['status']),
  })
}
