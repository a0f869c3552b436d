import { type ReactNode, useEffect, useRef, useState } from 'react'
import { attendantOf } from '../../../src/desk/rules.ts'
import { isJoining, UNITS, VISIT_KINDS, type VisitKind } from '../../../src/desk/visit.ts'
import type { Id } from '../../../src/kernel/id.ts'
import type { FacilityPatient } from '../../../src/records/patient.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Choices, TextArea, Tick } from '../../ui/fields.tsx'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import type { StaffSession } from '../session.ts'
import { type DeskKey, useWords } from '../words.ts'
import type { Visit } from './model.ts'

type Colleagues = { readonly people: readonly { readonly id: string; readonly name: string; readonly role: string }[] }

const REASON_MIN = 10

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
  const [reason, setReason] = useState('')
  const [isMissed, setMissed] = useState(false)
  const joins =
    visit !== undefined &&
    isJoining(visit, visit.begunByMe) &&
    own === session.staff.id &&
    chosen.has(own) &&
    !before.includes(own)
  const isShort = joins && reason.trim().length < REASON_MIN
  const save = useAct<void>(() => {
    if (visit === undefined)
      return { path: '/v1/desk/visits', body: { patient: patient.reference, kind, attendants: [...chosen] } }
    const add = [...chosen].filter((id) => !before.includes(id))
    return {
      path: `/v1/desk/visits/${visit.id}/attendants`,
      body: {
        add,
        remove: before.filter((id) => !chosen.has(id)),
        ...(joins ? { reason: reason.trim() } : {}),
      },
    }
  }, onClose)
  const { name } = patient
  const says = { 'desk/visit-open': t('visit.open-already'), 'desk/visit-ended': t('visit.over') }
  return (
    <Sheet
      title={t('visit.start-title', { name })}
      onClose={onClose}
      actions={
        <ButtonRow>
          <Button look="primary" isBusy={save.isBusy} onClick={() => (isShort ? setMissed(true) : save.run())}>
            {t(visit === undefined ? 'visit.start' : 'visit.change-save')}
          </Button>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
        </ButtonRow>
      }
    >
      <p>{t('visit.start-say', { name })}</p>
      {visit === undefined ? <KindChoices kind={kind} onChange={setKind} /> : null}
      <Attendants
        chosen={chosen}
        onTurn={(id) => setChosen(turned(chosen, id))}
        own={visit === undefined ? own : undefined}
      />
      {joins ? <ReasonField value={reason} isMissed={isMissed && isShort} onChange={setReason} /> : null}
      {save.error === null ? null : <Trouble error={save.error} says={says} />}
    </Sheet>
  )
}

function KindChoices(props: { readonly kind: VisitKind; readonly onChange: (kind: VisitKind) => void }): ReactNode {
  const { t } = useWords()
  return (
    <Choices legend={t('visit.kind')}>
      {VISIT_KINDS.map((each) => (
        <Tick
          key={each}
          kind="radio"
          name="visit-kind"
          label={t(`visit.kind-${each}`)}
          checked={props.kind === each}
          onChange={() => props.onChange(each)}
        />
      ))}
    </Choices>
  )
}

function turned(chosen: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(chosen)
  if (!next.delete(id)) next.add(id)
  return next
}

/** Why one adds oneself to somebody else's visit. The names may fill a screen: who saves without a reason is led here. */
function ReasonField(props: {
  readonly value: string
  readonly isMissed: boolean
  readonly onChange: (value: string) => void
}): ReactNode {
  const { t } = useWords()
  const place = useRef<HTMLDivElement>(null)
  const { isMissed } = props
  useEffect(() => {
    if (isMissed) place.current?.querySelector('textarea')?.focus()
  }, [isMissed])
  return (
    <div ref={place}>
      <TextArea
        label={t('visit.joining')}
        hint={t('visit.joining-hint')}
        fault={isMissed ? t('visit.joining-short') : undefined}
        maxLength={1_000}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
      />
    </div>
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
            value={id}
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
