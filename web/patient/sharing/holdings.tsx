import type { ReactNode } from 'react'
import type { ChainNode } from '../../../src/rights/views.ts'
import { useDates } from '../../ui/dates.ts'
import { Icon } from '../../ui/icon.tsx'
import { useWords } from '../words.ts'
import style from './sharing.module.css'

/** More types than these fold away under their sum. */
const TYPES_SHOWN_MAX = 3

/** What a place has of me: its own records by type, and how much from others. */
export function Holdings(props: { readonly node: ChainNode }): ReactNode {
  const { t, tn } = useWords()
  const { holds, received } = props.node
  const own = holds.reduce((total, { count }) => total + count, 0)
  return (
    <div className={style.holdings}>
      {holds.length === 0 ? null : holds.length <= TYPES_SHOWN_MAX ? (
        <>
          <p>{t('sharing.holds')}</p>
          <Types holds={holds} />
        </>
      ) : (
        <details className={style.types}>
          <summary>
            {tn('sharing.box-own', own)}
            <Icon name="down" />
          </summary>
          <Types holds={holds} />
        </details>
      )}
      {received === 0 ? null : <p>{tn('sharing.has-received', received)}</p>}
    </div>
  )
}

/** Each type with its number beside it, as many on a line as fit. */
function Types(props: { readonly holds: ChainNode['holds'] }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  return (
    <ul className={style.counts}>
      {props.holds.map(({ hiType, count }) => (
        <li key={hiType}>
          {t(`hi-type.${hiType}`)} <b>{dates.number(count)}</b>
        </li>
      ))}
    </ul>
  )
}
