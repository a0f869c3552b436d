import { type ReactNode, useId } from 'react'
import style from './record-table.module.css'

export type Column<R> = {
  readonly label: string
  readonly isNumber?: true
  /** Null where there is nothing to say. */
  readonly cell: (row: R) => ReactNode
}

/**
 * A table on wide pages; on a phone each row becomes a block with its labels. The roles are written out, since a changed `display` takes
 * them away. A column in which no row says anything is left out. The first column names the row.
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
    <table role="table" className={style.table} aria-labelledby={id}>
      <caption className="visually-hidden" id={id}>
        {props.caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          {props.columns.map(({ label, isNumber }, at) =>
            isUsed(at) ? (
              <th key={label} role="columnheader" scope="col" data-number={isNumber ? '' : undefined}>
                {label}
              </th>
            ) : null,
          )}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {cells.map((row, rowAt) => (
          // The rows of a document never change places.
          <tr role="row" key={rowAt}>
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
      <th key={label} role="rowheader" scope="row" {...marks}>
        {content}
      </th>
    )
  return (
    <td key={label} role="cell" {...marks}>
      <span className={style.label} aria-hidden="true">
        {label}
      </span>
      <span className={style.content}>{content}</span>
    </td>
  )
}

const isNothing = (content: ReactNode): boolean => content === null || content === undefined || content === ''
