import type { AuditEvent, AuditEventAgent, AuditEventEntity, Coding, Reference } from 'fhir/r4.js'

/** Code systems and fixed parts of the IHE BALP profiles (1.1.x). */
const DCM = 'http://dicom.nema.org/resources/ontology/DCM'
const HL7 = 'http://terminology.hl7.org/CodeSystem'
export const PROFILES = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'

const coding = (system: string, code: string, display?: string): Coding => ({
  system,
  code,
  ...(display === undefined ? {} : { display }),
})

export const TYPES = {
  rest: coding(`${HL7}/audit-event-type`, 'rest', 'Restful Operation'),
  alert: coding(DCM, '110113', 'Security Alert'),
  exported: coding(DCM, '110106', 'Export'),
  imported: coding(DCM, '110107', 'Import'),
  activity: coding(DCM, '110100', 'Application Activity'),
} as const

export const SUBTYPES = {
  create: coding('http://hl7.org/fhir/restful-interaction', 'create', 'create'),
  read: coding('http://hl7.org/fhir/restful-interaction', 'read', 'read'),
  update: coding('http://hl7.org/fhir/restful-interaction', 'update', 'update'),
  delete: coding('http://hl7.org/fhir/restful-interaction', 'delete', 'delete'),
  search: coding('http://hl7.org/fhir/restful-interaction', 'search-type', 'search-type'),
  decision: coding('https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType', 'AuthZ-Consent'),
  disclosure: coding(`${HL7}/iso-21089-lifecycle`, 'disclose', 'Disclose Record Lifecycle Event'),
} as const

const ROLES = {
  source: coding(DCM, '110153', 'Source Role ID'),
  destination: coding(DCM, '110152', 'Destination Role ID'),
  application: coding(DCM, '110150', 'Application'),
  custodian: coding(`${HL7}/provenance-participant-type`, 'custodian', 'Custodian'),
  reader: coding(`${HL7}/v3-ParticipationType`, 'IRCP', 'information recipient'),
  author: coding(`${HL7}/v3-ParticipationType`, 'AUT', 'Author'),
  provider: coding(`${HL7}/v3-RoleClass`, 'PROV', 'healthcare provider'),
  decider: coding(`${HL7}/extra-security-role-type`, 'authserver', 'authorization server'),
} as const
export type Role = keyof typeof ROLES

/** Addresses of the network are not kept with events: said as such, where a profile asks for one. */
const NETWORK_UNKNOWN = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
}
const ON_NETWORK: readonly Role[] = ['source', 'destination', 'application', 'custodian']

/** A participant in its role. */
export function agent(
  role: Role,
  who: Reference,
  more: { readonly requestor: boolean; readonly name?: string },
): AuditEventAgent {
  return {
    type: { coding: [ROLES[role]] },
    who,
    requestor: more.requestor,
    ...(more.name === undefined ? {} : { name: more.name }),
    ...(ON_NETWORK.includes(role) ? { network: NETWORK_UNKNOWN } : {}),
  } as AuditEventAgent
}

/** The patient whom an event is about. */
export function patientEntity(address: string): AuditEventEntity {
  return {
    what: { reference: `Patient/${encodeURIComponent(address)}`, identifier: { value: address } },
    type: coding(`${HL7}/audit-entity-type`, '1', 'Person'),
    role: coding(`${HL7}/object-role`, '1', 'Patient'),
  }
}

/** The thing that was read, made, changed or handed over. */
export function dataEntity(reference: string): AuditEventEntity {
  return {
    what: { identifier: { value: reference } },
    type: coding(`${HL7}/audit-entity-type`, '2', 'System Object'),
    role: coding(`${HL7}/object-role`, '3', 'Report'),
  }
}

/** A consent on which a decision rests. */
export function consentEntity(id: string): AuditEventEntity {
  return {
    what: { identifier: { value: id } },
    type: coding('http://hl7.org/fhir/resource-types', 'Consent', 'Consent'),
  }
}

/** The search that was made: its words in base64, as sent (BALP, Query). */
export function queryEntity(query: string): AuditEventEntity {
  return {
    type: coding(`${HL7}/audit-entity-type`, '2', 'System Object'),
    role: coding(`${HL7}/object-role`, '24', 'Query'),
    query: Buffer.from(query).toString('base64'),
  }
}

export type Outcome = NonNullable<AuditEvent['outcome']>
