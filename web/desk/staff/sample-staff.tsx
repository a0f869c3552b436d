import type { ReactNode } from 'react'
import { STAFF_ROLES, type StaffRole } from '../../../src/kernel/staff-role.ts'
import { Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { useWords } from '../words.ts'
import { roleKey } from './model.ts'
import style from './staff.module.css'

/** An invented person of a sandbox. */
export type Sample = {
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  readonly password: string
  readonly code: string
  readonly codeFrom: string
}

const byRole = (one: Sample, other: Sample): number => STAFF_ROLES.indexOf(one.role) - STAFF_ROLES.indexOf(other.role)

/** Whom one may sign in as in a sandbox: one tap fills the form. */
export function SampleStaff(props: { readonly onChosen: (sample: Sample) => void }): ReactNode {
  const { t } = useWords()
  const { data: samples } = useCall<readonly Sample[]>('/v1/desk/sample-staff')
  if (samples === undefined || samples.length === 0) return null
  return (
    <Part title={t('staff.sample-title')}>
      <p>{t('staff.sample-text')}</p>
      <ul className={style.samples}>
        {samples.toSorted(byRole).map((sample) => (
          <li key={sample.login}>
            <button type="button" onClick={() => props.onChosen(sample)}>
              <bdi>{sample.name}</bdi>
              <small>{t(roleKey(sample.role))}</small>
            </button>
          </li>
        ))}
      </ul>
    </Part>
  )
}
