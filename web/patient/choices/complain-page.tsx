import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { Page, Part } from '../../ui/page.tsx'
import { useWords } from '../words.ts'
import style from './choices.module.css'
import { ContactFacts } from './contact-facts.tsx'

/** First us, then the Data Protection Board (DPDP s.13(3), Rule 3(c)(iii)). */
export function ComplainPage(): ReactNode {
  const { t } = useWords()
  return (
    <Page title={t('complain.title')} back={{ to: '/choices/rights', label: t('rights.title') }}>
      <Part title={t('complain.first')}>
        <p>{t('complain.first-text')}</p>
        <p>
          {t('complain.looked')}{' '}
          <Link href="/looked" className={style.reach ?? ''}>
            {t('rights.to-looked')}
          </Link>
        </p>
      </Part>
      <ContactFacts />
      <Part title={t('complain.then')}>
        <p>{t('complain.board')}</p>
        <p>{t('complain.board-keep')}</p>
      </Part>
    </Page>
  )
}
