import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call, type Problem } from '../../ui/api.ts'
import { useDates } from '../../ui/dates.ts'
import { TextField } from '../../ui/fields.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import type { ConsoleSession } from '../session.ts'
import { useWords } from '../words.ts'
import { FacilityStaff, type StaffMember } from './facility-staff.tsx'
import style from './people.module.css'

type Patient = {
  readonly abhaAddress: string
  readonly name: string
  readonly birthDate: string
  readonly mobile: string
  readonly guardian?: string
}
type People = {
  readonly patients: readonly Patient[]
  readonly facilities: readonly { readonly id: string; readonly staff: readonly StaffMember[] }[]
}

const PATH = '/v1/console/people'
/** Codes of authenticator apps change every half minute. */
const EVERY_MS = 10_000

const usePeople = () =>
  useQuery<People, Problem>({
    queryKey: ['', PATH],
    queryFn: ({ signal }) => call<People>(PATH, { signal }),
    refetchInterval: EVERY_MS,
  })

/** Whom one can be here: patients in their app, staff at their desks. */
export function PeoplePage(props: { readonly session: ConsoleSession }): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = usePeople()
  const [wanted, setWanted] = useState('')
  const text = wanted.trim().toLowerCase()
  const patients = (data?.patients ?? []).filter(({ name, abhaAddress }) =>
    `${name} ${abhaAddress}`.toLowerCase().includes(text),
  )
  return (
    <Page title={t('console.people')}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('common.loading')}</Waiting> : null}
      <Part title={t('console.patients')}>
        <p>{t('console.patients-text')}</p>
        <div className={style.search}>
          <TextField
            type="search"
            label={t('console.find-patient')}
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
        </div>
        {data !== undefined && patients.length === 0 ? (
          <Empty icon="people" title={t('console.no-patients')}>
            <p>{t('console.no-patients-text')}</p>
          </Empty>
        ) : (
          <ul className={style.patients}>
            {patients.map((patient) => (
              <li key={patient.abhaAddress}>
                <PatientRow patient={patient} />
              </li>
            ))}
          </ul>
        )}
      </Part>
      {data === undefined ? null : (
        <Part title={t('console.staff')}>
          <p>{t('console.staff-text')}</p>
          {data.facilities.map(({ id, staff }) => {
            const lane = props.session.lanes.find((one) => one.id === id)
            return lane === undefined ? null : <FacilityStaff key={id} lane={lane} staff={staff} />
          })}
        </Part>
      )}
    </Page>
  )
}

function PatientRow(props: { readonly patient: Patient }): ReactNode {
  const { t } = useWords()
  const { day } = useDates()
  const { patient } = props
  const who = patient.guardian ?? patient.abhaAddress
  return (
    <div className={style.row}>
      <div>
        <p className={style.name}>
          <bdi>{patient.name}</bdi>
        </p>
        <p className={style.hint}>
          <bdi>{patient.abhaAddress}</bdi>
          {t('common.between')}
          <span>{day(patient.birthDate)}</span>
          {t('common.between')}
          <bdi>{patient.mobile}</bdi>
        </p>
        {patient.guardian === undefined ? null : (
          <p className={style.hint}>{t('console.guardian', { name: patient.guardian })}</p>
        )}
      </div>
      <a href={`/me/sign-in?abha=${encodeURIComponent(who)}`} target="_blank" rel="noreferrer">
        {patient.guardian === undefined ? t('console.open-app') : t('console.open-app-guardian')}
        <span className="visually-hidden"> {patient.name}</span>
      </a>
    </div>
  )
}
