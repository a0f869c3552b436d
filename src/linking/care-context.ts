import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { ContextKey } from './events.ts'

/** One linked care context and one HI type in it. `display` is what the patient reads: never clinical. */
export type CareContext = ContextKey & {
  readonly patient: AbhaAddress
  readonly hip: FacilityId
  /** The patient as the facility calls them. */
  readonly patientDisplay: string
  readonly display: string
  readonly linkedAt: Date
}

/** Where a care context stands in a list by facility and time of linking. */
export type ContextPlace = Pick<
  CareContext,
  'hip' | 'linkedAt' | 'patientReference' | 'careContextReference' | 'hiType'
>

/** Contexts of one patient record and one HI type, as messages group them. */
export type Group = {
  readonly referenceNumber: string
  readonly display: string
  readonly careContexts: readonly { readonly referenceNumber: string; readonly display: string }[]
  readonly hiType: HiType
}

/** Whether a reference has only characters that ABDM allows (protocol sheet 1.2 (2)) and is not blank. */
const REFERENCE = /^(?=.*\S)[a-zA-Z0-9_\-@,().\\"/:| ]{1,255}$/

/**
 * Checks the groups of a `link/carecontext` (protocol sheet 2.1 and 3.5): counts, references, displays. All or nothing: the first fault
 * refuses the whole message, with ABDM's own code for it.
 */
export function checkGroups(groups: readonly (Group & { readonly count: number })[]): Refusal | undefined {
  const seen = new Set<string>()
  for (const [at, group] of groups.entries()) {
    const field = `patient.[${at}]`
    if (!REFERENCE.test(group.referenceNumber))
      return refuse('linking/invalid-patient-reference', undefined, `${field}.referenceNumber`)
    if (group.display.trim() === '' || group.display.length > LIMITS.textCharsMax)
      return refuse('linking/invalid-patient-display', undefined, `${field}.display`)
    if (group.careContexts.length === 0)
      return refuse('linking/invalid-contexts', 'A group must hold at least one care context.', `${field}.careContexts`)
    if (group.careContexts.length > LIMITS.careContextsPerMessageMax)
      return refuse(
        'linking/invalid-count',
        `A group may hold at most ${LIMITS.careContextsPerMessageMax} care contexts.`,
        `${field}.careContexts`,
      )
    if (group.careContexts.length !== group.count)
      return refuse(
        'linking/count-mismatch',
        `count is ${group.count}, but there are ${group.careContexts.length} care contexts.`,
        `${field}.count`,
      )
    for (const context of group.careContexts) {
      if (!REFERENCE.test(context.referenceNumber))
        return refuse(
          'linking/invalid-contexts',
          'A care context reference is blank or has characters that are not allowed.',
          `${field}.careContexts`,
        )
      if (context.display.trim() === '' || context.display.length > LIMITS.textCharsMax)
        return refuse(
          'linking/invalid-contexts',
          'A care context has no display, or too long a one.',
          `${field}.careContexts`,
        )
      const key = keyOf({
        patientReference: group.referenceNumber,
        careContextReference: context.referenceNumber,
        hiType: group.hiType,
      })
      if (seen.has(key))
        return refuse(
          'linking/invalid-contexts',
          'A care context is named twice for one HI type.',
          `${field}.careContexts`,
        )
      seen.add(key)
    }
  }
  return undefined
}

/** What a group holds, one by one. */
export function contextsIn(
  groups: readonly Group[],
): readonly (ContextKey & { readonly patientDisplay: string; readonly display: string })[] {
  return groups.flatMap((group) =>
    group.careContexts.map((context) => ({
      patientReference: group.referenceNumber,
      careContextReference: context.referenceNumber,
      hiType: group.hiType,
      patientDisplay: group.display,
      display: context.display,
    })),
  )
}

/** The other way round: one group for each patient reference and HI type. */
export function groupsOf(
  contexts: readonly (ContextKey & { readonly patientDisplay: string; readonly display: string })[],
): readonly Group[] {
  const groups = new Map<
    string,
    {
      referenceNumber: string
      display: string
      careContexts: { referenceNumber: string; display: string }[]
      hiType: HiType
    }
  >()
  for (const context of contexts) {
    const name = JSON.stringify([context.patientReference, context.hiType])
    const group = groups.get(name) ?? {
      referenceNumber: context.patientReference,
      display: context.patientDisplay,
      careContexts: [],
      hiType: context.hiType,
    }
    group.careContexts.push({ referenceNumber: context.careContextReference, display: context.display })
    groups.set(name, group)
  }
  return [...groups.values()]
}

/** For sets of contexts. */
export function keyOf(context: ContextKey): string {
  return JSON.stringify([context.patientReference, context.careContextReference, context.hiType])
}

/** The bare key of something that holds more. */
export function bareKey({ patientReference, careContextReference, hiType }: ContextKey): ContextKey {
  return { patientReference, careContextReference, hiType }
}
