import { compositionOf } from '../fhir/infer-type.ts'
import { isObject, type Obj } from '../fhir/json.ts'

/** A document as a person reads it: who wrote it, when, and its sections with one line for each entry. */
export type Display = {
  readonly title: string
  readonly date?: string
  readonly authors: readonly string[]
  readonly custodian?: string
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[]
}

const LINES_MAX = 200
const LINE_CHARS_MAX = 300

/** Puts a document into lines of text. Takes documents of any maker, leaves out what it cannot read, never throws. */
export function displayOf(bundle: unknown): Display {
  const composition = compositionOf(bundle) ?? {}
  const resources = new Resources(bundle)
  const authors = objects(composition['author']).flatMap((reference) => resources.nameOf(reference))
  const custodian = isObject(composition['custodian']) ? resources.nameOf(composition['custodian'])[0] : undefined
  const date = text(composition['date'])
  return {
    title: text(composition['title']) ?? conceptOf(composition['type']) ?? 'Health record',
    ...(date === undefined ? {} : { date }),
    authors,
    ...(custodian === undefined ? {} : { custodian }),
    sections: objects(composition['section']).map((section) => ({
      title: text(section['title']) ?? conceptOf(section['code']) ?? 'Section',
      lines: linesOf(section, resources),
    })),
  }
}

function linesOf(section: Obj, resources: Resources): readonly string[] {
  const own = objects(section['entry']).flatMap((reference) => {
    const resource = resources.find(reference)
    return resource === undefined ? [] : [lineOf(resource, resources), ...partsOf(resource, resources)]
  })
  const inner = objects(section['section']).flatMap((each) => linesOf(each, resources))
  return [...own, ...inner].slice(0, LINES_MAX).map((line) => line.slice(0, LINE_CHARS_MAX))
}

/** Results that a report names are shown below it. */
function partsOf(resource: Obj, resources: Resources): readonly string[] {
  return [...objects(resource['result']), ...objects(resource['hasMember'])].flatMap((reference) => {
    const part = resources.find(reference)
    return part === undefined ? [] : [`· ${lineOf(part, resources)}`]
  })
}

/** `Paracetamol 650 mg: 1 tablet thrice a day (2024-05-02)` */
function lineOf(resource: Obj, resources: Resources): string {
  const what = whatOf(resource, resources)
  const value = valueOf(resource)
  const date = [
    'effectiveDateTime',
    'authoredOn',
    'occurrenceDateTime',
    'performedDateTime',
    'recordedDate',
    'issued',
    'date',
  ]
    .map((name) => text(resource[name]))
    .find((found) => found !== undefined)
  return `${what}${value === undefined ? '' : `: ${value}`}${date === undefined ? '' : ` (${date.slice(0, 10)})`}`
}

function whatOf(resource: Obj, resources: Resources): string {
  const medicine = isObject(resource['medicationReference'])
    ? resources.find(resource['medicationReference'])
    : undefined
  const named = [
    resource['code'],
    resource['medicationCodeableConcept'],
    medicine?.['code'],
    resource['vaccineCode'],
    resource['type'],
    resource['category'],
  ]
  return (
    named.map(conceptOf).find((found) => found !== undefined) ??
    text(resource['description']) ??
    text(resource['title']) ??
    text(resource['resourceType']) ??
    'Entry'
  )
}

function valueOf(resource: Obj): string | undefined {
  const components = objects(resource['component']).flatMap((part) => {
    const value = valueOf(part)
    return value === undefined ? [] : [`${conceptOf(part['code']) ?? 'part'} ${value}`]
  })
  const dosage = objects(resource['dosageInstruction']).flatMap((one) => text(one['text']) ?? [])
  const notes = objects(resource['note']).flatMap((one) => text(one['text']) ?? [])
  const found = [
    quantityOf(resource['valueQuantity']),
    conceptOf(resource['valueCodeableConcept']),
    text(resource['valueString']),
    text(resource['conclusion']),
    ...dosage,
    ...components,
    ...notes,
  ]
  const parts = found.filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join('; ')
}

function quantityOf(value: unknown): string | undefined {
  if (!isObject(value)) return undefined
  const amount = value['value']
  if (typeof amount !== 'number' && typeof amount !== 'string') return undefined
  return `${amount} ${text(value['unit']) ?? text(value['code']) ?? ''}`.trim()
}

function conceptOf(value: unknown): string | undefined {
  const concept = Array.isArray(value) ? (value as readonly unknown[])[0] : value
  if (!isObject(concept)) return text(concept)
  return (
    text(concept['text']) ??
    objects(concept['coding']).flatMap((coding) => text(coding['display']) ?? text(coding['code']) ?? [])[0]
  )
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

function objects(value: unknown): readonly Obj[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Finds what a reference of the document points at: by fullUrl, or by type and id. */
class Resources {
  readonly #byUrl = new Map<string, Obj>()

  constructor(bundle: unknown) {
    for (const entry of isObject(bundle) ? objects(bundle['entry']) : []) {
      const resource = entry['resource']
      if (!isObject(resource)) continue
      const url = text(entry['fullUrl'])
      if (url !== undefined) this.#byUrl.set(url, resource)
      this.#byUrl.set(`${String(text(resource['resourceType']))}/${String(text(resource['id']))}`, resource)
    }
  }

  find(reference: Obj): Obj | undefined {
    const target = text(reference['reference'])
    return target === undefined
      ? undefined
      : (this.#byUrl.get(target) ?? this.#byUrl.get(target.split('/').slice(-2).join('/')))
  }

  nameOf(reference: Obj): readonly string[] {
    const name = this.find(reference)?.['name']
    const first = Array.isArray(name) ? (name as readonly unknown[])[0] : name
    const own = isObject(first) ? (text(first['text']) ?? text(first['family'])) : text(first)
    const shown = own ?? text(reference['display'])
    return shown === undefined ? [] : [shown]
  }
}
