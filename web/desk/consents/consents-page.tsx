import type { ReactNode } from 'react'
import { useLocation } from 'wouter'
import { Lines } from '../../ui/lines.tsx'
import { Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { Tabs } from '../tabs.tsx'
import { useWords } from '../words.ts'
import { ConsentDetail } from './consent-detail.tsx'
import { ConsentRow } from './consent-row.tsx'
import style from './consents.module.css'
import type { Consent } from './model.ts'

const STATES = ['waiting', 'live', 'ended'] as const
type ListState = (typeof STATES)[number]

/** Consents by their state: `/consents`, `/consents/live`, `/consents/live/<id>`. */
export function ConsentsPage(): ReactNode {
  const { t } = useWords()
  const [location] = useLocation()
  const [, , first, open] = location.split('/')
  const state = STATES.find((each) => each === first) ?? 'waiting'
  return (
    <Page title={t('consents.title')}>
      <Tabs
        label={t('consents.title')}
        tabs={STATES.map((each) => ({
          to: `/consents/${each}`,
          label: t(`consents.tab-${each}`),
          isOpen: each === state,
        }))}
      />
      <div className={style.columns}>
        <List state={state} open={open} />
        <div>
          {open === undefined ? (
            <p className={style.quiet}>{t('consents.choose')}</p>
          ) : (
            <ConsentDetail key={open} id={open} />
          )}
        </div>
      </div>
    </Page>
  )
}

function List(props: { readonly state: ListState; readonly open: string | undefined }): ReactNode {
  const { state, open } = props
  const { t } = useWords()
  const { data, error, refetch } = useCall<{ readonly consents: readonly Consent[] }>(
    `/v1/desk/consents?state=${state}`,
  )
  if (error !== null) return <Trouble error={error} onAgain={() => void refetch()} />
  if (data === undefined) return <Waiting>{t('consents.loading')}</Waiting>
  if (data.consents.length === 0)
    return (
      <Empty icon="inbox" title={t(`consents.empty-${state}`)}>
        <p>{t(`consents.empty-${state}-text`)}</p>
      </Empty>
    )
  return (
    <Lines className={style.list} data-has-open={open === undefined ? undefined : ''}>
      {data.consents.map((consent) => (
        <li key={consent.id}>
          <ConsentRow consent={consent} to={`/consents/${state}/${consent.id}`} isOpen={consent.id === open} />
        </li>
      ))}
    </Lines>
  )
}
