import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { SelectField } from '../../ui/fields.tsx'
import { Lines } from '../../ui/lines.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { Tabs } from '../tabs.tsx'
import { type DeskKey, useWords } from '../words.ts'
import { ErasureRow, type ErasureShown, KeptRow, type KeptShown } from './erasure-row.tsx'
import { HeldRow, type HeldShown } from './held-row.tsx'
import style from './provider.module.css'
import { ServedRow, type ServedShown } from './served-row.tsx'

const LISTS = ['requests', 'consents', 'erasures'] as const
type ListName = (typeof LISTS)[number]

/** What this facility gave away, under which consent, and what it did not; and the copies of others that it deleted. */
export function ProviderPage(): ReactNode {
  const { t } = useWords()
  const [location] = useLocation()
  const [, , name] = location.split('/')
  const list = LISTS.find((each) => each === name) ?? 'requests'
  return (
    <Page title={t('provider.title')}>
      <Tabs
        label={t('provider.title')}
        tabs={LISTS.map((each) => ({
          to: `/provider/${each}`,
          label: t(`provider.tab-${each}`),
          isOpen: each === list,
        }))}
      />
      {list === 'requests' ? <Requests /> : list === 'consents' ? <Consents /> : <Erasures />}
    </Page>
  )
}

const WHATS = ['all', 'open', 'narrowed', 'failed', 'refused'] as const

function Requests(): ReactNode {
  const { t } = useWords()
  const [what, setWhat] = useState<string>('all')
  const answer = useCall<{ readonly requests: readonly ServedShown[] }>(
    `/v1/desk/provider/requests?what=${what}&limit=50`,
  )
  return (
    <>
      <div className={style.filter}>
        <SelectField
          label={t('provider.show')}
          value={what}
          onChange={(event) => setWhat(event.target.value)}
          options={WHATS.map((each) => ({ value: each, label: t(`provider.what-${each}`) }))}
        />
      </div>
      <List answer={answer} list="requests">
        {answer.data?.requests.map((request) => (
          <li key={request.transactionId}>
            <ServedRow request={request} />
          </li>
        ))}
      </List>
    </>
  )
}

const STATUSES = ['all', 'GRANTED', 'REVOKED', 'EXPIRED'] as const

function Consents(): ReactNode {
  const { t } = useWords()
  const [status, setStatus] = useState<string>('all')
  const filter = status === 'all' ? '' : `&status=${status}`
  const answer = useCall<{ readonly consents: readonly HeldShown[] }>(`/v1/desk/provider/consents?limit=50${filter}`)
  return (
    <>
      <div className={style.filter}>
        <SelectField
          label={t('provider.show')}
          value={status}
          onChange={(event) => setStatus(event.target.value)}
          options={STATUSES.map((each) => ({ value: each, label: t(`provider.status-${each}`) }))}
        />
      </div>
      <List answer={answer} list="consents">
        {answer.data?.consents.map((consent) => (
          <li key={consent.consentId}>
            <HeldRow consent={consent} />
          </li>
        ))}
      </List>
    </>
  )
}

function Erasures(): ReactNode {
  const answer = useCall<{ readonly erasures: readonly ErasureShown[]; readonly kept: readonly KeptShown[] }>(
    '/v1/desk/provider/erasures?limit=50',
  )
  const { t } = useWords()
  const { data } = answer
  const deleted = (
    <List answer={answer} list="erasures">
      {data?.erasures.map((erasure) => (
        <li key={erasure.artefact}>
          <ErasureRow erasure={erasure} />
        </li>
      ))}
    </List>
  )
  if (data === undefined || data.kept.length === 0) return deleted
  return (
    <>
      <Part title={t('provider.part-kept')}>
        <Lines>
          {data.kept.map((kept) => (
            <li key={kept.artefact}>
              <KeptRow kept={kept} />
            </li>
          ))}
        </Lines>
      </Part>
      {data.erasures.length === 0 ? null : <Part title={t('provider.part-deleted')}>{deleted}</Part>}
    </>
  )
}

function List(props: {
  readonly answer: Pick<ReturnType<typeof useCall>, 'error' | 'refetch'>
  readonly list: ListName
  readonly children: readonly ReactNode[] | undefined
}): ReactNode {
  const { answer, list, children } = props
  const { t } = useWords()
  if (answer.error !== null) return <Trouble error={answer.error} onAgain={() => void answer.refetch()} />
  if (children === undefined) return <Waiting>{t('provider.loading')}</Waiting>
  if (children.length === 0)
    return (
      <Empty icon="share" title={t(`provider.empty-${list}` as DeskKey)}>
        <p>{t(`provider.empty-${list}-text` as DeskKey)}</p>
      </Empty>
    )
  return <Lines>{children}</Lines>
}
