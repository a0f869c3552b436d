import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { Hospital } from '../../../src/native/me-linking-routes.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './records.module.css'

/** Says what the hospital is told, then asks it. */
export function AskHospital(props: {
  readonly hospital: Hospital
  readonly onAsked: (linking: string) => void
  readonly onOther: () => void
}): ReactNode {
  const { t } = useWords()
  const { hospital, onAsked } = props
  const [number, setNumber] = useState('')
  const ask = useMutation<{ readonly id: string }, Problem>({
    mutationFn: () => {
      const value = number.trim()
      const identifiers = value === '' ? [] : [{ type: 'MR', value }]
      return call('/v1/me/linking', { body: { hip: hospital.id, identifiers } })
    },
    onSuccess: ({ id }) => onAsked(id),
  })
  return (
    <form
      className={style.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (!ask.isPending) ask.mutate()
      }}
    >
      <p>{t('records.link-ask-text', { name: hospital.name })}</p>
      <TextField
        label={t('records.link-number')}
        hint={t('records.link-number-hint')}
        value={number}
        maxLength={100}
        autoComplete="off"
        onChange={(event) => setNumber(event.target.value)}
      />
      {ask.error === null ? null : <Trouble error={ask.error} />}
      <Button type="submit" look="primary" isWide isBusy={ask.isPending}>
        {t('records.link-ask', { name: hospital.name })}
      </Button>
      <Button look="quiet" onClick={props.onOther}>
        {t('records.link-other')}
      </Button>
    </form>
  )
}
