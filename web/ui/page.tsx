import { type ReactNode, useEffect, useRef } from 'react'
import { Link } from 'wouter'
import { Icon } from './icon.tsx'
import style from './page.module.css'
import { useAnyWords } from './words.tsx'

/** One page with its one heading, which takes the focus when the page appears: screen readers hear where they are. */
export function Page(props: {
  readonly title: string
  /** What stands small above the heading. */
  readonly above?: ReactNode
  readonly back?: { readonly to: string; readonly label: string }
  readonly actions?: ReactNode
  readonly children: ReactNode
}): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  const { title } = props
  useEffect(() => {
    document.title = title
    heading.current?.focus({ preventScroll: true })
  }, [title])
  return (
    <div className={style.page}>
      {props.back === undefined ? null : (
        <Link href={props.back.to} className={style.back ?? ''}>
          <Icon name="back" />
          {props.back.label}
        </Link>
      )}
      <header className={style.head}>
        <div>
          {props.above === undefined ? null : <p className={style.above}>{props.above}</p>}
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
        </div>
        {props.actions}
      </header>
      {props.children}
    </div>
  )
}

/** A group of things on paper. */
export function Card(props: { readonly children: ReactNode; readonly label?: string }): ReactNode {
  return props.label === undefined ? (
    <div className={style.card}>{props.children}</div>
  ) : (
    <section className={style.card} aria-label={props.label}>
      {props.children}
    </section>
  )
}

/** A part of a page under its own heading. */
export function Part(props: { readonly title: ReactNode; readonly children: ReactNode }): ReactNode {
  return (
    <section className={style.part}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  )
}

/** Names and values, as on a form. */
export function Facts(props: { readonly rows: readonly (readonly [ReactNode, ReactNode])[] }): ReactNode {
  return (
    <dl className={style.facts}>
      {props.rows.map(([name, value], at) => (
        // The rows of one page never change places.
        <div key={at}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** First thing that the keyboard reaches. */
export function SkipLink(): ReactNode {
  const { t } = useAnyWords()
  return (
    <a className={style.skip} href="#main">
      {t('common.skip')}
    </a>
  )
}
