import { useInfiniteQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { WithheldLooks } from '../../../src/native/me-look-routes.ts'
import type { ChangedLook, LookView, OpeningView, QuestionView } from '../../../src/rights/views.ts'
import { actingFor, call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { AskSheet } from './ask-sheet.tsx'
import { groupsOf } from './groups.ts'
import { LookCard } from './look-card.tsx'
import style from './looked.module.css'
import { Openings } from './openings.tsx'
import { ProofSheet } from './proof-sheet.tsx'
import { Questions } from './questions.tsx'

type Looks = readonly (LookView | ChangedLook)[]
const PAGE = 25

/** Who looked at my records: what stands out first, then day by day; each with its proof, and with a question to the place. */
export function LookedPage(): ReactNode {
  const { t } = useWords()
  const unusual = useCall<readonly LookView[]>('/v1/me/looks/unusual')
  const questions = useCall<readonly QuestionView[]>('/v1/me/questions')
  const withheld = useCall<WithheldLooks>('/v1/me/looks/withheld')
  const looks = useLooks()
  const [proving, prove] = useState<LookView | OpeningView>()
  const [asking, ask] = useState<LookView | OpeningView>()
  const all = looks.data?.pages.flat() ?? []
  const actions = { onProve: prove, onAsk: ask }
  return (
    <Page title={t('looked.title')}>
      {looks.error === null ? null : <Trouble error={looks.error} onAgain={() => void looks.refetch()} />}
      {looks.isPending ? <Waiting>{t('looked.loading')}</Waiting> : null}
      {withheld.data === undefined || withheld.data.count === 0 ? null : (
        <Banner tone="waiting" icon="lock" title={t('looked.withheld-title', { count: withheld.data.count })}>
          <p>{t('looked.withheld-text')}</p>
        </Banner>
      )}
      {looks.data !== undefined && all.length === 0 ? (
        <Empty icon="eye" title={t('looked.empty-title')}>
          <p>{t('looked.empty-text')}</p>
        </Empty>
      ) : null}
      {unusual.data === undefined || unusual.data.length === 0 ? null : (
        <Part title={t('looked.unusual-part')}>
          <p>{t('looked.unusual-text')}</p>
          <LookList looks={unusual.data} hasDay {...actions} />
        </Part>
      )}
      <Questions questions={questions.data ?? []} />
      <Days looks={all} {...actions} />
      {looks.hasNextPage ? (
        <div>
          <Button isBusy={looks.isFetchingNextPage} onClick={() => void looks.fetchNextPage()}>
            {t('looked.more')}
          </Button>
        </div>
      ) : null}
      {/* A broken line is told once. */}
      {looks.error === null ? <Openings {...actions} /> : null}
      {proving === undefined ? null : (
        <ProofSheet id={proving.id} event={proving.event} onClose={() => prove(undefined)} />
      )}
      {asking === undefined ? null : <AskSheet look={asking} onClose={() => ask(undefined)} />}
    </Page>
  )
}

function useLooks() {
  return useInfiniteQuery<Looks, Error, { readonly pages: readonly Looks[] }, readonly unknown[], string | undefined>({
    queryKey: [actingFor() ?? '', '/v1/me/looks'],
    queryFn: ({ pageParam, signal }) =>
      call<Looks>(`/v1/me/looks?limit=${PAGE}${pageParam === undefined ? '' : `&before=${pageParam}`}`, { signal }),
    initialPageParam: undefined,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
  })
}

type Actions = { readonly onProve: (look: LookView) => void; readonly onAsk: (look: LookView) => void }

/** Looks under the day of the device on which they happened. */
function Days(props: Actions & { readonly looks: Looks }): ReactNode {
  const dates = useDates()
  const { looks, ...actions } = props
  const days = new Map<string, (LookView | ChangedLook)[]>()
  let day = ''
  for (const look of looks) {
    // A changed entry has no date that could be read: it stands where it stood.
    if (!('changed' in look)) day = dates.day(look.event.at)
    const own = days.get(day)
    if (own === undefined) days.set(day, [look])
    else own.push(look)
  }
  return [...days].map(([name, own]) => (
    <Part key={name} title={name}>
      <LookList looks={own} {...actions} />
    </Part>
  ))
}

function LookList(props: Actions & { readonly looks: Looks; readonly hasDay?: boolean }): ReactNode {
  const { t } = useWords()
  const { looks, hasDay = false, ...actions } = props
  return (
    <ul className={style.looks}>
      {groupsOf(looks).map((group) => (
        <li key={'changed' in group ? group.id : group[0].id}>
          {'changed' in group ? (
            <Banner tone="stopped" icon="warning" title={t('looked.changed-title')}>
              <p>{t('looked.changed-text')}</p>
            </Banner>
          ) : (
            <LookCard looks={group} hasDay={hasDay} {...actions} />
          )}
        </li>
      ))}
    </ul>
  )
}
