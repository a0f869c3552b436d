import type { ReactNode } from 'react'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Card, Facts, Page } from '../../ui/page.tsx'
import { State } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import type { ConsoleSession, Lane } from '../session.ts'
import { type Fault, type PartyState, useAct, useConsoleState } from '../state.ts'
import { useWords } from '../words.ts'
import { BreakForm } from './break-form.tsx'
import style from './parties.module.css'

/** Every party, how it is broken on purpose, and the switches. */
export function PartiesPage(props: { readonly session: ConsoleSession }): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useConsoleState()
  const parties = props.session.lanes.filter(({ id }) => props.session.steered.includes(id))
  return (
    <Page title={t('console.parties')}>
      <p>{t('console.parties-text')}</p>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      <div className={style.grid}>
        {parties.map((party) => (
          <Party key={party.id} party={party} state={data?.parties.find(({ id }) => id === party.id)} />
        ))}
      </div>
    </Page>
  )
}

function Party(props: { readonly party: Lane; readonly state: PartyState | undefined }): ReactNode {
  const { t } = useWords()
  const { party, state } = props
  const { moment } = useDates()
  const act = useAct()
  const faults = state?.state?.faults ?? []
  const base = `/v1/console/parties/${party.id}`
  return (
    <Card label={party.name}>
      <header className={style.head}>
        <h2>
          <bdi>{party.name}</bdi>
        </h2>
        {party.shutOutAt === undefined ? (
          <PartyWord state={state} />
        ) : (
          <State tone="stopped">{t('console.shut-out-since', { when: moment(party.shutOutAt) })}</State>
        )}
      </header>
      <Facts
        rows={[
          [t('console.id'), <code key="id">{party.id}</code>],
          [
            t('console.address'),
            <code key="url" dir="ltr">
              {party.url}
            </code>,
          ],
        ]}
      />
      {party.shutOutAt === undefined ? null : <p>{t('console.shut-out-text')}</p>}
      {faults.map((fault) => (
        <FaultLine
          key={fault.id}
          fault={fault}
          onMend={() => act.mutate({ path: `${base}/faults/${fault.id}`, options: { method: 'DELETE' } })}
        />
      ))}
      {act.error === null ? null : <Trouble error={act.error} />}
      {party.shutOutAt === undefined ? (
        <Disclosure label={t('console.break')}>
          <BreakForm party={party} />
        </Disclosure>
      ) : null}
      <ButtonRow>
        <Button
          look="quiet"
          icon="refresh"
          isBusy={act.isPending}
          onClick={() => act.mutate({ path: `${base}/hurry`, options: { body: {} } })}
        >
          {t('console.try-now')}
        </Button>
      </ButtonRow>
    </Card>
  )
}

function PartyWord(props: { readonly state: PartyState | undefined }): ReactNode {
  const { t } = useWords()
  const { state } = props
  if (state === undefined) return null
  if (state.state === undefined) return <State tone="stopped">{t('console.party-silent')}</State>
  return state.state.faults.length === 0 ? (
    <State tone="live">{t('console.party-works')}</State>
  ) : (
    <State tone="emergency" icon="warning">
      {t('console.party-broken')}
    </State>
  )
}

function FaultLine(props: { readonly fault: Fault; readonly onMend: () => void }): ReactNode {
  const { t, tn } = useWords()
  const { time } = useDates()
  const { fault } = props
  return (
    <div className={style.fault}>
      <div>
        <p className={style.kind}>{t(`console.fault-${fault.kind}`)}</p>
        <p className={style.hint}>
          {fault.path === undefined ? t('console.all-paths') : t('console.only-path', { path: fault.path })}{' '}
          {fault.times === undefined
            ? t('console.until', { time: time(fault.until) })
            : tn('console.times-left', fault.times - fault.struck, { time: time(fault.until) })}{' '}
          {tn('console.struck', fault.struck)}
        </p>
      </div>
      <Button look="plain" onClick={props.onMend}>
        {t('console.mend')}
      </Button>
    </div>
  )
}
