import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { AccountLink } from '../signin/account-link.tsx'
import { useWords } from '../words.ts'

export function ChoicesPage(): ReactNode {
  const { t } = useWords()
  return (
    <Page title={t('app.choices')}>
      <AccountLink />
    </Page>
  )
}
