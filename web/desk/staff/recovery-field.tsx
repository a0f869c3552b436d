import type { ReactNode, RefObject } from 'react'
import { TextField } from '../../ui/fields.tsx'
import { useWords } from '../words.ts'
import style from './staff.module.css'

/** A recovery code from paper; dashes, blanks and small letters do not matter. */
export function RecoveryField(props: {
  readonly ref?: RefObject<HTMLInputElement | null>
  readonly fault?: string | undefined
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { t } = useWords()
  const { ref, fault, value, onChange } = props
  return (
    <div className={style.recovery}>
      <TextField
        {...(ref === undefined ? {} : { ref })}
        label={t('account.recovery-code')}
        hint={t('account.recovery-code-hint')}
        {...(fault === undefined ? {} : { fault })}
        name="recovery"
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        required
        dir="ltr"
        maxLength={40}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  )
}
