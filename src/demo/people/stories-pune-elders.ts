import { CONDITIONS } from './conditions.ts'
import { buyMedicines, consult, payStay, payVisit, results, yearOf } from './courses.ts'
import { finding } from './laboratory.ts'
import type { Ledger } from './ledger.ts'
import * as measure from './measurements.ts'
import { prescribed } from './medicines.ts'

const { pressure, pulse, oxygen, temperature, weight } = measure
const here = { holder: 'tarangini' } as const

/** The older ones who go to Tarangini Hospital in Pune. */
export const PUNE_ELDERS: Readonly<Record<string, (ledger: Ledger) => void>> = {
  'imran.shaikh@sbx': lungsAndPressure,
  'ravi.kulkarni@sbx': pressureAtWork,
  'gurdeep.singh@sbx': newKnee,
  'rekha.patel@sbx': breastLump,
  'jignesh.patel@sbx': heart,
  'ramesh.yadav@sbx': smoker,
  'savitri.devi@sbx': brokenHip,
  'nilofer.irani@sbx': brittleBones,
}

function lungsAndPressure(ledger: Ledger): void {
  const known = [['hypertension', yearOf(ledger, 2100)]] as const
  for (const [ago, systolic, diastolic] of [
    [820, 148, 92],
    [610, 138, 86],
    [400, 142, 88],
    [150, 134, 84],
    [45, 130, 82],
  ] as const) {
    const found = [pressure(systolic, diastolic), pulse(78), oxygen(95)]
    consult(ledger, ago, {
      for: ['hypertension', 'copd'],
      found,
      known,
      give: [
        ['amlodipine', 60],
        ['tiotropium', 60],
      ],
      again: 60,
    })
  }
  ledger.image(612, { ...here, doctor: 'sathe' }, { text: 'X-ray of the chest' }, 'Hyperinflated lungs, no patch.')
  ledger.lab(400, 'lipids', results({ cholesterol: 196, triglyceride: 148, hdl: 39, ldl: 127 }), 'LDL above the goal.')
  ledger.vaccinate(200, here, [{ vaccine: 'influenza', dose: 1, of: 1 }])
  buyMedicines(ledger, 44, ['amlodipine', 'tiotropium'])
  buyMedicines(ledger, 149, ['amlodipine', 'tiotropium'])
}

function pressureAtWork(ledger: Ledger): void {
  for (const [ago, systolic, diastolic, ldl] of [
    [1150, 158, 98, 162],
    [960, 144, 92, 128],
    [600, 136, 86, 104],
    [230, 132, 84, 92],
    [35, 130, 82, 86],
  ] as const) {
    ledger.lab(
      ago + 2,
      'lipids',
      results({ cholesterol: ldl + 78, triglyceride: 165, hdl: 41, ldl }),
      ldl > 100 ? 'LDL above the goal.' : 'LDL at goal.',
    )
    const known = [['hypertension', yearOf(ledger, 1150)]] as const
    consult(ledger, ago, {
      for: ['hypertension', 'dyslipidaemia'],
      found: [pressure(systolic, diastolic), weight(82)],
      known,
      give: [
        ['telmisartan', 90],
        ['atorvastatin', 90],
      ],
      again: 90,
    })
  }
  for (const [ago, walked] of [
    [590, 4200],
    [30, 8100],
  ] as const) {
    ledger.check(ago, here, {
      vitalSigns: [pressure(132, 84), pulse(72)],
      bodyMeasurements: [weight(82), measure.height(174), measure.massIndex(27.1)],
      physicalActivity: [measure.steps(walked), measure.sleep(6)],
      lifestyle: [measure.smoking('Stopped smoking'), measure.drinking('Drinks now and then')],
    })
  }
  buyMedicines(ledger, 34, ['telmisartan', 'atorvastatin'])
}

function newKnee(ledger: Ledger): void {
  consult(ledger, 460, {
    for: ['kneePain', 'knee'],
    found: [weight(84), pressure(138, 82)],
    give: [
      ['paracetamol', 10],
      ['pantoprazole', 10],
    ],
    advise: ['X-ray of both knees'],
    doctor: 'wadia',
  })
  ledger.image(
    459,
    { ...here, doctor: 'sathe' },
    { text: 'X-ray of both knees' },
    'Joint space lost on the inner side, both knees.',
  )
  ledger.lab(
    430,
    'kidney',
    results({ creatinine: 1.1, urea: 36, potassium: 4.5, sodium: 138 }),
    'Kidney function within the range.',
  )
  ledger.stay(
    420,
    6,
    { ...here, doctor: 'wadia' },
    {
      complaints: [{ what: CONDITIONS.knee }],
      examination: [pressure(140, 84), pulse(76)],
      tests: [
        {
          panel: 'blood',
          results: results({ haemoglobin: 13.6, whiteCells: 7.4, platelets: 240, haematocrit: 41 }),
          conclusion: 'Blood count within the range.',
        },
      ],
      operated: [
        { what: { text: 'Total replacement of the right knee' }, day: 1, note: 'Cemented, spinal anaesthesia.' },
      ],
      medications: [prescribed('enoxaparin', 14), prescribed('paracetamol', 10), prescribed('pantoprazole', 14)],
      carePlan: {
        title: 'New knee',
        description: 'Walk with a frame, exercises three times a day.',
        activities: ['Stitches out on day 14'],
      },
    },
  )
  payStay(ledger, 414, 6, ['Total knee replacement', 165_000], true)
  consult(ledger, 400, { for: ['knee'], found: [temperature(36.6)], again: 45, doctor: 'wadia' })
  ledger.vaccinate(160, here, [
    { vaccine: 'influenza', dose: 1, of: 1 },
    { vaccine: 'pneumococcalAdult', dose: 1, of: 1 },
  ])
}

function breastLump(ledger: Ledger): void {
  consult(ledger, 290, {
    for: ['breastLump'],
    found: [pressure(128, 80)],
    advise: ['Mammography', 'Core biopsy'],
    doctor: 'bhosale',
  })
  ledger.image(
    288,
    { ...here, doctor: 'sathe' },
    { text: 'Mammography of both breasts' },
    'Smooth lump of 14 mm on the left, looks benign.',
  )
  ledger.lab(
    282,
    { text: 'Histology of a breast lump' },
    [finding('Histology', 'Fibroadenoma', 'No abnormality')],
    'Fibroadenoma, no malignant cells.',
  )
  consult(ledger, 276, { for: ['breastLump'], again: 180, doctor: 'bhosale' })
  for (const ago of [700, 500, 90]) {
    consult(ledger, ago, {
      for: ['hypertension'],
      found: [pressure(136, 86), pulse(74)],
      give: [['amlodipine', 90]],
      again: 90,
    })
  }
  payVisit(ledger, 288, [['Mammography', 2400]])
}

function heart(ledger: Ledger): void {
  consult(ledger, 505, {
    for: ['chestPain'],
    found: [pressure(152, 94), pulse(92)],
    give: [
      ['aspirin', 30],
      ['metoprolol', 30],
      ['atorvastatin', 30],
    ],
    refer: 'Coronary angiography',
  })
  ledger.lab(
    504,
    'lipids',
    results({ cholesterol: 246, triglyceride: 212, hdl: 34, ldl: 170 }),
    'LDL far above the goal.',
  )
  ledger.stay(500, 4, here, {
    complaints: [{ what: CONDITIONS.angina }],
    examination: [pressure(148, 90), pulse(88), oxygen(97)],
    history: [{ kind: 'condition', what: CONDITIONS.hypertension, onset: yearOf(ledger, 1900) }],
    tests: [
      {
        panel: 'kidney',
        results: results({ creatinine: 1.0, urea: 32, potassium: 4.1, sodium: 140 }),
        conclusion: 'Kidney function within the range.',
      },
    ],
    operated: [{ what: { text: 'Angioplasty with one stent of the left anterior descending artery' }, day: 0 }],
    medications: [
      prescribed('aspirin', 90),
      prescribed('clopidogrel', 90),
      prescribed('metoprolol', 90),
      prescribed('atorvastatin', 90),
    ],
    carePlan: { title: 'After the stent', description: 'No heavy work for four weeks, walk daily.' },
  })
  payStay(ledger, 496, 4, ['Coronary angioplasty with stent', 148_000], true)
  for (const [ago, ldl] of [
    [440, 112],
    [300, 84],
    [70, 68],
  ] as const) {
    ledger.lab(
      ago + 1,
      'lipids',
      results({ cholesterol: ldl + 72, triglyceride: 150, hdl: 39, ldl }),
      ldl > 70 ? 'LDL above the goal.' : 'LDL at goal.',
    )
    consult(ledger, ago, {
      for: ['coronary'],
      found: [pressure(128, 80), pulse(66)],
      give: [
        ['aspirin', 90],
        ['clopidogrel', 90],
        ['metoprolol', 90],
      ],
      again: 120,
    })
  }
}

function smoker(ledger: Ledger): void {
  for (const [ago, saturation] of [
    [680, 93],
    [520, 94],
    [260, 92],
    [95, 94],
  ] as const) {
    consult(ledger, ago, {
      for: ['breathless', 'copd'],
      found: [oxygen(saturation), measure.breaths(22), pulse(90)],
      give: [
        ['tiotropium', 60],
        ['budesonide', 60],
        ['salbutamol', 60],
      ],
      again: 60,
    })
    buyMedicines(ledger, ago - 1, ['tiotropium', 'budesonide'])
  }
  ledger.image(519, { ...here, doctor: 'sathe' }, { text: 'X-ray of the chest' }, 'Emphysema, no mass.')
  ledger.check(94, here, {
    vitalSigns: [oxygen(94), pulse(88)],
    lifestyle: [measure.smoking('Smokes ten bidis a day')],
  })
}

function brokenHip(ledger: Ledger): void {
  ledger.image(
    211,
    { ...here, doctor: 'sathe' },
    { text: 'X-ray of the left hip' },
    'Displaced fracture of the neck of the femur.',
  )
  ledger.stay(
    210,
    9,
    { ...here, doctor: 'wadia' },
    {
      complaints: [{ what: CONDITIONS.hipFracture }],
      examination: [pressure(146, 78), pulse(94)],
      tests: [
        {
          panel: 'blood',
          results: results({ haemoglobin: 10.2, whiteCells: 9.8, platelets: 198, haematocrit: 31 }),
          conclusion: 'Anaemia.',
        },
      ],
      operated: [{ what: { text: 'Bipolar hemiarthroplasty of the left hip' }, day: 2 }],
      medications: [
        prescribed('enoxaparin', 28),
        prescribed('paracetamol', 14),
        prescribed('calcium', 90),
        prescribed('vitaminD', 56),
      ],
      carePlan: {
        title: 'On her feet again',
        description: 'Walk with help from the third day.',
        activities: ['Look at the bones after six weeks'],
      },
    },
  )
  payStay(ledger, 201, 9, ['Bipolar hemiarthroplasty', 82_000])
  consult(ledger, 165, {
    for: ['hipFracture', 'osteoporosis'],
    found: [pressure(138, 76)],
    give: [
      ['alendronate', 84],
      ['calcium', 84],
    ],
    again: 84,
    doctor: 'wadia',
  })
  consult(ledger, 80, {
    for: ['osteoporosis'],
    give: [
      ['alendronate', 84],
      ['calcium', 84],
    ],
    doctor: 'wadia',
  })
}

function brittleBones(ledger: Ledger): void {
  for (const ago of [730, 480, 240, 60]) {
    consult(ledger, ago, {
      for: ['osteoporosis', 'hypertension'],
      found: [pressure(142, 74), weight(48)],
      give: [
        ['alendronate', 84],
        ['calcium', 84],
        ['amlodipine', 84],
      ],
      again: 90,
    })
  }
  ledger.vaccinate(300, here, [{ vaccine: 'influenza', dose: 1, of: 1 }])
  ledger.scan(478, here, 'Bone density', ['Lumbar spine T-score -3.1, hip T-score -2.8: osteoporosis.'])
  ledger.lab(
    479,
    { text: 'Haemogram' },
    results({ haemoglobin: 11.9, whiteCells: 5.6, platelets: 244, haematocrit: 36 }),
    'Mild anaemia.',
  )
  buyMedicines(ledger, 59, ['alendronate', 'calcium', 'amlodipine'])
}
