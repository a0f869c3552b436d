import { type ReactNode, useRef, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import type { RequestView } from '../../../src/native/me-request-view.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { usePerson } from '../person.ts'
import { usePatientSession } from '../session.ts'
import { type PatientKey, useWords } from '../words.ts'
import { AskerCard } from './asker-card.tsx'
import { type Choice, countChosen, isLess, wholeChoice } from './choice.ts'
import { DenySheet } from './deny-sheet.tsx'
import style from './inbox.module.css'
import { NoticeStep, type ShownNotice } from './notice-step.tsx'
import { ReadAloud } from './read-aloud.tsx'
import { WhatRow, WhereRow } from './scope-rows.tsx'
import { sayAsk, saysOf, sayTypes, sayWhy } from './sentences.ts'
import { KeepRow, WhenRow } from './time-rows.tsx'
import { useDecide } from './use-decide.ts'

/**
 * A request that waits. What the person chooses outlives the step to the notice and back: the step stands in the address, so that the back
 * button of the device takes one step back and loses nothing.
 */
export function OpenRequest(props: { readonly request: RequestView; readonly first: Choice | undefined }): ReactNode {
  const { request } = props
  const [choice, setChoice] = useKeptChoice(request, props.first)
  const [notice, setNotice] = useState<ShownNotice>()
  const decide = useDecide(request)
  const isNotice = new URLSearchParams(useSearch()).get('step') === 'notice'
  if (isNotice && countChosen(request, choice) > 0)
    return <NoticeStep request={request} choice={choice} notice={notice} onShown={setNotice} decide={decide} />
  return <RequestForm request={request} choice={choice} onChange={setChoice} decide={decide} />
}

/** Also outlives a reload of the tab: what was taken away does not come back by itself. */
function useKeptChoice(request: RequestView, first: Choice | undefined): readonly [Choice, (choice: Choice) => void] {
  const place = `amanat.choice.${usePerson() ?? ''}.${request.id}`
  const [choice, setChoice] = useState((): Choice => {
    const kept = sessionStorage.getItem(place)
    return first ?? (kept === null ? wholeChoice(request) : (JSON.parse(kept) as Choice))
  })
  const keep = (next: Choice): void => {
    sessionStorage.setItem(place, JSON.stringify(next))
    setChoice(next)
  }
  return [choice, keep]
}

function RequestForm(props: {
  readonly request: RequestView
  readonly choice: Choice
  readonly onChange: (choice: Choice) => void
  readonly decide: ReturnType<typeof useDecide>
}): ReactNode {
  const words = useWords()
  const dates = useDates()
  const { t } = words
  const { request, decide } = props
  const [isDenying, setDenying] = useState(false)
  const rows = useRef<HTMLDivElement>(null)
  const sentence = sayAsk(words, request)
  const aloud = [
    sentence,
    sayWhy(words, request.purpose),
    t('request.keep-value', { day: dates.day(request.permission.dataEraseAt) }),
  ]
  return (
    <Page
      title={request.asker.name}
      above={t('request.asked-on', { day: dates.day(request.createdAt) })}
      back={{ to: '/', label: t('request.back') }}
    >
      <ForWhom />
      {decide.error === undefined ? null : <Trouble error={decide.error} says={saysOf(t)} />}
      <AskerCard asker={request.asker} />
      <p className={style.sentence}>{sentence}</p>
      <p>{sayWhy(words, request.purpose)}</p>
      <ReadAloud text={aloud.join(' ')} />
      <div className={style.rows} ref={rows}>
        <WhatRow {...props} />
        <WhenRow {...props} />
        <WhereRow {...props} />
        <KeepRow {...props} />
      </div>
      <Reasons request={request} />
      <Footer
        {...props}
        onLess={() => openFirst(rows.current)}
        onDeny={() => {
          decide.forget()
          setDenying(true)
        }}
      />
      {isDenying ? <DenySheet asker={request.asker} decide={decide} onClose={() => setDenying(false)} /> : null}
    </Page>
  )
}

/** Opens the first row and takes the person there. */
function openFirst(rows: HTMLElement | null): void {
  const first = rows?.querySelector('details')
  if (!first) return
  first.open = true
  const summary = first.querySelector('summary')
  summary?.focus()
  summary?.scrollIntoView({ block: 'start' })
}

/** A guardian always sees for whom. */
function ForWhom(): ReactNode {
  const { t } = useWords()
  const person = usePerson()
  const { session } = usePatientSession()
  const child = session?.dependants.find(({ abhaAddress }) => abhaAddress === person)
  return child === undefined ? null : (
    <Banner tone="calm" icon="people" title={t('request.for-child', { name: child.name })} />
  )
}

function Reasons({ request }: { readonly request: RequestView }): ReactNode {
  const words = useWords()
  const dates = useDates()
  const { t } = words
  return (
    <div className={style.rows}>
      <Disclosure label={t('request.reason-title')}>
        <p>{sayWhy(words, request.purpose)}</p>
        <p>{t('request.reason-other')}</p>
      </Disclosure>
      <Disclosure label={t('request.no-title')}>
        <p>{t(`request.no-${request.purpose}` as PatientKey)}</p>
      </Disclosure>
      {request.others.length === 0 ? null : (
        <Disclosure label={t('request.others-title')}>
          <ul className={style.others}>
            {request.others.map(({ request: other, hip, hiTypes, until }) => (
              <li key={`${other}:${hip.id}`}>
                {t('request.others-row', { types: sayTypes(words, hiTypes), place: hip.name, day: dates.day(until) })}
              </li>
            ))}
          </ul>
        </Disclosure>
      )}
    </div>
  )
}

function Footer(props: {
  readonly request: RequestView
  readonly choice: Choice
  readonly onChange: (choice: Choice) => void
  readonly onLess: () => void
  readonly onDeny: () => void
}): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const [, navigate] = useLocation()
  const { request, choice, onChange } = props
  const count = countChosen(request, choice)
  const hasLess = isLess(request, choice)
  const says = count === 0 ? t('request.chosen-none') : tn('request.chosen', count, { day: dates.day(choice.until) })
  const isEmpty = request.providers.every(({ contexts }) => contexts.length === 0)
  return (
    <div className={style.footer} data-verbs>
      {isEmpty ? (
        <p>
          {t('request.where-none')} <ButtonLink to="/records/link">{t('request.where-link')}</ButtonLink>
        </p>
      ) : (
        <p className={style.second} role="status">
          {says}
        </p>
      )}
      <div className={style.verbs}>
        <Button look="primary" disabled={count === 0} onClick={() => navigate(`/requests/${request.id}?step=notice`)}>
          {t(hasLess ? 'request.allow-chosen' : 'request.allow')}
        </Button>
        {hasLess ? (
          <Button onClick={() => onChange(wholeChoice(request))}>{t('request.as-asked')}</Button>
        ) : isEmpty ? null : (
          <Button onClick={props.onLess}>{t('request.allow-less')}</Button>
        )}
        <Button look="stop" onClick={props.onDeny}>
          {t('request.deny')}
        </Button>
      </div>
    </div>
  )
}
