import type { ReactNode } from 'react'
import { useDates } from '../../ui/dates.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { type DeskKey, useWords } from '../words.ts'
import { type Consent, hasCome, isEmergency, isLess, isWaitedFor, nameOf, type Step } from './model.ts'
import style from './progress.module.css'

const ICONS: Readonly<Record<Step['state'], IconName>> = {
  done: 'check',
  now: 'clock',
  later: 'queue',
  stopped: 'stop',
}

/** Where a consent stands: what happened and when, what is waited for and from whom. Said in words, so that no colour is needed. */
export function Progress(props: { readonly consent: Consent }): ReactNode {
  const { consent } = props
  const { t } = useWords()
  return (
    <ol className={style.line} aria-label={t('consents.line')}>
      {consent.steps.map((step) => (
        <li key={step.name} data-state={step.state}>
          <Icon name={ICONS[step.state]} size={16} />
          <span>
            <StepWords consent={consent} step={step} />
          </span>
        </li>
      ))}
    </ol>
  )
}

function StepWords(props: { readonly consent: Consent; readonly step: Step }): ReactNode {
  const { consent, step } = props
  const { t } = useWords()
  const dates = useDates()
  return (
    <>
      <b>{useStepTitle(consent, step)}</b>
      <small>
        <span className="visually-hidden">{t(`consents.${step.state}`)} </span>
        {step.at === undefined ? null : <time dateTime={step.at}>{dates.moment(step.at)}</time>}
        <WaitedFor consent={consent} step={step} />
      </small>
    </>
  )
}

const ENDS: Partial<Record<Consent['status'], DeskKey>> = {
  denied: 'consents.step-denied',
  expired: 'consents.step-expired',
  revoked: 'consents.step-revoked',
}

function useStepTitle(consent: Consent, step: Step): string {
  const { t, tn } = useWords()
  switch (step.name) {
    case 'asked':
      return t(step.state === 'stopped' ? 'consents.step-asked-failed' : 'consents.step-asked')
    case 'decided':
      if (isEmergency(consent)) return t(ENDS[consent.status] ?? 'consents.state-emergency')
      if (step.state === 'now') return t('consents.step-decide', { name: nameOf(consent) })
      return t(ENDS[consent.status] ?? (isLess(consent) ? 'consents.step-allowed-less' : 'consents.step-allowed'))
    case 'data': {
      if (step.state === 'later' || consent.places.length === 0) return t('consents.step-data')
      if (step.state === 'stopped') return t('consents.step-data-none')
      return tn('consents.step-data-of', consent.places.length, { came: consent.places.filter(hasCome).length })
    }
    case 'read':
      return t(step.state === 'now' ? 'consents.step-not-read' : 'consents.step-read')
  }
}

function WaitedFor(props: { readonly consent: Consent; readonly step: Step }): ReactNode {
  const { t, language } = useWords()
  if (props.step.name !== 'data' || props.step.state !== 'now') return null
  const names = props.consent.places.filter(isWaitedFor).map(({ hip }) => hip?.name ?? t('consents.place-unnamed'))
  if (names.length === 0) return null
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' }).format(names)
  return <span>{t('consents.step-data-waiting', { names: list })}</span>
}
