import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

export function StaffPage(): ReactNode {
  const { t } = useWords()
  return <Page title={t('desk.staff')}>{null}</Page>
}
