import { createContext, Fragment, type ReactNode, use, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { directionOf, type Language, WHOLE_LANGUAGES } from './languages.ts'
import { type Catalogue, type Lookup, makeLookup } from './lookup.ts'

/** Loads all words of a language, of the kit and of the app. */
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

function makeWords(language: Language, lookup: Lookup, choose: (language: Language) => void): Words<string> {
  const dir = directionOf(language)
  const numbers = new Intl.NumberFormat(`${language}-IN`)
  const say = (value: Value): string => isolate(typeof value === 'number' ? numbers.format(value) : value, dir)
  const fill = (text: string, values: Values): string =>
    text.replace(new RegExp(PLACE, 'g'), (place, name: string) => {
      const value = values[name]
      return value === undefined ? place : say(value)
    })
  const t = (key: string, values: Values = {}): string => fill(lookup.textOf(key), values)
  const tn = (key: string, n: number, values: Values = {}): string => fill(lookup.textFor(key, n), { n, ...values })
  const rich = (key: string, values: Readonly<Record<string, ReactNode>>): ReactNode =>
    lookup
      .textOf(key)
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

type Shown = { readonly language: Language; readonly own: Catalogue }

/** Loads the words of the language before anything shows, and keeps `lang` and `dir` of the page right. */
export function WordsProvider(props: {
  readonly first: Language
  readonly load: LoadWords
  readonly children: ReactNode
}): ReactNode {
  const [shown, setShown] = useState<Shown>()
  const [wanted, setWanted] = useState(props.first)
  const { load } = props
  const { english, fetchEnglish } = useEnglish(load)
  useEffect(() => {
    let isCurrent = true
    const show = (language: Language, own: Catalogue): void => {
      if (!isCurrent) return
      document.documentElement.lang = language
      document.documentElement.dir = directionOf(language)
      setShown({ language, own })
    }
    loadWhole(load, wanted)
      .then((own) => show(wanted, own))
      // Without a line the words of another language may not come: the page stays as it is, or opens in English.
      .catch(() => load('en').then((own) => setShown((before) => before ?? { language: 'en', own })))
    return () => {
      isCurrent = false
    }
  }, [load, wanted])
  const words = useMemo(() => {
    const choose = (language: Language): void => {
      localStorage.setItem(CHOSEN, language)
      setWanted(language)
    }
    if (shown === undefined) return undefined
    return makeWords(shown.language, makeLookup({ ...shown, english, onMiss: fetchEnglish }), choose)
  }, [shown, english, fetchEnglish])
  return words === undefined ? null : <WordsContext value={words}>{props.children}</WordsContext>
}

/** English is fetched once, when a screen misses a key in its own language; a whole language never pays for it. */
function useEnglish(load: LoadWords): { readonly english: Catalogue | undefined; readonly fetchEnglish: () => void } {
  const [english, setEnglish] = useState<Catalogue>()
  const isFetching = useRef(false)
  const fetchEnglish = useCallback(() => {
    if (isFetching.current) return
    isFetching.current = true
    void load('en').then(setEnglish, () => setEnglish({}))
  }, [load])
  return { english, fetchEnglish }
}

async function loadWhole(load: LoadWords, language: Language): Promise<Catalogue> {
  const own = await load(language)
  return WHOLE_LANGUAGES.includes(language) ? own : { ...(await load('en')), ...own }
}
