import { dayBefore } from './calendar.ts'
import { CONDITIONS } from './conditions.ts'
import { buyMedicines, consult, payStay, payVisit, results, yearOf } from './courses.ts'
import type { Ledger } from './ledger.ts'
import {
  breaths,
  drinking,
  fingerGlucose,
  height,
  massIndex,
  menopause,
  oxygen,
  pressure,
  pulse,
  sleep,
  smoking,
  steps,
  temperature,
  weight,
} from './measurements.ts'
import { type MedicineName, prescribed } from './medicines.ts'

type Review = readonly [ago: number, hba1c: number, fasting: number, kg: number, blood: readonly [number, number]]

/**
 * Eight years of Asha's diabetes: found late and high, brought down, slipping twice (four years ago, when the pressure
 * rose too, and last year, when she cared for her mother and forgot her tablets), now the best it has been.
 */
const REVIEWS: readonly Review[] = [
  [2910, 9.2, 212, 74, [134, 84]],
  [2810, 7.9, 158, 72, [130, 82]],
  [2540, 7.1, 132, 70, [128, 82]],
  [2185, 6.9, 124, 69, [130, 84]],
  [1820, 7.4, 141, 71, [134, 86]],
  [1455, 8.1, 168, 73, [152, 96]],
  [1270, 7.3, 136, 72, [138, 88]],
  [1090, 7.0, 129, 71, [132, 84]],
  [725, 7.6, 147, 72, [134, 84]],
  [360, 8.4, 181, 74, [146, 92]],
  [175, 7.2, 134, 71, [132, 82]],
  [28, 6.8, 118, 69, [126, 78]],
]

export function writeAsha(ledger: Ledger): void {
  for (const review of REVIEWS) writeReview(ledger, review)
  writeYearlyTests(ledger)
  writeGallstones(ledger)
  writeChecks(ledger)
  writePapers(ledger)
}

function medicinesAt(ago: number): MedicineName[] {
  const pressureTablets: MedicineName[] = ago <= 1455 ? ['telmisartan', 'atorvastatin'] : []
  if (ago > 1455) return ['metformin500']
  if (ago > 360) return ['metformin500', 'glimepiride', ...pressureTablets]
  return ['metformin1000', 'sitagliptin', ...pressureTablets]
}

function writeReview(ledger: Ledger, [ago, hba1c, fasting, kg, [systolic, diastolic]]: Review): void {
  const verdict = hba1c <= 7 ? 'Diabetes well controlled.' : hba1c < 8 ? 'Control to be improved.' : 'Poor control.'
  const glucose = results({ hba1c, fasting, postMeal: fasting + 58 })
  ledger.lab(ago + 3, 'glucose', glucose, verdict)
  const names = medicinesAt(ago)
  const pressed = ago <= 1455
  consult(ledger, ago, {
    for: ago === 2910 ? ['polyuria', 'fatigue'] : pressed ? ['diabetes', 'hypertension'] : ['diabetes'],
    found: [pressure(systolic, diastolic), pulse(ledger.random.whole(70, 84)), weight(kg)],
    known: [
      ['diabetes', yearOf(ledger, 2910)],
      ...(pressed ? ([['hypertension', yearOf(ledger, 1455)]] as const) : []),
    ],
    give: names.map((name) => [name, 90] as const),
    advise: ['HbA1c before the next visit'],
    ...(ago === 175 && { refer: 'Yearly examination of the retina' }),
    again: 90,
  })
  if (ago < 1500) buyMedicines(ledger, ago - 1, names)
}

function writeYearlyTests(ledger: Ledger): void {
  const kidney = [
    [2180, 0.7, 24, 12],
    [1450, 0.8, 27, 34],
    [1085, 0.8, 26, 28],
    [720, 0.8, 28, 31],
    [355, 0.9, 31, 46],
    [25, 0.8, 27, 29],
  ] as const
  for (const [ago, creatinine, urea, albuminRatio] of kidney) {
    const verdict = albuminRatio > 30 ? 'A little albumin in the urine.' : 'Kidney function within the range.'
    ledger.lab(ago, 'kidney', results({ creatinine, urea, potassium: 4.3, sodium: 139, albuminRatio }), verdict)
  }
  const lipids = [
    [1450, 228, 190, 41, 149],
    [1085, 176, 152, 44, 102],
    [355, 188, 166, 42, 113],
    [25, 162, 138, 46, 88],
  ] as const
  for (const [ago, cholesterol, triglyceride, hdl, ldl] of lipids) {
    const verdict = ldl > 100 ? 'LDL above the goal.' : 'Lipids at goal.'
    ledger.lab(ago, 'lipids', results({ cholesterol, triglyceride, hdl, ldl }), verdict)
  }
}

/** Pain, an ultrasound, and an operation without complications, 20 months ago. */
function writeGallstones(ledger: Ledger): void {
  consult(ledger, 640, {
    for: ['abdominalPain'],
    known: [['diabetes', yearOf(ledger, 2910)]],
    give: [
      ['pantoprazole', 14],
      ['ursodiol', 30],
    ],
    advise: ['Ultrasound of the abdomen'],
    refer: 'General surgery',
    again: 7,
  })
  const scan = { text: 'Ultrasound of the abdomen' }
  ledger.image(637, { holder: 'tarangini', doctor: 'sathe' }, scan, 'Several gallstones up to 9 mm; bile duct normal.')
  ledger.stay(
    600,
    3,
    { holder: 'tarangini', doctor: 'bhosale' },
    {
      complaints: [{ what: CONDITIONS.gallstones }],
      examination: [pressure(136, 84), pulse(82), temperature(36.8)],
      allergies: [
        {
          what: { text: 'Sulfonamide antibiotics' },
          category: 'medication',
          severe: false,
          reaction: { text: 'Itching rash' },
          recorded: `${yearOf(ledger, 2910)}-06-02`,
        },
      ],
      history: [
        { kind: 'condition', what: CONDITIONS.diabetes, onset: yearOf(ledger, 2910) },
        { kind: 'condition', what: CONDITIONS.hypertension, onset: yearOf(ledger, 1455) },
        { kind: 'procedure', what: { text: 'Caesarean section' }, date: yearOf(ledger, 9000) },
      ],
      tests: [
        {
          panel: 'liver',
          results: results({ alt: 38, ast: 34, bilirubin: 0.9 }),
          conclusion: 'Liver function within the range.',
        },
        {
          panel: 'blood',
          results: results({ haemoglobin: 12.4, whiteCells: 8.1, platelets: 268, haematocrit: 38 }),
          conclusion: 'Blood count within the range.',
        },
      ],
      operated: [
        { what: { text: 'Laparoscopic cholecystectomy' }, day: 1, note: 'Under general anaesthesia, no drain.' },
      ],
      medications: [prescribed('pantoprazole', 7), prescribed('paracetamol', 5), prescribed('metformin500', 30)],
      carePlan: {
        title: 'After the operation',
        description: 'Light food, keep the wounds dry, home sugar twice a day.',
        activities: ['Remove stitches on day 8', 'Review of the histology'],
      },
    },
  )
  payStay(ledger, 597, 3, ['Laparoscopic cholecystectomy', 42_000], true)
  consult(ledger, 591, { for: ['gallstones'], found: [temperature(36.7)], doctor: 'bhosale' })
}

function writeChecks(ledger: Ledger): void {
  for (const [ago, kg, sugar, walked] of [
    [1100, 71, 131, 3400],
    [370, 74, 176, 2600],
    [40, 69, 119, 6900],
  ] as const) {
    ledger.check(
      ago,
      { holder: 'tarangini' },
      {
        vitalSigns: [pressure(ago === 370 ? 144 : 130, 84), pulse(76), breaths(16), oxygen(98)],
        bodyMeasurements: [weight(kg), height(157), massIndex(Math.round((kg / 1.57 ** 2) * 10) / 10)],
        physicalActivity: [steps(walked), sleep(6.5)],
        generalAssessment: [fingerGlucose(sugar)],
        womenHealth: ago < 1000 ? [menopause(49)] : [],
        lifestyle: [smoking('Never smoked'), drinking('Does not drink')],
      },
    )
  }
}

function writePapers(ledger: Ledger): void {
  const nurse = { holder: 'tarangini' } as const
  ledger.vaccinate(1760, nurse, [{ vaccine: 'covid', dose: 1, of: 2, nextInDays: 84 }])
  ledger.vaccinate(1672, nurse, [{ vaccine: 'covid', dose: 2, of: 2 }])
  ledger.vaccinate(480, nurse, [{ vaccine: 'pneumococcalAdult', dose: 1, of: 1 }])
  ledger.vaccinate(115, nurse, [{ vaccine: 'influenza', dose: 1, of: 1 }])
  payVisit(ledger, 360, [['ECG', 350]])
  payVisit(ledger, 28)
  ledger.scan(174, nurse, 'Referral letter', [
    'To: Eye department',
    `Dear colleague, Mrs Rao has had type 2 diabetes since ${yearOf(ledger, 2910)}.`,
    'Kindly examine the retina of both eyes and advise.',
    `Please answer before ${dayBefore(ledger.now, 100)}.`,
  ])
  ledger.scan(120, nurse, 'Answer of the eye department', [
    'Both eyes: mild non-proliferative diabetic retinopathy, no macular oedema.',
    'Advice: good control of sugar and pressure, examination again in one year.',
  ])
}
