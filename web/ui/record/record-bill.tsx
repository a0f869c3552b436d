import type { ReactNode } from 'react'
import type { BillFacts, BillLine } from '../../../src/fhir/show-bill.ts'
import { Facts } from '../page.tsx'
import { Banner } from '../state.tsx'
import style from './record.module.css'
import { RecordTable } from './record-table.tsx'
import { useRecordDates, useRecordWords } from './record-words.ts'

/** Amounts may be rounded at every line. */
const ROUNDING = 1

/** A bill with its lines and totals, as the source wrote them; it says where they do not agree. */
export function RecordBill({ bill }: { readonly bill: BillFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const money = (value: number | undefined): ReactNode =>
    value === undefined || value === 0 ? null : <bdi>{dates.money(value, bill.currency)}</bdi>
  const always = (value: number): ReactNode => <bdi>{dates.money(value, bill.currency)}</bdi>
  const sum = bill.lines.reduce((total, { amount }) => total + amount, 0)
  const differs = bill.gross !== undefined && bill.lines.length > 0 && Math.abs(sum - bill.gross) > ROUNDING
  const quantity = ({ quantity: n, unit }: BillLine): ReactNode =>
    n === undefined ? null : (
      <bdi>{unit === undefined ? dates.number(n) : t('record.amount', { value: dates.number(n), unit })}</bdi>
    )
  return (
    <>
      <Facts
        rows={[
          ...(bill.number === undefined ? [] : [[t('record.bill-number'), <bdi key="n">{bill.number}</bdi>] as const]),
          ...(bill.kind === undefined ? [] : [[t('record.bill-kind'), <bdi key="k">{bill.kind}</bdi>] as const]),
        ]}
      />
      {bill.status === 'cancelled' || bill.status === 'entered-in-error' ? (
        <Banner tone="stopped">{t('record.bill-cancelled')}</Banner>
      ) : null}
      <RecordTable
        caption={t('record.one.Invoice')}
        rows={bill.lines}
        columns={[
          { label: t('record.item'), cell: ({ what }) => <bdi>{what}</bdi> },
          { label: t('record.quantity'), isNumber: true, cell: quantity },
          { label: t('record.rate'), isNumber: true, cell: ({ rate }) => money(rate) },
          { label: t('record.discount'), isNumber: true, cell: ({ discount }) => money(discount) },
          { label: t('record.tax'), isNumber: true, cell: ({ tax }) => money(tax) },
          { label: t('record.amount-due'), isNumber: true, cell: ({ amount }) => always(amount) },
        ]}
      />
      <dl className={style.totals}>
        {bill.net === undefined ? null : (
          <div>
            <dt>{t('record.total-net')}</dt>
            <dd>{always(bill.net)}</dd>
          </div>
        )}
        {bill.gross === undefined ? null : (
          <div data-sum="">
            <dt>{t('record.total')}</dt>
            <dd>{always(bill.gross)}</dd>
          </div>
        )}
      </dl>
      {differs ? (
        <p className={style.more}>
          {t('record.total-differs', {
            sum: dates.money(sum, bill.currency),
            total: dates.money(bill.gross, bill.currency),
          })}
        </p>
      ) : null}
      {bill.note === undefined ? null : (
        <p className={style.more}>
          <bdi>{bill.note}</bdi>
        </p>
      )}
    </>
  )
}
