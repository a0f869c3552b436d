import { type DragEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { checkReceipt, type ReceiptCheck } from '../../src/audit/receipt-check.ts'
import { Button } from '../ui/button.tsx'
import { Disclosure } from '../ui/disclosure.tsx'
import { TextArea } from '../ui/fields.tsx'
import { Icon } from '../ui/icon.tsx'
import { LanguageButton } from '../ui/language-sheet.tsx'
import { Page, SkipLink } from '../ui/page.tsx'
import { Result } from './result.tsx'
import style from './verify.module.css'
import { useWords } from './words.ts'

/** More than any receipt has; a wrong file must not hold the page up. */
const CHARS_MAX = 200_000

/** Checks a receipt in the browser of whoever holds it. Nothing of it leaves the page. */
export function App(): ReactNode {
  const { t } = useWords()
  const [check, setCheck] = useState<ReceiptCheck | undefined>()
  return (
    <div className={style.frame}>
      <SkipLink />
      <header className={style.top}>
        <span className={style.brand}>
          <Icon name="proof" size={24} />
          {t('verify.name')}
        </span>
        <LanguageButton languages={['en', 'hi', 'ur']} />
      </header>
      <main id="main" tabIndex={-1}>
        <Page title={t('verify.title')}>
          <p>{t('verify.lead')}</p>
          <Ask onCheck={setCheck} />
          <Answer check={check} />
        </Page>
      </main>
    </div>
  )
}

/** The receipt, and the keys that the reader knows; what is checked is forgotten when either changes. */
function Ask({ onCheck }: { readonly onCheck: (check: ReceiptCheck | undefined) => void }): ReactNode {
  const { t } = useWords()
  const [receipt, setReceipt] = useState('')
  const [policy, setPolicy] = useState('')
  const change = (text: string): void => {
    setReceipt(text)
    onCheck(undefined)
  }
  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return
    const text = file.size > CHARS_MAX ? '' : await file.text()
    setReceipt(text)
    onCheck(checkReceipt(text, policy))
  }
  return (
    <form
      className={style.ask}
      onSubmit={(event) => {
        event.preventDefault()
        onCheck(checkReceipt(receipt.slice(0, CHARS_MAX), policy))
      }}
    >
      <Drop onFile={take}>
        <TextArea
          label={t('verify.receipt')}
          hint={t('verify.receipt-hint')}
          rows={6}
          spellCheck={false}
          autoComplete="off"
          value={receipt}
          onChange={(event) => change(event.target.value)}
        />
      </Drop>
      <Disclosure label={t('verify.keys')} summary={t('verify.keys-summary')}>
        <div className={style.keys}>
          <TextArea
            label={t('verify.policy')}
            hint={t('verify.policy-hint')}
            rows={5}
            spellCheck={false}
            autoComplete="off"
            value={policy}
            onChange={(event) => {
              setPolicy(event.target.value)
              onCheck(undefined)
            }}
          />
        </div>
      </Disclosure>
      <div>
        <Button type="submit" look="primary" icon="proof">
          {t('verify.check')}
        </Button>
      </div>
    </form>
  )
}

/** Where a file can be dropped, or chosen. */
function Drop(props: {
  readonly onFile: (file: File | undefined) => Promise<void>
  readonly children: ReactNode
}): ReactNode {
  const { t } = useWords()
  const [isOver, setIsOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const over = (is: boolean) => (event: DragEvent) => {
    event.preventDefault()
    setIsOver(is)
  }
  return (
    <div
      className={style.drop}
      data-over={isOver || undefined}
      onDragOver={over(true)}
      onDragLeave={over(false)}
      onDrop={(event) => {
        over(false)(event)
        void props.onFile(event.dataTransfer.files[0])
      }}
    >
      <div className={style.buttons}>
        <Button icon="record" onClick={() => input.current?.click()}>
          {t('verify.choose-file')}
        </Button>
        <input
          ref={input}
          type="file"
          accept="application/json,.json"
          hidden
          aria-label={t('verify.choose-file')}
          onChange={(event) => void props.onFile(event.target.files?.[0])}
        />
      </div>
      {props.children}
    </div>
  )
}

/** The result comes into sight, and is read out, when it is there. */
function Answer({ check }: { readonly check: ReceiptCheck | undefined }): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (check !== undefined) place.current?.scrollIntoView({ block: 'start' })
  }, [check])
  return (
    <div ref={place} aria-live="polite">
      {check === undefined ? null : <Result check={check} />}
    </div>
  )
}
