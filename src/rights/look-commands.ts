import { type EventAbout, receiptsAbout } from '../audit/receipts.ts'
import type { AuditEvent } from '../audit/record.ts'
import type { Artefact } from '../consent/consent.ts'
import { artefactById } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { type AbhaAddress, type FacilityId, type Id, parseFacilityId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { questionsOf } from './commands.ts'
import { facilityViews } from './facts.ts'
import { LOOK_EVENTS, lookOf, OPENING_EVENTS } from './looks.ts'
import type { ChangedLook, LookView, OpeningEvent, OpeningView } from './views.ts'
import { withheldEventsOf } from './withholding-commands.ts'

/**
 * Looks at this patient's records, newest first: a page after `before`, without those of which the law forbids to tell now. A row that was changed behind our back stands as such.
 */
export async function looksOf(
  tx: Tx,
  patient: AbhaAddress,
  page: { readonly limit: number; readonly before?: Id<'event'> },
): Promise<readonly (LookView | ChangedLook)[]> {
  const except = await withheldEventsOf(tx, patient)
  return withAll(tx, patient, await receiptsAbout(tx, patient, { ...page, types: LOOK_EVENTS, except }))
}

/** Who opened this patient's page without any record, newest first: a page after `before`, as `looksOf`. */
export async function openingsOf(
  tx: Tx,
  patient: AbhaAddress,
  page: { readonly limit: number; readonly before?: Id<'event'> },
): Promise<readonly (OpeningView | ChangedLook)[]> {
  const except = await withheldEventsOf(tx, patient)
  const events = await receiptsAbout(tx, patient, { ...page, types: OPENING_EVENTS, except })
  const told = events.flatMap((one) => ('changed' in one ? [] : [facilityOf(one.event) ?? []].flat()))
  const facilities = await facilityViews(tx, [...new Set(told)])
  const questions = await questionsOf(tx, patient)
  return events.map((one): OpeningView | ChangedLook => {
    if ('changed' in one) return one
    const event = one.event as unknown as OpeningEvent
    const facility = facilities.get(event.facility) ?? { id: event.facility, name: event.facilityName, kinds: [] }
    const asked = questions.find((question) => question.event === one.id)
    const question = asked && { question: { id: asked.id, number: asked.number, status: asked.status } }
    return { id: one.id, at: one.at, event, facility, ...question }
  })
}

const facilityOf = (event: AuditEvent): FacilityId | undefined =>
  'facility' in event ? parseFacilityId(String(event.facility)) : undefined

/** Unusual looks among the newest `LIMITS.looksSearchedMax`, newest first. */
export async function unusualLooksOf(tx: Tx, patient: AbhaAddress): Promise<readonly LookView[]> {
  const found: LookView[] = []
  let before: Id<'event'> | undefined
  for (let searched = 0; searched < LIMITS.looksSearchedMax; searched += LIMITS.pageSizeMax) {
    const page = await looksOf(tx, patient, { limit: LIMITS.pageSizeMax, ...(before === undefined ? {} : { before }) })
    for (const look of page) if (!('changed' in look) && look.unusual.length > 0) found.push(look)
    const last = page.at(-1)
    if (last === undefined || page.length < LIMITS.pageSizeMax) break
    before = last.id as Id<'event'>
  }
  return found
}

async function withAll(
  tx: Tx,
  patient: AbhaAddress,
  events: readonly EventAbout[],
): Promise<readonly (LookView | ChangedLook)[]> {
  const consents = new Map<string, Artefact>()
  const facilities = new Set<FacilityId>()
  for (const told of events) {
    if ('changed' in told) continue
    const { subject } = told.event
    const id = subject === undefined || consents.has(subject) ? undefined : parseId<'artefact'>(subject)
    const artefact = id && (await artefactById(tx, id))
    if (artefact?.patient === patient) consents.set(artefact.id, artefact)
    const facility = facilityOf(told.event)
    if (facility !== undefined) facilities.add(facility)
  }
  const views = await facilityViews(tx, [...facilities])
  const questions = await questionsOf(tx, patient)
  const emergencies = await emergenciesOf(tx, patient)
  return events.flatMap((told): readonly (LookView | ChangedLook)[] => {
    if ('changed' in told) return [told]
    const look = lookOf(told, consents, views, emergencies)
    if (look === undefined) return []
    const asked = questions.find(({ event }) => event === look.id)
    return [
      asked === undefined ? look : { ...look, question: { id: asked.id, number: asked.number, status: asked.status } },
    ]
  })
}

/** Consent requests that were opened in an emergency, without asking the patient. */
async function emergenciesOf(tx: Tx, patient: AbhaAddress): Promise<ReadonlySet<string>> {
  const opened = await receiptsAbout(tx, patient, {
    types: ['consent.emergency-opened'],
    limit: LIMITS.looksSearchedMax,
  })
  return new Set(opened.flatMap((told) => ('changed' in told ? [] : [told.event.subject ?? ''])))
}
