import type { Bundle, Composition } from 'fhir/r4.js'
import { coding, present } from './coding.ts'
import { type BuildContext, facilityUri, profile, startDraft } from './draft.ts'
import type { DocumentInput } from './inputs.ts'
import { sentence, showDate } from './narrative.ts'
import { documentType, makeSections } from './sections.ts'

const PROFILES = {
  OPConsultation: 'OPConsultRecord',
  DischargeSummary: 'DischargeSummaryRecord',
  Prescription: 'PrescriptionRecord',
  DiagnosticReport: 'DiagnosticReportRecord',
  ImmunizationRecord: 'ImmunizationRecord',
  HealthDocumentRecord: 'HealthDocumentRecord',
  WellnessRecord: 'WellnessRecord',
  Invoice: 'InvoiceRecord',
} as const satisfies Record<DocumentInput['hiType'], string>

/**
 * Builds one FHIR document of an ABDM record type (NRCES IG ndhm.in 6.5.0) from plain facts.
 *
 * The same input and context give the same bytes. The input must have passed `documentInput`; it then passes strict
 * validation. Every resource carries one escaped sentence as narrative.
 */
export function buildDocument(input: DocumentInput, context: BuildContext): Bundle {
  const compositionId = context.makeUuid()
  const draft = startDraft(input, context)
  const sections = makeSections(draft, input)
  const stamp = context.now.toISOString()
  const composition = present<Composition & { id: string }>({
    resourceType: 'Composition',
    id: compositionId,
    meta: { ...profile(PROFILES[input.hiType]), lastUpdated: stamp },
    language: 'en-IN',
    text: sentence(input.title, `of ${input.patient.name}, ${showDate(input.date)}`),
    identifier: { system: facilityUri(input.organisation, 'documents'), value: context.bundleId },
    status: 'final',
    type: documentType(input.hiType),
    subject: draft.subject,
    encounter: draft.encounter,
    date: input.date,
    author: [draft.author],
    title: input.title,
    custodian: draft.organisation,
    section: sections,
  })
  return {
    resourceType: 'Bundle',
    id: context.bundleId,
    meta: {
      versionId: '1',
      lastUpdated: stamp,
      profile: ['https://nrces.in/ndhm/fhir/r4/StructureDefinition/DocumentBundle'],
      security: [coding('http://terminology.hl7.org/CodeSystem/v3-Confidentiality', 'V', 'very restricted')],
    },
    identifier: { system: facilityUri(input.organisation, 'documents'), value: context.bundleId },
    type: 'document',
    timestamp: stamp,
    entry: [{ fullUrl: `urn:uuid:${compositionId}`, resource: composition }, ...draft.entries],
  }
}
