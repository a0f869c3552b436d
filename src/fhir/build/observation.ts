import type { Observation, Quantity, Reference } from 'fhir/r4.js'
import { codeable, coded, each, present, UCUM } from './coding.ts'
import { type Draft, profile } from './draft.ts'
import type { ObservationInput } from './inputs.ts'
import { sentence } from './narrative.ts'

export type ObservationProfile =
  | 'Observation'
  | 'ObservationVitalSigns'
  | 'ObservationBodyMeasurement'
  | 'ObservationPhysicalActivity'
  | 'ObservationGeneralAssessment'
  | 'ObservationWomenHealth'
  | 'ObservationLifestyle'

const FLAGS = { N: 'Normal', L: 'Low', H: 'High', LL: 'Critical low', HH: 'Critical high', A: 'Abnormal' } as const

/** Adds one measurement; a result names the facility as performer, a finding its doctor. */
export function addObservation(
  draft: Draft,
  input: ObservationInput,
  as: ObservationProfile = 'Observation',
  performer: Reference = draft.author,
): Reference {
  const value = input.value
  const unit = value && 'value' in value ? value : undefined
  const parts = input.components?.map((part) => `${part.code.text} ${part.value.value} ${part.value.unit}`)
  return draft.add(
    present<Observation & { id: string }>({
      resourceType: 'Observation',
      id: draft.newId(),
      meta: profile(as),
      text: sentence(
        `${input.code.text}:`,
        showValue(input),
        parts?.join(', '),
        input.flag && `(${FLAGS[input.flag]})`,
      ),
      status: 'final',
      code: codeable(input.code, 'loinc', 'snomed'),
      subject: draft.subject,
      effectiveDateTime: input.date ?? draft.date,
      performer: [performer],
      valueQuantity: unit && toQuantity(unit),
      valueString: value && 'text' in value ? value.text : undefined,
      valueCodeableConcept: value && 'concept' in value ? codeable(value.concept, 'snomed', 'loinc') : undefined,
      interpretation: input.flag && [
        coded('http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', input.flag, FLAGS[input.flag]),
      ],
      referenceRange: rangeOf(input, unit),
      component: each(input.components, (part) => ({
        code: codeable(part.code, 'loinc', 'snomed'),
        valueQuantity: toQuantity(part.value),
      })),
    }),
    input.code.text,
  )
}

type Unit = { value: number; unit: string; ucum: string }

function toQuantity({ value, unit, ucum }: Unit): Quantity {
  return { value, unit, system: UCUM, code: ucum }
}

function rangeOf({ range }: ObservationInput, unit: Unit | undefined): Observation['referenceRange'] | undefined {
  if (!range) return undefined
  const bound = (value: number | undefined) =>
    value === undefined ? undefined : unit ? toQuantity({ ...unit, value }) : { value }
  const made = present<NonNullable<Observation['referenceRange']>[number]>({
    low: bound(range.low),
    high: bound(range.high),
    text: range.text,
  })
  return Object.keys(made).length > 0 ? [made] : undefined
}

function showValue({ value }: ObservationInput): string | undefined {
  if (!value) return undefined
  if ('value' in value) return `${value.value} ${value.unit}`
  return 'text' in value ? value.text : value.concept.text
}
