import { type ReactNode, useEffect, useRef } from 'react'
import { TextField } from '../../ui/fields.tsx'
import style from './signin.module.css'

/** Six digits from a text message: phones offer them by themselves, pasting works with or without blanks. */
export function CodeField(props: {
  readonly label: string
  readonly hint?: ReactNode
  readonly fault?: string | undefined
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { label, hint, fault, value, onChange } = props
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // In a sheet; on a page the heading takes the focus after this.
    input.current?.focus()
  }, [])
  return (
    <div className={style.code}>
      <TextField
        ref={input}
        label={label}
        hint={hint}
        {...(fault === undefined ? {} : { fault })}
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        dir="ltr"
        maxLength={20}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value.replaceAll(/[^\d\s]/g, ''))}
      />
    </div>
  )
}

/** Whether enough digits stand there to try them. */
export const isWholeCode = (code: string): boolean => code.replaceAll(/\s/g, '').length === 6
