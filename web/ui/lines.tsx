import type { ComponentProps, ReactNode } from 'react'
import style from './lines.module.css'

/** A white list with a line between its rows. */
export function Lines({ className = '', ...rest }: ComponentProps<'ul'>): ReactNode {
  return <ul {...rest} className={`${style.lines} ${className}`.trimEnd()} />
}
