import { type ReactNode, type RefObject, useEffect, useRef } from 'react'
import { plainDigits } from '../../../src/kernel/digits.ts'
import { TextField } from '../../ui/fields.tsx'
import style from './signin.module.css'

/** Six digits from a text message: phones offer them by themselves, pasting works with or without blanks. */
export function CodeField(props: {
  readonly ref: RefObject<HTMLInputElement | null>
  readonly label: string
  readonly hint?: ReactNode
  readonly fault?: string | undefined
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { ref, label, hint, fault, value, onChange } = props
  return (
    <div className={style.code}>
      <TextField
        ref={ref}
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
        onChange={(event) => onChange(plainDigits(event.currentTarget.value).replaceAll(/[^\d\s]/g, ''))}
      />
    </div>
  )
}

/** Focuses the field when it appears: phones offer the code to the field that has the focus. Its label and hint are read out with it. */
export function useCodeFocus(): RefObject<HTMLInputElement | null> {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    input.current?.focus()
  }, [])
  return input
}

/** Whether enough digits stand there to try them. */
export const isWholeCode = (code: string): boolean => code.replaceAll(/\s/g, '').length === 6
