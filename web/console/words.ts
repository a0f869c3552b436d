import { loadCatalogue } from '../ui/catalogues.ts'
import type { KitKey } from '../ui/kit-words.ts'
import { type LoadWords, useAnyWords, type Words } from '../ui/words.tsx'
import type common from './words/en/common.json'

const files = import.meta.glob(['../ui/words/*/*.json', './words/*/*.json'], { import: 'default' })

/** Every key of the sandbox console; English is the source. */
export type ConsoleKey = KitKey | keyof typeof common

export const loadWords: LoadWords = (language) => loadCatalogue(files, language)
export const useWords = (): Words<ConsoleKey> => useAnyWords() as Words<ConsoleKey>
