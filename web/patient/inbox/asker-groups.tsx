import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { AskerView, RequestRow } from '../../../src/native/me-request-view.ts'
import { useDates } from '../../ui/dates.ts'
import { Icon } from '../../ui/icon.tsx'
import { useWords } from '../words.ts'
import { AskerFacts, iconOfAsker, useSayPerson } from './asker-card.tsx'
import style from './inbox.module.css'
import { sayTypes, sayWhy } from './sentences.ts'

/** Waiting requests by who asks: the asker once, then each request, a link to the page where it is decided, it alone. */
export function AskerGroups(props: { readonly rows: readonly RequestRow[] }): ReactNode {
  const byAsker = Map.groupBy(props.rows, ({ asker }) => asker.id)
  return (
    <ul className={style.list}>
      {[...byAsker].map(([id, rows]) => (
        <li key={id}>
          <AskerGroup rows={rows} />
        </li>
      ))}
    </ul>
  )
}

function AskerGroup({ rows }: { readonly rows: readonly RequestRow[] }): ReactNode {
  const sayPerson = useSayPerson()
  const asker = rows[0]?.asker
  if (asker === undefined) return null
  const people = new Set(rows.map((row) => sayPerson(row.asker.person)))
  return (
    <section className={style.group} aria-labelledby={`asker-${asker.id}`}>
      <header className={style.groupHead}>
        <span className={style.face}>
          <Icon name={iconOfAsker(asker)} size={24} />
        </span>
        <div className={style.who}>
          <h3 id={`asker-${asker.id}`}>
            <bdi>{asker.name}</bdi>
          </h3>
          <AskerFacts asker={asker}>{people.size === 1 ? <p>{sayPerson(asker.person)}</p> : null}</AskerFacts>
        </div>
      </header>
      <ul className={style.asks}>
        {rows.map((row) => (
          <li key={row.id}>
            <Ask row={row} {...(people.size === 1 ? {} : { person: row.asker.person })} />
          </li>
        ))}
      </ul>
    </section>
  )
}

/** What one request is for, and when it came and ends; `person` where not all requests of this asker come from the same. */
function Ask({ row, person }: { readonly row: RequestRow; readonly person?: AskerView['person'] }): ReactNode {
  const words = useWords()
  const dates = useDates()
  const sayPerson = useSayPerson()
  const { t } = words
  return (
    <Link href={`/requests/${row.id}`} className={style.ask ?? ''}>
      <span className={style.rowBody}>
        <span className="visually-hidden">
          <bdi>{row.asker.name}</bdi>
        </span>
        <span className={style.rowName}>{t('inbox.asks-row', { types: sayTypes(words, row.hiTypes) })}</span>
        <span>{sayWhy(words, row.purpose)}</span>
        {person === undefined ? null : <span>{sayPerson(person)}</span>}
        <span className={style.second}>
          <span>{t('request.asked-on', { day: dates.day(row.createdAt) })}</span>
          {' · '}
          <span>{t('inbox.decide-by', { day: dates.day(row.decideBy) })}</span>
        </span>
      </span>
      <Icon name="next" />
    </Link>
  )
}
