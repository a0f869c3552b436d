import type { ReactNode } from 'react'
import { Link } from 'wouter'
import style from './tabs.module.css'

/** Lists of one kind beside one another; each has an address of its own. */
export function Tabs(props: {
  readonly label: string
  readonly tabs: readonly { readonly to: string; readonly label: string; readonly isOpen: boolean }[]
}): ReactNode {
  return (
    <nav className={style.tabs} aria-label={props.label}>
      {props.tabs.map(({ to, label, isOpen }) => (
        <Link key={to} href={to} aria-current={isOpen ? 'page' : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  )
}
