import type { Concept, ObservationInput } from '../../fhir/build/inputs.ts'

const loinc = (text: string, code: string, display: string): Concept => ({ text, loinc: { code, display } })
const measured =
  (code: Concept, unit: string, ucum: string) =>
  (value: number): ObservationInput => ({ code, value: { value, unit, ucum } })

export const pulse = measured(loinc('Pulse', '8867-4', 'Heart rate'), '/min', '/min')
export const breaths = measured(loinc('Breathing rate', '9279-1', 'Respiratory rate'), '/min', '/min')
export const oxygen = measured(loinc('Oxygen saturation', '2708-6', 'Oxygen saturation in Arterial blood'), '%', '%')
export const temperature = measured(loinc('Temperature', '61008-9', 'Body surface temperature'), '°C', 'Cel')
export const weight = measured(loinc('Weight', '29463-7', 'Body weight'), 'kg', 'kg')
export const height = measured(loinc('Height', '8302-2', 'Body height'), 'cm', 'cm')
export const massIndex = measured(loinc('BMI', '39156-5', 'Body mass index (BMI) [Ratio]'), 'kg/m²', 'kg/m2')
export const steps = measured(
  loinc('Steps in a day', '55423-8', 'Number of steps in unspecified time Pedometer'),
  'steps',
  '{steps}',
)
export const sleep = measured(loinc('Sleep', '93832-4', 'Sleep duration'), 'h', 'h')
export const fingerGlucose = measured(
  loinc('Fasting sugar by glucometer', '41604-0', 'Fasting glucose [Mass/volume] in Capillary blood by Glucometer'),
  'mg/dL',
  'mg/dL',
)

/** One blood pressure, flagged from 140/90 on. */
export function pressure(systolic: number, diastolic: number): ObservationInput {
  const part = (text: string, code: string, display: string, value: number) => ({
    code: loinc(text, code, display),
    value: { value, unit: 'mm[Hg]', ucum: 'mm[Hg]' },
  })
  return {
    code: loinc('Blood pressure', '85354-9', 'Blood pressure panel with all children optional'),
    components: [
      part('systolic', '8480-6', 'Systolic blood pressure', systolic),
      part('diastolic', '8462-4', 'Diastolic blood pressure', diastolic),
    ],
    flag: systolic >= 140 || diastolic >= 90 ? 'H' : 'N',
  }
}

/** Date of the last period, for the women's part of a wellness record. */
export function lastPeriod(date: string): ObservationInput {
  return { code: loinc('Last period', '8665-2', 'Last menstrual period start date'), value: { text: date } }
}

export function menopause(age: number): ObservationInput {
  return {
    code: loinc('Age at menopause', '42802-9', 'Age at menopause'),
    value: { value: age, unit: 'years', ucum: 'a' },
  }
}

const habit = (text: string, code: string, display: string, answer: string): ObservationInput => ({
  code: { text, snomed: { code, display } },
  value: { concept: { text: answer } },
})

export const smoking = (answer: string) => habit('Smoking', '365981007', 'Finding of tobacco smoking behavior', answer)
export const drinking = (answer: string) =>
  habit('Alcohol', '228273003', 'Finding relating to alcohol drinking behavior', answer)
