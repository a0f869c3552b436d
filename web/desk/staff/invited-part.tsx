import { type ReactNode, useState } from 'react'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Banner } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import type { Invited } from './model.ts'
import style from './staff.module.css'

/** The link of an invitation, to be handed over: it is shown this once. */
export function InvitedPart(props: {
  readonly name: string
  readonly invited: Invited
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const [isCopied, setIsCopied] = useState(false)
  const { link, expiresAt } = props.invited
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(link)
    setIsCopied(true)
  }
  return (
    <>
      <Banner tone="waiting" title={t('staff.invited-title', { name: props.name })}>
        <p>{t('staff.invited-text', { moment: dates.moment(expiresAt) })}</p>
      </Banner>
      <div>
        <p>{t('staff.link')}</p>
        <code className={style.key} dir="ltr">
          {link}
        </code>
      </div>
      <ButtonRow>
        <Button look="primary" icon={isCopied ? 'check' : 'copy'} onClick={() => void copy()}>
          {isCopied ? t('staff.copied') : t('staff.copy')}
        </Button>
        <Button onClick={props.onClose}>{t('staff.done')}</Button>
      </ButtonRow>
    </>
  )
}
