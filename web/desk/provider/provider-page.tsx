import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

export function ProviderPage(): ReactNode {
  const { t } = useWords()
  return <Page title={t('desk.provider')}>{null}</Page>
}
