import type { Immunization, ImmunizationRecommendation, Reference } from 'fhir/r4.js'
import { codeable, coded, LOINC, present } from './coding.ts'
import { type Draft, profile } from './draft.ts'
import type { ImmunisationInput } from './inputs.ts'
import { sentence, showDate } from './narrative.ts'

export function addImmunisation(draft: Draft, input: ImmunisationInput): Reference {
  return draft.add(
    present<Immunization & { id: string }>({
      resourceType: 'Immunization',
      id: draft.newId(),
      meta: profile('Immunization'),
      text: sentence(`${input.vaccine.text}, dose ${input.doseNumber}, on ${showDate(input.date)}`),
      status: 'completed',
      vaccineCode: codeable(input.vaccine, 'snomed'),
      patient: draft.subject,
      encounter: draft.encounter,
      occurrenceDateTime: input.date,
      primarySource: true,
      manufacturer: input.manufacturer === undefined ? undefined : { display: input.manufacturer },
      lotNumber: input.lot,
      expirationDate: input.expiry,
      site: input.site && codeable(input.site, 'snomed'),
      performer: [{ actor: draft.author }],
      protocolApplied: [
        present<NonNullable<Immunization['protocolApplied']>[number]>({
          doseNumberPositiveInt: input.doseNumber,
          seriesDosesPositiveInt: input.seriesDoses,
        }),
      ],
    }),
    input.vaccine.text,
  )
}

/** The doses that are due next, in one recommendation: the profile allows one entry of it. */
export function addRecommendation(draft: Draft, given: readonly ImmunisationInput[]): Reference | undefined {
  const due = given.flatMap((one) => (one.nextDue === undefined ? [] : [{ ...one, nextDue: one.nextDue }]))
  if (due.length === 0) return undefined
  return draft.add({
    resourceType: 'ImmunizationRecommendation',
    id: draft.newId(),
    meta: profile('ImmunizationRecommendation'),
    text: sentence('Next due:', due.map((one) => `${one.vaccine.text} ${showDate(one.nextDue)}`).join(', ')),
    patient: draft.subject,
    date: draft.date,
    recommendation: due.map((one) => ({
      vaccineCode: [codeable(one.vaccine, 'snomed')],
      forecastStatus: coded('http://terminology.hl7.org/CodeSystem/immunization-recommendation-status', 'due', 'Due'),
      dateCriterion: [{ code: coded(LOINC, '30980-7', 'Date vaccine due'), value: one.nextDue }],
      doseNumberPositiveInt: one.doseNumber + 1,
    })),
  } satisfies ImmunizationRecommendation & { id: string })
}
