import type { ReactNode } from 'react'
import { LanguageButton } from '../ui/language-sheet.tsx'
import { Page, SkipLink } from '../ui/page.tsx'
import { useWords } from './words.ts'

/** The sandbox console: every message of the sample network, and ways to try what happens when something breaks. */
export function App(): ReactNode {
  const { t } = useWords()
  return (
    <>
      <SkipLink />
      <LanguageButton languages={['en', 'hi', 'ur']} />
      <main id="main" tabIndex={-1}>
        <Page title={t('console.name')}>{null}</Page>
      </main>
    </>
  )
}
