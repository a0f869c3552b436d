import type { ReactNode } from 'react'
import { ButtonLink } from '../../ui/button.tsx'
import { Card } from '../../ui/page.tsx'
import { useWords } from '../words.ts'

/** The way from "My choices" to signing in and display. */
export function AccountLink(): ReactNode {
  const { t } = useWords()
  return (
    <Card>
      <p>{t('signin.account-text')}</p>
      <div>
        <ButtonLink to="/choices/account" icon="key">
          {t('signin.account-title')}
        </ButtonLink>
      </div>
    </Card>
  )
}
