import { isObject } from './narrow-dates.ts'
import type { Item } from './narrow-references.ts'
import {
  codesOf,
  conceptText,
  displayOf,
  filled,
  follow,
  items,
  type Json,
  object,
  type Resolve,
  text,
} from './show-reading.ts'

/** Who wrote or stands behind a document. */
export type ShownParty = {
  readonly name: string
  /** `Practitioner`, `Organization`, `Patient`, `Device`… */
  readonly kind?: string
  readonly qualification?: string
  /** Number in the register of doctors. */
  readonly registration?: string
}

export type Attestation = { readonly mode: string; readonly at?: string; readonly name?: string }

export type ShownVisit = {
  readonly start?: string
  readonly end?: string
  /** v3-ActCode: `AMB` a visit, `IMP` a stay, `EMER` casualty, `VR` by telephone or video. */
  readonly kind?: string
  readonly status?: string
  readonly reason?: string
  readonly place?: string
  readonly discharge?: string
}

/** The name of a person or organisation, `PractitionerRole` looked through; else the display of the reference. */
export function nameBehind(reference: unknown, resolve: Resolve): string | undefined {
  const target = partyBehind(reference, resolve)
  return (target && nameOfParty(target)) ?? displayOf(reference)
}

function partyBehind(reference: unknown, resolve: Resolve): Json | undefined {
  const target = follow(reference, resolve)
  if (target?.['resourceType'] !== 'PractitionerRole') return target
  return follow(target['practitioner'], resolve) ?? follow(target['organization'], resolve) ?? target
}

function nameOfParty(resource: Json): string | undefined {
  const { name } = resource
  if (!Array.isArray(name)) return text(name)
  const [first] = items(name)
  const given = Array.isArray(first?.['given']) ? first['given'].filter((one) => typeof one === 'string') : []
  const built = [...given, text(first?.['family'])].filter(Boolean).join(' ')
  return text(first?.['text']) ?? text(built)
}

export function partyOf(reference: unknown, resolve: Resolve): ShownParty[] {
  const name = nameBehind(reference, resolve)
  if (name === undefined) return []
  const target = partyBehind(reference, resolve)
  const [qualification] = items(target?.['qualification'])
  const licence = items(target?.['identifier']).find((one) => codesOf(one['type']).some(({ code }) => code === 'MD'))
  return [
    filled<ShownParty>({
      name,
      kind: text(target?.['resourceType']),
      qualification: conceptText(qualification?.['code']),
      registration: text(licence?.['value']),
    }),
  ]
}

export function visitOf(reference: unknown, resolve: Resolve): ShownVisit | undefined {
  const encounter = follow(reference, resolve)
  if (encounter === undefined) return undefined
  const period = object(encounter['period'])
  const visit = filled<ShownVisit>({
    start: text(period['start']),
    end: text(period['end']),
    kind: text(object(encounter['class'])['code']),
    status: text(encounter['status']),
    reason: items(encounter['reasonCode']).map(conceptText).filter(Boolean).join(', '),
    place: nameBehind(encounter['serviceProvider'], resolve),
    discharge: conceptText(object(encounter['hospitalization'])['dischargeDisposition']),
  })
  return Object.keys(visit).length === 0 ? undefined : visit
}

export function attestationsOf(composition: Json, resolve: Resolve): readonly Attestation[] {
  return items(composition['attester']).map((one) =>
    filled<Attestation>({
      mode: text(one['mode']) ?? 'personal',
      at: text(one['time']),
      name: nameBehind(one['party'], resolve),
    }),
  )
}

/** That a signature is inside and whose it says to be; nothing here checks it. */
export function signatureOf(
  bundle: Json,
  resolve: Resolve,
): { readonly at?: string; readonly name?: string } | undefined {
  const { signature } = bundle
  if (!isObject(signature)) return undefined
  return filled({ at: text(signature['when']), name: nameBehind(signature['who'], resolve) })
}

/** Where it was made: the custodian, an author that is an organisation, where the visit was, or the only organisation there is. */
export function placeOf(composition: Json, entries: readonly Item[], resolve: Resolve): string | undefined {
  const named = nameBehind(composition['custodian'], resolve)
  if (named !== undefined) return named
  const authors = items(composition['author']).flatMap((one) => partyOf(one, resolve))
  const organisations = entries.filter(({ resource }) => resource['resourceType'] === 'Organization')
  const [only] = organisations
  return (
    authors.find(({ kind }) => kind === 'Organization')?.name ??
    visitOf(composition['encounter'], resolve)?.place ??
    (only && organisations.length === 1 ? nameOfParty(only.resource) : undefined)
  )
}
