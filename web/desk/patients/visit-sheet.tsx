import { type ReactNode, useState } from 'react'
import { attendantOf } from '../../../src/desk/rules.ts'
import { UNITS, VISIT_KINDS, type VisitKind } from '../../../src/desk/visit.ts'
import type { Id } from '../../../src/kernel/id.ts'
import type { FacilityPatient } from '../../../src/records/patient.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Choices, Tick } from '../../ui/fields.tsx'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import type { StaffSession } from '../session.ts'
import { type DeskKey, useWords } from '../words.ts'
import type { Visit } from './model.ts'

type Colleagues = { readonly people: readonly { readonly id: string; readonly name: string; readonly role: string }[] }

/** Begins a visit, or changes who attends the open one. */
export function VisitSheet(props: {
  readonly patient: FacilityPatient
  readonly visit: Visit | undefined
  readonly session: StaffSession
  readonly onClose: () => void
}): ReactNode {
  const { patient, visit, session, onClose } = props
  const { t } = useWords()
  const own = attendantOf({ id: session.staff.id as Id<'staff'>, role: session.staff.role })
  const before = (visit?.attendants ?? []).filter(({ until }) => until === undefined).map(({ id }) => id)
  const [kind, setKind] = useState<VisitKind>('outpatient')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    new Set(visit === undefined && own !== undefined ? [own] : before),
  )
  const save = useAct<void>(() => {
    if (visit === undefined)
      return { path: '/v1/desk/visits', body: { patient: patient.reference, kind, attendants: [...chosen] } }
    const add = [...chosen].filter((id) => !before.includes(id))
    return {
      path: `/v1/desk/visits/${visit.id}/attendants`,
      body: { add, remove: before.filter((id) => !chosen.has(id)) },
    }
  }, onClose)
  const turn = (id: string): void => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    setChosen(next)
  }
  const { name } = patient
  const says = { 'desk/visit-open': t('visit.open-already'), 'desk/visit-ended': t('visit.over') }
  return (
    <Sheet
      title={t('visit.start-title', { name })}
      onClose={onClose}
      actions={
        <ButtonRow>
          <Button look="primary" isBusy={save.isBusy} onClick={() => save.run()}>
            {t(visit === undefined ? 'visit.start' : 'visit.change-save')}
          </Button>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
        </ButtonRow>
      }
    >
      <p>{t('visit.start-say', { name })}</p>
      {visit === undefined ? (
        <Choices legend={t('visit.kind')}>
          {VISIT_KINDS.map((each) => (
            <Tick
              key={each}
              kind="radio"
              name="visit-kind"
              label={t(`visit.kind-${each}`)}
              checked={kind === each}
              onChange={() => setKind(each)}
            />
          ))}
        </Choices>
      ) : null}
      <Attendants chosen={chosen} onTurn={turn} own={visit === undefined ? own : undefined} />
      {save.error === null ? null : <Trouble error={save.error} says={says} />}
    </Sheet>
  )
}

function Attendants(props: {
  readonly chosen: ReadonlySet<string>
  readonly onTurn: (id: string) => void
  /** Who begins a visit attends it. */
  readonly own: string | undefined
}): ReactNode {
  const { chosen, onTurn, own } = props
  const { t } = useWords()
  const { data, error } = useCall<Colleagues>('/v1/desk/colleagues')
  if (error !== null) return <Trouble error={error} />
  if (data === undefined) return <Waiting>{t('common.loading')}</Waiting>
  return (
    <>
      <Choices legend={t('visit.people')}>
        {data.people.length === 0 ? <p>{t('visit.no-people')}</p> : null}
        {data.people.map(({ id, name, role }) => (
          <Tick
            key={id}
            label={<bdi>{name}</bdi>}
            detail={t(`visit.role-${role}` as DeskKey)}
            checked={chosen.has(id)}
            disabled={id === own}
            onChange={() => onTurn(id)}
          />
        ))}
      </Choices>
      <Choices legend={t('visit.units')}>
        {UNITS.map((unit) => (
          <Tick
            key={unit}
            label={t(`visit.unit-name-${unit}`)}
            checked={chosen.has(unit)}
            disabled={unit === own}
            onChange={() => onTurn(unit)}
          />
        ))}
      </Choices>
    </>
  )
}
