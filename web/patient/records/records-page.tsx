import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

export function RecordsPage(): ReactNode {
  const { t } = useWords()
  return <Page title={t('app.records')}>{null}</Page>
}
