import type { ReactNode } from 'react'
import { Page } from '../../ui/page.tsx'
import { useAnyWords } from '../../ui/words.tsx'
import type { StaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { roleKey } from './model.ts'
import style from './staff.module.css'

/** What stands in place of the day's work until a second person has confirmed the account: why, and whom to ask. */
export function UnconfirmedPage({
  unconfirmed,
}: {
  readonly unconfirmed: NonNullable<StaffSession['unconfirmed']>
}): ReactNode {
  const { t } = useWords()
  const { language } = useAnyWords()
  const names = unconfirmed.people.map(({ name, role }) => `${name} (${t(roleKey(role))})`)
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'disjunction' }).format(names)
  return (
    <Page title={t('staff.unconfirmed')}>
      <div className={style.narrow}>
        <p>{t('staff.unconfirmed-text')}</p>
        <p>{names.length === 0 ? t('staff.unconfirmed-operator') : t('staff.unconfirmed-people', { names: list })}</p>
      </div>
    </Page>
  )
}
