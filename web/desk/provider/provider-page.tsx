import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { SelectField } from '../../ui/fields.tsx'
import { Lines } from '../../ui/lines.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { More, usePages } from '../../ui/pages.tsx'
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

const PAGE_WORDS = { limit: '50' }
const WHATS = ['all', 'open', 'narrowed', 'failed', 'refused'] as const

function Requests(): ReactNode {
  const { t } = useWords()
  const [what, setWhat] = useState<string>('all')
  const pages = usePages<{ readonly requests: readonly ServedShown[]; readonly next?: string }>(
    '/v1/desk/provider/requests',
    'before',
    { ...PAGE_WORDS, what },
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
      <List key={what} pages={pages} list="requests">
        {pages.data?.pages
          .flatMap(({ requests }) => requests)
          .map((request) => (
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
  const pages = usePages<{ readonly consents: readonly HeldShown[]; readonly next?: string }>(
    '/v1/desk/provider/consents',
    'before',
    status === 'all' ? PAGE_WORDS : { ...PAGE_WORDS, status },
  )
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
      <List key={status} pages={pages} list="consents">
        {pages.data?.pages
          .flatMap(({ consents }) => consents)
          .map((consent) => (
            <li key={consent.consentId}>
              <HeldRow consent={consent} />
            </li>
          ))}
      </List>
    </>
  )
}

function Erasures(): ReactNode {
  const { t } = useWords()
  const deleted = usePages<{ readonly erasures: readonly ErasureShown[]; readonly next?: string }>(
    '/v1/desk/provider/erasures',
    'before',
    PAGE_WORDS,
  )
  const sealed = usePages<{ readonly kept: readonly KeptShown[]; readonly next?: string }>(
    '/v1/desk/provider/kept',
    'after',
    PAGE_WORDS,
  )
  const kept = sealed.data?.pages.flatMap((page) => page.kept)
  const erasures = deleted.data?.pages.flatMap((page) => page.erasures)
  const list = (
    <List pages={kept === undefined ? sealed : deleted} list="erasures">
      {kept === undefined
        ? undefined
        : erasures?.map((erasure) => (
            <li key={erasure.artefact}>
              <ErasureRow erasure={erasure} />
            </li>
          ))}
    </List>
  )
  if (kept === undefined || kept.length === 0) return list
  return (
    <>
      <Part title={t('provider.part-kept')}>
        <List pages={sealed} list="erasures">
          {kept.map((copy) => (
            <li key={copy.artefact}>
              <KeptRow kept={copy} />
            </li>
          ))}
        </List>
      </Part>
      {erasures?.length === 0 ? null : <Part title={t('provider.part-deleted')}>{list}</Part>}
    </>
  )
}

function List(props: {
  readonly pages: Parameters<typeof More>[0]['pages'] & { readonly refetch: () => unknown }
  readonly list: ListName
  readonly children: readonly ReactNode[] | undefined
}): ReactNode {
  const { pages, list, children } = props
  const { t } = useWords()
  if (pages.error !== null && !pages.isFetchNextPageError)
    return <Trouble error={pages.error} onAgain={() => void pages.refetch()} />
  if (children === undefined) return <Waiting>{t('provider.loading')}</Waiting>
  if (children.length === 0)
    return (
      <Empty icon="share" title={t(`provider.empty-${list}` as DeskKey)}>
        <p>{t(`provider.empty-${list}-text` as DeskKey)}</p>
      </Empty>
    )
  return (
    <>
      <Lines>{children}</Lines>
      <More pages={pages} />
    </>
  )
}
