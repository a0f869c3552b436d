import { Fragment, type ReactNode } from 'react'
import type { Row } from '../../../src/fhir/show-rows.ts'
import style from './record.module.css'
import { RecordAttachment } from './record-attachment.tsx'
import { RecordBill } from './record-bill.tsx'
import { type LineFacts, RecordLine } from './record-lines.tsx'
import { RecordMedicines } from './record-medicines.tsx'
import { RecordNarrative } from './record-narrative.tsx'
import { RecordReport } from './record-report.tsx'
import { RecordResults } from './record-results.tsx'
import { RecordVaccines, RecordVaccinesDue } from './record-vaccines.tsx'
import { useRecordDates } from './record-words.ts'
import type { RowsFrame } from './rows-frame.ts'

/** The rows of a section in their order: what makes a table together stands in one table. */
export function RecordRows<Origin>(props: RowsFrame<Origin> & { readonly rows: readonly Row[] }): ReactNode {
  const { rows, ...frame } = props
  return runsOf(rows).map((run, at) => (
    // The rows of a document never change places.
    <Fragment key={at}>
      <Run rows={run} {...frame} />
      {run.length > 1 || isTable(run[0]) ? run.map((row, rowAt) => <Extras key={rowAt} row={row} />) : null}
    </Fragment>
  ))
}

const TABLES = new Set(['medicine', 'result', 'vaccine'])
const isTable = (row: Row | undefined): boolean => TABLES.has(row?.facts?.type ?? '')

/** Neighbours of one kind that are shown as one table. */
function runsOf(rows: readonly Row[]): readonly (readonly Row[])[] {
  const runs: Row[][] = []
  for (const row of rows) {
    const run = runs.at(-1)
    const kind = row.facts?.type
    if (run !== undefined && kind !== undefined && TABLES.has(kind) && run[0]?.facts?.type === kind) run.push(row)
    else runs.push([row])
  }
  return runs
}

function Run<Origin>(props: RowsFrame<Origin> & { readonly rows: readonly Row[] }): ReactNode {
  const { rows, caption } = props
  const facts = rows.flatMap((row) => row.facts ?? [])
  const kind = facts[0]?.type
  if (kind === 'medicine')
    return <RecordMedicines caption={caption} medicines={facts.filter((one) => one.type === 'medicine')} />
  if (kind === 'result') return <RecordResults {...props} results={facts.filter((one) => one.type === 'result')} />
  if (kind === 'vaccine')
    return <RecordVaccines caption={caption} vaccines={facts.filter((one) => one.type === 'vaccine')} />
  return rows.map((row, at) => <SingleRow key={at} row={row} {...props} />)
}

function SingleRow<Origin>(props: RowsFrame<Origin> & { readonly row: Row }): ReactNode {
  const { row } = props
  const { facts } = row
  return (
    <div className={style.row}>
      {facts === undefined ? <PlainRow row={row} /> : <Facts {...props} facts={facts} />}
      <Extras row={row} />
    </div>
  )
}

/** Running text and files that came with a row. */
function Extras({ row }: { readonly row: Row }): ReactNode {
  return (
    <>
      {row.words === undefined ? null : <RecordNarrative blocks={row.words} />}
      {row.attachment === undefined ? null : <RecordAttachment attachment={row.attachment} />}
    </>
  )
}

type Single = Exclude<NonNullable<Row['facts']>, { type: 'medicine' | 'result' | 'vaccine' }>
const isLine = (facts: Single): facts is LineFacts =>
  facts.type !== 'bill' && facts.type !== 'report' && facts.type !== 'vaccines-due'

function Facts<Origin>(
  props: RowsFrame<Origin> & { readonly row: Row; readonly facts: NonNullable<Row['facts']> },
): ReactNode {
  const { facts } = props
  if (facts.type === 'medicine' || facts.type === 'result' || facts.type === 'vaccine') return null
  if (facts.type === 'report') return <RecordReport {...props} facts={facts} />
  if (facts.type === 'bill') return <RecordBill bill={facts} />
  if (facts.type === 'vaccines-due') return <RecordVaccinesDue facts={facts} />
  return isLine(facts) ? <RecordLine facts={facts} /> : null
}

/** A resource of a kind that we do not know: its name and what it says, in words. Files say their name themselves. */
function PlainRow({ row }: { readonly row: Row }): ReactNode {
  const dates = useRecordDates()
  if (row.attachment !== undefined) return null
  const said = [row.value, row.range, row.flag, row.status, row.note].filter((one) => one !== undefined)
  return (
    <div className={style.line}>
      <p>
        <bdi>{row.what}</bdi>
      </p>
      {said.map((one) => (
        <p className={style.more} key={one}>
          <bdi>{one}</bdi>
        </p>
      ))}
      {row.date === undefined ? null : <p className={style.more}>{dates.day(row.date)}</p>}
    </div>
  )
}
