import { codesOf, type Json, text } from './show-reading.ts'

/** What a section is for, so that a page can head it in the reader's language. */
export type SectionRole =
  | 'complaints'
  | 'examination'
  | 'allergies'
  | 'history'
  | 'family'
  | 'advice'
  | 'medicines'
  | 'follow-up'
  | 'procedures'
  | 'referral'
  | 'observations'
  | 'investigations'
  | 'plan'
  | 'prescription'
  | 'vaccines'
  | 'documents'
  | 'vital-signs'
  | 'body'
  | 'activity'
  | 'assessment'
  | 'women-health'
  | 'lifestyle'

/** SNOMED CT codes that the eight profiles fix for their sections (ndhm.in 6.5.0). Those of a report tell its kind; its title stays. */
const BY_CODE: Readonly<Record<string, SectionRole>> = {
  '422843007': 'complaints',
  '425044008': 'examination',
  '722446000': 'allergies',
  '371529009': 'history',
  '1003642006': 'history',
  '422432008': 'family',
  '721963009': 'advice',
  '721912009': 'medicines',
  '1003606003': 'medicines',
  '390906007': 'follow-up',
  '371525003': 'procedures',
  '1003640003': 'procedures',
  '306206005': 'referral',
  '404684003': 'observations',
  '734163000': 'plan',
  '440545006': 'prescription',
  '41000179103': 'vaccines',
  '419891008': 'documents',
  '371530004': 'documents',
  '373942005': 'documents',
}

/** Titles that WellnessRecord fixes in place of codes, and the usual ones of documents whose codes differ. */
const BY_TITLE: Readonly<Record<string, SectionRole>> = {
  'vital signs': 'vital-signs',
  'body measurement': 'body',
  'physical activity': 'activity',
  'general assessment': 'assessment',
  'women health': 'women-health',
  lifestyle: 'lifestyle',
  'other observations': 'observations',
  'document reference': 'documents',
  investigations: 'investigations',
  'chief complaints': 'complaints',
  'physical examination': 'examination',
  allergies: 'allergies',
  'medical history': 'history',
  'past medical history': 'history',
  'family history': 'family',
  'investigation advice': 'advice',
  medications: 'medicines',
  'follow up': 'follow-up',
  procedure: 'procedures',
  procedures: 'procedures',
  referral: 'referral',
  'care plan': 'plan',
}

export function roleOfSection(section: Json): SectionRole | undefined {
  const coded = codesOf(section['code']).map(({ code }) => (Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined))
  const title = text(section['title'])?.trim().toLowerCase()
  return (
    coded.find((one) => one !== undefined) ??
    (title !== undefined && Object.hasOwn(BY_TITLE, title) ? BY_TITLE[title] : undefined)
  )
}
