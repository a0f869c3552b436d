import { type ReactNode, useState } from 'react'
import { mayDo } from '../../../src/people/rules.ts'
import type { FacilityPatient } from '../../../src/records/patient.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Card, Facts, Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { PatientConsents } from '../consents/patient-consents.tsx'
import { BreakGlass } from '../emergency/break-glass.tsx'
import { EmergencyClock } from '../emergency/emergency-clock.tsx'
import { useEmergency } from '../emergency/model.ts'
import { type StaffSession, useStaffSession } from '../session.ts'
import { TodayList } from '../today/today-list.tsx'
import { useWords } from '../words.ts'
import { ExportButton } from './export-sheet.tsx'
import { LinkCard } from './link-card.tsx'
import { type PatientAnswer, pathOf, useAgeAndSex } from './model.ts'
import style from './patients.module.css'
import { RegisterSheet } from './register-sheet.tsx'
import { EarlierVisits, VisitCard } from './visit-card.tsx'

/** The case: today's list on one side, the patient in the middle, on the other side what others were asked to share. */
export function PatientPage(props: { readonly reference: string }): ReactNode {
  const { t } = useWords()
  const { session } = useStaffSession()
  const { data, error, refetch } = useCall<PatientAnswer>(`/v1/desk${pathOf(props.reference)}`)
  if (session === null || session === undefined) return null
  if (error !== null)
    return (
      <Page title={t('patients.title')} back={{ to: '/', label: t('patients.back') }}>
        <Trouble error={error} onAgain={() => void refetch()} />
      </Page>
    )
  if (data === undefined)
    return (
      <Page title={t('patients.title')}>
        <Waiting>{t('patients.loading')}</Waiting>
      </Page>
    )
  return <Case answer={data} session={session} />
}

function Case(props: { readonly answer: PatientAnswer; readonly session: StaffSession }): ReactNode {
  const { answer, session } = props
  const { patient, visits, links } = answer
  const { t } = useWords()
  const ageAndSex = useAgeAndSex()
  const { role } = session.staff
  const { access } = useEmergency(patient.reference)
  const [latest] = visits
  const open = latest?.status === 'open' ? latest : undefined
  const toRead = `${pathOf(patient.reference)}/read`
  return (
    <div className={style.case}>
      <nav className={style.aside} aria-label={t('desk.today')}>
        <TodayList session={session} open={patient.reference} />
      </nav>
      <Page
        title={patient.name}
        above={
          <>
            {ageAndSex(patient)} · <bdi>{patient.reference}</bdi>
          </>
        }
        back={{ to: '/', label: t('patients.back') }}
        actions={
          <ButtonRow>
            {mayDo(role, 'record.read') && open?.attendedByMe === true && access === undefined ? (
              <ButtonLink look="primary" icon="eye" to={toRead}>
                {t('patients.read')}
              </ButtonLink>
            ) : null}
            <BreakGlass patient={patient} />
            {mayDo(role, 'record.export') ? <ExportButton patient={patient} /> : null}
          </ButtonRow>
        }
      >
        <EmergencyClock patient={patient} toRead={toRead} />
        <VisitCard patient={patient} visit={open} session={session} />
      </Page>
      {mayDo(role, 'consent.see') ? (
        <div className={style.consents}>
          <PatientConsents patient={patient} session={session} />
        </div>
      ) : null}
      <div className={style.rest}>
        <Who patient={patient} mayChange={mayDo(role, 'patient.register')} />
        <LinkCard patient={patient} links={links} mayLink={mayDo(role, 'link.start')} />
        <EarlierVisits visits={visits.filter(({ id }) => id !== open?.id)} own={session.staff.id} />
      </div>
    </div>
  )
}

function Who(props: { readonly patient: FacilityPatient; readonly mayChange: boolean }): ReactNode {
  const { patient } = props
  const { t } = useWords()
  const dates = useDates()
  const [changes, setChanges] = useState(false)
  const { address } = patient
  const unknown = t('patients.not-told')
  const show = (value: string | undefined): ReactNode => (value === undefined ? unknown : <bdi>{value}</bdi>)
  return (
    <Part title={t('patients.who')}>
      <Card>
        <Facts
          rows={[
            [t('patients.birth-date'), dates.day(patient.birthDate)],
            [t('patients.abha-address'), show(patient.abhaAddress)],
            [t('patients.abha-number'), show(patient.abhaNumber?.replace(/^(\d\d)(\d{4})(\d{4})/, '$1-$2-$3-'))],
            [t('patients.mobile'), show(patient.mobile)],
            [
              t('patients.address'),
              show(address === undefined ? undefined : `${address.line}, ${address.district} ${address.pincode}`),
            ],
          ]}
        />
        {props.mayChange ? (
          <div>
            <Button onClick={() => setChanges(true)}>{t('patients.change')}</Button>
          </div>
        ) : null}
      </Card>
      {changes ? <RegisterSheet known={patient} onClose={() => setChanges(false)} /> : null}
    </Part>
  )
}
