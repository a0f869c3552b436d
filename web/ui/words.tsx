import { createContext, Fragment, type ReactNode, use, useEffect, useMemo, useState } from 'react'
import { directionOf, type Language, WHOLE_LANGUAGES } from './languages.ts'

/** Words of one language: key to text with `{name}` in place of values. */
export type Catalogue = Readonly<Record<string, string>>
/** Loads all words of a language, of the kit and of the app; missing keys are English. */
export type LoadWords = (language: Language) => Promise<Catalogue>
type Value = string | number
type Values = Readonly<Record<string, Value>>

/** What a screen uses to speak. `Key` are the keys of its own app, which TypeScript checks. */
export type Words<Key extends string> = {
  readonly language: Language
  readonly dir: 'ltr' | 'rtl'
  /** The text of `key`, with the values in their places. */
  readonly t: (key: Key, values?: Values) => string
  /** The text for a number: keys `…_one` and `…_other` by the plural rules of the language (Unicode CLDR); `{n}` is the number. */
  readonly tn: (key: PluralOf<Key>, n: number, values?: Values) => string
  /** The text with elements in the places of its values. */
  readonly rich: (key: Key, values: Readonly<Record<string, ReactNode>>) => ReactNode
  readonly choose: (language: Language) => void
}
export type PluralOf<Key extends string> = string extends Key
  ? string
  : Key extends `${infer Stem}_other`
    ? Stem
    : never

/** First Strong Isolate … Pop Directional Isolate (Unicode UAX 9): a Latin name must not turn an Urdu sentence about. */
const isolate = (text: string, dir: 'ltr' | 'rtl'): string => (dir === 'rtl' ? `\u2068${text}\u2069` : text)
const PLACE = /\{(\w+)\}/

function makeWords(language: Language, catalogue: Catalogue, choose: (language: Language) => void): Words<string> {
  const dir = directionOf(language)
  const numbers = new Intl.NumberFormat(`${language}-IN`)
  const plurals = new Intl.PluralRules(language)
  const say = (value: Value): string => isolate(typeof value === 'number' ? numbers.format(value) : value, dir)
  const textOf = (key: string): string => catalogue[key] ?? key
  const fill = (text: string, values: Values): string =>
    text.replace(new RegExp(PLACE, 'g'), (place, name: string) => {
      const value = values[name]
      return value === undefined ? place : say(value)
    })
  const t = (key: string, values: Values = {}): string => fill(textOf(key), values)
  const tn = (key: string, n: number, values: Values = {}): string => {
    const exact = `${key}_${plurals.select(n)}`
    return fill(textOf(exact in catalogue ? exact : `${key}_other`), { n, ...values })
  }
  const rich = (key: string, values: Readonly<Record<string, ReactNode>>): ReactNode =>
    textOf(key)
      .split(PLACE)
      .map((part, at) => <Fragment key={`${at}:${part}`}>{at % 2 === 0 ? part : <bdi>{values[part]}</bdi>}</Fragment>)
  return { language, dir, t, tn, rich, choose }
}

const WordsContext = createContext<Words<string> | undefined>(undefined)

/** The words of the page; each app narrows the keys with its own `useWords`. */
export function useAnyWords(): Words<string> {
  const words = use(WordsContext)
  if (words === undefined) throw new Error('useAnyWords outside of WordsProvider')
  return words
}

const CHOSEN = 'amanat.language'

/** The language chosen on this device, if one was. */
export function chosenLanguage(): string | null {
  return localStorage.getItem(CHOSEN)
}

/** Loads the words of the language before anything shows, and keeps `lang` and `dir` of the page right. */
export function WordsProvider(props: {
  readonly first: Language
  readonly load: LoadWords
  readonly children: ReactNode
}): ReactNode {
  const [shown, setShown] = useState<{ readonly language: Language; readonly catalogue: Catalogue }>()
  const [wanted, setWanted] = useState(props.first)
  const { load } = props
  useEffect(() => {
    let isCurrent = true
    void loadWhole(load, wanted).then((catalogue) => {
      if (!isCurrent) return
      document.documentElement.lang = wanted
      document.documentElement.dir = directionOf(wanted)
      setShown({ language: wanted, catalogue })
    })
    return () => {
      isCurrent = false
    }
  }, [load, wanted])
  const words = useMemo(() => {
    const choose = (language: Language): void => {
      localStorage.setItem(CHOSEN, language)
      setWanted(language)
    }
    return shown === undefined ? undefined : makeWords(shown.language, shown.catalogue, choose)
  }, [shown])
  return words === undefined ? null : <WordsContext value={words}>{props.children}</WordsContext>
}

async function loadWhole(load: LoadWords, language: Language): Promise<Catalogue> {
  const own = await load(language)
  return WHOLE_LANGUAGES.includes(language) ? own : { ...(await load('en')), ...own }
}
