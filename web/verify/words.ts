import { loadCatalogue } from '../ui/catalogues.ts'
import type { KitKey } from '../ui/kit-words.ts'
import { type LoadWords, useAnyWords, type Words } from '../ui/words.tsx'
import type common from './words/en/common.json'

const files = import.meta.glob(['../ui/words/*/*.json', './words/*/*.json'], { import: 'default' })

/** Every key of the page that checks receipts; English is the source. */
export type VerifyKey = KitKey | keyof typeof common

export const loadWords: LoadWords = (language) => loadCatalogue(files, language)
export const useWords = (): Words<VerifyKey> => useAnyWords() as Words<VerifyKey>
