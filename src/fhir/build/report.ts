import type { DiagnosticReport, Reference } from 'fhir/r4.js'
import { toAttachment } from './clinical.ts'
import { codeable, present } from './coding.ts'
import { type Draft, profile } from './draft.ts'
import type { ImagingReportInput, LabReportInput, ReportInput } from './inputs.ts'
import { sentence } from './narrative.ts'
import { addObservation } from './observation.ts'

/** Adds a laboratory or imaging report with all that it points at. */
export function addReport(draft: Draft, input: ReportInput): Reference {
  const links = input.kind === 'lab' ? labLinks(draft, input) : imagingLinks(draft, input)
  return draft.add(
    present<DiagnosticReport & { id: string }>({
      resourceType: 'DiagnosticReport',
      id: draft.newId(),
      meta: profile(input.kind === 'lab' ? 'DiagnosticReportLab' : 'DiagnosticReportImaging'),
      text: sentence(`${input.what.text}:`, input.conclusion.replace(/\.$/, '')),
      status: 'final',
      category: input.service && [codeable(input.service, 'snomed')],
      code: codeable(input.what, 'loinc'),
      subject: draft.subject,
      encounter: draft.encounter,
      effectiveDateTime: input.issued,
      issued: input.issued,
      performer: [draft.organisation],
      resultsInterpreter: [draft.author],
      ...links,
      conclusion: input.conclusion,
      presentedForm: input.printed && [toAttachment(input.printed, draft.date)],
    }),
    input.what.text,
  )
}

function labLinks(draft: Draft, input: LabReportInput) {
  const specimen = input.specimen && addSpecimen(draft, input.specimen)
  const taken = input.specimen?.collected ?? input.issued
  const result = input.results.map((found) =>
    addObservation(draft, { ...found, date: found.date ?? taken }, 'Observation', draft.organisation),
  )
  return { specimen: specimen && [specimen], result, media: undefined }
}

function addSpecimen(draft: Draft, input: NonNullable<LabReportInput['specimen']>): Reference {
  return draft.add(
    {
      resourceType: 'Specimen',
      id: draft.newId(),
      meta: profile('Specimen'),
      text: sentence(input.type.text),
      type: codeable(input.type, 'snomed'),
      subject: draft.subject,
      receivedTime: input.received,
      collection: { collectedDateTime: input.collected },
    },
    input.type.text,
  )
}

function imagingLinks(draft: Draft, input: ImagingReportInput) {
  const media = input.images.map((image) => ({
    link: draft.add(
      {
        resourceType: 'Media',
        id: draft.newId(),
        meta: profile('Media'),
        text: sentence(image.title),
        status: 'completed',
        subject: draft.subject,
        createdDateTime: image.date ?? input.issued,
        content: toAttachment(image, input.issued),
      },
      image.title,
    ),
  }))
  return { specimen: undefined, result: undefined, media }
}
