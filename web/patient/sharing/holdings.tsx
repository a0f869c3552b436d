import type { ReactNode } from 'react'
import type { ChainNode } from '../../../src/rights/views.ts'
import { useDates } from '../../ui/dates.ts'
import { useWords } from '../words.ts'
import style from './sharing.module.css'

/** What a place has of me: its own records by type, and how much from others. */
export function Holdings(props: { readonly node: ChainNode }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const { holds, received } = props.node
  return (
    <div className={style.holdings}>
      {holds.length === 0 ? null : (
        <>
          <p>{t('sharing.holds')}</p>
          <ul className={style.lines}>
            {holds.map(({ hiType, count }) => (
              <li key={hiType}>
                <span>{t(`hi-type.${hiType}`)}</span>
                <bdi>{dates.number(count)}</bdi>
              </li>
            ))}
          </ul>
        </>
      )}
      {received === 0 ? null : <p>{tn('sharing.has-received', received)}</p>}
    </div>
  )
}
