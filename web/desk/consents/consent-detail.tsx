import type { ReactNode } from 'react'
import { mayDo } from '../../../src/people/rules.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Facts, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, State, type Tone, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import { useStaffSession } from '../session.ts'
import { type DeskKey, useWords } from '../words.ts'
import { useAskName } from './consent-row.tsx'
import style from './consents.module.css'
import { type Consent, type Difference, hasCome, nameOf, type Place, stateOf } from './model.ts'
import { Progress } from './progress.tsx'

/** One consent: where it stands, what was asked, what the patient changed, what came. */
export function ConsentDetail(props: { readonly id: string }): ReactNode {
  const { t } = useWords()
  const { data: consent, error, refetch } = useCall<Consent>(`/v1/desk/consents/${props.id}`)
  if (error !== null) return <Trouble error={error} onAgain={() => void refetch()} />
  if (consent === undefined) return <Waiting>{t('consents.loading')}</Waiting>
  return <Detail consent={consent} />
}

function Detail(props: { readonly consent: Consent }): ReactNode {
  const { consent } = props
  const { t } = useWords()
  const askName = useAskName()
  const [tone, words] = stateOf(consent)
  return (
    <article className={style.detail}>
      <header>
        <h2>
          <bdi>{nameOf(consent)}</bdi>
        </h2>
        <p>{askName(consent)}</p>
        <State tone={tone}>{t(words, { name: nameOf(consent) })}</State>
      </header>
      <Progress consent={consent} />
      {consent.reason === undefined ? null : (
        <Banner tone="calm">
          <p>
            {t(consent.status === 'failed' ? 'consents.reason-failed' : 'consents.reason', { reason: consent.reason })}
          </p>
        </Banner>
      )}
      <Again consent={consent} />
      {consent.places.length === 0 ? null : (
        <Part title={t('consents.places')}>
          <ul className={style.places}>
            {consent.places.map((place, at) => (
              <PlaceRow key={place.hip?.id ?? at} place={place} />
            ))}
          </ul>
        </Part>
      )}
      <Terms consent={consent} />
    </article>
  )
}

/** What may be asked once more, for those whose work it is. */
function Again(props: { readonly consent: Consent }): ReactNode {
  const { consent } = props
  const { t } = useWords()
  const { session } = useStaffSession()
  const act = useAct<'refresh' | 'fetch'>((what) => ({ path: `/v1/desk/consents/${consent.id}/${what}` }))
  const role = session?.staff.role
  if (role === undefined) return null
  const mayAsk = mayDo(role, 'consent.ask')
  const { reference } = consent.patient
  const mayRead = mayDo(role, 'record.read') && reference !== undefined && consent.places.some(hasCome)
  const says = {
    'hiu/too-often': t('consents.too-often'),
    'hiu/not-accepted': t('consents.not-accepted'),
    'hiu/not-granted': t('consents.not-granted'),
  }
  return (
    <>
      <ButtonRow>
        {mayRead ? (
          <ButtonLink look="primary" icon="eye" to={`/patients/${encodeURIComponent(reference)}/read`}>
            {t('consents.read')}
          </ButtonLink>
        ) : null}
        {mayAsk && consent.status === 'granted' ? (
          <Button icon="refresh" isBusy={act.isBusy} onClick={() => act.run('fetch')}>
            {t('consents.fetch')}
          </Button>
        ) : null}
        {mayAsk && consent.status === 'requested' ? (
          <Button icon="refresh" isBusy={act.isBusy} onClick={() => act.run('refresh')}>
            {t('consents.refresh')}
          </Button>
        ) : null}
      </ButtonRow>
      {act.error === null ? null : <Trouble error={act.error} says={says} />}
      {act.isDone ? <Banner tone="calm" title={t('consents.refreshed')} /> : null}
    </>
  )
}

const PLACE_TONES: Readonly<Record<Place['state'], Tone>> = {
  checking: 'waiting',
  waiting: 'waiting',
  coming: 'waiting',
  here: 'live',
  part: 'waiting',
  nothing: 'stopped',
  ended: 'calm',
}

function PlaceRow(props: { readonly place: Place }): ReactNode {
  const { hip, state, documents, reason, againAt } = props.place
  const { t, tn } = useWords()
  const dates = useDates()
  const words =
    state === 'here' || state === 'part'
      ? tn(`consents.place-${state}`, documents)
      : againAt !== undefined
        ? t('consents.place-again', { time: dates.time(againAt) })
        : t(`consents.place-${state}`)
  return (
    <li>
      <b>
        <bdi>{hip?.name ?? hip?.id ?? t('consents.place-unnamed')}</bdi>
      </b>
      <State tone={PLACE_TONES[state]}>{words}</State>
      {reason === undefined || state === 'here' ? null : <small dir="auto">{reason}</small>}
    </li>
  )
}

function Terms(props: { readonly consent: Consent }): ReactNode {
  const { terms, status } = props.consent
  const { t, language } = useWords()
  const dates = useDates()
  if (terms === undefined) return <p className={style.quiet}>{t('consents.hidden')}</p>
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' })
  const types = list.format(terms.hiTypes.map((type) => t(`hi-type.${type}`)))
  return (
    <>
      {status === 'granted' ? (
        <Part title={t('consents.changes')}>
          {terms.differences.length === 0 ? (
            <p>{t('consents.no-changes')}</p>
          ) : (
            <ul className={style.changes}>
              {terms.differences.map((difference) => (
                <li key={difference.kind}>
                  <DifferenceWords difference={difference} />
                </li>
              ))}
            </ul>
          )}
        </Part>
      ) : null}
      <Part title={t('consents.what')}>
        <Facts
          rows={[
            [t('consents.purpose'), t(`purpose.${terms.purpose}` as DeskKey)],
            [t('consents.types'), types],
            [
              t('consents.period'),
              t('consents.period-value', { from: dates.shortDay(terms.from), to: dates.shortDay(terms.to) }),
            ],
            [t('consents.keep'), dates.day(terms.keepUntil)],
            [t('consents.where'), terms.hip?.name ?? terms.hip?.id ?? t('consents.everywhere')],
          ]}
        />
      </Part>
    </>
  )
}

function DifferenceWords(props: { readonly difference: Difference }): ReactNode {
  const { difference } = props
  const { t, language } = useWords()
  const dates = useDates()
  switch (difference.kind) {
    case 'types': {
      const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' })
      return t('consents.change-types', { types: list.format(difference.without.map((type) => t(`hi-type.${type}`))) })
    }
    case 'from':
    case 'to':
    case 'keep':
      return t(`consents.change-${difference.kind}`, {
        asked: dates.shortDay(difference.asked),
        given: dates.shortDay(difference.given),
      })
    case 'frequency':
      return t('consents.change-frequency')
  }
}
