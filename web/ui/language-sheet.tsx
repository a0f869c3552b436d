import { type ReactNode, useState } from 'react'
import { LANGUAGES } from '../../src/notices/languages.ts'
import { Button } from './button.tsx'
import style from './language-sheet.module.css'
import type { Language } from './languages.ts'
import { Sheet } from './sheet.tsx'
import { useAnyWords } from './words.tsx'

/** Opens the list of languages; each stands under its own name, in its own script. */
export function LanguageButton(props: {
  readonly languages: readonly Language[]
  readonly onChosen?: (language: Language) => void
  readonly look?: 'quiet' | 'plain'
}): ReactNode {
  const { t, language, choose } = useAnyWords()
  const [isOpen, setIsOpen] = useState(false)
  return (
    <>
      <Button look={props.look ?? 'quiet'} icon="language" onClick={() => setIsOpen(true)} aria-haspopup="dialog">
        <span className="visually-hidden">{t('common.language')}: </span>
        <span className="language-name">{LANGUAGES[language].name}</span>
      </Button>
      {isOpen ? (
        <Sheet title={t('common.choose-language')} onClose={() => setIsOpen(false)}>
          <ul className={style.list}>
            {props.languages.map((code) => (
              <li key={code}>
                <button
                  type="button"
                  lang={code}
                  aria-current={code === language || undefined}
                  onClick={() => {
                    choose(code)
                    props.onChosen?.(code)
                    setIsOpen(false)
                  }}
                >
                  <span className="language-name">{LANGUAGES[code].name}</span>
                  <small lang="en" dir="ltr">
                    {LANGUAGES[code].english}
                  </small>
                </button>
              </li>
            ))}
          </ul>
        </Sheet>
      ) : null}
    </>
  )
}
