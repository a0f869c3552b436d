import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

export function ReviewsPage(): ReactNode {
  const { t } = useWords()
  return <Page title={t('desk.reviews')}>{null}</Page>
}
