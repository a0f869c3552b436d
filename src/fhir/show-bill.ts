import {
  codeOf,
  conceptText,
  displayOf,
  filled,
  follow,
  items,
  type Json,
  notesOf,
  number,
  object,
  type Resolve,
  scalar,
  text,
} from './show-reading.ts'

/** Amounts are in the currency of the bill, as the source wrote them; only `amount` is added up here. */
export type BillLine = {
  readonly what: string
  readonly category?: string
  readonly quantity?: number
  readonly unit?: string
  readonly rate?: number
  readonly discount?: number
  readonly tax?: number
  readonly amount: number
}

export type BillFacts = {
  readonly type: 'bill'
  readonly number?: string
  readonly kind?: string
  readonly status?: string
  readonly at?: string
  readonly currency: string
  readonly lines: readonly BillLine[]
  readonly net?: number
  readonly gross?: number
  readonly terms?: string
  readonly note?: string
}

const LINES_MAX = 1000

export function billFacts(resource: Json, resolve: Resolve): BillFacts {
  const [net, gross] = [object(resource['totalNet']), object(resource['totalGross'])]
  const lines = items(resource['lineItem']).slice(0, LINES_MAX)
  return {
    ...filled<Omit<BillFacts, 'lines' | 'currency' | 'type'>>({
      number: items(resource['identifier'])
        .map((one) => text(one['value']))
        .find(Boolean),
      kind: conceptText(resource['type']),
      status: text(resource['status']),
      at: text(resource['date']),
      net: number(net['value']),
      gross: number(gross['value']),
      terms: text(resource['paymentTerms']),
      note: notesOf(resource),
    }),
    type: 'bill',
    currency: text(gross['currency']) ?? text(net['currency']) ?? 'INR',
    lines: lines.map((line) => billLine(line, resolve)),
  }
}

/** One line of a bill: what was charged, from its ChargeItem and the product behind that. */
export function billLine(line: Json, resolve: Resolve): BillLine {
  const reference = line['chargeItemReference']
  const charge = follow(reference, resolve)
  const product = charge && follow(charge['productReference'], resolve)
  const prices = items(line['priceComponent'])
  const base = prices.find((one) => one['type'] === 'base')
  const quantity = object(charge?.['quantity'])
  return {
    ...filled<Omit<BillLine, 'what' | 'amount'>>({
      category: conceptText(charge?.['code']),
      quantity: number(quantity['value']) ?? number(base?.['factor']),
      unit: text(quantity['unit']),
      rate: base && amountOf(base),
      discount: sumOf(prices, ['discount', 'deduction']),
      tax: sumOf(prices, ['tax', 'surcharge']),
    }),
    what:
      conceptText(charge?.['productCodeableConcept']) ??
      conceptText(product?.['code']) ??
      conceptText(line['chargeItemCodeableConcept']) ??
      conceptText(charge?.['code']) ??
      displayOf(reference) ??
      'Item',
    amount: toPaise(prices.reduce((total, one) => total + signed(one), 0)),
  }
}

function sumOf(prices: readonly Json[], types: readonly string[]): number | undefined {
  const found = prices.filter((one) => types.includes(String(one['type'])))
  return found.length === 0 ? undefined : toPaise(found.reduce((total, one) => total + Math.abs(amountOf(one)), 0))
}

/** Sums of decimal fractions, without the dust of binary ones. */
const toPaise = (amount: number) => Math.round(amount * 100) / 100
const amountOf = (price: Json) => number(object(price['amount'])['value']) ?? 0

/** `informational` prices such as the MRP are not part of the sum. */
function signed(price: Json): number {
  if (price['type'] === 'informational') return 0
  const isLess = price['type'] === 'discount' || price['type'] === 'deduction' || codeOf(price['code']) === '02'
  return isLess ? -Math.abs(amountOf(price)) : amountOf(price)
}

/** `INR 64.85`; for the line of text beside the table. */
export function moneyText(money: unknown): string | undefined {
  const { value, currency } = object(money)
  const said = number(value)
  return said === undefined ? scalar(value) : `${text(currency) ?? 'INR'} ${said.toFixed(2)}`
}
