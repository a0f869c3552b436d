import type { Concept } from '../../fhir/build/inputs.ts'

const vaccine = (text: string, code: string, display: string): Concept => ({ text, snomed: { code, display } })

/** Vaccines with the codes of the NRCES value set ndhm-vaccine-codes. */
export const VACCINES = {
  bcg: vaccine('BCG', '1861000221106', 'BCG (Bacillus Calmette-Guerin) vaccine'),
  polio: vaccine(
    'Oral polio (bOPV)',
    '1051000221104',
    'Live attenuated poliovirus serotypes 1 and 3 vaccine in oral dose form',
  ),
  injectedPolio: vaccine('Inactivated polio (fIPV)', '871740006', 'Inactivated polio vaccine'),
  hepatitisB: vaccine('Hepatitis B', '871822003', 'Hepatitis B vaccine'),
  pentavalent: vaccine(
    'Pentavalent',
    '871886002',
    'Diphtheria and Haemophilus influenzae type B and hepatitis B and pertussis and tetanus vaccine',
  ),
  rotavirus: vaccine('Rotavirus', '871761004', 'Rotavirus vaccine'),
  pneumococcal: vaccine('Pneumococcal conjugate', '981000221107', 'Pneumococcal vaccine'),
  measlesRubella: vaccine('Measles and rubella', '871817003', 'Measles and rubella vaccine'),
  dpt: vaccine('DPT booster', '871875004', 'Diphtheria and pertussis and tetanus vaccine'),
  typhoid: vaccine('Typhoid conjugate', '961000221100', 'Typhoid vaccine'),
  hpv: vaccine('HPV', '911000221103', 'Human papillomavirus vaccine'),
  adultTd: vaccine(
    'Tetanus and adult diphtheria (Td)',
    '2031000221103',
    'Adult diphtheria and tetanus toxoids vaccine',
  ),
  influenza: vaccine('Influenza', '1181000221105', 'Influenza vaccine'),
  pneumococcalAdult: vaccine('Pneumococcal polysaccharide', '1801000221105', 'Pneumococcal polysaccharide vaccine'),
  covid: vaccine('COVID-19', '1119305005', 'COVID-19 antigen vaccine'),
} as const satisfies Record<string, Concept>

export type VaccineName = keyof typeof VACCINES

/** [age in days, vaccine, dose, doses of the series]: India's Universal Immunization Programme, and HPV at ten years. */
export const CHILD_SCHEDULE: readonly (readonly [number, VaccineName, number, number])[] = [
  [0, 'bcg', 1, 1],
  [0, 'polio', 1, 5],
  [0, 'hepatitisB', 1, 1],
  [42, 'pentavalent', 1, 3],
  [42, 'polio', 2, 5],
  [42, 'rotavirus', 1, 3],
  [42, 'injectedPolio', 1, 3],
  [42, 'pneumococcal', 1, 3],
  [70, 'pentavalent', 2, 3],
  [70, 'polio', 3, 5],
  [70, 'rotavirus', 2, 3],
  [98, 'pentavalent', 3, 3],
  [98, 'polio', 4, 5],
  [98, 'rotavirus', 3, 3],
  [98, 'injectedPolio', 2, 3],
  [98, 'pneumococcal', 2, 3],
  [280, 'measlesRubella', 1, 2],
  [280, 'pneumococcal', 3, 3],
  [280, 'injectedPolio', 3, 3],
  [500, 'measlesRubella', 2, 2],
  [500, 'dpt', 1, 2],
  [500, 'polio', 5, 5],
  [760, 'typhoid', 1, 1],
  [1860, 'dpt', 2, 2],
  [3680, 'adultTd', 1, 2],
  [3720, 'hpv', 1, 2],
]
