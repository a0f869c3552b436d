import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Icon } from '../../ui/icon.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import type { PatientSession } from '../session.ts'
import { useWords } from '../words.ts'
import { useActFor, useActingFor } from './acting.ts'
import style from './signin.module.css'

/** Above every page of a guardian: whose things these are, and a way to change that. Nothing for whoever acts for nobody else. */
export function ActingBar({ session }: { readonly session: PatientSession }): ReactNode {
  const { t, rich } = useWords()
  const acting = useActingFor()
  const [isOpen, setIsOpen] = useState(false)
  if (session.dependants.length === 0) return null
  const dependant = session.dependants.find(({ abhaAddress }) => abhaAddress === acting)
  return (
    <section
      className={style.acting}
      data-other={dependant === undefined ? undefined : ''}
      aria-label={t('signin.acting-label')}
    >
      <div>
        <p role="status">
          <Icon name={dependant === undefined ? 'person' : 'people'} />
          <span>
            {dependant === undefined ? t('signin.acting-self') : rich('signin.acting-for', { name: dependant.name })}
          </span>
        </p>
        <Button look="quiet" onClick={() => setIsOpen(true)} aria-haspopup="dialog">
          {t('signin.acting-change')}
        </Button>
      </div>
      {isOpen ? <ActingSheet session={session} acting={acting} onClose={() => setIsOpen(false)} /> : null}
    </section>
  )
}

function ActingSheet(props: {
  readonly session: PatientSession
  readonly acting: string | undefined
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const actFor = useActFor()
  const { session, acting, onClose } = props
  const choose = (abhaAddress: string | undefined): void => {
    onClose()
    actFor(abhaAddress)
  }
  return (
    <Sheet title={t('signin.acting-title')} onClose={onClose}>
      <p>{t('signin.acting-text')}</p>
      <ul className={style.people}>
        <li>
          <button type="button" aria-current={acting === undefined || undefined} onClick={() => choose(undefined)}>
            <b>{t('signin.acting-myself')}</b>
            <small>
              <bdi>{session.patient.name}</bdi>
            </small>
          </button>
        </li>
        {session.dependants.map(({ abhaAddress, name, birthDate }) => (
          <li key={abhaAddress}>
            <button
              type="button"
              aria-current={acting === abhaAddress || undefined}
              onClick={() => choose(abhaAddress)}
            >
              <b>
                <bdi>{name}</bdi>
              </b>
              <small>{t('signin.born', { day: dates.day(birthDate) })}</small>
            </button>
          </li>
        ))}
      </ul>
    </Sheet>
  )
}
