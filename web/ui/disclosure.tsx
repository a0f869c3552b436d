import type { ReactNode } from 'react'
import style from './disclosure.module.css'
import { Icon } from './icon.tsx'

/** A row that opens: its name, what is chosen in a few words, and the detail. Rows with the same `group` open one at a time. */
export function Disclosure(props: {
  readonly label: ReactNode
  readonly summary?: ReactNode
  readonly group?: string
  readonly isOpenFirst?: boolean
  readonly children: ReactNode
}): ReactNode {
  return (
    <details className={style.row} name={props.group} open={props.isOpenFirst}>
      <summary>
        <span className={style.label}>
          <b>{props.label}</b>
          {props.summary === undefined ? null : <span>{props.summary}</span>}
        </span>
        <Icon name="down" />
      </summary>
      <div className={style.body}>{props.children}</div>
    </details>
  )
}
