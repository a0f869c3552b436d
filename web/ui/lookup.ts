/** Words of one language: key to text with `{name}` in place of values. */
export type Catalogue = Readonly<Record<string, string>>

/** Stands for a text that is on its way: never the name of a key. */
export const WAITING = '…'

/** Where a screen finds its texts: in the language of the page, else in English. */
export type Lookup = {
  readonly textOf: (key: string) => string
  /** The text for a number, by the plural rules of the language in which it is found (Unicode CLDR). */
  readonly textFor: (stem: string, n: number) => string
}

/** `english` is not there until somebody has missed a key: then `onMiss` is called, and `WAITING` stands where its text will be. */
export function makeLookup(options: {
  readonly language: string
  readonly own: Catalogue
  readonly english: Catalogue | undefined
  readonly onMiss: () => void
}): Lookup {
  const { language, own, english, onMiss } = options
  const plurals = new Intl.PluralRules(language)
  const englishPlurals = new Intl.PluralRules('en')
  const missing = (key: string): string => {
    if (english !== undefined) return key
    onMiss()
    return WAITING
  }
  const formOf = (words: Catalogue, rules: Intl.PluralRules, stem: string, n: number): string | undefined =>
    words[`${stem}_${rules.select(n)}`] ?? words[`${stem}_other`]
  return {
    textOf: (key) => own[key] ?? english?.[key] ?? missing(key),
    textFor: (stem, n) =>
      formOf(own, plurals, stem, n) ?? formOf(english ?? {}, englishPlurals, stem, n) ?? missing(`${stem}_other`),
  }
}
