import { useMutation } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { Link } from 'wouter'
import { mayDo } from '../../../src/people/rules.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { TextField } from '../../ui/fields.tsx'
import { Lines } from '../../ui/lines.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { type Person, pathOf, useAgeAndSex } from './model.ts'
import style from './patients.module.css'
import { RegisterSheet } from './register-sheet.tsx'

type Found = {
  readonly patients: readonly (Person & { readonly abhaAddress?: string; readonly mobileEnds?: string })[]
  readonly hasMore: boolean
}

/** Finding a patient; registering one who is not there. What is typed goes in the body of a call, never into an address. */
export function PatientsPage(): ReactNode {
  const { t } = useWords()
  const { session } = useStaffSession()
  const [text, setText] = useState('')
  const [registers, setRegisters] = useState(false)
  const search = useMutation<Found, Problem, string>({
    mutationFn: (wanted) => call<Found>('/v1/desk/patients/find', { body: { text: wanted } }),
  })
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '' && !search.isPending) search.mutate(text)
  }
  const mayRegister = session !== null && session !== undefined && mayDo(session.staff.role, 'patient.register')
  const isTooShort = search.error?.code === 'desk/search-too-short'
  return (
    <Page
      title={t('patients.title')}
      actions={
        mayRegister ? (
          <Button icon="add" onClick={() => setRegisters(true)}>
            {t('patients.register')}
          </Button>
        ) : undefined
      }
    >
      <search>
        <form className={style.search} onSubmit={onSubmit}>
          <TextField
            label={t('patients.search')}
            hint={t('patients.search-hint')}
            {...(isTooShort ? { fault: t('patients.too-short') } : {})}
            type="search"
            autoComplete="off"
            maxLength={120}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <Button type="submit" look="primary" icon="search" isBusy={search.isPending}>
            {t('patients.search-do')}
          </Button>
        </form>
      </search>
      {search.error === null || isTooShort ? null : <Trouble error={search.error} />}
      {search.isPending ? <Waiting>{t('patients.searching')}</Waiting> : null}
      <div role="status" className={style.found}>
        {search.data === undefined ? null : <Results found={search.data} />}
      </div>
      {search.isIdle ? (
        <Empty icon="people" title={t('patients.start-title')}>
          <p>{t('patients.start-text')}</p>
        </Empty>
      ) : null}
      {registers ? <RegisterSheet onClose={() => setRegisters(false)} /> : null}
    </Page>
  )
}

function Results(props: { readonly found: Found }): ReactNode {
  const { patients, hasMore } = props.found
  const { t, tn } = useWords()
  const dates = useDates()
  const ageAndSex = useAgeAndSex()
  if (patients.length === 0)
    return (
      <Empty icon="search" title={t('patients.found-none')}>
        <p>{t('patients.found-none-text')}</p>
      </Empty>
    )
  return (
    <>
      <p className={style.quiet}>
        {tn('patients.found', patients.length)} {hasMore ? t('patients.found-more') : null}
      </p>
      <Lines>
        {patients.map((patient) => (
          <li key={patient.reference}>
            <Link href={pathOf(patient.reference)} className={style.row ?? ''}>
              <b>
                <bdi>{patient.name}</bdi>
              </b>
              <span>
                {ageAndSex(patient)}
                {t('common.between')}
                <time dateTime={patient.birthDate}>{dates.shortDay(patient.birthDate)}</time>
              </span>
              <small>
                <bdi>{patient.reference}</bdi>
                {patient.abhaAddress === undefined ? null : <bdi>{patient.abhaAddress}</bdi>}
                {patient.mobileEnds === undefined ? null : (
                  <span>{t('patients.mobile-ends', { digits: patient.mobileEnds })}</span>
                )}
              </small>
            </Link>
          </li>
        ))}
      </Lines>
    </>
  )
}
