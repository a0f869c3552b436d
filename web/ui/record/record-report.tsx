import type { ReactNode } from 'react'
import type { ReportFacts } from '../../../src/fhir/show-facts.ts'
import type { Row } from '../../../src/fhir/show-rows.ts'
import { State } from '../state.tsx'
import style from './record.module.css'
import { RecordAttachment } from './record-attachment.tsx'
import { RecordResults } from './record-results.tsx'
import { useRecordDates, useRecordWords } from './record-words.ts'
import type { RowsFrame } from './rows-frame.ts'

/** A report of a laboratory or of images: what it found in short, then the results or the pictures. */
export function RecordReport<Origin>(
  props: RowsFrame<Origin> & { readonly row: Row; readonly facts: ReportFacts },
): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { facts, row } = props
  const rows = row.rows ?? []
  const results = rows.flatMap(({ facts: one }) => (one?.type === 'result' ? [one] : []))
  const { specimen, collected } = facts
  const short = facts.conclusion ?? (facts.diagnoses === undefined ? undefined : dates.list(facts.diagnoses))
  return (
    <div className={style.report}>
      <p>
        <b>
          <bdi>{facts.name.words}</bdi>
        </b>{' '}
        {facts.status === 'preliminary' || facts.status === 'partial' || facts.status === 'registered' ? (
          <State tone="waiting">{t('record.result-preliminary')}</State>
        ) : null}
        {facts.status === 'entered-in-error' || facts.status === 'cancelled' ? (
          <State tone="stopped">{t('record.result-withdrawn')}</State>
        ) : null}
      </p>
      {short === undefined ? null : (
        <p className={style.short}>
          <b>{t('record.conclusion')}</b>
          <bdi>{short}</bdi>
        </p>
      )}
      {results.length === 0 ? null : (
        <RecordResults {...props} caption={facts.name.words} results={results} date={facts.at ?? props.date} />
      )}
      {rows.map((one, at) =>
        one.attachment === undefined ? null : <RecordAttachment key={at} attachment={one.attachment} />,
      )}
      {specimen === undefined ? null : (
        <p className={style.more}>
          {collected === undefined
            ? t('record.specimen', { what: specimen })
            : t('record.specimen-taken', { what: specimen, day: dates.day(collected) })}
        </p>
      )}
      {facts.interpreters === undefined ? null : (
        <p className={style.more}>{t('record.read-by', { name: dates.list(facts.interpreters) })}</p>
      )}
    </div>
  )
}
