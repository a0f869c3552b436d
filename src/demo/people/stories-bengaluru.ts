import { CONDITIONS } from './conditions.ts'
import { buyMedicines, consult, dengueCourse, grewUpVaccinated, payStay, payVisit, results, yearOf } from './courses.ts'
import { finding } from './laboratory.ts'
import type { Ledger } from './ledger.ts'
import * as measure from './measurements.ts'
import { prescribed } from './medicines.ts'

const { pressure, pulse, oxygen, temperature, weight } = measure
const here = { holder: 'vanashree' } as const

/** Those who go to Vanashree Medical Centre in Bengaluru. */
export const BENGALURU_STORIES: Readonly<Record<string, (ledger: Ledger) => void>> = {
  'lakshmi.narayanan@sbx': cataract,
  'karthik.gowda@sbx': (ledger) => {
    dengueCourse(ledger, 96, 'shetty', false)
    payVisit(ledger, 87)
  },
  'meera.gowda@sbx': asthma,
  'anika.gowda@sbx': asthmaticGirl,
  'joseph.dsouza@sbx': dialysis,
  'debasish.chatterjee@sbx': heartbeat,
  'ananya.chatterjee@sbx': dengueGirl,
  'mohammed.ashraf@sbx': tuberculosis,
  'lavanya.reddy@sbx': sugarInPregnancy,
  'tenzin.dolma@sbx': migraine,
  'biju.thomas@sbx': fattyLiver,
  'aleena.thomas@sbx': schoolGirl,
  'priyanka.sahoo@sbx': anaemia,
  'selvi.murugan@sbx': newDiabetes,
}

function cataract(ledger: Ledger): void {
  for (const [ago, hba1c] of [
    [900, 7.8],
    [620, 7.2],
    [330, 7.0],
    [75, 7.3],
  ] as const) {
    ledger.lab(
      ago + 1,
      'glucose',
      results({ hba1c, fasting: Math.round(hba1c * 18), postMeal: Math.round(hba1c * 26) }),
      'Diabetes under treatment.',
    )
    consult(ledger, ago, {
      for: ['diabetes'],
      found: [pressure(138, 80), weight(58)],
      known: [['diabetes', yearOf(ledger, 3900)]],
      give: [
        ['metformin500', 90],
        ['telmisartan', 90],
      ],
      again: 90,
    })
  }
  consult(ledger, 250, { for: ['dimVision', 'cataract'], refer: 'Cataract operation, right eye', doctor: 'fernandes' })
  ledger.stay(
    235,
    1,
    { ...here, doctor: 'fernandes' },
    {
      complaints: [{ what: CONDITIONS.cataract }],
      examination: [pressure(142, 82)],
      history: [{ kind: 'condition', what: CONDITIONS.diabetes, onset: yearOf(ledger, 3900) }],
      operated: [{ what: { text: 'Phacoemulsification with lens implant, right eye' }, day: 0 }],
      medications: [prescribed('moxifloxacin', 14)],
      carePlan: { title: 'The operated eye', description: 'Shield at night, no water in the eye for ten days.' },
    },
  )
  payStay(ledger, 234, 1, ['Phacoemulsification with lens', 28_000], true)
  ledger.scan(228, { ...here, doctor: 'fernandes' }, 'Spectacle prescription', [
    'Right eye +0.50 / -0.75 x 90, near addition +2.50.',
  ])
  ledger.vaccinate(120, here, [{ vaccine: 'influenza', dose: 1, of: 1 }])
}

function asthma(ledger: Ledger): void {
  for (const [ago, saturation] of [
    [640, 94],
    [450, 97],
    [270, 96],
    [66, 98],
  ] as const) {
    consult(ledger, ago, {
      for: ['breathless', 'asthma'],
      found: [oxygen(saturation), measure.breaths(saturation < 95 ? 24 : 16)],
      give: [
        ['budesonide', 60],
        ['salbutamol', 60],
      ],
      again: 60,
    })
  }
  ledger.scan(639, here, 'Spirometry', ['FEV1/FVC 0.66; FEV1 rises by 16 % after salbutamol: reversible obstruction.'])
  ledger.vaccinate(180, here, [{ vaccine: 'influenza', dose: 1, of: 1 }])
  buyMedicines(ledger, 65, ['budesonide', 'salbutamol'])
}

function asthmaticGirl(ledger: Ledger): void {
  grewUpVaccinated(ledger, 'hegde')
  for (const ago of [500, 310, 72]) {
    consult(ledger, ago, {
      for: ['cough', 'asthma'],
      found: [oxygen(96), measure.breaths(24), weight(26)],
      give: [['salbutamol', 30]],
      doctor: 'hegde',
    })
  }
  ledger.scan(309, { ...here, doctor: 'hegde' }, 'School letter', ['Anika may use her inhaler before sports.'])
}

function dialysis(ledger: Ledger): void {
  const doctor = 'iyer' as const
  ledger.stay(
    560,
    5,
    { ...here, doctor },
    {
      complaints: [{ what: CONDITIONS.kidneyFailure }],
      examination: [pressure(168, 98), pulse(92), weight(64)],
      history: [{ kind: 'condition', what: CONDITIONS.hypertension, onset: yearOf(ledger, 4200) }],
      tests: [
        {
          panel: 'kidney',
          results: results({ creatinine: 8.9, urea: 178, potassium: 5.8, sodium: 134 }),
          conclusion: 'Kidney failure.',
        },
      ],
      operated: [{ what: { text: 'Left radiocephalic arteriovenous fistula' }, day: 2 }],
      medications: [prescribed('amlodipine', 30), prescribed('sevelamer', 30), prescribed('erythropoietin', 30)],
      carePlan: { title: 'Dialysis', description: 'Haemodialysis three times a week, one litre of fluid a day.' },
    },
  )
  payStay(ledger, 555, 5, ['Arteriovenous fistula', 36_000], true)
  for (const [ago, creatinine, urea, haemoglobin] of [
    [470, 7.8, 132, 8.6],
    [350, 8.1, 126, 9.4],
    [220, 7.6, 118, 10.1],
    [100, 7.9, 121, 10.6],
    [18, 7.7, 119, 10.8],
  ] as const) {
    ledger.lab(ago + 1, 'kidney', results({ creatinine, urea, potassium: 5.0, sodium: 137 }), 'Before dialysis.')
    ledger.lab(
      ago + 1,
      'blood',
      results({ haemoglobin, whiteCells: 6.4, platelets: 188, haematocrit: Math.round(haemoglobin * 3) }),
      'Anaemia of kidney disease.',
    )
    consult(ledger, ago, {
      for: ['kidneyFailure'],
      found: [pressure(146, 86), weight(61)],
      give: [
        ['sevelamer', 90],
        ['erythropoietin', 90],
        ['amlodipine', 90],
      ],
      again: 30,
      doctor,
    })
  }
  ledger.vaccinate(540, { ...here, doctor }, [{ vaccine: 'hepatitisB', dose: 1, of: 4, nextInDays: 30 }])
  ledger.vaccinate(510, { ...here, doctor }, [{ vaccine: 'hepatitisB', dose: 2, of: 4, nextInDays: 30 }])
  payVisit(ledger, 18, [['Haemodialysis', 2200]])
}

function heartbeat(ledger: Ledger): void {
  for (const [ago, systolic] of [
    [540, 150],
    [360, 138],
    [110, 132],
  ] as const) {
    consult(ledger, ago, {
      for: ['hypertension'],
      found: [pressure(systolic, 88), pulse(80)],
      give: [
        ['metoprolol', 90],
        ['telmisartan', 90],
      ],
      again: 90,
      doctor: 'menon',
    })
  }
  ledger.image(359, { ...here, doctor: 'menon' }, { text: 'Echocardiography' }, 'Left ventricle works well, EF 60 %.')
  ledger.lab(358, 'lipids', results({ cholesterol: 204, triglyceride: 171, hdl: 40, ldl: 130 }), 'LDL above the goal.')
  ledger.check(109, here, {
    vitalSigns: [pressure(132, 84), pulse(74)],
    bodyMeasurements: [weight(77), measure.height(170), measure.massIndex(26.6)],
    physicalActivity: [measure.steps(5300)],
  })
}

function dengueGirl(ledger: Ledger): void {
  grewUpVaccinated(ledger, 'hegde')
  dengueCourse(ledger, 215, 'hegde', true)
  ledger.image(34, here, { text: 'X-ray of the right wrist' }, 'Greenstick fracture of the radius.')
  consult(ledger, 34, { for: ['wristFracture'], give: [['paracetamolSyrup', 3]], again: 28, doctor: 'hegde' })
}

function tuberculosis(ledger: Ledger): void {
  consult(ledger, 262, {
    for: ['cough', 'fever'],
    found: [weight(51), temperature(37.9)],
    advise: ['Sputum CBNAAT', 'X-ray of the chest'],
  })
  ledger.image(261, here, { text: 'X-ray of the chest' }, 'Cavity in the right upper lobe.')
  ledger.lab(
    260,
    { text: 'Sputum CBNAAT' },
    [
      finding('Mycobacterium tuberculosis', 'Detected', 'Not detected'),
      finding('Rifampicin resistance', 'Not detected', 'Not detected'),
    ],
    'Tuberculosis, sensitive to rifampicin.',
  )
  consult(ledger, 258, {
    for: ['tuberculosis'],
    found: [weight(51)],
    give: [
      ['tbIntensive', 56],
      ['pyridoxine', 56],
    ],
    again: 28,
  })
  ledger.lab(230, 'liver', results({ alt: 41, ast: 38, bilirubin: 0.8 }), 'Liver bears the treatment.')
  consult(ledger, 200, {
    for: ['tuberculosis'],
    found: [weight(53.5)],
    give: [
      ['tbContinuation', 112],
      ['pyridoxine', 112],
    ],
    again: 56,
  })
  ledger.lab(199, { text: 'Sputum smear' }, [finding('Acid-fast bacilli', 'Not seen', 'Not seen')], 'Smear converted.')
  consult(ledger, 84, { for: ['tuberculosis'], found: [weight(58)] })
  ledger.scan(83, here, 'Certificate of treatment completed', ['Six months of treatment completed; declared cured.'])
}

function sugarInPregnancy(ledger: Ledger): void {
  for (const [ago, kg, fasting] of [
    [120, 62, 92],
    [84, 64.5, 104],
    [56, 66, 94],
    [14, 69, 90],
  ] as const) {
    ledger.lab(
      ago + 1,
      'glucose',
      results({ fasting, postMeal: fasting + 48 }),
      fasting > 95 ? 'Above the goal in pregnancy.' : 'At goal in pregnancy.',
    )
    consult(ledger, ago, {
      for: ago > 100 ? ['pregnancy'] : ['pregnancy', 'gestationalDiabetes'],
      found: [pressure(116, 74), weight(kg)],
      give:
        ago > 100
          ? [['iron', 30]]
          : [
              ['iron', 30],
              ['metformin500', 30],
            ],
      again: 28,
    })
  }
  ledger.vaccinate(84, here, [{ vaccine: 'adultTd', dose: 1, of: 2, nextInDays: 28 }])
  ledger.image(13, here, { text: 'Ultrasound in the third trimester' }, 'Growth on the 60th centile, normal fluid.')
}

function migraine(ledger: Ledger): void {
  for (const ago of [410, 260, 51]) {
    consult(ledger, ago, {
      for: ['headache', 'migraine'],
      found: [pressure(108, 68)],
      give: [['naproxen', 5]],
      again: 30,
    })
  }
  ledger.lab(
    259,
    'blood',
    results({ haemoglobin: 12.6, whiteCells: 6.9, platelets: 277, haematocrit: 38 }),
    'Blood count within the range.',
  )
  ledger.vaccinate(150, here, [{ vaccine: 'hepatitisB', dose: 1, of: 3, nextInDays: 30 }])
  ledger.vaccinate(118, here, [{ vaccine: 'hepatitisB', dose: 2, of: 3, nextInDays: 150 }])
}

function fattyLiver(ledger: Ledger): void {
  for (const [ago, alt, ast] of [
    [530, 96, 71],
    [340, 74, 58],
    [88, 48, 39],
  ] as const) {
    ledger.lab(
      ago + 1,
      'liver',
      results({ alt, ast, bilirubin: 0.9 }),
      alt > 45 ? 'Liver enzymes raised.' : 'Liver enzymes within the range.',
    )
    consult(ledger, ago, {
      for: ['fattyLiver'],
      found: [weight(Math.round(88 - alt / 24)), pressure(134, 86)],
      give: [['atorvastatin', 90]],
      again: 120,
    })
  }
  ledger.image(529, here, { text: 'Ultrasound of the abdomen' }, 'Fatty liver, grade 2.')
  ledger.check(87, here, {
    vitalSigns: [pressure(132, 84)],
    bodyMeasurements: [weight(86), measure.height(172), measure.massIndex(29.1)],
    physicalActivity: [measure.steps(9100)],
    lifestyle: [measure.drinking('Stopped drinking')],
  })
}

function schoolGirl(ledger: Ledger): void {
  grewUpVaccinated(ledger, 'hegde')
  consult(ledger, 190, {
    for: ['infection', 'fever'],
    found: [weight(19), temperature(38.4)],
    give: [['paracetamolSyrup', 3]],
    doctor: 'hegde',
  })
}

function anaemia(ledger: Ledger): void {
  for (const [ago, haemoglobin] of [
    [380, 8.7],
    [300, 10.6],
    [160, 12.2],
  ] as const) {
    ledger.lab(
      ago + 1,
      'blood',
      results({ haemoglobin, whiteCells: 6.6, platelets: 318, haematocrit: Math.round(haemoglobin * 3.1) }),
      haemoglobin < 12 ? 'Anaemia.' : 'Haemoglobin within the range.',
    )
    consult(ledger, ago, {
      for: ['fatigue', 'anaemia'],
      found: [pulse(haemoglobin < 9 ? 102 : 82), pressure(110, 70)],
      give: [['iron', 90]],
      again: 60,
    })
  }
  buyMedicines(ledger, 379, ['iron'])
  payVisit(ledger, 160)
}

function newDiabetes(ledger: Ledger): void {
  for (const [ago, hba1c] of [
    [400, 8.6],
    [310, 7.4],
    [130, 6.9],
    [22, 6.6],
  ] as const) {
    ledger.lab(
      ago + 1,
      'glucose',
      results({ hba1c, fasting: Math.round(hba1c * 19), postMeal: Math.round(hba1c * 27) }),
      hba1c > 7 ? 'Control to be improved.' : 'Diabetes well controlled.',
    )
    consult(ledger, ago, {
      for: ['diabetes'],
      found: [pressure(128, 80), weight(66)],
      known: [['diabetes', yearOf(ledger, 400)]],
      give: [['metformin500', 90]],
      again: 90,
    })
  }
  ledger.check(21, here, {
    vitalSigns: [pressure(126, 78)],
    generalAssessment: [measure.fingerGlucose(112)],
    bodyMeasurements: [weight(65)],
    physicalActivity: [measure.steps(6400)],
  })
  ledger.scan(129, here, 'Diet sheet', [
    'Two chapatis or one cup of rice per meal, pulses and greens daily, no sweet drinks.',
  ])
}
