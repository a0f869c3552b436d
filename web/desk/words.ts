import { loadCatalogue } from '../ui/catalogues.ts'
import type { KitKey } from '../ui/kit-words.ts'
import { type LoadWords, useAnyWords, type Words } from '../ui/words.tsx'
import type access from './words/en/access.json'
import type account from './words/en/account.json'
import type common from './words/en/common.json'
import type consents from './words/en/consents.json'
import type emergency from './words/en/emergency.json'
import type exported from './words/en/export.json'
import type patients from './words/en/patients.json'
import type provider from './words/en/provider.json'
import type questions from './words/en/questions.json'
import type reading from './words/en/reading.json'
import type staff from './words/en/staff.json'

const files = import.meta.glob(['../ui/words/*/*.json', './words/*/*.json'], { import: 'default' })

/** Every key of the desk; English is the source. */
export type DeskKey =
  | KitKey
  | keyof typeof common
  | keyof typeof staff
  | keyof typeof account
  | keyof typeof access
  | keyof typeof exported
  | keyof typeof patients
  | keyof typeof consents
  | keyof typeof reading
  | keyof typeof provider
  | keyof typeof questions
  | keyof typeof emergency

export const loadWords: LoadWords = (language) => loadCatalogue(files, language)
export const useWords = (): Words<DeskKey> => useAnyWords() as Words<DeskKey>
