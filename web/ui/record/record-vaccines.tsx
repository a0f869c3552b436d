import type { ReactNode } from 'react'
import type { VaccineFacts, VaccinesDueFacts } from '../../../src/fhir/show-vaccine.ts'
import { State } from '../state.tsx'
import style from './record.module.css'
import { RecordTable } from './record-table.tsx'
import { useRecordDates, useRecordWords } from './record-words.ts'

/** Vaccines that were given: which, when, which dose of how many, from which batch. */
export function RecordVaccines(props: {
  readonly caption: string
  readonly vaccines: readonly VaccineFacts[]
}): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const dose = ({ dose: n, doses: of }: VaccineFacts): ReactNode =>
    n === undefined ? null : of === undefined ? t('record.dose-n', { n }) : t('record.dose-of', { n, of })
  return (
    <RecordTable
      caption={props.caption}
      rows={props.vaccines}
      columns={[
        { label: t('record.vaccine'), cell: (row) => <Vaccine facts={row} /> },
        { label: t('record.date'), cell: ({ at }) => (at === undefined ? null : dates.day(at)) },
        { label: t('record.vaccine-dose'), cell: dose },
        { label: t('record.lot'), cell: ({ lot }) => (lot === undefined ? null : <bdi>{lot}</bdi>) },
      ]}
    />
  )
}

function Vaccine({ facts }: { readonly facts: VaccineFacts }): ReactNode {
  const { t } = useRecordWords()
  const more = [
    facts.maker === undefined ? undefined : t('record.maker', { name: facts.maker }),
    facts.site === undefined ? undefined : t('record.site', { what: facts.site }),
    facts.reason,
    facts.note,
  ]
  return (
    <>
      <bdi>{facts.vaccine.words}</bdi>
      {facts.status === 'not-done' ? <State tone="stopped">{t('record.not-given')}</State> : null}
      {facts.status === 'entered-in-error' ? (
        <State tone="stopped">{t('record.verification.entered-in-error')}</State>
      ) : null}
      {more.map((one) =>
        one === undefined ? null : (
          <small className={style.more} key={one}>
            <bdi>{one}</bdi>
          </small>
        ),
      )}
    </>
  )
}

export function RecordVaccinesDue({ facts }: { readonly facts: VaccinesDueFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  return (
    <div className={style.line}>
      <p>
        <b>{t('record.due')}</b>
      </p>
      {facts.due.map(({ vaccine, on, dose }) => (
        <p key={`${vaccine} ${on} ${dose}`}>
          {on === undefined ? <bdi>{vaccine}</bdi> : t('record.due-on', { vaccine, day: dates.day(on) })}
        </p>
      ))}
    </div>
  )
}
