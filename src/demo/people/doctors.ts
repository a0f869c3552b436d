import type { PractitionerInput } from '../../fhir/build/inputs.ts'
import type { Holder } from './person.ts'

const doctor = (name: string, registrationNumber: string, qualification: string): PractitionerInput => ({
  name,
  registrationNumber,
  qualification,
})

/** Invented doctors; `SMP` and the like are no council's prefix. */
export const DOCTORS = {
  joshi: doctor('Dr. Madhav Joshi', 'SMP/2004/10117', 'MD (General Medicine)'),
  pathan: doctor('Dr. Shabnam Pathan', 'SMP/2009/11420', 'MS (Obstetrics and Gynaecology)'),
  gokhale: doctor('Dr. Vinaya Gokhale', 'SMP/1998/10302', 'MD (Paediatrics)'),
  bhosale: doctor('Dr. Sameer Bhosale', 'SMP/2001/10655', 'MS (General Surgery)'),
  wadia: doctor('Dr. Cyrus Wadia', 'SMP/1995/10078', 'MS (Orthopaedics)'),
  shetty: doctor('Dr. Pramod Shetty', 'SKP/2003/20148', 'MD (General Medicine)'),
  iyer: doctor('Dr. Gayatri Iyer', 'SKP/2007/20391', 'MD, DM (Nephrology)'),
  fernandes: doctor('Dr. Lancy Fernandes', 'SKP/1999/20022', 'MS (Ophthalmology)'),
  hegde: doctor('Dr. Soumya Hegde', 'SKP/2011/20733', 'MD (Paediatrics)'),
  menon: doctor('Dr. Unni Menon', 'SKP/2005/20260', 'MD, DM (Cardiology)'),
  apte: doctor('Dr. Leena Apte', 'SMP/2006/10981', 'MD (Pathology)'),
  sathe: doctor('Dr. Arvind Sathe', 'SMP/2000/10513', 'MD (Radiodiagnosis)'),
  more: doctor('Ganesh More', 'PHM/2012/30077', 'B.Pharm, registered pharmacist'),
  kamat: doctor('Dr. Rhea Kamat', 'SMP/2010/11702', 'MBBS, medical adviser'),
} as const satisfies Record<string, PractitionerInput>

export type DoctorName = keyof typeof DOCTORS

/** Who signs when a story names nobody. */
export const USUAL_DOCTOR = {
  tarangini: 'joshi',
  vanashree: 'shetty',
  pratibimb: 'apte',
  aushadhika: 'more',
  chhatraksha: 'kamat',
} as const satisfies Record<Holder, DoctorName>
