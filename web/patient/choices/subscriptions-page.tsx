import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { SubscriptionView } from '../../../src/native/me-subscription-routes.ts'
import { actingFor, call, type Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Page, Part } from '../../ui/page.tsx'
import { Empty, State, type Tone, Waiting } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { type PatientKey, useWords } from '../words.ts'
import style from './choices.module.css'
import { useAct } from './use-act.ts'

type Status = SubscriptionView['status']
type Verb = 'approve' | 'deny' | 'disable' | 'enable'

const TONES: Readonly<Record<Status, Tone>> = {
  requested: 'waiting',
  granted: 'live',
  revoked: 'stopped',
  denied: 'stopped',
}
const SAYS: Readonly<Record<Status, PatientKey>> = {
  requested: 'subscriptions.asks',
  granted: 'subscriptions.told',
  revoked: 'subscriptions.not-told',
  denied: 'subscriptions.not-told',
}
const VERBS: Readonly<Record<Status, readonly (readonly [Verb, PatientKey, 'primary' | 'plain' | 'stop'])[]>> = {
  requested: [
    ['approve', 'subscriptions.approve', 'primary'],
    ['deny', 'subscriptions.deny', 'stop'],
  ],
  granted: [['disable', 'subscriptions.stop', 'stop']],
  revoked: [['enable', 'subscriptions.resume', 'plain']],
  denied: [],
}

/** Who is told, or asks to be told, when she has new records. */
export function SubscriptionsPage(): ReactNode {
  const { t } = useWords()
  const pages = usePages()
  const { data, error, refetch, isPending } = pages
  // One that moved meanwhile may stand on two pages.
  const items = [...new Map(data?.pages.flatMap((page) => page.items.map((one) => [one.id, one]))).values()]
  const waiting = items.filter(({ status }) => status === 'requested')
  const decided = items.filter(({ status }) => status !== 'requested')
  return (
    <Page title={t('choices.subscriptions')} back={{ to: '/choices', label: t('choices.back') }}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {isPending ? <Waiting>{t('subscriptions.loading')}</Waiting> : null}
      {data !== undefined && items.length === 0 ? (
        <Empty icon="inbox" title={t('subscriptions.empty-title')}>
          <p>{t('subscriptions.empty')}</p>
        </Empty>
      ) : (
        <p>{t('subscriptions.intro')}</p>
      )}
      <Group title={t('subscriptions.waiting')} items={waiting} />
      <Group title={t('subscriptions.decided')} items={decided} />
      {pages.hasNextPage ? (
        <Button isWide isBusy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t('inbox.more')}
        </Button>
      ) : null}
    </Page>
  )
}

type Rows = { readonly items: readonly SubscriptionView[]; readonly size: number }

/** Every page that was asked for so far. */
function usePages() {
  const path = '/v1/me/subscriptions?limit=100'
  return useInfiniteQuery<Rows, Problem, { readonly pages: readonly Rows[] }, readonly unknown[], number>({
    queryKey: [actingFor() ?? '', path],
    queryFn: ({ pageParam, signal }) => call<Rows>(`${path}&offset=${pageParam}`, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, all) => {
      const read = all.reduce((sum, { items }) => sum + items.length, 0)
      return last.items.length > 0 && read < last.size ? read : undefined
    },
  })
}

function Group(props: { readonly title: string; readonly items: readonly SubscriptionView[] }): ReactNode {
  if (props.items.length === 0) return null
  return (
    <Part title={props.title}>
      <ul className={style.list}>
        {props.items.map((subscription) => (
          <li key={subscription.id}>
            <Subscription subscription={subscription} />
          </li>
        ))}
      </ul>
    </Part>
  )
}

function Subscription({ subscription }: { readonly subscription: SubscriptionView }): ReactNode {
  const { t, language } = useWords()
  const dates = useDates()
  const { busyWith, error, act } = useAct()
  const prove = useStepUp()
  const { id, hiu, status, hips } = subscription
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' })
  return (
    <article className={style.card} aria-label={hiu.name}>
      <div className={style.head}>
        <b>
          <bdi>{hiu.name}</bdi>
        </b>
        <State tone={TONES[status]}>{t(`subscriptions.${status}`)}</State>
      </div>
      <p>{t(SAYS[status], { asker: hiu.name })}</p>
      {subscription.isUnconfirmed ? <p>{t('subscriptions.unconfirmed')}</p> : null}
      <ul>
        {hiu.isLocker ? <li>{t('subscriptions.locker')}</li> : null}
        {subscription.categories.map((category) => (
          <li key={category}>{t(`subscriptions.${category}` as PatientKey)}</li>
        ))}
        <li>
          {hips.length === 0
            ? t('subscriptions.from-all')
            : t('subscriptions.from', { places: list.format(hips.map(({ name }) => name)) })}
        </li>
        <li>{t('subscriptions.until', { day: dates.day(subscription.until) })}</li>
      </ul>
      {error === undefined ? null : (
        <Trouble
          error={error}
          says={{
            'linking/subscription-acted-on': t('subscriptions.already'),
            'linking/subscription-state': t('subscriptions.already'),
          }}
        />
      )}
      {VERBS[status].length === 0 ? null : (
        <ButtonRow>
          {VERBS[status].map(([verb, words, look]) => (
            <Button
              key={verb}
              look={look}
              isBusy={busyWith === verb}
              onClick={() =>
                void act(verb, async () => {
                  // Who begins to be told, or is told again, takes a proof; stopping does not.
                  const isStart = verb === 'approve' || verb === 'enable'
                  const stepUp = isStart ? await prove('policy.save', id) : undefined
                  if (isStart && stepUp === undefined) return
                  await call(`/v1/me/subscriptions/${id}/${verb}`, { body: isStart ? { stepUp } : {} })
                })
              }
            >
              {t(words)}
            </Button>
          ))}
        </ButtonRow>
      )}
    </article>
  )
}
