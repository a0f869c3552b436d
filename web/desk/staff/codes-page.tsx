import { type ReactNode, useState } from 'react'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './staff.module.css'

/** New recovery codes, this once, alone on the page: so it is printed. */
export function CodesPage(props: {
  readonly codes: readonly string[]
  readonly login: string
  readonly facility: string
  readonly onDone: () => void
}): ReactNode {
  const { t } = useWords()
  const [isCopied, setIsCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.codes.join('\n'))
    setIsCopied(true)
  }
  return (
    <Page title={t('account.recovery-new')}>
      <div className={style.narrow}>
        <Banner tone="waiting" title={t('account.recovery-once')}>
          <p>{t('account.recovery-once-text')}</p>
        </Banner>
        <p>
          <bdi>{props.facility}</bdi> · <bdi>{props.login}</bdi>
        </p>
        <ol className={style.codes} dir="ltr">
          {props.codes.map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
        <ButtonRow>
          <Button look="primary" icon="print" onClick={() => window.print()}>
            {t('account.print')}
          </Button>
          <Button icon={isCopied ? 'check' : 'copy'} onClick={() => void copy()}>
            {isCopied ? t('staff.copied') : t('account.copy-codes')}
          </Button>
          <Button onClick={props.onDone}>{t('account.recovery-kept')}</Button>
        </ButtonRow>
      </div>
    </Page>
  )
}
