import type { ReactNode } from 'react'
import type { StaffRole } from '../../../src/kernel/staff-role.ts'
import { useDates } from '../../ui/dates.ts'
import { Card } from '../../ui/page.tsx'
import { CopyButton } from '../messages/side-view.tsx'
import type { Lane } from '../session.ts'
import { useWords } from '../words.ts'
import style from './people.module.css'

/** An invented person at a desk, as a facility's `GET /v1/sandbox/staff` answers. */
export type StaffMember = {
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  readonly password: string
  /** Good once, and from `codeFrom` on. */
  readonly code: string
  readonly codeFrom: string
}

/** A desk, and what signs its people in. */
export function FacilityStaff(props: { readonly lane: Lane; readonly staff: readonly StaffMember[] }): ReactNode {
  const { t } = useWords()
  const { exactTime } = useDates()
  const { lane } = props
  // By name: passkeys are not for addresses.
  const desk = `${(lane.url ?? '').replace('//127.0.0.1', '//localhost')}/desk`
  return (
    <Card label={lane.name}>
      <header className={style.row}>
        <h3>
          <bdi>{lane.name}</bdi>
        </h3>
        <a href={desk} target="_blank" rel="noreferrer">
          {t('console.open-desk')}
          <span className="visually-hidden"> {lane.name}</span>
        </a>
      </header>
      {props.staff.length === 0 ? <p className={style.hint}>{t('console.no-staff')}</p> : null}
      <ul className={style.patients}>
        {props.staff.map((one) => (
          <li key={one.login} className={style.row}>
            <div>
              <p className={style.name}>
                <bdi>{one.name}</bdi>
              </p>
              <p className={style.hint}>{t(`console.role-${one.role}`)}</p>
            </div>
            <dl className={style.keys}>
              <div>
                <dt>{t('console.login')}</dt>
                <dd>
                  <code>{one.login}</code>
                </dd>
              </div>
              <div>
                <dt>{t('console.password')}</dt>
                <dd>
                  <code>{one.password}</code>
                  <CopyButton label={t('common.copy')} text={one.password} />
                </dd>
              </div>
              <div>
                <dt>{t('console.code')}</dt>
                <dd>
                  <code>{one.code}</code>
                  <CopyButton label={t('common.copy')} text={one.code} />
                </dd>
                <dd className={style.hint}>{t('console.code-from', { time: exactTime(one.codeFrom) })}</dd>
              </div>
            </dl>
          </li>
        ))}
      </ul>
    </Card>
  )
}
