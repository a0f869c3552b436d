import type { ShownDocument } from '../../../src/fhir/show.ts'
import { rowsOf } from '../../../src/fhir/trends.ts'
import type { KitKey } from '../kit-words.ts'
import type { Words } from '../words.tsx'
import type { RecordDates } from './record-words.ts'

const NAMES_MAX = 4

/** One line of what a document says: the medicines, the test and what is out of range, the illnesses, the total. */
export function summaryOf(document: ShownDocument, { t, tn }: Words<KitKey>, dates: RecordDates): string {
  const facts = rowsOf(document).flatMap((row) => row.facts ?? [])
  const bill = facts.find((one) => one.type === 'bill')
  if (bill?.gross !== undefined) return dates.money(bill.gross, bill.currency)
  const reports = facts.flatMap((one) => (one.type === 'report' ? [one.name.words] : []))
  const results = facts.flatMap((one) => (one.type === 'result' ? [one, ...(one.parts ?? [])] : []))
  const flagged = results.filter(({ flag }) => flag !== undefined)
  const odd = flagged.filter(({ flag }) => flag !== 'normal').length
  const range =
    flagged.length === 0 ? [] : [odd === 0 ? t('record.summary-all-normal') : tn('record.summary-flags', odd)]
  if (reports.length > 0) return [names(reports, dates), ...range].join(' · ')
  const vaccines = facts.flatMap((one) => (one.type === 'vaccine' ? [one.vaccine.words] : []))
  if (vaccines.length > 0) return names(vaccines, dates)
  const problems = facts.flatMap((one) => (one.type === 'problem' ? [one.name.words] : []))
  const medicines = facts.flatMap((one) => (one.type === 'medicine' && one.isNone !== true ? [one.drug.words] : []))
  const said = [problems, medicines].filter((one) => one.length > 0).map((one) => names(one, dates))
  if (said.length > 0) return said.join(' · ')
  if (results.length > 0)
    return [
      names(
        results.map(({ name }) => name.words),
        dates,
      ),
      ...range,
    ].join(' · ')
  return names(
    rowsOf(document).flatMap(({ attachment }) => attachment?.title ?? []),
    dates,
  )
}

function names(all: readonly string[], dates: RecordDates): string {
  const once = [...new Set(all)]
  return once.length <= NAMES_MAX ? dates.list(once) : `${once.slice(0, NAMES_MAX).join(', ')} …`
}

/** Everything of a document that a person might search for, in lower case. */
export function searchText(document: ShownDocument): string {
  const said = rowsOf(document).flatMap((row) => [
    row.what,
    row.note ?? '',
    ...(row.facts?.type === 'medicine' ? [row.facts.drug.words] : []),
  ])
  return [document.title, document.place ?? '', ...document.authors, ...said].join(' ').toLowerCase()
}
