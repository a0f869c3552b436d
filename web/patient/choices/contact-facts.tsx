import type { ReactNode } from 'react'
import type { Contact } from '../../../src/notices/notices.ts'
import { Facts, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { useWords } from '../words.ts'
import style from './choices.module.css'

/** Who answers questions about her data (DPDP s.6(3), s.8(9)). */
export function ContactFacts(): ReactNode {
  const { t } = useWords()
  const { data } = useCall<Contact>('/v1/contact')
  if (data === undefined) return null
  const { name, email, phone } = data
  return (
    <Part title={t('complain.contact')}>
      <p>
        <bdi>{name}</bdi>
      </p>
      <Facts
        rows={[
          [
            t('complain.email'),
            <a key="email" className={style.reach} href={`mailto:${email}`}>
              <bdi>{email}</bdi>
            </a>,
          ],
          ...(phone === undefined
            ? []
            : [
                [
                  t('complain.phone'),
                  <a key="phone" className={style.reach} href={`tel:${phone.replaceAll(' ', '')}`}>
                    <bdi>{phone}</bdi>
                  </a>,
                ] as const,
              ]),
        ]}
      />
    </Part>
  )
}
