import type { InvoiceLineItem, InvoiceLineItemPriceComponent, Money, Reference } from 'fhir/r4.js'
import { coded, NRCES, present } from './coding.ts'
import { type Draft, facilityUri, profile } from './draft.ts'
import type { InvoiceInput, InvoiceItemInput } from './inputs.ts'
import { sentence } from './narrative.ts'

const BILLING = `${NRCES}/CodeSystem/ndhm-billing-codes`
const KINDS = { Consultation: '00', Pharmacy: '01', IPD: '02', OPD: '03', Others: '99' } as const
const CATEGORIES = {
  Consultation: '00',
  Pathology: '04',
  Medicines: '05',
  'Nursing Charges': '06',
  'Handling Charges': '07',
  Others: '99',
} as const
const PRICES = { MRP: '00', Rate: '01', Discount: '02', CGST: '03', SGST: '04' } as const

/** Adds the bill and one charge item per line; totals are computed here, in whole paise. */
export function addInvoice(draft: Draft, input: InvoiceInput): Reference {
  const lines = input.items.map(priceLine)
  const totalNet = sum(lines.map((line) => line.net))
  const totalGross = sum(lines.map((line) => line.net + line.tax))
  const items = input.items.map((item, at) => lineItem(addChargeItem(draft, item), lines[at], item, at + 1))
  return draft.add(
    {
      resourceType: 'Invoice',
      id: draft.newId(),
      meta: profile('Invoice'),
      text: sentence(`Invoice ${input.number}, ${input.kind}, total INR ${(totalGross / 100).toFixed(2)}`),
      identifier: [{ system: facilityUri(input.organisation, 'invoices'), value: input.number }],
      status: 'issued',
      type: coded(BILLING, KINDS[input.kind], input.kind),
      subject: draft.subject,
      date: draft.date,
      participant: [{ actor: draft.author }],
      issuer: draft.organisation,
      lineItem: items,
      totalNet: money(totalNet),
      totalGross: money(totalGross),
    },
    input.number,
  )
}

type Line = { rate: number; mrp?: number; discount: number; cgst: number; sgst: number; net: number; tax: number }

/** Amounts of one line in paise: rate × quantity, less discount, taxes on the rest. */
export function priceLine(item: InvoiceItemInput): Line {
  const rate = Math.round(item.rate * item.quantity * 100)
  const discount = Math.round((rate * (item.discountPercent ?? 0)) / 100)
  const net = rate - discount
  const cgst = Math.round((net * (item.cgstPercent ?? 0)) / 100)
  const sgst = Math.round((net * (item.sgstPercent ?? 0)) / 100)
  const line = { rate, discount, cgst, sgst, net, tax: cgst + sgst }
  return item.mrp === undefined ? line : { ...line, mrp: Math.round(item.mrp * item.quantity * 100) }
}

function lineItem(
  charge: Reference,
  line: Line | undefined,
  item: InvoiceItemInput,
  sequence: number,
): InvoiceLineItem {
  const price = (type: InvoiceLineItemPriceComponent['type'], name: keyof typeof PRICES, paise: number | undefined) =>
    paise === undefined || (paise === 0 && name !== 'Rate')
      ? []
      : [
          {
            type,
            code: coded(`${NRCES}/CodeSystem/ndhm-price-components`, PRICES[name], name),
            ...(name === 'Rate' && { factor: item.quantity }),
            amount: money(paise),
          },
        ]
  return {
    sequence,
    chargeItemReference: charge,
    priceComponent: [
      ...price('informational', 'MRP', line?.mrp),
      ...price('base', 'Rate', line?.rate),
      ...price('discount', 'Discount', line?.discount),
      ...price('tax', 'CGST', line?.cgst),
      ...price('tax', 'SGST', line?.sgst),
    ],
  }
}

function addChargeItem(draft: Draft, item: InvoiceItemInput): Reference {
  return draft.add(
    {
      resourceType: 'ChargeItem',
      id: draft.newId(),
      meta: profile('ChargeItem'),
      text: sentence(`${item.description}, ${item.quantity} ${item.unit ?? ''}`.trim()),
      status: 'billed',
      code: coded(BILLING, CATEGORIES[item.category], item.category),
      subject: draft.subject,
      occurrenceDateTime: draft.date,
      performingOrganization: draft.organisation,
      quantity: present<{ value: number; unit?: string }>({ value: item.quantity, unit: item.unit }),
      productCodeableConcept: { text: item.description },
    },
    item.description,
  )
}

const money = (paise: number): Money => ({ value: paise / 100, currency: 'INR' })
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
