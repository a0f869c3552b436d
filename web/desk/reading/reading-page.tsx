import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

export function ReadingPage(_props: { readonly reference: string }): ReactNode {
  const { t } = useWords()
  return <Page title={t('desk.patients')}>{null}</Page>
}
