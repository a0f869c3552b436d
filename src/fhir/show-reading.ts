/** How the files of `show` read JSON of strangers: what is missing or odd is left out, never thrown. */

import { isObject } from './narrow-dates.ts'

export type Json = { readonly [key: string]: unknown }

/** Finds the resource that a reference names. */
export type Resolve = (reference: string) => Json | undefined

export type Code = { readonly system: string; readonly code: string }

/** Something named: words for people, codes for comparing. */
export type Named = { readonly words: string; readonly codes: readonly Code[] }

const CODES_MAX = 20

/** Words of a CodeableConcept: its text, else a display, else a code. */
export function conceptText(concept: unknown): string | undefined {
  if (!isObject(concept)) return undefined
  const codings = items(concept['coding'])
  const display = codings.map((one) => text(one['display'])).find((found) => found !== undefined)
  return (
    text(concept['text']) ?? display ?? codings.map((one) => text(one['code'])).find((found) => found !== undefined)
  )
}

/** A CodeableConcept with its codes; undefined when it has no words at all. */
export function named(concept: unknown): Named | undefined {
  const words = conceptText(concept)
  return words === undefined ? undefined : { words, codes: codesOf(concept) }
}

export function codesOf(concept: unknown): readonly Code[] {
  const codings = isObject(concept) ? items(concept['coding']).slice(0, CODES_MAX) : []
  return codings.flatMap((one) => {
    const code = text(one['code'])
    return code === undefined ? [] : [{ system: text(one['system']) ?? '', code }]
  })
}

/** The first code of a concept, for the small code lists of FHIR itself. */
export function codeOf(concept: unknown): string | undefined {
  return codesOf(concept)[0]?.code
}

/** One of the words of a small list, or undefined. */
export function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value)
}

export const textsOf = (concepts: unknown) => items(concepts).map(conceptText).filter(Boolean).join(', ')

export function follow(reference: unknown, resolve: Resolve): Json | undefined {
  return isObject(reference) && typeof reference['reference'] === 'string' ? resolve(reference['reference']) : undefined
}

/** What a reference calls its target, in words. */
export function displayOf(reference: unknown): string | undefined {
  return isObject(reference) ? text(reference['display']) : undefined
}

export function items(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function object(value: unknown): Json {
  return isObject(value) ? value : {}
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function scalar(value: unknown): string | undefined {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : text(value)
}

/** The words of `note`. */
export function notesOf(resource: Json): string | undefined {
  return text(
    items(resource['note'])
      .flatMap((one) => text(one['text']) ?? [])
      .join(' '),
  )
}

/** Without members that say nothing. */
export function filled<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  const said = Object.entries(members).filter(
    ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
  return Object.fromEntries(said) as T
}
