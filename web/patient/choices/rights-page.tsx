import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { ButtonLink } from '../../ui/button.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { useWords } from '../words.ts'
import style from './choices.module.css'
import { ContactFacts } from './contact-facts.tsx'

/** Her rights and where she uses them: the page that every notice leads to (DPDP Rule 3(c)(ii)). */
export function RightsPage(): ReactNode {
  const { t } = useWords()
  return (
    <Page title={t('rights.title')} back={{ to: '/choices', label: t('choices.back') }}>
      <p>{t('rights.intro')}</p>
      <Part title={t('rights.know')}>
        <p>{t('rights.know-text')}</p>
        <p>
          <Link href="/sharing" className={style.reach ?? ''}>
            {t('rights.to-sharing')}
          </Link>
          {' · '}
          <Link href="/looked" className={style.reach ?? ''}>
            {t('rights.to-looked')}
          </Link>
        </p>
      </Part>
      <Part title={t('rights.stop')}>
        <p>{t('rights.stop-text')}</p>
      </Part>
      <Part title={t('rights.correct')}>
        <p>{t('rights.correct-text')}</p>
        <p>
          <Link href="/choices/closing" className={style.reach ?? ''}>
            {t('choices.closing')}
          </Link>
        </p>
      </Part>
      <Part title={t('rights.nominate')}>
        <p>{t('rights.nominate-text')}</p>
      </Part>
      <Part title={t('rights.complain')}>
        <p>{t('rights.complain-text')}</p>
        <div>
          <ButtonLink to="/choices/complain">{t('rights.complain-link')}</ButtonLink>
        </div>
      </Part>
      <ContactFacts />
    </Page>
  )
}
