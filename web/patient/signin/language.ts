import { useEffect } from 'react'
import { call } from '../../ui/api.ts'
import type { Language } from '../../ui/languages.ts'
import { chosenLanguage, useAnyWords } from '../../ui/words.tsx'
import type { PatientSession } from '../session.ts'

/** Keeps a choice with the account too. On this device it holds already: a broken line does no harm. */
export function keepLanguage(language: Language): void {
  void call('/v1/me/language', { method: 'PUT', body: { language } }).catch(() => undefined)
}

/**
 * On a device where nobody chose a language, the person's own holds once she has signed in. English is what an account says that was
 * never asked: the language of the device is the better guess then.
 */
export function useOwnLanguage(session: PatientSession): void {
  const { choose, language } = useAnyWords()
  const own = session.patient.language
  useEffect(() => {
    if (chosenLanguage() === null && own !== language && own !== 'en') choose(own)
  }, [own, language, choose])
}
