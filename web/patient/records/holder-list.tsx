import type { ReactNode } from 'react'
import type { FetchHolder } from '../../../src/native/me-record-routes.ts'
import { isWaiting } from '../../../src/transfer/own-fetch.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Bar, State, type Tone } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './records.module.css'

const TONES: Readonly<Record<FetchHolder['status'], Tone>> = {
  asking: 'waiting',
  requested: 'waiting',
  preparing: 'waiting',
  receiving: 'waiting',
  complete: 'live',
  partial: 'stopped',
  empty: 'calm',
  failed: 'stopped',
  stopped: 'stopped',
}

/** Each hospital by name, and how far it is. What went wrong stays in sight; what went well folds away. */
export function HolderList(props: { readonly holders: readonly FetchHolder[]; readonly isLong: boolean }): ReactNode {
  const { t, tn } = useWords()
  const { holders, isLong } = props
  const waiting = holders.filter(({ status }) => isWaiting(status))
  const troubled = holders.filter(({ status }) => status === 'failed' || status === 'partial' || status === 'stopped')
  const done = holders.length - waiting.length
  return (
    <div className={style.holders}>
      {waiting.length === 0 ? null : (
        <section aria-label={t('records.hospitals')} className={style.waiting}>
          <ul className={style.list} aria-live="polite">
            {waiting.map((holder) => (
              <HolderRow key={holder.hip.id} holder={holder} />
            ))}
          </ul>
          {isLong ? (
            <>
              <Bar share={done / holders.length} tone="waiting" />
              <p>{t('records.progress', { done, all: holders.length })}</p>
              <p className={style.muted}>{t('records.long')}</p>
            </>
          ) : null}
        </section>
      )}
      {troubled.length === 0 ? null : (
        <section aria-label={t('records.hospitals')} className={style.waiting}>
          <ul className={style.list} aria-live="polite">
            {troubled.map((holder) => (
              <HolderRow key={holder.hip.id} holder={holder} />
            ))}
          </ul>
        </section>
      )}
      {waiting.length > 0 || done === troubled.length ? null : (
        <Disclosure label={t('records.hospitals')} summary={tn('records.hospitals-done', done - troubled.length)}>
          <ul className={style.list}>
            {holders
              .filter((holder) => !troubled.includes(holder))
              .map((holder) => (
                <HolderRow key={holder.hip.id} holder={holder} />
              ))}
          </ul>
        </Disclosure>
      )}
    </div>
  )
}

function HolderRow({ holder }: { readonly holder: FetchHolder }): ReactNode {
  const { t, rich } = useWords()
  const { hip, status, reason } = holder
  const name = hip.name
  return (
    <li className={style.holder}>
      <b>{isWaiting(status) ? rich('records.waiting-for', { name }) : <bdi>{name}</bdi>}</b>
      <State tone={TONES[status]}>
        <StatusWords holder={holder} />
      </State>
      {reason === undefined ? null : <p>{t(`records.reason.${reason.code}`, { name })}</p>}
      {reason?.says === undefined || reason.code !== 'declined' ? null : (
        <p className={style.muted}>{t('records.their-words', { words: reason.says })}</p>
      )}
    </li>
  )
}

function StatusWords({ holder }: { readonly holder: FetchHolder }): ReactNode {
  const { t, tn } = useWords()
  const { status, entriesReceived, pagesReceived, pagesAnnounced = 1 } = holder
  switch (status) {
    case 'receiving':
      return t('records.state.receiving', { n: pagesReceived, all: pagesAnnounced })
    case 'complete':
      return tn('records.state.complete', entriesReceived)
    case 'partial':
      return tn('records.state.partial', entriesReceived)
    case 'asking':
    case 'requested':
    case 'preparing':
    case 'empty':
    case 'failed':
    case 'stopped':
      return t(`records.state.${status}`)
  }
}
