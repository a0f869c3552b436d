import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Card, Part } from '../../ui/page.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { roleKey, type StaffRow } from './model.ts'
import style from './staff.module.css'

/** Accounts that wait and that this person may confirm; nothing when there are none. */
export function ConfirmPart(props: { readonly waiting: readonly StaffRow[]; readonly count: number }): ReactNode {
  const { waiting, count } = props
  const { t } = useWords()
  const [chosen, setChosen] = useState<StaffRow>()
  if (waiting.length === 0) return null
  return (
    <Part title={t('staff.confirm-title')}>
      <p>{t('staff.confirm-text')}</p>
      {waiting.map((person) => (
        <Card key={person.id}>
          <div>
            <b>
              <bdi>{person.name}</bdi>
            </b>{' '}
            <small>
              <bdi>{person.login}</bdi> · {t(roleKey(person.role))}
            </small>
          </div>
          <div>
            <Button look="primary" onClick={() => setChosen(person)} aria-haspopup="dialog">
              {t('staff.confirm-person', { name: person.name })}
            </Button>
          </div>
        </Card>
      ))}
      {count > waiting.length ? <p>{t('staff.confirm-more', { n: count - waiting.length })}</p> : null}
      {chosen === undefined ? null : <ConfirmSheet person={chosen} onClose={() => setChosen(undefined)} />}
    </Part>
  )
}

function ConfirmSheet(props: { readonly person: StaffRow; readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const prove = useStepUp()
  const client = useQueryClient()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const { person, onClose } = props
  const { id, name, role } = person
  const confirm = async (): Promise<void> => {
    setIsBusy(true)
    setProblem(undefined)
    try {
      const stepUp = await prove('staff.confirm', id)
      if (stepUp === undefined) return
      await call(`/v1/desk/staff/${id}/confirm`, { body: { stepUp } })
      onClose()
      await client.invalidateQueries()
    } catch (error) {
      setProblem(error)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <Sheet title={t('staff.confirm-person', { name })} onClose={onClose}>
      <div className={style.form}>
        <p>{t('staff.confirm-say', { name, role: t(roleKey(role)) })}</p>
        {problem === undefined ? null : (
          <Trouble
            error={problem}
            says={{
              'staff/not-yours-to-confirm': t('staff.confirm-not-yours'),
              'staff/not-now': t('staff.not-now'),
            }}
          />
        )}
        <ButtonRow>
          <Button look="primary" isBusy={isBusy} onClick={() => void confirm()}>
            {t('staff.confirm-now')}
          </Button>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
        </ButtonRow>
      </div>
    </Sheet>
  )
}
