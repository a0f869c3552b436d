import type { AuditEventAgent, AuditEventEntity, Coding, AuditEvent as FhirAuditEvent, Reference } from 'fhir/r4.js'
import type { AuditEvent } from '../../audit/record.ts'
import {
  agent,
  consentEntity,
  dataEntity,
  type Outcome,
  PROFILES,
  patientEntity,
  queryEntity,
  type Role,
  SUBTYPES,
  TYPES,
} from './codes.ts'

/** The party whose log this is: source and observer of every event. */
export type Observer = { readonly id: string; readonly name: string; readonly origin: string }

export type RecordedEvent = { readonly id: string; readonly at: string; readonly event: AuditEvent }
type Kind = 'create' | 'read' | 'update' | 'delete' | 'query' | 'decision' | 'source' | 'recipient' | 'activity'

/** Which BALP profile an event is of; all others are told as application activity, without a profile. */
const KINDS: Readonly<Record<string, Kind>> = {
  'hiu.record-viewed': 'read',
  'records.viewed': 'read',
  'hiu.record-exported': 'read',
  'records.exported': 'read',
  'access.reported': 'read',
  'access.page-reported': 'read',
  'desk.patient-opened': 'read',
  'hip.records-opened': 'read',
  'log.read': 'query',
  'desk.patients-searched': 'query',
  'records.record-added': 'create',
  'records.patient-registered': 'create',
  'consent.requested': 'create',
  'consent.granted': 'create',
  'records.patient-changed': 'update',
  'consent.revoked': 'update',
  'consent.denied': 'update',
  'hiu.copy-erased': 'delete',
  'consent.data-erased': 'delete',
  'transfer.requested': 'decision',
  'transfer.refused': 'decision',
  'hip.request-accepted': 'decision',
  'hip.request-refused': 'decision',
  'hiu.view-denied': 'decision',
  'hip.page-disclosed': 'source',
  'hiu.page-received': 'recipient',
}
const REST_PROFILES = { create: 'Create', read: 'Read', update: 'Update', delete: 'Delete', query: 'Query' } as const
const ACTIONS = { create: 'C', read: 'R', update: 'U', delete: 'D', query: 'E' } as const
/** Who sends and who receives, as BALP has it for each interaction. */
const SIDES: Readonly<
  Record<keyof typeof ACTIONS, { readonly client: Role; readonly server: Role; readonly user: Role }>
> = {
  create: { client: 'source', server: 'destination', user: 'author' },
  update: { client: 'source', server: 'destination', user: 'author' },
  read: { client: 'destination', server: 'source', user: 'reader' },
  query: { client: 'source', server: 'destination', user: 'reader' },
  delete: { client: 'application', server: 'custodian', user: 'author' },
}
const SUCCESS: Outcome = '0'
const FAILURE: Outcome = '8'

/** An event of the log as a FHIR R4 AuditEvent, by the BALP profile of its kind. Pure. */
export function toAuditEvent(recorded: RecordedEvent, observer: Observer): FhirAuditEvent {
  const kind = KINDS[recorded.event.type] ?? 'activity'
  if (kind === 'decision') return decision(recorded, observer)
  if (kind === 'source' || kind === 'recipient') return disclosure(recorded, observer, kind)
  if (kind === 'activity') return activity(recorded, observer)
  return rest(recorded, observer, kind)
}

function rest(recorded: RecordedEvent, observer: Observer, kind: keyof typeof ACTIONS): FhirAuditEvent {
  const { event } = recorded
  const sides = SIDES[kind]
  const thing = kind === 'query' ? queryEntity(textOf(event, 'query') ?? '') : dataEntity(subjectOf(recorded))
  const profile = `${event.patient === undefined ? '' : 'Patient'}${REST_PROFILES[kind]}`
  const hasProfile = kind !== 'delete' || event.patient !== undefined
  return {
    ...frame(recorded, observer, hasProfile ? profile : undefined),
    type: TYPES.rest,
    subtype: [SUBTYPES[kind === 'query' ? 'search' : kind]],
    action: ACTIONS[kind],
    outcome: SUCCESS,
    agent: [
      agent(sides.client, clientOf(event), { requestor: false }),
      agent(sides.server, ownReference(observer), { requestor: false }),
      ...userOf(event, sides.user),
    ],
    entity: [...(event.patient === undefined ? [] : [patientEntity(event.patient)]), thing],
  }
}

function decision(recorded: RecordedEvent, observer: Observer): FhirAuditEvent {
  const { event } = recorded
  const consents = consentsOf(event)
  const isDenied = /(refused|denied)$/.test(event.type)
  const outcomeDesc = isDenied ? (textOf(event, 'code') ?? 'denied') : undefined
  // The profile is of decisions on a consent about a patient; without one there is no profile to claim.
  const hasProfile = event.patient !== undefined && consents.length > 0
  return {
    ...frame(recorded, observer, hasProfile ? 'AuthZconsent' : undefined),
    type: TYPES.alert,
    subtype: [SUBTYPES.decision],
    action: 'E',
    outcome: isDenied ? FAILURE : SUCCESS,
    ...(outcomeDesc === undefined ? {} : { outcomeDesc }),
    agent: [
      agent('application', clientOf(event), { requestor: false }),
      agent('reader', personOf(event) ?? clientOf(event), { requestor: true }),
      agent('provider', clientOf(event), { requestor: false }),
      agent('decider', ownReference(observer), { requestor: false }),
    ],
    entity: [...(event.patient === undefined ? [] : [patientEntity(event.patient)]), ...consents.map(consentEntity)],
  }
}

function disclosure(recorded: RecordedEvent, observer: Observer, kind: 'source' | 'recipient'): FhirAuditEvent {
  const { event } = recorded
  const isSource = kind === 'source'
  const other = reference(textOf(event, isSource ? 'recipient' : 'hip') ?? 'unknown')
  const own = ownReference(observer)
  const hasProfile = event.patient !== undefined
  return {
    ...frame(recorded, observer, hasProfile ? `PrivacyDisclosure.${isSource ? 'Source' : 'Recipient'}` : undefined),
    type: isSource ? TYPES.exported : TYPES.imported,
    subtype: [SUBTYPES.disclosure],
    action: isSource ? 'R' : 'C',
    outcome: SUCCESS,
    agent: [
      agent('source', isSource ? own : other, { requestor: false }),
      agent('destination', isSource ? other : own, { requestor: false }),
    ],
    entity: [
      ...(event.patient === undefined ? [] : [patientEntity(event.patient)]),
      dataEntity(subjectOf(recorded)),
      ...consentsOf(event).map(consentEntity),
    ],
  }
}

function activity(recorded: RecordedEvent, observer: Observer): FhirAuditEvent {
  const { event } = recorded
  const entities: readonly AuditEventEntity[] = [
    ...(event.patient === undefined ? [] : [patientEntity(event.patient)]),
    ...(event.subject === undefined ? [] : [dataEntity(event.subject)]),
  ]
  return {
    ...frame(recorded, observer, undefined),
    type: TYPES.activity,
    subtype: [eventCoding(event.type, observer)],
    action: 'E',
    outcome: /(denied|refused|failed|withheld|undelivered|lost)$/.test(event.type) ? FAILURE : SUCCESS,
    agent: [agent('application', personOf(event) ?? clientOf(event), { requestor: true })],
    ...(entities.length === 0 ? {} : { entity: [...entities] }),
  }
}

type Frame = Pick<FhirAuditEvent, 'resourceType' | 'id' | 'meta' | 'recorded' | 'source'>

function frame({ id, at, event }: RecordedEvent, observer: Observer, profile: string | undefined): Frame {
  return {
    resourceType: 'AuditEvent',
    id,
    meta: {
      ...(profile === undefined ? {} : { profile: [`${PROFILES}${profile}`] }),
      tag: [eventCoding(event.type, observer)],
    },
    recorded: at,
    source: {
      site: observer.origin,
      observer: ownReference(observer),
      type: [{ system: 'http://terminology.hl7.org/CodeSystem/security-source-type', code: '4' }],
    },
  }
}

/** What it is called in our log, of which a receipt can be had. */
function eventCoding(type: string, { origin }: Observer): Coding {
  return { system: `https://${origin}/events`, code: type }
}

function ownReference({ id, name }: Observer): Reference {
  return { ...reference(id), display: name }
}

function reference(id: string): Reference {
  return { identifier: { value: id } }
}

/** The organisation or software behind what happened. */
function clientOf({ actor }: AuditEvent): Reference {
  return reference(actor.id)
}

function personOf(event: AuditEvent): Reference | undefined {
  const { actor } = event
  if (actor.kind === 'patient') return reference(actor.guardian ?? actor.id)
  if (actor.kind !== 'facility' || actor.person === undefined) return undefined
  const { name, role, staff } = actor.person
  return { ...(staff === undefined ? {} : reference(staff)), display: `${name} (${role})` }
}

function userOf(event: AuditEvent, role: Role): AuditEventAgent[] {
  const who = personOf(event)
  return who === undefined ? [] : [agent(role, who, { requestor: true })]
}

function subjectOf({ id, event }: RecordedEvent): string {
  return event.subject ?? id
}

function textOf(event: AuditEvent, field: string): string | undefined {
  const value = (event as Readonly<Record<string, unknown>>)[field]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The consents that an event names; a transfer's event by its field, a view's by its subject. */
function consentsOf(event: AuditEvent): readonly string[] {
  const named = textOf(event, 'consent')
  if (named !== undefined) return [named]
  return event.type.startsWith('hiu.view') && event.subject !== undefined ? [event.subject] : []
}
