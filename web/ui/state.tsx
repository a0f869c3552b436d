import type { ReactNode } from 'react'
import { Icon, type IconName } from './icon.tsx'
import style from './state.module.css'

export type Tone = 'live' | 'waiting' | 'stopped' | 'emergency' | 'calm'
const ICONS: Readonly<Record<Tone, IconName>> = {
  live: 'check',
  waiting: 'clock',
  stopped: 'stop',
  emergency: 'emergency',
  calm: 'info',
}

/** A state is always a word, an icon and a colour. */
export function State(props: {
  readonly tone: Tone
  readonly icon?: IconName
  readonly children: ReactNode
}): ReactNode {
  return (
    <span className={style.state} data-tone={props.tone}>
      <Icon name={props.icon ?? ICONS[props.tone]} size={16} />
      <span>{props.children}</span>
    </span>
  )
}

/** A sentence across the column: what happened, what is safe, what to do now. `isAlert` reads it out at once. */
export function Banner(props: {
  readonly tone: Tone
  readonly icon?: IconName
  readonly isAlert?: boolean
  readonly title?: ReactNode
  readonly children?: ReactNode
}): ReactNode {
  return (
    <div className={style.banner} data-tone={props.tone} role={props.isAlert ? 'alert' : 'status'}>
      <Icon name={props.icon ?? ICONS[props.tone]} size={24} />
      <div>
        {props.title === undefined ? null : <p className={style.title}>{props.title}</p>}
        {props.children}
      </div>
    </div>
  )
}

/** What a list says before it has anything: what will appear, and how to make it appear. */
export function Empty(props: {
  readonly icon: IconName
  readonly title: ReactNode
  readonly children?: ReactNode
}): ReactNode {
  return (
    <div className={style.empty}>
      <Icon name={props.icon} size={32} />
      <p className={style.title}>{props.title}</p>
      {props.children}
    </div>
  )
}

/** Names what is waited for; appears after a moment, so that quick answers do not flicker. */
export function Waiting(props: { readonly children: ReactNode }): ReactNode {
  return (
    <p className={style.waiting} role="status">
      <span className={style.dot} aria-hidden="true" />
      {props.children}
    </p>
  )
}

/** Time left, or work done: `share` from 0 to 1. The words beside it carry the meaning. */
export function Bar(props: { readonly share: number; readonly tone?: Tone }): ReactNode {
  const share = Math.min(1, Math.max(0, props.share))
  return (
    <svg
      className={style.bar}
      data-tone={props.tone ?? 'calm'}
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect width="100" height="4" className={style.rail} />
      <rect width={share * 100} height="4" className={style.fill} />
    </svg>
  )
}
