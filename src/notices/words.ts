import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Language } from './languages.ts'
import type { NoticeWords } from './notices.ts'

const FOLDER = join(import.meta.dirname, 'words')
const read = new Map<Language, NoticeWords | undefined>()

/** The words of a language; undefined when nobody has written them yet. */
export function ownWords(language: Language): NoticeWords | undefined {
  if (!read.has(language)) {
    const file = join(FOLDER, `${language}.json`)
    read.set(language, existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as NoticeWords) : undefined)
  }
  return read.get(language)
}

/** The words to use for a reader of `language`: its own, else English. */
export function wordsFor(language: Language): { readonly language: Language; readonly words: NoticeWords } {
  const own = ownWords(language)
  if (own !== undefined) return { language, words: own }
  const english = ownWords('en')
  if (english === undefined) throw new Error('the English words of the notice are missing')
  return { language: 'en', words: english }
}
