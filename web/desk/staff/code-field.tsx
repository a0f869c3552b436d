import type { ReactNode, RefObject } from 'react'
import { plainDigits } from '../../../src/kernel/digits.ts'
import { TextField } from '../../ui/fields.tsx'
import { useWords } from '../words.ts'
import style from './staff.module.css'

/** Six digits of the authenticator app; pasting works with or without blanks. */
export function CodeField(props: {
  readonly ref?: RefObject<HTMLInputElement | null>
  readonly fault?: string | undefined
  readonly hint?: ReactNode
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { t } = useWords()
  const { ref, fault, hint, value, onChange } = props
  return (
    <div className={style.code}>
      <TextField
        {...(ref === undefined ? {} : { ref })}
        label={t('staff.code')}
        hint={hint ?? t('staff.code-hint')}
        {...(fault === undefined ? {} : { fault })}
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        dir="ltr"
        maxLength={12}
        value={value}
        onChange={(event) => onChange(plainDigits(event.currentTarget.value).replaceAll(/[^\d\s]/g, ''))}
      />
    </div>
  )
}

/** Whether enough digits stand there to try them. */
export const isWholeCode = (code: string): boolean => code.replaceAll(/\s/g, '').length === 6
