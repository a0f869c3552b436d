import type { AuditEvent } from '../audit/record.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'

/**
 * What a patient asks a facility about a look at her records (DPDP s.13). `asked`: on its way. `delivered`: the facility has it.
 * `undelivered`: it could not be reached; the operator of the exchange must call there.
 */
export type QuestionStatus = 'asked' | 'delivered' | 'undelivered' | 'answered'

export const MOVES = {
  asked: ['delivered', 'undelivered', 'answered'],
  // Delivered by hand of the operator, or answered after all.
  undelivered: ['delivered', 'answered'],
  delivered: ['answered'],
  answered: [],
} as const satisfies Record<QuestionStatus, readonly QuestionStatus[]>

/** At the exchange. */
export type Question = {
  readonly id: Id<'question'>
  readonly patient: AbhaAddress
  readonly facility: FacilityId
  /** The look that it is about. */
  readonly event: Id<'event'>
  /** What the patient says on the telephone: `Q-7K3M-9PQR`. */
  readonly number: string
  readonly status: QuestionStatus
  readonly text: string
  readonly askedAt: Date
  /** The facility answers until then (DPDP r.14(3)). */
  readonly dueAt: Date
  readonly answer?: { readonly text: string; readonly by: string; readonly at: Date }
}

/** What the facility keeps of it. */
export type ReceivedQuestion = {
  readonly id: Id<'question'>
  readonly patient: AbhaAddress
  readonly number: string
  readonly status: ReceivedStatus
  readonly text: string
  /** What it is about, as the facility had reported it. */
  readonly look: { readonly at: string; readonly person: string; readonly role: string; readonly purpose: string }
  readonly receivedAt: Date
  readonly dueAt: Date
  readonly answer?: { readonly text: string; readonly by: string; readonly at: Date }
}
export type ReceivedStatus = 'open' | 'answered'
export const RECEIVED_MOVES = {
  open: ['answered'],
  answered: [],
} as const satisfies Record<ReceivedStatus, readonly ReceivedStatus[]>

export const EVENTS = {
  'rights.question-asked': 'The patient asked a facility about a look at her records.',
  'rights.question-delivered': 'The facility has the patient’s question.',
  'rights.question-undelivered': 'The patient’s question could not be delivered to the facility.',
  'rights.question-answered': 'The facility answered the patient’s question.',
  'rights.question-received': 'A patient’s question about a look at her records came in.',
  'rights.question-replied': 'The facility sent its answer to a patient’s question.',
} as const

type Of<Type extends keyof typeof EVENTS, Fields> = AuditEvent & {
  readonly type: Type
  readonly patient: AbhaAddress
  readonly subject: Id<'question'>
} & Readonly<Fields>

export type QuestionAsked = Of<
  'rights.question-asked',
  { facility: FacilityId; about: Id<'event'>; number: string; text: string; dueAt: string }
>
export type QuestionMoved = Of<'rights.question-delivered' | 'rights.question-undelivered', { facility: FacilityId }>
export type QuestionAnswered = Of<'rights.question-answered', { facility: FacilityId; text: string }>
export type QuestionReceived = Of<'rights.question-received', { number: string; text: string; dueAt: string }>
export type QuestionReplied = Of<'rights.question-replied', { text: string }>

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A number that can be read out: eight characters of Crockford's base 32 (without I, L, O, U) from five random bytes. */
export function makeNumber(random: Uint8Array): string {
  let bits = 0n
  for (const byte of random.subarray(0, 5)) bits = (bits << 8n) | BigInt(byte)
  const characters = Array.from({ length: 8 }, (_, i) => ALPHABET[Number((bits >> BigInt(35 - 5 * i)) & 31n)] ?? '')
  return `Q-${characters.slice(0, 4).join('')}-${characters.slice(4).join('')}`
}
