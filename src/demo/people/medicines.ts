import type { MedicationInput } from '../../fhir/build/inputs.ts'

const ORAL = { text: 'By mouth', snomed: { code: '26643006', display: 'Oral route' } }

/** Generic names with strengths that are sold in India; no brands. */
const oral = (name: string, dose: string, timing: string, timesPerDay?: number): MedicationInput => ({
  medicine: { text: name },
  dose,
  timing,
  ...(timesPerDay !== undefined && { timesPerDay }),
  route: ORAL,
})
const other = (name: string, dose: string, timing: string, route: string, timesPerDay?: number): MedicationInput => ({
  ...oral(name, dose, timing, timesPerDay),
  route: { text: route },
})

export const MEDICINES = {
  metformin500: oral('Metformin 500 mg tablet', '1 tablet', 'twice a day after food', 2),
  metformin1000: oral('Metformin 1000 mg prolonged-release tablet', '1 tablet', 'twice a day after food', 2),
  glimepiride: oral('Glimepiride 1 mg tablet', '1 tablet', 'once a day before breakfast', 1),
  sitagliptin: oral('Sitagliptin 100 mg tablet', '1 tablet', 'once a day', 1),
  telmisartan: oral('Telmisartan 40 mg tablet', '1 tablet', 'once a day in the morning', 1),
  amlodipine: oral('Amlodipine 5 mg tablet', '1 tablet', 'once a day', 1),
  atorvastatin: oral('Atorvastatin 10 mg tablet', '1 tablet', 'once a day at bedtime', 1),
  aspirin: oral('Aspirin 75 mg tablet', '1 tablet', 'once a day after lunch', 1),
  clopidogrel: oral('Clopidogrel 75 mg tablet', '1 tablet', 'once a day', 1),
  metoprolol: oral('Metoprolol succinate 25 mg tablet', '1 tablet', 'once a day', 1),
  levothyroxine: oral('Levothyroxine 50 mcg tablet', '1 tablet', 'once a day on an empty stomach', 1),
  paracetamol: oral('Paracetamol 650 mg tablet', '1 tablet', 'up to three times a day for fever', 3),
  paracetamolSyrup: oral('Paracetamol 250 mg/5 mL syrup', '5 ml', 'up to four times a day for fever', 4),
  azithromycin: oral('Azithromycin 500 mg tablet', '1 tablet', 'once a day', 1),
  amoxicillinSyrup: oral('Amoxicillin 250 mg/5 mL syrup', '5 ml', 'three times a day', 3),
  pantoprazole: oral('Pantoprazole 40 mg tablet', '1 tablet', 'once a day before breakfast', 1),
  cetirizine: oral('Cetirizine 10 mg tablet', '1 tablet', 'once a day at night', 1),
  ors: oral('Oral rehydration salts (WHO formula)', '200 ml', 'after each loose stool'),
  zincSyrup: oral('Zinc sulphate 20 mg/5 mL syrup', '5 ml', 'once a day', 1),
  iron: oral('Ferrous ascorbate 100 mg with folic acid 1.5 mg tablet', '1 tablet', 'once a day after food', 1),
  calcium: oral('Calcium carbonate 500 mg with vitamin D3 250 IU tablet', '1 tablet', 'twice a day', 2),
  vitaminD: oral('Cholecalciferol 60000 IU capsule', '1 capsule', 'once a week'),
  alendronate: oral('Alendronic acid 70 mg tablet', '1 tablet', 'once a week, upright, with plain water'),
  naproxen: oral('Naproxen 250 mg tablet', '1 tablet', 'twice a day after food', 2),
  sevelamer: oral('Sevelamer carbonate 800 mg tablet', '1 tablet', 'three times a day with food', 3),
  tbIntensive: oral(
    'Isoniazid 75 mg, rifampicin 150 mg, pyrazinamide 400 mg, ethambutol 275 mg tablet',
    '4 tablets',
    'once a day, on an empty stomach',
    1,
  ),
  tbContinuation: oral(
    'Isoniazid 75 mg, rifampicin 150 mg, ethambutol 275 mg tablet',
    '4 tablets',
    'once a day, on an empty stomach',
    1,
  ),
  pyridoxine: oral('Pyridoxine 10 mg tablet', '1 tablet', 'once a day', 1),
  chloroquine: oral('Chloroquine 250 mg (150 mg base) tablet', '4 tablets', 'on days 1 and 2, then 2 tablets on day 3'),
  primaquine: oral('Primaquine 15 mg tablet', '1 tablet', 'once a day after food', 1),
  ursodiol: oral('Ursodeoxycholic acid 300 mg tablet', '1 tablet', 'twice a day', 2),
  salbutamol: other('Salbutamol 100 mcg inhaler', '2 puffs', 'when breathless, with spacer', 'By inhalation'),
  budesonide: other('Budesonide 200 mcg with formoterol 6 mcg inhaler', '1 puff', 'twice a day', 'By inhalation', 2),
  tiotropium: other('Tiotropium 18 mcg inhalation capsule', '1 capsule', 'once a day', 'By inhalation', 1),
  erythropoietin: other('Erythropoietin 4000 IU injection', '4000 IU', 'twice a week', 'Under the skin'),
  moxifloxacin: other('Moxifloxacin 0.5 % eye drops', '1 drop', 'four times a day, operated eye', 'In the eye', 4),
  mometasone: other('Mometasone 0.1 % cream', 'thin layer', 'once a day', 'On the skin', 1),
  enoxaparin: other('Enoxaparin 40 mg injection', '40 mg', 'once a day', 'Under the skin', 1),
} as const satisfies Record<string, MedicationInput>

export type MedicineName = keyof typeof MEDICINES

/** The medicine as prescribed for so many days. */
export function prescribed(name: MedicineName, days: number): MedicationInput {
  return { ...MEDICINES[name], duration: { value: days, unit: 'd' } }
}
