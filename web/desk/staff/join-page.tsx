import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

export function JoinPage(_props: { readonly code: string }): ReactNode {
  const { t } = useWords()
  return <Page title={t('desk.name')}>{null}</Page>
}
