import type { ReactNode } from 'react'
import { useDates } from '../../ui/dates.ts'
import { State } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './provider.module.css'

/** A copy of records of others that was deleted here. */
export type ErasureShown = {
  readonly artefact: string
  readonly abhaAddress: string
  readonly reason: 'REVOKED' | 'EXPIRED' | 'DENIED'
  readonly documents: number
  readonly erasedAt: string
  readonly attestationRefused?: string
}

export function ErasureRow(props: { readonly erasure: ErasureShown }): ReactNode {
  const { erasure } = props
  const { t, tn, rich } = useWords()
  const dates = useDates()
  const { attestationRefused } = erasure
  return (
    <article className={style.row}>
      <div className={style.head}>
        <p>{rich('provider.erasure-line', { patient: <b>{erasure.abhaAddress}</b> })}</p>
        <State tone={attestationRefused === undefined ? 'live' : 'stopped'}>
          {attestationRefused === undefined
            ? t('provider.proof-sent')
            : t('provider.proof-refused', { reason: attestationRefused })}
        </State>
      </div>
      <p className={style.quiet}>
        <span>{t('provider.erased-on', { when: dates.moment(erasure.erasedAt) })}</span>
        <span>{tn('provider.erased', erasure.documents)}</span>
        <span>{t(`provider.reason-${erasure.reason}`)}</span>
      </p>
    </article>
  )
}

/** A copy whose consent has ended and that a law keeps, sealed. */
export type KeptShown = {
  readonly artefact: string
  readonly abhaAddress: string
  readonly ended: ErasureShown['reason']
  readonly until: string
  readonly for: 'clinical-records' | 'processing-records' | 'legal-claim'
  readonly law: string
}

export function KeptRow(props: { readonly kept: KeptShown }): ReactNode {
  const { kept } = props
  const { t, rich } = useWords()
  const dates = useDates()
  return (
    <article className={style.row}>
      <div className={style.head}>
        <p>{rich('provider.kept-line', { patient: <b>{kept.abhaAddress}</b> })}</p>
        <State tone="calm" icon="lock">
          {t('provider.kept-until', { when: dates.day(kept.until) })}
        </State>
      </div>
      <p>{t(`provider.kept-${kept.for}`)}</p>
      <p className={style.quiet}>
        <span lang="en">
          <bdi>{kept.law}</bdi>
        </span>
      </p>
      <p className={style.quiet}>{t(`provider.reason-${kept.ended}`)}</p>
    </article>
  )
}
