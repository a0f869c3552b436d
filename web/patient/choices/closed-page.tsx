import type { ReactNode } from 'react'
import { useSearch } from 'wouter'
import { ButtonLink } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'
import { ContactFacts } from './contact-facts.tsx'

/** After closing: until when it can be opened again, and by whom. Nobody needs to be signed in to read it. */
export function ClosedPage(): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const until = new Date(new URLSearchParams(useSearch()).get('until') ?? '')
  return (
    <Page title={t('choices.closing-done')}>
      {Number.isNaN(until.getTime()) ? null : <p>{t('choices.closing-done-text', { day: dates.day(until) })}</p>}
      <ContactFacts />
      <div>
        <ButtonLink to="/">{t('common.go-home')}</ButtonLink>
      </div>
    </Page>
  )
}
