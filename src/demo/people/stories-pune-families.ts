import { dayBefore } from './calendar.ts'
import { CONDITIONS } from './conditions.ts'
import {
  buyMedicines,
  consult,
  grewUpVaccinated,
  payStay,
  payVisit,
  results,
  thyroidCourse,
  yearOf,
} from './courses.ts'
import { finding } from './laboratory.ts'
import type { Ledger } from './ledger.ts'
import * as measure from './measurements.ts'
import { prescribed } from './medicines.ts'

const { pressure, pulse, temperature, weight } = measure
const here = { holder: 'tarangini' } as const

/** The younger ones who go to Tarangini Hospital in Pune. */
export const PUNE_FAMILIES: Readonly<Record<string, (ledger: Ledger) => void>> = {
  'sunita.deshmukh@sbx': expecting,
  'aarav.deshmukh@sbx': smallBoy,
  'fatima.shaikh@sbx': afterBirth,
  'zoya.shaikh@sbx': infant,
  'harpreet.kaur@sbx': tiredAndPale,
  'rohan.jain@sbx': appendix,
  'kiran.jadhav@sbx': skin,
  'bhaskar.baruah@sbx': malaria,
}

function expecting(ledger: Ledger): void {
  const doctor = 'pathan' as const
  const period = dayBefore(ledger.now, 158)
  for (const [ago, kg, systolic, diastolic] of [
    [105, 56, 110, 70],
    [77, 57.5, 112, 72],
    [49, 59, 114, 72],
    [20, 61, 116, 74],
  ] as const) {
    const found = [pressure(systolic, diastolic), weight(kg), pulse(82)]
    consult(ledger, ago, {
      for: ['pregnancy'],
      found,
      give: [
        ['iron', 30],
        ['calcium', 30],
      ],
      again: 28,
      doctor,
    })
  }
  ledger.lab(
    104,
    'blood',
    results({ haemoglobin: 10.8, whiteCells: 8.4, platelets: 232, haematocrit: 34 }),
    'Mild anaemia.',
  )
  ledger.lab(103, 'thyroid', results({ tsh: 2.1, freeT4: 1.2 }), 'Thyroid hormone within the range.')
  ledger.lab(
    21,
    'blood',
    results({ haemoglobin: 11.4, whiteCells: 9.2, platelets: 221, haematocrit: 35 }),
    'Haemoglobin rising.',
  )
  const anatomy = { text: 'Ultrasound in the second trimester' }
  ledger.image(24, { ...here, doctor: 'sathe' }, anatomy, 'Single live fetus of 19 weeks, growth as expected.')
  ledger.vaccinate(77, { ...here, doctor }, [{ vaccine: 'adultTd', dose: 1, of: 2, nextInDays: 28 }])
  ledger.vaccinate(49, { ...here, doctor }, [{ vaccine: 'adultTd', dose: 2, of: 2 }])
  ledger.check(
    76,
    { ...here, doctor },
    {
      vitalSigns: [pressure(112, 72), pulse(80)],
      bodyMeasurements: [weight(57.5), measure.height(158)],
      womenHealth: [measure.lastPeriod(period)],
      lifestyle: [measure.smoking('Never smoked')],
    },
  )
  payVisit(ledger, 24, [['Ultrasound', 1800]])
}

function smallBoy(ledger: Ledger): void {
  const doctor = 'gokhale' as const
  grewUpVaccinated(ledger, doctor)
  consult(ledger, 420, {
    for: ['gastroenteritis'],
    found: [weight(13.2), temperature(37.9)],
    give: [
      ['ors', 3],
      ['zincSyrup', 14],
    ],
    doctor,
  })
  consult(ledger, 130, {
    for: ['infection', 'fever'],
    found: [weight(15.1), temperature(38.6)],
    give: [
      ['paracetamolSyrup', 3],
      ['amoxicillinSyrup', 5],
    ],
    doctor,
  })
  buyMedicines(ledger, 130, ['paracetamolSyrup', 'amoxicillinSyrup'])
}

function afterBirth(ledger: Ledger): void {
  thyroidCourse(ledger, 'joshi', [
    [820, 12.6],
    [640, 5.1],
    [430, 3.2],
    [120, 2.4],
  ])
  const birth = 340
  ledger.stay(
    birth,
    3,
    { ...here, doctor: 'pathan' },
    {
      complaints: [{ what: { text: 'Labour pains at 39 weeks' } }],
      examination: [pressure(118, 76), pulse(88)],
      history: [{ kind: 'condition', what: CONDITIONS.hypothyroidism, onset: yearOf(ledger, 820) }],
      tests: [
        {
          panel: 'blood',
          results: results({ haemoglobin: 11.6, whiteCells: 10.2, platelets: 214, haematocrit: 35 }),
          conclusion: 'Mild anaemia.',
        },
      ],
      operated: [{ what: { text: 'Normal vaginal delivery of a girl' }, day: 0, note: 'Weight of the child 2.9 kg.' }],
      medications: [prescribed('iron', 90), prescribed('calcium', 90), prescribed('levothyroxine', 90)],
      carePlan: { title: 'Mother and child', description: 'Breast milk only for six months.' },
    },
  )
  payStay(ledger, birth - 3, 3, ['Delivery', 14_000])
}

function infant(ledger: Ledger): void {
  grewUpVaccinated(ledger, 'gokhale', 3)
  consult(ledger, 60, {
    for: ['infection'],
    found: [weight(8.1), temperature(38.1)],
    give: [['paracetamolSyrup', 2]],
    doctor: 'gokhale',
  })
  ledger.scan(59, { ...here, doctor: 'gokhale' }, 'Growth chart', [
    'Weight 8.1 kg, length 70 cm, head 44 cm: on the middle line.',
  ])
}

function tiredAndPale(ledger: Ledger): void {
  thyroidCourse(ledger, 'joshi', [
    [900, 18.4],
    [780, 6.2],
    [560, 3.8],
    [190, 2.9],
  ])
  ledger.lab(
    560,
    'blood',
    results({ haemoglobin: 9.1, whiteCells: 6.2, platelets: 356, haematocrit: 29 }),
    'Anaemia of the small-cell type.',
  )
  ledger.lab(559, { text: 'Ferritin' }, results({ ferritin: 6 }), 'Iron stores empty.')
  consult(ledger, 555, {
    for: ['anaemia', 'fatigue'],
    found: [pulse(96), pressure(112, 70)],
    give: [['iron', 90]],
    again: 60,
  })
  ledger.lab(
    450,
    'blood',
    results({ haemoglobin: 12.3, whiteCells: 6.8, platelets: 288, haematocrit: 38 }),
    'Haemoglobin back in the range.',
  )
  buyMedicines(ledger, 554, ['iron'])
}

function appendix(ledger: Ledger): void {
  ledger.lab(
    330,
    'blood',
    results({ haemoglobin: 14.8, whiteCells: 16.4, platelets: 262, haematocrit: 44 }),
    'White cells high.',
  )
  ledger.stay(
    330,
    2,
    { ...here, doctor: 'bhosale' },
    {
      complaints: [{ what: CONDITIONS.appendicitis }],
      examination: [temperature(38.2), pulse(104), pressure(118, 74)],
      operated: [{ what: { text: 'Laparoscopic appendicectomy' }, day: 0 }],
      medications: [prescribed('paracetamol', 5), prescribed('pantoprazole', 5)],
    },
  )
  payStay(ledger, 328, 2, ['Laparoscopic appendicectomy', 34_000])
  consult(ledger, 320, { for: ['appendicitis'], found: [temperature(36.6)], doctor: 'bhosale' })
  ledger.image(
    110,
    { ...here, doctor: 'sathe' },
    { text: 'X-ray of the right wrist' },
    'Undisplaced fracture of the lower end of the radius.',
  )
  consult(ledger, 110, {
    for: ['wristFracture'],
    give: [
      ['naproxen', 5],
      ['pantoprazole', 5],
    ],
    again: 28,
    doctor: 'wadia',
  })
  consult(ledger, 82, { for: ['wristFracture'], doctor: 'wadia' })
}

function skin(ledger: Ledger): void {
  for (const ago of [390, 210, 48]) {
    consult(ledger, ago, {
      for: ['itch', 'dermatitis'],
      give: [
        ['mometasone', 14],
        ['cetirizine', 10],
      ],
      again: 14,
    })
  }
  ledger.check(47, here, {
    vitalSigns: [pressure(118, 76), pulse(70)],
    bodyMeasurements: [weight(63), measure.height(168)],
    physicalActivity: [measure.steps(7200), measure.sleep(7)],
    lifestyle: [measure.smoking('Never smoked')],
  })
  ledger.lab(
    209,
    'blood',
    results({ haemoglobin: 13.7, whiteCells: 7.9, platelets: 301, haematocrit: 41 }),
    'Blood count within the range.',
  )
  buyMedicines(ledger, 47, ['mometasone', 'cetirizine'])
}

function malaria(ledger: Ledger): void {
  consult(ledger, 142, {
    for: ['fever', 'headache'],
    found: [temperature(39.4), pulse(108)],
    give: [['paracetamol', 3]],
    advise: ['Smear for malaria'],
    again: 1,
  })
  const smear = { text: 'Peripheral smear for malaria' }
  ledger.lab(141, smear, [finding('Malaria parasite', 'Plasmodium vivax seen', 'Not seen')], 'Vivax malaria.')
  ledger.lab(
    140,
    'blood',
    results({ haemoglobin: 12.8, whiteCells: 5.1, platelets: 96, haematocrit: 39 }),
    'Low platelets.',
  )
  consult(ledger, 140, {
    for: ['malaria'],
    found: [temperature(38.8)],
    give: [
      ['chloroquine', 3],
      ['primaquine', 14],
    ],
    again: 14,
  })
  consult(ledger, 124, { for: ['malaria'], found: [temperature(36.7)] })
  buyMedicines(ledger, 140, ['chloroquine', 'primaquine'])
}
