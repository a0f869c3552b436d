import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { useDates } from '../../ui/dates.ts'
import { State } from '../../ui/state.tsx'
import { type DeskKey, useWords } from '../words.ts'
import style from './consents.module.css'
import { type Consent, nameOf, stateOf } from './model.ts'

/** The name of what was asked: its template, or the purpose where software asked. */
export function useAskName(): (consent: Consent) => string {
  const { t } = useWords()
  return ({ terms }) => {
    if (terms === undefined) return t('consents.hidden')
    return terms.template === undefined
      ? t(`purpose.${terms.purpose}` as DeskKey)
      : t(`template.${terms.template}` as DeskKey)
  }
}

/** One consent in a list. */
export function ConsentRow(props: {
  readonly consent: Consent
  readonly to: string
  readonly isOpen: boolean
  /** On the patient's own page her name needs no saying. */
  readonly isOfPatient?: boolean
}): ReactNode {
  const { consent } = props
  const { t } = useWords()
  const dates = useDates()
  const askName = useAskName()
  const [tone, words] = stateOf(consent)
  const title = props.isOfPatient ? askName(consent) : nameOf(consent)
  return (
    <Link href={props.to} className={style.row ?? ''} aria-current={props.isOpen ? 'true' : undefined}>
      <b>
        <bdi>{title}</bdi>
      </b>
      <State tone={tone}>{t(words, { name: nameOf(consent) })}</State>
      <small>
        {props.isOfPatient ? null : <span>{askName(consent)}</span>}
        <span>{t('consents.asked-by', { who: consent.askedBy.name })}</span>
        <time dateTime={consent.askedAt}>{dates.shortDay(consent.askedAt)}</time>
      </small>
    </Link>
  )
}
