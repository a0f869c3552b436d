import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

export function InboxPage(): ReactNode {
  const { t } = useWords()
  return <Page title={t('app.requests')}>{null}</Page>
}
