import { type ReactNode, useId } from 'react'
import style from './record-table.module.css'

export type Column<R> = {
  readonly label: string
  readonly isNumber?: true
  /** Null where there is nothing to say. */
  readonly cell: (row: R) => ReactNode
}

/** Some browsers (Safari before 17) forget the roles of a table whose `display` is changed; so they are written out. */
const ROLES = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  column: { role: 'columnheader' },
  head: { role: 'rowheader' },
  cell: { role: 'cell' },
} as const

/**
 * A table on wide pages; on a phone each row becomes a block with its labels.  A column in which no row says anything is left out. The first column names the row.
 */
export function RecordTable<R>(props: {
  readonly caption: string
  readonly columns: readonly Column<R>[]
  readonly rows: readonly R[]
  readonly foot?: ReactNode
}): ReactNode {
  const id = useId()
  const { rows } = props
  const cells = rows.map((row) => props.columns.map(({ cell }) => cell(row)))
  const isUsed = (at: number): boolean => at === 0 || cells.some((row) => !isNothing(row[at]))
  return (
    <table {...ROLES.table} className={style.table} aria-labelledby={id}>
      <caption className="visually-hidden" id={id}>
        {props.caption}
      </caption>
      <thead {...ROLES.group}>
        <tr {...ROLES.row}>
          {props.columns.map(({ label, isNumber }, at) =>
            isUsed(at) ? (
              <th key={label} {...ROLES.column} scope="col" data-number={isNumber ? '' : undefined}>
                {label}
              </th>
            ) : null,
          )}
        </tr>
      </thead>
      <tbody {...ROLES.group}>
        {cells.map((row, rowAt) => (
          // The rows of a document never change places.
          <tr {...ROLES.row} key={rowAt}>
            {props.columns.map((column, at) => (isUsed(at) ? cellOf(column, row[at], at) : null))}
          </tr>
        ))}
      </tbody>
      {props.foot}
    </table>
  )
}

function cellOf<R>({ label, isNumber }: Column<R>, content: ReactNode, at: number): ReactNode {
  const marks = { 'data-number': isNumber ? '' : undefined, 'data-nothing': isNothing(content) ? '' : undefined }
  if (at === 0)
    return (
      <th key={label} {...ROLES.head} scope="row" {...marks}>
        {content}
      </th>
    )
  return (
    <td key={label} {...ROLES.cell} {...marks}>
      <span className={style.label} aria-hidden="true">
        {label}
      </span>
      <span className={style.content}>{content}</span>
    </td>
  )
}

const isNothing = (content: ReactNode): boolean => content === null || content === undefined || content === ''
