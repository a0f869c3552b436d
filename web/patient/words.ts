import { loadCatalogue } from '../ui/catalogues.ts'
import type { KitKey } from '../ui/kit-words.ts'
import { type LoadWords, useAnyWords, type Words } from '../ui/words.tsx'
import type choices from './words/en/choices.json'
import type common from './words/en/common.json'
import type inbox from './words/en/inbox.json'
import type looked from './words/en/looked.json'
import type records from './words/en/records.json'
import type sharing from './words/en/sharing.json'
import type signin from './words/en/signin.json'

const files = import.meta.glob(['../ui/words/*/*.json', './words/*/*.json'], { import: 'default' })

/** Every key of the patient app; English is the source. */
export type PatientKey =
  | KitKey
  | keyof typeof common
  | keyof typeof signin
  | keyof typeof inbox
  | keyof typeof sharing
  | keyof typeof looked
  | keyof typeof records
  | keyof typeof choices

export const loadWords: LoadWords = (language) => loadCatalogue(files, language)
export const useWords = (): Words<PatientKey> => useAnyWords() as Words<PatientKey>
