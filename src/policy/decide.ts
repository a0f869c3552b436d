import type { HiType } from '../fhir/hi-type.ts'
import { nextRequestAt } from './frequency.ts'
import {
  type ConsentFact,
  type Decision,
  type Facts,
  type Grant,
  type Question,
  type RefusalFact,
  RULES,
  type Rule,
  type Withheld,
} from './gate.ts'
import { gaps, isAt, overlap } from './period.ts'

const POLICY_VERSION = 'consent-1'

type Readable = Extract<ConsentFact, { readable: true }>
type Told = { readonly rule: Rule; readonly consent?: string }

/** Facts indexed for many questions: one lookup finds the consents of (patient, recipient, holder, purpose). */
export type CompiledFacts = Pick<Facts, 'recipient' | 'holder' | 'refusals'> & {
  readonly unreadable: readonly string[]
  readonly consents: ReadonlyMap<string, readonly Readable[]>
}

export function compileFacts(facts: Facts): CompiledFacts {
  const consents = new Map<string, Readable[]>()
  for (const fact of facts.consents) {
    if (!fact.readable) continue
    const key = keyOf(fact)
    consents.set(key, [...(consents.get(key) ?? []), fact])
  }
  // In one order, whatever the order of the rows: equal facts give equal answers.
  for (const list of consents.values()) list.sort((a, b) => (a.id < b.id ? -1 : 1))
  const unreadable = facts.consents.filter((fact) => !fact.readable).map((fact) => fact.id)
  return { recipient: facts.recipient, holder: facts.holder, refusals: facts.refusals, unreadable, consents }
}

function keyOf(of: {
  readonly patient: string
  readonly recipient: string
  readonly holder: string
  readonly purpose: string
}): string {
  return JSON.stringify([of.patient, of.recipient, of.holder, of.purpose])
}

/**
 * Whether this use of health data is permitted, how much of it, on which consents, and by which rules. Pure. The steps, in order:
 * standing of both parties → readable facts → consents that match → their state → refusals, which win → the union of the rest,
 * cut to the question. Anything missing or unreadable denies.
 */
export function decide(question: Question, facts: Facts): Decision {
  return decideCompiled(question, compileFacts(facts))
}

/** {@link decide} over facts that were compiled before. */
export function decideCompiled(question: Question, facts: CompiledFacts): Decision {
  const stop = refusalOfStanding(question, facts)
  if (stop !== undefined) return deny(question, [stop], { alarm: stop.rule === 'fact-unreadable' })
  const matching = facts.consents.get(keyOf(question)) ?? []
  if (matching.length === 0) return deny(question, [{ rule: 'no-consent' }])

  const explain: Told[] = []
  const usable: Readable[] = []
  let nextAt: Date | undefined
  for (const consent of matching) {
    const fault = faultOf(consent, question)
    if (fault === undefined) usable.push(consent)
    explain.push({ rule: fault?.rule ?? (consent.isOwnWork ? 'own-record' : 'consent-in-force'), consent: consent.id })
    if (fault?.nextAt !== undefined && (nextAt === undefined || fault.nextAt < nextAt)) nextAt = fault.nextAt
  }
  if (usable.length === 0) return deny(question, explain, nextAt === undefined ? {} : { nextAt })

  const refusals = facts.refusals.filter((refusal) => concerns(refusal, question))
  const parts = [...new Set(question.types)].map((type) => decideType(type, question, usable, refusals))
  return answer(
    parts.flatMap((part) => part.granted),
    parts.flatMap((part) => part.withheld),
    explain,
  )
}

function refusalOfStanding(question: Question, facts: CompiledFacts): Told | undefined {
  if (facts.recipient !== 'active') return { rule: 'recipient-not-active' }
  // What a HIU already holds it may show under its consents, whatever became of the provider since.
  if (facts.holder !== 'active' && question.mode !== 'view') return { rule: 'holder-not-active' }
  if (question.types.length === 0 || !(question.period.from <= question.period.to))
    return { rule: 'question-malformed' }
  const [unreadable] = [...facts.unreadable].sort()
  return unreadable === undefined ? undefined : { rule: 'fact-unreadable', consent: unreadable }
}

function faultOf(consent: Readable, question: Question): { readonly rule: Rule; readonly nextAt?: Date } | undefined {
  if (consent.status === 'REVOKED') return { rule: 'consent-revoked' }
  if (consent.status === 'EXPIRED' || consent.eraseAt <= question.now) return { rule: 'consent-expired' }
  if (question.mode === 'view') return undefined
  if (question.mode === 'request' && !consent.acknowledged) return { rule: 'consent-not-acknowledged' }
  const nextAt = nextRequestAt(consent.frequency, consent.usedAt)
  return nextAt !== undefined && nextAt > question.now ? { rule: 'frequency-used-up', nextAt } : undefined
}

function concerns(refusal: RefusalFact, question: Question): boolean {
  const { patient, recipient, holder, purpose } = refusal
  return (
    patient === question.patient &&
    (recipient === undefined || recipient === question.recipient) &&
    (holder === undefined || holder === question.holder) &&
    (purpose === undefined || purpose === question.purpose)
  )
}

type Part = { readonly granted: readonly Grant[]; readonly withheld: readonly Withheld[] }

function decideType(
  type: HiType,
  question: Question,
  usable: readonly Readable[],
  refusals: readonly RefusalFact[],
): Part {
  const naming = usable.filter((consent) => consent.types.includes(type))
  const refused = refusals
    .filter((refusal) => refusal.types === undefined || refusal.types.includes(type))
    .flatMap((refusal) =>
      refusal.period === undefined ? question.period : (overlap(question.period, refusal.period) ?? []),
    )
  const allowed = gaps(question.period, refused)
  const granted = naming.flatMap((consent) =>
    allowed.flatMap((open) => {
      const period = overlap(open, consent.period)
      if (period === undefined) return []
      const { careContexts } = consent
      return [
        {
          consent: consent.id,
          type,
          period,
          eraseBy: consent.eraseAt,
          ...(careContexts === undefined ? {} : { careContexts }),
        },
      ]
    }),
  )
  const why: Rule = naming.length === 0 ? 'type-not-granted' : 'outside-period'
  const covered = granted.map((grant) => grant.period)
  const uncovered = allowed.flatMap((open) => gaps(open, covered)).map((period) => ({ type, why, period }))
  const denied = gaps(question.period, allowed).map((period) => ({ type, why: 'refused' as const, period }))
  return { granted, withheld: [...denied, ...uncovered] }
}

function answer(granted: readonly Grant[], withheld: readonly Withheld[], told: readonly Told[]): Decision {
  const whys = [...new Set(withheld.map(({ why }) => why))].map((rule) => ({ rule }))
  const explain = explained([...told, ...whys])
  const consents = [...new Set(granted.map((grant) => grant.consent))].sort()
  const first = [...granted].sort((a, b) => a.eraseBy.getTime() - b.eraseBy.getTime())[0]
  return {
    outcome: first === undefined ? 'deny' : withheld.length > 0 ? 'narrow' : 'allow',
    granted,
    withheld,
    consents,
    obligations: { ...(first === undefined ? {} : { eraseBy: first.eraseBy }), noOnward: true, alarm: false },
    policyVersion: POLICY_VERSION,
    explain,
  }
}

function deny(
  question: Question,
  told: readonly Told[],
  more: { readonly alarm?: boolean; readonly nextAt?: Date } = {},
): Decision {
  const why = told[0]?.rule ?? 'no-consent'
  return {
    outcome: 'deny',
    granted: [],
    withheld: [...new Set(question.types)].map((type) => ({ type, why, period: question.period })),
    consents: [],
    obligations: { noOnward: true, alarm: more.alarm ?? false },
    policyVersion: POLICY_VERSION,
    explain: explained(told),
    ...(more.nextAt === undefined ? {} : { nextAt: more.nextAt }),
  }
}

function explained(told: readonly Told[]): Decision['explain'] {
  return told.map((one) => ({ ...one, says: RULES[one.rule] }))
}

/** Whether a decision lets one record pass: its type, date and care context lie in one of the grants. */
export function admits(
  decision: Decision,
  record: {
    readonly type: HiType
    readonly date: Date
    readonly careContext: { readonly patientReference?: string; readonly careContextReference: string }
  },
): boolean {
  return decision.granted.some(
    (grant) => grant.type === record.type && isAt(record.date, grant.period) && holdsContext(grant, record.careContext),
  )
}

function holdsContext(
  grant: Grant,
  context: { readonly patientReference?: string; readonly careContextReference: string },
): boolean {
  return (
    grant.careContexts === undefined ||
    grant.careContexts.some(
      (own) =>
        own.careContextReference === context.careContextReference &&
        (context.patientReference === undefined || own.patientReference === context.patientReference),
    )
  )
}
