import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { RecordHead } from '../records/record.ts'

/** A care context with one kind of record in it, as it is offered. */
export type OfferedContext = { readonly reference: string; readonly hiType: HiType; readonly display: string }

/** Contexts of one HI type; at most 20 (ABDM-1006). */
export type ContextGroup = { readonly hiType: HiType; readonly contexts: readonly OfferedContext[] }

/** Each care context once for each type of record in it, oldest first; those in `linked` left out. */
export function contextsOf(heads: readonly RecordHead[], linked: ReadonlySet<string>): readonly OfferedContext[] {
  const contexts = new Map<string, OfferedContext>()
  const inOrder = [...heads].sort((a, b) => a.date.getTime() - b.date.getTime() || (a.key < b.key ? -1 : 1))
  for (const { careContextReference: reference, hiType, display } of inOrder) {
    const key = `${hiType} ${reference}`
    if (!linked.has(reference) && !contexts.has(key)) contexts.set(key, { reference, hiType, display })
  }
  return [...contexts.values()]
}

/** The references of contexts, each once. */
export function referencesOf(contexts: readonly OfferedContext[]): readonly string[] {
  return [...new Set(contexts.map(({ reference }) => reference))]
}

/** Groups by HI type, in parts of at most `size`. */
export function groupsOf(
  contexts: readonly OfferedContext[],
  size: number = LIMITS.careContextsPerMessageMax,
): readonly ContextGroup[] {
  const byType = new Map<HiType, OfferedContext[]>()
  for (const context of contexts) byType.set(context.hiType, [...(byType.get(context.hiType) ?? []), context])
  return [...byType].flatMap(([hiType, all]) =>
    Array.from({ length: Math.ceil(all.length / size) }, (_, part) => ({
      hiType,
      contexts: all.slice(part * size, (part + 1) * size),
    })),
  )
}

/** A call of ours to the exchange about linking, while its answer is awaited. */
export type LinkCall = {
  readonly requestId: Id<'request'>
  readonly kind: 'token' | 'contexts' | 'notify'
  readonly patientReference: string
  readonly abhaAddress: AbhaAddress
  readonly status: 'waiting' | 'done' | 'failed'
  readonly contexts: readonly OfferedContext[]
  /** How often it was made before, with other request ids. */
  readonly tries: number
  readonly error?: string
}

export const CALL_MOVES = {
  none: ['waiting'],
  waiting: ['done', 'failed'],
  done: [],
  failed: [],
} as const satisfies Record<string, readonly LinkCall['status'][]>

/** Waiting times when new data is told before the exchange has taken the link (ABDM-1006; protocol sheet 2.1). */
export const NOTIFY_RETRY_MS = [5_000, 15_000, 60_000] as const

/** The exchange does not take the token: it is dropped and a new one asked for, once (protocol sheet 3.5). */
export function isTokenRefused(code: string | undefined): boolean {
  return code !== undefined && /^ABDM-(1026|1038|1062|1063|1066)\b/.test(code)
}

/** The exchange has the link already: as good as done. */
export function isLinkedAlready(code: string | undefined): boolean {
  return code !== undefined && /^ABDM-1056\b/.test(code)
}

/** A patient's request to link, while its one-time password is awaited. */
export type LinkPassword = {
  readonly linkRef: Id<'link'>
  readonly abhaAddress: AbhaAddress
  readonly patientReference: string
  readonly chosen: readonly OfferedContext[]
  readonly otpHash: Uint8Array
  readonly wrongTries: number
  readonly status: 'waiting' | 'confirmed' | 'spent'
  readonly expiresAt: Date
}

export const PASSWORD_MOVES = {
  none: ['waiting'],
  // A wrong try that is not the last leaves it waiting.
  waiting: ['waiting', 'confirmed', 'spent'],
  confirmed: [],
  spent: [],
} as const satisfies Record<string, readonly LinkPassword['status'][]>

export const LINK_EVENTS = {
  'hip.link-token-asked': 'The facility asked the exchange for a link token for a patient.',
  'hip.link-token-received': 'The facility received a link token.',
  'hip.link-asked': 'The facility asked the exchange to link care contexts of a patient.',
  'hip.contexts-linked': 'Care contexts of a patient are linked at the exchange.',
  'hip.link-failed': 'A linking call of the facility was refused.',
  'hip.new-data-told': 'The facility tells the exchange of a new record in a linked care context.',
  'hip.new-data-acknowledged': 'The exchange took the news of a new record.',
  'hip.discovery-answered': 'The facility answered whether it has records of a patient who asked.',
  'hip.link-password-sent':
    'A patient asked to link; the facility sent a one-time password to the mobile number that it knows.',
  'hip.link-password-wrong': 'A wrong one-time password was given for a link.',
  'hip.links-undone':
    'The exchange did not take a confirmed link, so the facility counts the care contexts as not linked.',
  'hip.profile-shared': 'A patient shared their profile at a counter and got a place in the queue.',
  'hip.profile-taken': 'The desk took a shared profile: it registered the patient, or knew the patient already.',
} as const
