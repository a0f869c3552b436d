import type { Concept, LabReportInput, ObservationInput } from '../../fhir/build/inputs.ts'

type Test = {
  readonly code: Concept
  readonly unit: string
  readonly ucum: string
  readonly low?: number
  readonly high?: number
  /** No living patient of this network has a value outside these. */
  readonly possible: readonly [number, number]
}

const test = (
  text: string,
  [code, display]: readonly [string, string],
  [unit, ucum]: readonly [string, string],
  normal: { low?: number; high?: number },
  possible: readonly [number, number],
): Test => ({ code: { text, loinc: { code, display } }, unit, ucum, ...normal, possible })

const MG_DL = ['mg/dL', 'mg/dL'] as const
const U_L = ['U/L', 'U/L'] as const
const MMOL_L = ['mmol/L', 'mmol/L'] as const
const SERUM = 'in Serum or Plasma'

/** Tests with LOINC codes, UCUM units and adult reference ranges. */
export const TESTS = {
  hba1c: test('HbA1c', ['4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood'], ['%', '%'], { high: 5.7 }, [4, 14]),
  fasting: test(
    'Fasting glucose',
    ['1558-6', `Fasting glucose [Mass/volume] ${SERUM}`],
    MG_DL,
    { low: 70, high: 100 },
    [50, 400],
  ),
  postMeal: test(
    'Glucose 2 h after food',
    ['1521-4', `Glucose [Mass/volume] ${SERUM} --2 hours post meal`],
    MG_DL,
    { high: 140 },
    [60, 500],
  ),
  creatinine: test(
    'Creatinine',
    ['2160-0', `Creatinine [Mass/volume] ${SERUM}`],
    MG_DL,
    { low: 0.6, high: 1.2 },
    [0.3, 12],
  ),
  urea: test('Urea', ['3091-6', `Urea [Mass/volume] ${SERUM}`], MG_DL, { low: 15, high: 40 }, [8, 220]),
  potassium: test(
    'Potassium',
    ['2823-3', `Potassium [Moles/volume] ${SERUM}`],
    MMOL_L,
    { low: 3.5, high: 5.1 },
    [2.8, 6.5],
  ),
  sodium: test('Sodium', ['2951-2', `Sodium [Moles/volume] ${SERUM}`], MMOL_L, { low: 136, high: 145 }, [125, 150]),
  albuminRatio: test(
    'Urine albumin/creatinine',
    ['9318-7', 'Albumin/Creatinine [Mass Ratio] in Urine'],
    ['mg/g', 'mg/g'],
    { high: 30 },
    [2, 900],
  ),
  cholesterol: test(
    'Total cholesterol',
    ['2093-3', `Cholesterol [Mass/volume] ${SERUM}`],
    MG_DL,
    { high: 200 },
    [90, 350],
  ),
  triglyceride: test(
    'Triglycerides',
    ['2571-8', `Triglyceride [Mass/volume] ${SERUM}`],
    MG_DL,
    { high: 150 },
    [40, 500],
  ),
  hdl: test('HDL cholesterol', ['2085-9', `Cholesterol in HDL [Mass/volume] ${SERUM}`], MG_DL, { low: 40 }, [20, 90]),
  ldl: test(
    'LDL cholesterol',
    ['13457-7', `Cholesterol in LDL [Mass/volume] ${SERUM} by calculation`],
    MG_DL,
    { high: 100 },
    [30, 250],
  ),
  haemoglobin: test(
    'Haemoglobin',
    ['718-7', 'Hemoglobin [Mass/volume] in Blood'],
    ['g/dL', 'g/dL'],
    { low: 12, high: 16 },
    [6, 18],
  ),
  whiteCells: test(
    'White cell count',
    ['6690-2', 'Leukocytes [#/volume] in Blood by Automated count'],
    ['10^3/uL', '10*3/uL'],
    { low: 4, high: 11 },
    [1.5, 25],
  ),
  platelets: test(
    'Platelet count',
    ['777-3', 'Platelets [#/volume] in Blood by Automated count'],
    ['10^3/uL', '10*3/uL'],
    { low: 150, high: 410 },
    [15, 600],
  ),
  haematocrit: test(
    'Haematocrit',
    ['4544-3', 'Hematocrit [Volume Fraction] of Blood by Automated count'],
    ['%', '%'],
    { low: 36, high: 46 },
    [20, 56],
  ),
  ferritin: test(
    'Ferritin',
    ['2276-4', `Ferritin [Mass/volume] ${SERUM}`],
    ['ng/mL', 'ng/mL'],
    { low: 13, high: 150 },
    [3, 800],
  ),
  tsh: test(
    'TSH',
    ['3016-3', `Thyrotropin [Units/volume] ${SERUM}`],
    ['mIU/L', 'm[IU]/L'],
    { low: 0.4, high: 4.5 },
    [0.01, 60],
  ),
  freeT4: test(
    'Free T4',
    ['3024-7', `Thyroxine (T4) free [Mass/volume] ${SERUM}`],
    ['ng/dL', 'ng/dL'],
    { low: 0.8, high: 1.8 },
    [0.2, 5],
  ),
  alt: test(
    'ALT',
    ['1742-6', `Alanine aminotransferase [Enzymatic activity/volume] ${SERUM}`],
    U_L,
    { high: 45 },
    [5, 600],
  ),
  ast: test(
    'AST',
    ['1920-8', `Aspartate aminotransferase [Enzymatic activity/volume] ${SERUM}`],
    U_L,
    { high: 40 },
    [5, 600],
  ),
  bilirubin: test(
    'Total bilirubin',
    ['1975-2', `Bilirubin.total [Mass/volume] ${SERUM}`],
    MG_DL,
    { low: 0.2, high: 1.2 },
    [0.1, 8],
  ),
} as const satisfies Record<string, Test>

export type TestName = keyof typeof TESTS

const PANELS = {
  glucose: ['Blood sugar and HbA1c', '4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood'],
  kidney: ['Kidney function', '24362-6', 'Renal function 2000 panel - Serum or Plasma'],
  lipids: ['Lipid profile', '24331-1', 'Lipid 1996 panel - Serum or Plasma'],
  blood: ['Complete blood count', '58410-2', 'CBC panel - Blood by Automated count'],
  thyroid: ['Thyroid function', '3016-3', 'Thyrotropin [Units/volume] in Serum or Plasma'],
  liver: ['Liver function', '24325-3', 'Hepatic function 2000 panel - Serum or Plasma'],
} as const

export type PanelName = keyof typeof PANELS

/** One result, flagged by its range. */
export function result(name: TestName, value: number): ObservationInput {
  const { code, unit, ucum, ...rest }: Test = TESTS[name]
  const range = {
    ...(rest.low !== undefined && { low: rest.low }),
    ...(rest.high !== undefined && { high: rest.high }),
  }
  return { code, value: { value, unit, ucum }, range, flag: flagOf(value, rest) }
}

function flagOf(value: number, { low, high }: { low?: number; high?: number }): 'N' | 'L' | 'H' {
  if (low !== undefined && value < low) return 'L'
  return high !== undefined && value > high ? 'H' : 'N'
}

/** A test that answers in words: `Positive`, `Plasmodium vivax seen`. */
export function finding(text: string, answer: string, normal: string): ObservationInput {
  return { code: { text }, value: { text: answer }, range: { text: normal }, flag: answer === normal ? 'N' : 'A' }
}

/** A report of one panel; the sample is taken an hour and a half before it reaches the bench. */
export function labReport(
  panel: PanelName | Concept,
  results: readonly ObservationInput[],
  conclusion: string,
  times: { collected: string; received: string; issued: string },
): LabReportInput {
  const known = typeof panel === 'string' ? PANELS[panel] : undefined
  const what = typeof panel === 'string' ? undefined : panel
  return {
    kind: 'lab',
    what: known ? { text: known[0], loinc: { code: known[1], display: known[2] } } : (what ?? { text: 'Report' }),
    specimen: {
      type: { text: 'Venous blood' },
      collected: times.collected,
      received: times.received,
    },
    results: [...results],
    conclusion,
    issued: times.issued,
  }
}
