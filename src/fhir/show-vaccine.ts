import {
  conceptText,
  displayOf,
  filled,
  items,
  type Json,
  type Named,
  named,
  notesOf,
  object,
  scalar,
  text,
} from './show-reading.ts'

export type VaccineFacts = {
  readonly type: 'vaccine'
  readonly vaccine: Named
  readonly at?: string
  /** As written: `2`, or `booster`. */
  readonly dose?: string
  readonly doses?: string
  readonly lot?: string
  readonly maker?: string
  readonly expiry?: string
  readonly site?: string
  /** `not-done`: it was not given, for this reason. */
  readonly status?: string
  readonly reason?: string
  readonly note?: string
}

export function vaccineFacts(resource: Json): VaccineFacts | undefined {
  const vaccine = named(resource['vaccineCode'])
  if (vaccine === undefined) return undefined
  const protocol = object(items(resource['protocolApplied'])[0])
  return filled<VaccineFacts>({
    type: 'vaccine',
    vaccine,
    at: text(resource['occurrenceDateTime']) ?? text(resource['occurrenceString']),
    dose: scalar(protocol['doseNumberPositiveInt']) ?? scalar(protocol['doseNumberString']),
    doses: scalar(protocol['seriesDosesPositiveInt']) ?? scalar(protocol['seriesDosesString']),
    lot: text(resource['lotNumber']),
    maker: displayOf(resource['manufacturer']),
    expiry: text(resource['expirationDate']),
    site: conceptText(resource['site']),
    status: text(resource['status']),
    reason: conceptText(resource['statusReason']),
    note: notesOf(resource),
  })
}

export type VaccinesDueFacts = {
  readonly type: 'vaccines-due'
  readonly due: readonly { readonly vaccine: string; readonly on?: string; readonly dose?: string }[]
}

const DUE_MAX = 200

export function vaccinesDueFacts(resource: Json): VaccinesDueFacts | undefined {
  const due = items(resource['recommendation'])
    .slice(0, DUE_MAX)
    .flatMap((one) => {
      const vaccine = items(one['vaccineCode']).map(conceptText).find(Boolean) ?? conceptText(one['targetDisease'])
      const on = items(one['dateCriterion'])
        .map((date) => text(date['value']))
        .find(Boolean)
      const dose = scalar(one['doseNumberPositiveInt']) ?? scalar(one['doseNumberString'])
      return vaccine === undefined ? [] : [filled<VaccinesDueFacts['due'][number]>({ vaccine, on, dose })]
    })
  return due.length === 0 ? undefined : { type: 'vaccines-due', due }
}
