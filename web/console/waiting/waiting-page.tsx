import type { ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Card, Page } from '../../ui/page.tsx'
import { More } from '../../ui/pages.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import type { ConsoleSession } from '../session.ts'
import { type Job, useAct, useConsoleState } from '../state.ts'
import { useWords } from '../words.ts'
import { useLaterJobs } from './later-jobs.ts'
import style from './waiting.module.css'

/** What waits to leave each party, and dead letters. */
export function WaitingPage(props: { readonly session: ConsoleSession }): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useConsoleState()
  const act = useAct()
  const parties = (data?.parties ?? []).map(({ id, state }) => ({
    id,
    name: props.session.lanes.find((lane) => lane.id === id)?.name ?? id,
    jobs: state?.jobs ?? [],
  }))
  const busy = parties.filter(({ jobs }) => jobs.length > 0)
  return (
    <Page title={t('console.waiting')}>
      <p>{t('console.waiting-text')}</p>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {act.error === null ? null : <Trouble error={act.error} />}
      {data === undefined ? (
        error === null && <Waiting>{t('common.loading')}</Waiting>
      ) : busy.length === 0 ? (
        <Empty icon="queue" title={t('console.nothing-waits')}>
          <p>{t('console.nothing-waits-text')}</p>
        </Empty>
      ) : null}
      {busy.map(({ id, name, jobs }) => (
        <PartyJobs key={id} party={id} name={name} first={jobs} act={act} />
      ))}
    </Page>
  )
}

function PartyJobs(props: {
  readonly party: string
  readonly name: string
  readonly first: readonly Job[]
  readonly act: ReturnType<typeof useAct>
}): ReactNode {
  const { t } = useWords()
  const { party, name, first, act } = props
  const later = useLaterJobs(party, first)
  const jobs = [...first, ...later.jobs]
  const base = `/v1/console/parties/${party}`
  return (
    <Card label={name}>
      <header className={style.head}>
        <h2>
          <bdi>{name}</bdi>
        </h2>
        {jobs.some(({ attempts }) => attempts > 0) ? (
          <Button
            icon="refresh"
            isBusy={act.isPending}
            onClick={() => act.mutate({ path: `${base}/hurry`, options: { body: {} } })}
          >
            {t('console.try-now')}
          </Button>
        ) : null}
      </header>
      <ul className={style.jobs}>
        {jobs.map((job) => (
          <li key={job.id}>
            <JobRow
              job={job}
              onPutBack={() => act.mutate({ path: `${base}/jobs/${job.id}/redeliver`, options: { body: {} } })}
            />
          </li>
        ))}
      </ul>
      <More pages={later.pages} />
    </Card>
  )
}

function JobRow(props: { readonly job: Job; readonly onPutBack: () => void }): ReactNode {
  const { t, tn } = useWords()
  const { exactTime } = useDates()
  const { job } = props
  const isDead = job.status === 'dead'
  return (
    <div className={style.job}>
      <div>
        <p>
          <code dir="ltr">
            {job.kind} {job.path}
          </code>
        </p>
        <p>
          {isDead ? (
            <State tone="stopped">{t('console.dead-letter')}</State>
          ) : (
            <State tone="waiting">{t('console.waits-until', { time: exactTime(job.runAt) })}</State>
          )}
        </p>
        {job.attempts === 0 ? null : <p className={style.hint}>{tn('console.tried', job.attempts)}</p>}
        {job.lastError === null ? null : (
          <p className={style.hint}>
            <bdi dir="ltr">{job.lastError}</bdi>
          </p>
        )}
      </div>
      {isDead ? <Button onClick={props.onPutBack}>{t('console.put-back')}</Button> : null}
    </div>
  )
}
