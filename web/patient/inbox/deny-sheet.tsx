import { type ReactNode, useState } from 'react'
import type { AskerView } from '../../../src/native/me-request-view.ts'
import { Button } from '../../ui/button.tsx'
import { TextArea } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import type { Decide } from './use-decide.ts'

const REASON_CHARS_MAX = 255

/** The consequence, a reason if she wants to give one, and the verb. */
export function DenySheet(props: {
  readonly asker: AskerView
  readonly decide: Decide
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const [reason, setReason] = useState('')
  const { asker, decide, onClose } = props
  return (
    <Sheet
      title={t('deny.title')}
      onClose={onClose}
      actions={
        <>
          <Button
            look="stop"
            isBusy={decide.isBusy}
            onClick={() => void decide.deny(reason.replaceAll(/\s+/g, ' ').trim())}
          >
            {t('deny.send')}
          </Button>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
        </>
      }
    >
      {decide.error === undefined ? null : <Trouble error={decide.error} />}
      <p>{t('deny.consequence', { asker: asker.name })}</p>
      <TextArea
        label={t('deny.reason')}
        hint={t('deny.reason-hint', { asker: asker.name })}
        maxLength={REASON_CHARS_MAX}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
    </Sheet>
  )
}
