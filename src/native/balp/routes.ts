import type { Bundle, CapabilityStatement } from 'fhir/r4.js'
import { z } from 'zod'
import type { OwnLog } from '../../audit/log.ts'
import { openEvent, receiptsAbout, receiptsOfNobody } from '../../audit/receipts.ts'
import { type AuditEvent, announce, record } from '../../audit/record.ts'
import type { Tx } from '../../db/tx.ts'
import { isStorable } from '../../http/body.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { type Caller, operatorOf } from '../../kernel/caller.ts'
import { type Id, parseId } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { refuse } from '../../kernel/refusal.ts'
import { existingPatientKey } from '../../vault/data-keys.ts'
import { type Observer, type RecordedEvent, toAuditEvent } from './audit-event.ts'
import { type DateRange, isWithin, parseDateParams } from './dates.ts'

type Needs = {
  readonly party: { readonly id: string; readonly name: string; readonly publicUrl: string }
  readonly ownLog: OwnLog
}

const native = { dialect: 'native', auth: 'operator', once: false } as const
const FHIR = { 'content-type': 'application/fhir+json; charset=utf-8' }
const fhir = (body: object): Answer => ({ status: 200, body: JSON.stringify(body), headers: FHIR })

const patient = z.string().min(1).max(LIMITS.textCharsMax).refine(isReference, 'must be Patient/… or an ABHA address')
const search = z.object({
  patient: patient.optional(),
  date: z.union([z.string(), z.array(z.string()).max(4)]).optional(),
  agent: z.string().min(1).max(LIMITS.textCharsMax).optional(),
  _count: z.coerce.number().int().min(0).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
  _before: z.uuid().optional(),
})
type Search = z.output<typeof search>

/** The log as FHIR AuditEvents by the IHE BALP profiles. Whoever reads them is recorded too. */
export function auditEventRoutes(needs: Needs): readonly Route[] {
  const observer: Observer = { ...needs.party, origin: needs.ownLog.signer.key.name }
  return [
    route({
      ...native,
      auth: 'none',
      method: 'GET',
      path: '/fhir/metadata',
      summary: 'What can be asked of the log in FHIR',
      answers: { 200: { description: 'CapabilityStatement' } },
      handle: async ({ tx }) => fhir(capabilities(needs, tx.now)),
    }),
    route({
      ...native,
      method: 'GET',
      path: '/fhir/AuditEvent',
      summary: 'Events as FHIR AuditEvents (IHE BALP), newest first: of a patient, or, without one, those about nobody',
      query: search,
      answers: { 200: { description: 'Bundle of type searchset' }, 400: { description: 'A date that is none' } },
      handle: async ({ tx, query, caller }) => {
        const range = parseDateParams([query.date ?? []].flat())
        if (range === undefined)
          return refuse('request/malformed', 'A date is ge, gt, le, lt or eq and a FHIR date.', 'date')
        const found = await findEvents(tx, query, range)
        await recordRead(tx, caller, query)
        return fhir(toBundle(needs, observer, query, found))
      },
    }),
    route({
      ...native,
      method: 'GET',
      path: '/fhir/AuditEvent/:id',
      summary: 'One event; of a patient’s event the patient is named, for only her key opens it',
      query: z.object({ patient: patient.optional() }),
      answers: { 200: { description: 'AuditEvent' }, 404: { description: 'No such event' } },
      handle: async ({ tx, params, query, caller }) => {
        const id = parseId<'event'>(params['id'] ?? '')
        const patient = query.patient === undefined ? undefined : addressOf(query.patient)
        const found = id === undefined ? undefined : await openEvent(tx, id, patient)
        if (found === undefined) return refuse('request/not-found')
        await recordRead(tx, caller, { patient: query.patient, _id: found.id })
        return fhir(toAuditEvent(found, observer))
      },
    }),
  ]
}

type Found = { readonly events: readonly RecordedEvent[]; readonly next?: Id<'event'> }

/** One page; dates and agents are looked for in what the patient's key opens, a bounded part at a time. */
async function findEvents(tx: Tx, query: Search, range: DateRange): Promise<Found> {
  const patient = query.patient === undefined ? undefined : addressOf(query.patient)
  const events: RecordedEvent[] = []
  let before = query._before as Id<'event'> | undefined
  for (let looked = 0; looked < LIMITS.auditEventsSearchedMax; ) {
    const filter = { limit: LIMITS.pageSizeMax, ...(before === undefined ? {} : { before }) }
    const page = patient === undefined ? await receiptsOfNobody(tx, filter) : await receiptsAbout(tx, patient, filter)
    for (const one of page) {
      if (events.length >= query._count && query._count > 0)
        return { events, ...(before === undefined ? {} : { next: before }) }
      before = one.id
      looked++
      if ('changed' in one || !isWithin(new Date(one.at), range) || !hasAgent(one.event, query.agent)) continue
      if (query._count > 0) events.push(one)
    }
    if (page.length < LIMITS.pageSizeMax) return { events }
  }
  return { events, ...(before === undefined ? {} : { next: before }) }
}

function hasAgent({ actor }: AuditEvent, wanted: string | undefined): boolean {
  if (wanted === undefined) return true
  const person = actor.kind === 'facility' ? actor.person : undefined
  return [actor.id, person?.staff, person?.name].includes(wanted.replace(/^[A-Z]\w+\//, ''))
}

/** Whether it can be read as {@link addressOf} does, and holds nothing that no id or text has. */
function isReference(text: string): boolean {
  try {
    return isStorable(addressOf(text))
  } catch {
    // Percent signs that are no escapes.
    return false
  }
}

/** `Patient/asha.rao@sbx` or the address alone. */
function addressOf(patient: string): string {
  return decodeURIComponent(patient.replace(/^Patient\//, ''))
}

function toBundle(needs: Needs, observer: Observer, query: Search, { events, next }: Found): Bundle {
  const base = `${needs.party.publicUrl}/fhir/AuditEvent`
  const link = (relation: string, before: string | undefined) => {
    const words = new URLSearchParams()
    for (const [name, value] of Object.entries({ ...query, _before: before }))
      for (const each of [value ?? []].flat()) words.append(name, String(each))
    return { relation, url: `${base}?${words.toString()}` }
  }
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [link('self', query._before), ...(next === undefined ? [] : [link('next', next)])],
    entry: events.map((event) => ({
      fullUrl: `${base}/${event.id}`,
      resource: toAuditEvent(event, observer),
      search: { mode: 'match' },
    })),
  }
}

type ReadWords = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** Reading who looked is a look, too: it stands in the log of the patient whose events were read. */
async function recordRead(tx: Tx, caller: Caller, query: ReadWords): Promise<void> {
  const named = typeof query['patient'] === 'string' ? addressOf(query['patient']) : undefined
  // Of somebody unknown here there is no log, and no key is made for one.
  const patient = named !== undefined && (await existingPatientKey(tx, named)) !== undefined ? named : undefined
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (name !== 'patient') for (const each of [value ?? []].flat()) words.append(name, String(each))
  const event = {
    type: 'log.read',
    actor: operatorOf(caller),
    query: `AuditEvent?${words.toString()}`,
    ...(patient === undefined ? {} : { patient }),
  } as const
  await announce(tx, await record(tx, event))
}

function capabilities({ party }: Needs, now: Date): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: now.toISOString(),
    kind: 'instance',
    implementation: {
      description: `${party.name}: the log of disclosures, refusals and accesses`,
      url: `${party.publicUrl}/fhir`,
    },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [
      {
        mode: 'server',
        resource: [
          {
            type: 'AuditEvent',
            interaction: [{ code: 'read' }, { code: 'search-type' }],
            searchParam: [
              { name: 'patient', type: 'reference' },
              { name: 'date', type: 'date' },
              { name: 'agent', type: 'reference' },
            ],
          },
        ],
      },
    ],
  }
}
