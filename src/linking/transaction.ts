import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { contextsIn, type Group, keyOf } from './care-context.ts'

export type Identifier = {
  readonly type: 'MR' | 'MOBILE' | 'ABHA_NUMBER' | 'ABHA_ADDRESS' | 'EMAIL'
  readonly value: string
}
export type Step = 'discover' | 'init' | 'confirm'
export type LinkingError = { readonly code: string; readonly message: string }

/** What the HIP says about its one-time password. The password itself is the HIP's: it makes and checks it. */
export type LinkOffer = {
  readonly referenceNumber: string
  readonly authenticationType: 'DIRECT' | 'MEDIATED'
  readonly communicationMedium: 'MOBILE' | 'EMAIL'
  readonly communicationHint?: string
  /** ISO date-time. */
  readonly communicationExpiry: string
}

type Base = {
  readonly id: Id<'linking-transaction'>
  readonly patient: AbhaAddress
  readonly hip: FacilityId
  /** The app that is told; absent when the patient reads the result at the exchange. */
  readonly requester?: FacilityId
  /** REQUEST-ID of the patient's latest step. */
  readonly askedByRequest: string
  /** REQUEST-ID of our latest message to the HIP. */
  readonly sentRequest: Id<'request'>
  readonly startedAt: Date
}
type Found = { readonly found: readonly Group[]; readonly matchedBy: readonly string[] }
type Chosen = Found & { readonly chosen: readonly Group[] }
type Offered = Chosen & { readonly link: LinkOffer }

export type Transaction =
  | (Base & { readonly status: 'asked'; readonly identifiers: readonly Identifier[]; readonly answerBy: Date })
  | (Base & { readonly status: 'found' } & Found)
  | (Base & { readonly status: 'init-asked'; readonly answerBy: Date } & Chosen)
  | (Base & { readonly status: 'offered'; readonly lastError?: LinkingError } & Offered)
  | (Base & { readonly status: 'confirm-asked'; readonly otp: string; readonly answerBy: Date } & Offered)
  | (Base & { readonly status: 'linked'; readonly linked: readonly Group[]; readonly link: LinkOffer })
  | (Base & { readonly status: 'failed'; readonly step: Step; readonly error: LinkingError })

export type Status = Transaction['status']
type In<S extends Status> = Extract<Transaction, { status: S }>

export const MOVES = {
  asked: ['found', 'failed'],
  found: ['init-asked'],
  'init-asked': ['offered', 'failed'],
  offered: ['init-asked', 'confirm-asked'],
  'confirm-asked': ['linked', 'offered', 'failed'],
  linked: [],
  failed: [],
} as const satisfies Record<Status, readonly Status[]>

/** The HIP's code for a wrong one-time password (protocol sheet 2.2): the patient may try again. */
const WRONG_OTP = 'ABDM-1035'

/** What a HIP answered: a result, or its own error. */
export type Answered<T> = { readonly result: T } | { readonly error: LinkingError }

const baseOf = (t: Transaction): Base => ({
  id: t.id,
  patient: t.patient,
  hip: t.hip,
  ...(t.requester === undefined ? {} : { requester: t.requester }),
  askedByRequest: t.askedByRequest,
  sentRequest: t.sentRequest,
  startedAt: t.startedAt,
})

const fail = (t: Transaction, step: Step, error: LinkingError): In<'failed'> => ({
  ...baseOf(t),
  status: 'failed',
  step,
  error,
})

/** Whether the transaction waits for an answer of the HIP, and for which. */
export function awaited(t: Transaction): { readonly step: Step; readonly answerBy: Date } | undefined {
  switch (t.status) {
    case 'asked':
      return { step: 'discover', answerBy: t.answerBy }
    case 'init-asked':
      return { step: 'init', answerBy: t.answerBy }
    case 'confirm-asked':
      return { step: 'confirm', answerBy: t.answerBy }
    case 'found':
    case 'offered':
    case 'linked':
    case 'failed':
      return undefined
  }
}

/** Ends a step that the HIP did not answer, or that could not be delivered; undefined when it is not waiting for that step. */
export function giveUp(t: Transaction, step: Step, error: LinkingError): In<'failed'> | undefined {
  return awaited(t)?.step === step ? fail(t, step, error) : undefined
}

/** Whether an answer to `step` may be taken now: not a second one, not out of order, not late. */
function checkAnswer(t: Transaction, step: Step, sentRequest: string, now: Date): Refusal | undefined {
  const waits = awaited(t)
  if (waits?.step !== step) {
    // Only the failure of this very step by time makes an answer late; all else is a repetition or out of order.
    if (t.status === 'failed') return refuse(t.step === step ? 'linking/answer-late' : 'linking/wrong-order')
    return refuse(isPast(t, step) ? duplicateOf(step) : 'linking/wrong-order')
  }
  if (t.sentRequest !== sentRequest.toLowerCase())
    return refuse('linking/unknown-request', undefined, 'response.requestId')
  return now > waits.answerBy ? refuse('linking/answer-late') : undefined
}

function isPast(t: Transaction, step: Step): boolean {
  const steps: Record<Step, readonly Status[]> = {
    discover: ['found', 'init-asked', 'offered', 'confirm-asked', 'linked'],
    init: ['offered', 'confirm-asked', 'linked'],
    confirm: ['linked'],
  }
  return steps[step].includes(t.status)
}

function duplicateOf(step: Step) {
  return (
    {
      discover: 'linking/duplicate-discovery',
      init: 'linking/duplicate-init',
      confirm: 'linking/duplicate-confirm',
    } as const
  )[step]
}

/** The HIP answers discovery. */
export function takeFound(
  t: Transaction,
  sentRequest: string,
  answer: Answered<Found>,
  now: Date,
): In<'found' | 'failed'> | Refusal {
  const fault = checkAnswer(t, 'discover', sentRequest, now)
  if (fault) return fault
  if ('error' in answer) return fail(t, 'discover', answer.error)
  return { ...baseOf(t), status: 'found', found: answer.result.found, matchedBy: answer.result.matchedBy }
}

/** The patient chooses among what was found; more than was found is refused. */
export function choose(
  t: Transaction,
  input: {
    readonly chosen: readonly Group[]
    readonly askedByRequest: string
    readonly requester?: FacilityId
    readonly sentRequest: Id<'request'>
  },
  now: Date,
): In<'init-asked'> | Refusal {
  if (t.status !== 'found' && t.status !== 'offered') {
    return t.status === 'init-asked'
      ? refuse('linking/duplicate-init', 'This link was asked for already; wait for the answer.')
      : refuse('linking/wrong-order')
  }
  const known = new Map(contextsIn(t.found).map((context) => [keyOf(context), context]))
  const wanted = contextsIn(input.chosen)
  if (wanted.length === 0 || wanted.some((context) => !known.has(keyOf(context))))
    return refuse('linking/not-found-there', undefined, 'patient')
  // The HIP's own words are shown, never those that the app sent back.
  const keys = new Set(wanted.map(keyOf))
  return {
    ...baseOf(t),
    ...(input.requester === undefined ? {} : { requester: input.requester }),
    status: 'init-asked',
    askedByRequest: input.askedByRequest,
    sentRequest: input.sentRequest,
    found: t.found,
    matchedBy: t.matchedBy,
    chosen: onlyKeys(t.found, keys),
    answerBy: new Date(now.getTime() + LIMITS.linkAnswerMs),
  }
}

/** The HIP sent a one-time password, or could not. */
export function takeOffer(
  t: Transaction,
  sentRequest: string,
  answer: Answered<LinkOffer>,
  now: Date,
): In<'offered' | 'failed'> | Refusal {
  const fault = checkAnswer(t, 'init', sentRequest, now)
  if (fault) return fault
  if (t.status !== 'init-asked') return refuse('linking/wrong-order')
  if ('error' in answer) return fail(t, 'init', answer.error)
  return {
    ...baseOf(t),
    status: 'offered',
    found: t.found,
    matchedBy: t.matchedBy,
    chosen: t.chosen,
    link: answer.result,
  }
}

/** The patient hands over the one-time password, which goes to the HIP as it is. */
export function confirm(
  t: Transaction,
  input: {
    readonly otp: string
    readonly askedByRequest: string
    readonly requester?: FacilityId
    readonly sentRequest: Id<'request'>
  },
  now: Date,
): In<'confirm-asked'> | Refusal {
  if (t.status !== 'offered') {
    return t.status === 'confirm-asked' || t.status === 'linked'
      ? refuse('linking/duplicate-confirm')
      : refuse('linking/wrong-order')
  }
  if (now > new Date(t.link.communicationExpiry)) return refuse('linking/otp-expired')
  return {
    ...baseOf(t),
    ...(input.requester === undefined ? {} : { requester: input.requester }),
    status: 'confirm-asked',
    askedByRequest: input.askedByRequest,
    sentRequest: input.sentRequest,
    found: t.found,
    matchedBy: t.matchedBy,
    chosen: t.chosen,
    link: t.link,
    otp: input.otp,
    answerBy: new Date(now.getTime() + LIMITS.linkAnswerMs),
  }
}

/**
 * The HIP checked the one-time password. What it confirms is linked as far as the patient chose it; a wrong password leaves the
 * offer open.
 */
export function takeConfirmation(
  t: Transaction,
  sentRequest: string,
  answer: Answered<readonly Group[]>,
  now: Date,
): In<'linked' | 'offered' | 'failed'> | Refusal {
  const fault = checkAnswer(t, 'confirm', sentRequest, now)
  if (fault) return fault
  if (t.status !== 'confirm-asked') return refuse('linking/wrong-order')
  if ('error' in answer) {
    if (!answer.error.code.startsWith(WRONG_OTP)) return fail(t, 'confirm', answer.error)
    return {
      ...baseOf(t),
      status: 'offered',
      found: t.found,
      matchedBy: t.matchedBy,
      chosen: t.chosen,
      link: t.link,
      lastError: answer.error,
    }
  }
  const confirmed = new Set(
    answer.result.flatMap((group) =>
      group.careContexts.map((context) => JSON.stringify([group.referenceNumber, context.referenceNumber])),
    ),
  )
  const keys = new Set(
    contextsIn(t.chosen)
      .filter((context) => confirmed.has(JSON.stringify([context.patientReference, context.careContextReference])))
      .map(keyOf),
  )
  if (keys.size === 0)
    return refuse('linking/not-found-there', 'None of these care contexts was chosen by the patient.', 'patient')
  return { ...baseOf(t), status: 'linked', linked: onlyKeys(t.chosen, keys), link: t.link }
}

function onlyKeys(groups: readonly Group[], keys: ReadonlySet<string>): readonly Group[] {
  return groups
    .map((group) => ({
      ...group,
      careContexts: group.careContexts.filter((context) =>
        keys.has(
          keyOf({
            patientReference: group.referenceNumber,
            careContextReference: context.referenceNumber,
            hiType: group.hiType,
          }),
        ),
      ),
    }))
    .filter((group) => group.careContexts.length > 0)
}

/** For those who may read it: everything but the one-time password. */
export function withoutSecrets(t: Transaction): Transaction {
  return t.status === 'confirm-asked' ? { ...t, otp: '' } : t
}
