import type { DocumentInput } from './inputs.ts'
import { makePdf } from './pdf.ts'

const when = '2026-01-12T10:30:00+05:30'

const common = {
  patient: {
    name: 'Meena <Test> & Sons',
    gender: 'female',
    birthDate: '1980-02-29',
    abhaNumber: '91000000009999',
    abhaAddress: 'meena.test@sbx',
    mrn: 'T-1',
    phone: '9000000099',
    address: { line: '1 First Street', district: 'Pune', state: 'Maharashtra', pincode: '411001' },
  },
  author: { name: 'Dr. Test', registrationNumber: 'SMP/2000/1', qualification: 'MBBS' },
  organisation: { name: 'Test Hospital', facilityId: 'IN2710000099' },
  encounter: { class: 'ambulatory', start: when },
  date: when,
  title: 'Document for tests',
} as const satisfies Partial<DocumentInput>

const scan = { title: 'Scan', contentType: 'application/pdf', data: makePdf('Scan', ['One line']) }
const pressure = {
  code: {
    text: 'Blood pressure',
    loinc: { code: '85354-9', display: 'Blood pressure panel with all children optional' },
  },
  components: [
    {
      code: { text: 'Systolic', loinc: { code: '8480-6', display: 'Systolic blood pressure' } },
      value: { value: 142, unit: 'mm[Hg]', ucum: 'mm[Hg]' },
    },
  ],
  flag: 'H' as const,
}
const glucose = {
  code: {
    text: 'Fasting glucose',
    loinc: { code: '1558-6', display: 'Fasting glucose [Mass/volume] in Serum or Plasma' },
  },
  value: { value: 148, unit: 'mg/dL', ucum: 'mg/dL' },
  range: { low: 70, high: 100 },
  flag: 'H' as const,
}
const diabetes = {
  text: 'Type 2 diabetes',
  icd10: { code: 'E11.9', display: 'Type 2 diabetes mellitus without complications' },
  snomed: { code: '44054006', display: 'Diabetes mellitus type 2' },
}
const metformin = {
  medicine: { text: 'Metformin 500 mg tablet' },
  dose: '1 tablet',
  timing: 'twice a day after food',
  timesPerDay: 2,
  duration: { value: 30, unit: 'd' as const },
  route: { text: 'By mouth', snomed: { code: '26643006', display: 'Oral route' } },
  reason: diabetes,
}
const lab = {
  kind: 'lab' as const,
  what: { text: 'Glucose', loinc: { code: '1558-6', display: 'Fasting glucose [Mass/volume] in Serum or Plasma' } },
  service: { text: 'Haematology', snomed: { code: '708196005', display: 'Hematology service' } },
  specimen: { type: { text: 'Blood' }, collected: when, received: when },
  results: [glucose, { code: { text: 'Remark' }, value: { text: 'Sample clear' } }],
  conclusion: 'Raised fasting glucose.',
  issued: when,
  printed: scan,
}
const imaging = {
  kind: 'imaging' as const,
  what: { text: 'X-ray of chest' },
  images: [{ ...scan, date: when }],
  conclusion: 'Clear lungs.',
  issued: when,
}
const clinical = {
  complaints: [{ what: { text: 'Tiredness' } }],
  examination: [pressure],
  allergies: [
    { what: { text: 'Sulfa drugs' }, category: 'medication' as const, severe: true, reaction: { text: 'Rash' } },
  ],
  history: [
    { kind: 'condition' as const, what: diabetes, onset: '2018', note: 'On tablets.' },
    { kind: 'procedure' as const, what: { text: 'Appendicectomy' }, date: '2009-05' },
  ],
  familyHistory: [{ relation: 'mother' as const, conditions: [diabetes] }],
  medications: [metformin],
  procedures: [{ kind: 'procedure' as const, what: { text: 'Foot examination' }, date: when, note: 'Normal.' }],
  attachments: [scan],
}

/** One input per record type with every optional part used: what builder and narrowing tests start from. */
export const SAMPLE_INPUTS: readonly DocumentInput[] = [
  {
    hiType: 'OPConsultation',
    ...common,
    ...clinical,
    investigationsAdvised: [{ what: { text: 'HbA1c' }, note: 'In three months' }],
    followUp: { start: '2026-02-12T10:30:00+05:30', description: 'With reports' },
    referrals: [{ what: { text: 'Eye check' } }],
    otherObservations: [glucose],
  },
  {
    hiType: 'DischargeSummary',
    ...common,
    ...clinical,
    encounter: { class: 'inpatient', start: '2026-01-10T08:00:00+05:30', end: when },
    investigations: [lab, imaging],
    carePlan: { title: 'After discharge', description: 'Rest for a week.', activities: ['Remove stitches'] },
  },
  { hiType: 'Prescription', ...common, medications: [metformin, { ...metformin, dose: 'as told' }], scan },
  { hiType: 'DiagnosticReport', ...common, report: lab, attachment: scan },
  { hiType: 'DiagnosticReport', ...common, report: imaging },
  {
    hiType: 'ImmunizationRecord',
    ...common,
    immunisations: [
      {
        vaccine: { text: 'Influenza vaccine', snomed: { code: '1181000221105', display: 'Influenza vaccine' } },
        doseNumber: 1,
        seriesDoses: 1,
        date: when,
        lot: 'L1',
        manufacturer: 'Test Biologicals',
        expiry: '2027-01-01',
        site: { text: 'Left arm' },
        nextDue: '2027-01-12',
      },
    ],
    attachments: [scan],
  },
  { hiType: 'HealthDocumentRecord', ...common, documents: [{ ...scan, kind: { text: 'Letter' }, date: when }, scan] },
  {
    hiType: 'WellnessRecord',
    ...common,
    vitalSigns: [pressure],
    bodyMeasurements: [
      {
        code: { text: 'Weight', loinc: { code: '29463-7', display: 'Body weight' } },
        value: { value: 61, unit: 'kg', ucum: 'kg' },
      },
    ],
    physicalActivity: [
      {
        code: { text: 'Steps', loinc: { code: '55423-8', display: 'Number of steps in unspecified time Pedometer' } },
        value: { value: 6000, unit: 'steps', ucum: '{steps}' },
      },
    ],
    generalAssessment: [
      { ...glucose, code: { text: 'Glucose', loinc: { code: '2339-0', display: 'Glucose [Mass/volume] in Blood' } } },
    ],
    womenHealth: [
      {
        code: { text: 'Age at menarche', loinc: { code: '42798-9', display: 'Age at menarche' } },
        value: { value: 13, unit: 'a', ucum: 'a' },
      },
    ],
    lifestyle: [
      {
        code: { text: 'Tobacco', snomed: { code: '365981007', display: 'Finding of tobacco smoking behavior' } },
        value: { concept: { text: 'Never smoked' } },
      },
    ],
    otherObservations: [{ code: { text: 'Sleep' }, value: { text: 'Seven hours' } }],
    attachments: [scan],
  },
  {
    hiType: 'Invoice',
    ...common,
    number: 'INV-1',
    kind: 'Pharmacy',
    items: [
      {
        description: 'Metformin 500 mg tablet',
        category: 'Medicines',
        quantity: 3,
        unit: 'strip',
        rate: 21.45,
        mrp: 24,
        discountPercent: 10,
        cgstPercent: 6,
        sgstPercent: 6,
      },
      { description: 'Delivery', category: 'Others', quantity: 1, rate: 0 },
    ],
  },
]
