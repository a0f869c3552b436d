import type { ComponentProps, ReactNode } from 'react'
import { Link } from 'wouter'
import style from './button.module.css'
import { Icon, type IconName } from './icon.tsx'

type Look = 'primary' | 'plain' | 'quiet' | 'stop' | 'emergency' | 'emergency-primary'

/** A verb. `isBusy` keeps it from being pressed twice and says that it works. */
export function Button(
  props: {
    readonly look?: Look
    readonly icon?: IconName
    readonly isBusy?: boolean
    readonly isWide?: boolean
    readonly children: ReactNode
  } & Omit<ComponentProps<'button'>, 'className' | 'style'>,
): ReactNode {
  const { look = 'plain', icon, isBusy = false, isWide = false, children, onClick, ...rest } = props
  return (
    <button
      type="button"
      {...rest}
      className={style.button}
      data-look={look}
      data-wide={isWide || undefined}
      aria-busy={isBusy || undefined}
      aria-disabled={isBusy || undefined}
      onClick={(event) => (isBusy ? event.preventDefault() : onClick?.(event))}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      <span>{children}</span>
    </button>
  )
}

/** A way to another page that looks like a button. */
export function ButtonLink(props: {
  readonly to: string
  readonly look?: Look
  readonly icon?: IconName
  readonly isWide?: boolean
  readonly children: ReactNode
}): ReactNode {
  return (
    <Link
      href={props.to}
      className={style.button ?? ''}
      data-look={props.look ?? 'plain'}
      data-wide={props.isWide || undefined}
    >
      {props.icon === undefined ? null : <Icon name={props.icon} />}
      <span>{props.children}</span>
    </Link>
  )
}

/** Buttons beside one another; below one another where there is no room. */
export function ButtonRow(props: { readonly children: ReactNode }): ReactNode {
  return <div className={style.row}>{props.children}</div>
}
