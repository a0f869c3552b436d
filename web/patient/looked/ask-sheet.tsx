import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { LookView, QuestionView } from '../../../src/rights/views.ts'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { TextArea } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'

const CHARS_MAX = 2_000

/** A question to the place about one look (DPDP s.13): written, numbered, with a day by which it is answered. */
export function AskSheet(props: {
  readonly look: Pick<LookView, 'id' | 'facility'>
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { look, onClose } = props
  const client = useQueryClient()
  const [text, setText] = useState('')
  const [isEmpty, setEmpty] = useState(false)
  const [key] = useState(() => crypto.randomUUID())
  const ask = useMutation({
    mutationFn: () => call<QuestionView>(`/v1/me/looks/${look.id}/question`, { body: { text }, key }),
    onSuccess: () => client.invalidateQueries(),
  })
  const send = (): void => {
    setEmpty(text.trim() === '')
    if (text.trim() !== '') ask.mutate()
  }
  const title = t('looked.ask-title', { name: look.facility.name })
  if (ask.data !== undefined)
    return (
      <Sheet title={title} onClose={onClose}>
        <Banner tone="live" isAlert title={t('looked.ask-sent')}>
          <p>{t('looked.ask-number', { number: ask.data.number, day: dates.day(ask.data.dueAt) })}</p>
        </Banner>
      </Sheet>
    )
  return (
    <Sheet
      title={title}
      onClose={onClose}
      actions={
        <Button look="primary" isBusy={ask.isPending} onClick={send}>
          {t('looked.ask-send')}
        </Button>
      }
    >
      <p>{t('looked.ask-text')}</p>
      <TextArea
        label={t('looked.ask-field')}
        hint={t('looked.ask-hint')}
        {...(isEmpty ? { fault: t('looked.ask-empty') } : {})}
        value={text}
        maxLength={CHARS_MAX}
        rows={5}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {ask.error === null ? null : (
        <Trouble error={ask.error} says={{ 'request/too-many': t('looked.ask-too-many') }} onAgain={send} />
      )}
    </Sheet>
  )
}
