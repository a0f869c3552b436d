import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { LinkOffer } from '../../../src/linking/transaction.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './records.module.css'

/** The hospital's own code, which proves to it that this is the person whom it knows. */
export function EnterCode(props: {
  readonly name: string
  readonly linking: string
  readonly offer: LinkOffer
  /** The hospital did not accept the code before. */
  readonly isWrong: boolean
  readonly onSent: () => void
  readonly onNewCode: () => void
}): ReactNode {
  const { t } = useWords()
  const { name, offer } = props
  const [code, setCode] = useState('')
  const [isEmpty, setEmpty] = useState(false)
  const send = useMutation<unknown, Problem>({
    mutationFn: () => call(`/v1/me/linking/${props.linking}/confirm`, { body: { code: code.trim() } }),
    onSuccess: props.onSent,
  })
  const usual = t(offer.communicationMedium === 'EMAIL' ? 'records.link-code-email' : 'records.link-code-mobile')
  const hint = offer.communicationHint?.trim()
  const place = hint === undefined || hint === '' ? usual : hint
  const fault = isEmpty
    ? t('records.link-code-empty')
    : props.isWrong
      ? t('records.link-code-wrong', { name })
      : undefined
  return (
    <form
      className={style.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setEmpty(code.trim() === '')
        if (code.trim() !== '' && !send.isPending) send.mutate()
      }}
    >
      <p>{t('records.link-code-sent', { name, place })}</p>
      <TextField
        label={t('records.link-code')}
        value={code}
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={20}
        onChange={(event) => setCode(event.target.value)}
        {...(fault === undefined ? {} : { fault })}
      />
      {send.error === null ? null : <Trouble error={send.error} />}
      <Button type="submit" look="primary" isWide isBusy={send.isPending}>
        {t('records.link-confirm')}
      </Button>
      <Button look="quiet" icon="refresh" onClick={props.onNewCode}>
        {t('records.link-new-code')}
      </Button>
    </form>
  )
}
