import type { ReactNode } from 'react'
import type { Dosage, MedicineFacts } from '../../../src/fhir/show-medicine.ts'
import { State } from '../state.tsx'
import { makeMedicineWords, statusKey } from './medicine-words.ts'
import style from './record.module.css'
import { RecordTable } from './record-table.tsx'
import { useRecordDates, useRecordWords } from './record-words.ts'

/** Medicines as a table: drug, dose, how often, until. What the author wrote in words stands below what we understood. */
export function RecordMedicines(props: {
  readonly caption: string
  readonly medicines: readonly MedicineFacts[]
}): ReactNode {
  const words = useRecordWords()
  const { t } = words
  const rows = props.medicines.flatMap((medicine) =>
    medicine.dosages === undefined
      ? [{ medicine, dosage: {} as Dosage, isFirst: true }]
      : medicine.dosages.map((dosage, at) => ({ medicine, dosage, isFirst: at === 0 })),
  )
  return (
    <RecordTable
      caption={props.caption}
      rows={rows}
      columns={[
        { label: t('record.medicine'), cell: (row) => <Drug {...row} /> },
        { label: t('record.dose'), cell: ({ dosage }) => <Dose dosage={dosage} /> },
        { label: t('record.how-often'), cell: ({ dosage }) => <HowOften dosage={dosage} /> },
        { label: t('record.until-when'), cell: (row) => <Until {...row} /> },
      ]}
    />
  )
}

function Drug(props: { readonly medicine: MedicineFacts; readonly isFirst: boolean }): ReactNode {
  const { t } = useRecordWords()
  const { medicine } = props
  const status = statusKey(medicine)
  return (
    <>
      <bdi>{medicine.isNone ? t('record.no-medicine') : medicine.drug.words}</bdi>
      {status === undefined ? null : (
        <State tone={medicine.status === 'completed' ? 'calm' : 'stopped'}>{t(status)}</State>
      )}
      {medicine.said === 'statement' && !medicine.isNone ? (
        <small className={style.more}>{t('record.taken')}</small>
      ) : null}
      {medicine.reason === undefined || !props.isFirst ? null : (
        <small className={style.more}>{t('record.for-reason', { reason: medicine.reason })}</small>
      )}
      {medicine.note === undefined || !props.isFirst ? null : (
        <small className={style.more}>
          <bdi>{medicine.note}</bdi>
        </small>
      )}
    </>
  )
}

function Dose(props: { readonly dosage: Dosage }): ReactNode {
  const words = useRecordWords()
  const { dose } = makeMedicineWords(words, useRecordDates())
  const said = dose(props.dosage)
  const ways = [props.dosage.route, props.dosage.site, props.dosage.method].filter((one) => one !== undefined)
  if (said === '' && ways.length === 0) return <span className={style.more}>{words.t('record.not-said')}</span>
  return (
    <>
      <bdi>{said}</bdi>
      {ways.length === 0 ? null : (
        <small className={style.more}>
          <bdi>{ways.join(', ')}</bdi>
        </small>
      )}
    </>
  )
}

function HowOften(props: { readonly dosage: Dosage }): ReactNode {
  const words = useRecordWords()
  const { howOften } = makeMedicineWords(words, useRecordDates())
  const { text, instructions = [], howOften: often } = props.dosage
  const said = howOften(props.dosage)
  const own = often?.words
  const first = said === '' ? (text ?? own ?? instructions[0] ?? '') : said
  const also = instructions.filter((one) => one !== first)
  return (
    <>
      {first === '' ? <span className={style.more}>{words.t('record.not-said')}</span> : <bdi>{first}</bdi>}
      {text === undefined || text === first ? null : (
        <small className={style.more}>{words.t('record.as-written', { words: text })}</small>
      )}
      {also.map((one) => (
        <small className={style.more} key={one}>
          <bdi>{one}</bdi>
        </small>
      ))}
    </>
  )
}

function Until(props: { readonly medicine: MedicineFacts; readonly dosage: Dosage }): ReactNode {
  const words = useRecordWords()
  const dates = useRecordDates()
  const until = props.dosage.until ?? props.medicine.until
  const lasts = makeMedicineWords(words, dates).lasts(props.dosage)
  if (until === undefined && lasts === '') return <span className={style.more}>{words.t('record.no-end')}</span>
  return (
    <>
      {until === undefined ? null : dates.day(until)}
      {lasts === '' ? null : <small className={style.more}>{lasts}</small>}
    </>
  )
}
