import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { RequestRow } from '../../../src/native/me-request-view.ts'
import { useDates } from '../../ui/dates.ts'
import { Icon } from '../../ui/icon.tsx'
import { State, type Tone } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import { iconOfAsker } from './asker-card.tsx'
import style from './inbox.module.css'
import { sayTypes } from './sentences.ts'

const TONES: Readonly<Record<RequestRow['status'], Tone>> = {
  REQUESTED: 'waiting',
  GRANTED: 'live',
  DENIED: 'stopped',
  REVOKED: 'stopped',
  EXPIRED: 'calm',
}

/** Decided requests as rows; each is a link to its page. */
export function RequestRows(props: { readonly rows: readonly RequestRow[] }): ReactNode {
  return (
    <ul className={style.list}>
      {props.rows.map((row) => (
        <li key={row.id}>
          <Row row={row} />
        </li>
      ))}
    </ul>
  )
}

function Row({ row }: { readonly row: RequestRow }): ReactNode {
  const words = useWords()
  const dates = useDates()
  const { t } = words
  return (
    <Link href={`/requests/${row.id}`} className={style.row ?? ''}>
      <span className={style.face}>
        <Icon name={iconOfAsker(row.asker)} size={24} />
      </span>
      <span className={style.rowBody}>
        <span className={style.rowName}>
          <bdi>{row.asker.name}</bdi>
        </span>
        <span>{t('inbox.asks-row', { types: sayTypes(words, row.hiTypes) })}</span>
        <span className={style.badges}>
          <State tone={TONES[row.status]}>{t(`inbox.state.${row.status}`)}</State>
        </span>
        <span className={style.second}>
          {row.status === 'REQUESTED'
            ? t('inbox.decide-by', { day: dates.day(row.decideBy) })
            : dates.moment(row.changedAt)}
        </span>
      </span>
      <Icon name="next" />
    </Link>
  )
}
