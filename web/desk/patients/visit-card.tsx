import { type ReactNode, useState } from 'react'
import { mayDo } from '../../../src/people/rules.ts'
import type { FacilityPatient } from '../../../src/records/patient.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Card, Part } from '../../ui/page.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { State } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import type { StaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { useAttendedBy, type Visit } from './model.ts'
import style from './patients.module.css'
import { VisitSheet } from './visit-sheet.tsx'

type Open = 'start' | 'change' | 'end' | undefined

/** The open visit: since when, who attends; or how to begin one. */
export function VisitCard(props: {
  readonly patient: FacilityPatient
  readonly visit: Visit | undefined
  readonly session: StaffSession
}): ReactNode {
  const { patient, visit, session } = props
  const { t } = useWords()
  const dates = useDates()
  const attendedBy = useAttendedBy()
  const [open, setOpen] = useState<Open>()
  const { role, id } = session.staff
  const mayStart = mayDo(role, 'visit.start')
  const close = (): void => setOpen(undefined)
  return (
    <Part title={t('visit.title')}>
      <Card>
        {visit === undefined ? (
          <>
            <p>
              <b>{t('visit.none')}</b>
            </p>
            <p className={style.quiet}>{t('visit.none-text')}</p>
          </>
        ) : (
          <>
            <div className={style.facts}>
              <State tone={visit.kind === 'emergency' ? 'stopped' : 'live'} icon="hospital">
                {t(`visit.${visit.kind}`)}
              </State>
              <span>{t('visit.here', { time: dates.moment(visit.startedAt) })}</span>
              {visit.queueNumber === undefined ? null : <span>{t('visit.queue', { number: visit.queueNumber })}</span>}
            </div>
            <p>{attendedBy(visit, id)}</p>
            {visit.endsBy === undefined ? null : (
              <p className={style.quiet}>{t('visit.ends-by', { when: dates.moment(visit.endsBy) })}</p>
            )}
            <Confirmation visit={visit} mayStart={mayStart} />
            {mayDo(role, 'record.read') && !visit.attendedByMe ? (
              <p className={style.quiet}>{t('patients.read-not')}</p>
            ) : null}
          </>
        )}
        {mayStart ? (
          <ButtonRow>
            {visit === undefined ? (
              <Button look="primary" icon="add" onClick={() => setOpen('start')}>
                {t('visit.start')}
              </Button>
            ) : (
              <>
                <Button icon="people" onClick={() => setOpen('change')}>
                  {t('visit.change')}
                </Button>
                <Button icon="check" onClick={() => setOpen('end')}>
                  {t('visit.end')}
                </Button>
              </>
            )}
          </ButtonRow>
        ) : null}
      </Card>
      {open === 'start' || (open === 'change' && visit !== undefined) ? (
        <VisitSheet patient={patient} visit={visit} session={session} onClose={close} />
      ) : null}
      {open === 'end' && visit !== undefined ? <EndSheet patient={patient} visit={visit} onClose={close} /> : null}
    </Part>
  )
}

/** Of a stay: by when somebody must say that the patient is still here. */
function Confirmation({ visit, mayStart }: { readonly visit: Visit; readonly mayStart: boolean }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const confirm = useAct<void>(() => ({ path: `/v1/desk/visits/${visit.id}/confirm` }))
  if (visit.confirmBy === undefined) return null
  return (
    <>
      <p className={style.quiet}>{t('visit.confirm-by', { when: dates.moment(visit.confirmBy) })}</p>
      {!mayStart ? null : visit.mayBeConfirmed === true ? (
        <div>
          <Button isBusy={confirm.isBusy} onClick={() => confirm.run()}>
            {t('visit.confirm')}
          </Button>
        </div>
      ) : (
        <p className={style.quiet}>{t('visit.confirm-own')}</p>
      )}
      {confirm.error === null ? null : (
        <Trouble error={confirm.error} says={{ 'desk/own-stay': t('visit.own-stay') }} />
      )}
    </>
  )
}

function EndSheet(props: {
  readonly patient: FacilityPatient
  readonly visit: Visit
  readonly onClose: () => void
}): ReactNode {
  const { patient, visit, onClose } = props
  const { t } = useWords()
  const end = useAct<void>(() => ({ path: `/v1/desk/visits/${visit.id}/end` }), onClose)
  const { name } = patient
  return (
    <Sheet
      title={t('visit.end-title', { name })}
      onClose={onClose}
      actions={
        <ButtonRow>
          <Button look="primary" isBusy={end.isBusy} onClick={() => end.run()}>
            {t('visit.end')}
          </Button>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
        </ButtonRow>
      }
    >
      <p>{t('visit.end-say', { name })}</p>
      {end.error === null ? null : <Trouble error={end.error} says={{ 'desk/visit-ended': t('visit.over') }} />}
    </Sheet>
  )
}

/** Visits before this one; nothing when there were none. */
export function EarlierVisits(props: { readonly visits: readonly Visit[]; readonly own: string }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const attendedBy = useAttendedBy()
  if (props.visits.length === 0) return null
  return (
    <Part title={t('visit.earlier')}>
      <ul className={style.earlier}>
        {props.visits.map((visit) => (
          <li key={visit.id}>
            <span>{t('visit.earlier-row', { kind: t(`visit.${visit.kind}`), day: dates.day(visit.startedAt) })}</span>
            <small>{attendedBy(visit, props.own)}</small>
          </li>
        ))}
      </ul>
    </Part>
  )
}
