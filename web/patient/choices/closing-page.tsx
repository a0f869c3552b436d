import { type ReactNode, useState } from 'react'
import type { ClosedView, ClosingView } from '../../../src/native/me-closing-routes.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Facts, Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Waiting } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { usePatientSession } from '../session.ts'
import { useActingFor } from '../signin/acting.ts'
import { type PatientKey, useWords } from '../words.ts'
import style from './choices.module.css'

/** Closing the account: what it means first, with the day, then the proof (DPDP s.6(4) and (5), s.12). */
export function ClosingPage(): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useCall<ClosingView>('/v1/me/closing')
  return (
    <Page title={t('choices.closing')} back={{ to: '/choices', label: t('choices.back') }}>
      {data !== undefined ? (
        <Closing {...data} />
      ) : error === null ? (
        <Waiting>{t('policies.loading')}</Waiting>
      ) : (
        <Trouble error={error} onAgain={() => void refetch()} />
      )}
    </Page>
  )
}

function Closing(view: ClosingView): ReactNode {
  const { t, language } = useWords()
  const dates = useDates()
  const day = dates.day(new Date(view.keptUntil))
  const number = new Intl.NumberFormat(`${language}-IN`)
  const names = new Intl.ListFormat(`${language}-IN`).format(view.decidesFor)
  const counts: readonly (readonly [PatientKey, number])[] = [
    ['app.sharing', view.sharing],
    ['app.requests', view.waiting],
    ['choices.policies', view.policies],
    ['choices.subscriptions', view.subscriptions],
  ]
  const isBarred = view.decidesFor.length > 0
  const ends = counts.filter(([, count]) => count > 0)
  return (
    <>
      {isBarred ? <p className={style.fault}>{t('choices.closing-decides', { names })}</p> : null}
      <p>{t('choices.closing-intro')}</p>
      {ends.length === 0 ? null : (
        <Part title={t('choices.closing-ends')}>
          <Facts rows={ends.map(([key, count]) => [t(key), number.format(count)] as const)} />
        </Part>
      )}
      <Part title={t('choices.closing-kept')}>
        <p>{t('choices.closing-kept-text', { day })}</p>
      </Part>
      <Part title={t('choices.closing-back')}>
        <p>{t('choices.closing-back-text', { day })}</p>
      </Part>
      {isBarred ? null : <Verbs />}
    </>
  )
}

function Verbs(): ReactNode {
  const { t } = useWords()
  const { session } = usePatientSession()
  const acting = useActingFor()
  const prove = useStepUp()
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const close = async (): Promise<void> => {
    const account = acting ?? session?.patient.abhaAddress
    if (isBusy || account === undefined) return
    setBusy(true)
    setError(undefined)
    try {
      const stepUp = await prove('account.close', account)
      if (stepUp !== undefined) {
        const { keptUntil } = await call<ClosedView>('/v1/me/closing', { body: { stepUp } })
        // Everything on this page was hers: the next one begins without it.
        window.location.assign(`/me/closed?until=${encodeURIComponent(keptUntil)}`)
        return
      }
    } catch (problem) {
      setError(problem)
    }
    setBusy(false)
  }
  return (
    <>
      {error === undefined ? null : <Trouble error={error} />}
      <ButtonRow>
        <Button look="stop" isBusy={isBusy} onClick={() => void close()}>
          {t('choices.closing')}
        </Button>
        <ButtonLink to="/choices">{t('choices.closing-keep')}</ButtonLink>
      </ButtonRow>
    </>
  )
}
