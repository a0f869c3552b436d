import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HiType } from '../fhir/hi-type.ts'
import { admits, decide } from './decide.ts'
import type { ConsentFact, Decision, Facts, Question, RefusalFact } from './gate.ts'
import { RULES } from './gate.ts'

/** A small world in which every question can be answered by looking at each moment: six moments, two types, two of everything else. */
const MOMENTS = [0, 1, 2, 3, 4, 5]
const TYPES: readonly HiType[] = ['Prescription', 'DiagnosticReport']
const NOW = 1_000
const HOUR_MS = 3_600_000
const at = (ms: number): Date => new Date(ms)

type Readable = Extract<ConsentFact, { readable: true }>

const period = fc
  .tuple(fc.constantFrom(...MOMENTS), fc.constantFrom(...MOMENTS))
  .map(([a, b]) => ({ from: at(Math.min(a, b)), to: at(Math.max(a, b)) }))
const types = fc.subarray([...TYPES], { minLength: 1 })
const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 4 }, { arbitrary: fc.constantFrom(usual, ...others), weight: 1 })
const parties = {
  patient: mostly('asha', 'ravi'),
  recipient: mostly('clinic', 'insurer'),
  holder: mostly('hospital', 'lab'),
  purpose: mostly('CAREMGT', 'HPAYMT'),
}

const question: fc.Arbitrary<Question> = fc.record({
  ...parties,
  types,
  period,
  actor: fc.constant({ kind: 'system', id: 'test' } as const),
  channel: fc.constant('abdm' as const),
  mode: fc.constantFrom('request' as const, 'share' as const, 'view' as const),
  now: fc.constant(at(NOW)),
})
const consent: fc.Arbitrary<Readable> = fc.record({
  id: fc.uuid(),
  readable: fc.constant(true as const),
  status: mostly<Readable['status']>('GRANTED', 'REVOKED', 'EXPIRED'),
  ...parties,
  types,
  period,
  eraseAt: mostly(at(NOW + 1), at(NOW), at(NOW - 1), at(NOW + 9)),
  frequency: fc.record({
    unit: fc.constant('HOUR' as const),
    value: fc.constant(1),
    repeats: fc.constantFrom(0, 1, 2),
  }),
  usedAt: fc.array(mostly(at(NOW - 2 * HOUR_MS), at(NOW - HOUR_MS), at(NOW - 1), at(NOW)), { maxLength: 3 }),
  acknowledged: mostly(true, false),
})
const refusal: fc.Arbitrary<RefusalFact> = fc.record(
  {
    id: fc.uuid(),
    patient: parties.patient,
    recipient: parties.recipient,
    holder: parties.holder,
    purpose: parties.purpose,
    types,
    period,
  },
  { requiredKeys: ['id', 'patient'] },
)
const facts: fc.Arbitrary<Omit<Facts, 'consents'> & { readonly consents: readonly Readable[] }> = fc.record({
  recipient: mostly('active', 'suspended', 'unknown'),
  holder: mostly('active', 'suspended', 'unknown'),
  consents: fc.uniqueArray(consent, { maxLength: 4, selector: ({ id }) => id }),
  refusals: fc.array(refusal, { maxLength: 1 }),
})

/** What a decision permits, as the set of (type, moment). */
function permitted(decision: Decision): ReadonlySet<string> {
  const careContext = { careContextReference: 'any' }
  return new Set(
    TYPES.flatMap((type) =>
      MOMENTS.filter((ms) => admits(decision, { type, date: at(ms), careContext })).map((ms) => `${type}@${ms}`),
    ),
  )
}

/** The oracle: each moment of each type by itself, straight from the words of the rules. */
function oracle(q: Question, f: Facts): ReadonlySet<string> {
  const allowed = new Set<string>()
  if (f.recipient !== 'active' || (q.mode !== 'view' && f.holder !== 'active')) return allowed
  if (f.consents.some((c) => !c.readable)) return allowed
  for (const type of q.types) {
    for (const ms of MOMENTS) {
      const inside = (p: { from: Date; to: Date }): boolean => p.from.getTime() <= ms && ms <= p.to.getTime()
      if (!inside(q.period)) continue
      const refused = f.refusals.some(
        (r) =>
          r.patient === q.patient &&
          [undefined, q.recipient].includes(r.recipient) &&
          [undefined, q.holder].includes(r.holder) &&
          [undefined, q.purpose].includes(r.purpose) &&
          (r.types === undefined || r.types.includes(type)) &&
          (r.period === undefined || inside(r.period)),
      )
      const consented = f.consents.some((c) => {
        if (!c.readable || c.status !== 'GRANTED' || c.eraseAt <= q.now) return false
        if (c.patient !== q.patient || c.recipient !== q.recipient || c.holder !== q.holder || c.purpose !== q.purpose)
          return false
        if (q.mode === 'request' && !c.acknowledged) return false
        const recent = c.usedAt.filter((used) => used.getTime() > q.now.getTime() - HOUR_MS).length
        if (q.mode !== 'view' && recent >= Math.max(1, c.frequency.repeats)) return false
        return c.types.includes(type) && inside(c.period)
      })
      if (consented && !refused) allowed.add(`${type}@${ms}`)
    }
  }
  return allowed
}

const isSubset = (inner: ReadonlySet<string>, outer: ReadonlySet<string>): boolean =>
  [...inner].every((one) => outer.has(one))

test('the gate answers as the oracle does, over the whole small world', () => {
  fc.assert(
    fc.property(question, facts, (q, f) => {
      assert.deepEqual([...permitted(decide(q, f))].sort(), [...oracle(q, f)].sort())
    }),
    { numRuns: 3_000 },
  )
})

test('the outcome says whether all, a part or nothing was granted, and the rest is withheld with a reason', () => {
  fc.assert(
    fc.property(question, facts, (q, f) => {
      const decision = decide(q, f)
      const asked = q.types.flatMap((type) =>
        MOMENTS.filter((ms) => q.period.from.getTime() <= ms && ms <= q.period.to.getTime()).map(
          (ms) => `${type}@${ms}`,
        ),
      )
      const got = permitted(decision)
      assert.equal(decision.outcome, got.size === 0 ? 'deny' : got.size === new Set(asked).size ? 'allow' : 'narrow')
      for (const one of asked) {
        const [type, ms] = one.split('@')
        const isWithheld = decision.withheld.some(
          (w) => w.type === type && w.period.from.getTime() <= Number(ms) && Number(ms) <= w.period.to.getTime(),
        )
        assert.equal(isWithheld, !got.has(one), one)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('every answer names its rules, its policy and its consents', () => {
  fc.assert(
    fc.property(question, facts, (q, f) => {
      const decision = decide(q, f)
      assert.ok(decision.explain.length > 0)
      assert.ok(decision.explain.every(({ rule, says }) => RULES[rule] === says))
      assert.notEqual(decision.policyVersion, '')
      assert.deepEqual(decision.consents, [...new Set(decision.granted.map((grant) => grant.consent))].sort())
      assert.equal(decision.obligations.eraseBy === undefined, decision.outcome === 'deny')
    }),
  )
})

test('revoking, ending, shortening and refusing never widen', () => {
  const change = fc.constantFrom(
    'revoke',
    'expire',
    'shorten',
    'fewer types',
    'unacknowledge',
    'use',
    'remove',
    'refuse',
    'suspend',
  )
  fc.assert(
    fc.property(question, facts, fc.nat(3), change, refusal, period, (q, f, index, how, no, shorter) => {
      const narrowed = f.consents.flatMap((c, i): readonly ConsentFact[] => {
        if (i !== index) return [c]
        switch (how) {
          case 'revoke':
            return [{ ...c, status: 'REVOKED' }]
          case 'expire':
            return [{ ...c, eraseAt: at(NOW - 5) }]
          case 'shorten': {
            const from = c.period.from > shorter.from ? c.period.from : shorter.from
            const to = c.period.to < shorter.to ? c.period.to : shorter.to
            return from <= to ? [{ ...c, period: { from, to } }] : []
          }
          case 'fewer types':
            return [{ ...c, types: c.types.slice(1) }]
          case 'unacknowledge':
            return [{ ...c, acknowledged: false }]
          case 'use':
            return [{ ...c, usedAt: [...c.usedAt, at(NOW)] }]
          case 'remove':
            return []
          case 'refuse':
          case 'suspend':
            return [c]
        }
      })
      const less: Facts = {
        ...f,
        consents: narrowed,
        refusals: how === 'refuse' ? [...f.refusals, no] : f.refusals,
        recipient: how === 'suspend' ? 'suspended' : f.recipient,
      }
      assert.ok(isSubset(permitted(decide(q, less)), permitted(decide(q, f))))
    }),
    { numRuns: 2_000 },
  )
})

test('the order of facts does not matter', () => {
  fc.assert(
    fc.property(question, facts, (q, f) => {
      assert.deepEqual(
        decide(q, { ...f, consents: f.consents.toReversed(), refusals: f.refusals.toReversed() }),
        decide(q, f),
      )
    }),
  )
})

test('a row that cannot be read denies, and asks for somebody to look', () => {
  fc.assert(
    fc.property(question, facts, fc.uuid(), (q, f, id) => {
      const decision = decide(q, {
        ...f,
        recipient: 'active',
        holder: 'active',
        consents: [...f.consents, { id, readable: false }],
      })
      assert.deepEqual(
        [decision.outcome, decision.obligations.alarm, decision.explain[0]?.rule],
        ['deny', true, 'fact-unreadable'],
      )
    }),
  )
})

test('a consent for some care contexts admits only their records', () => {
  const q: Question = {
    patient: 'asha',
    recipient: 'clinic',
    holder: 'hospital',
    purpose: 'CAREMGT',
    types: ['Prescription'],
    period: { from: at(0), to: at(5) },
    actor: { kind: 'system', id: 't' },
    channel: 'abdm',
    mode: 'view',
    now: at(NOW),
  }
  const one: Readable = {
    id: 'c1',
    readable: true,
    status: 'GRANTED',
    patient: 'asha',
    recipient: 'clinic',
    holder: 'hospital',
    purpose: 'CAREMGT',
    types: ['Prescription'],
    period: q.period,
    eraseAt: at(NOW + 1),
    careContexts: [{ patientReference: 'MRN-1', careContextReference: 'visit-1' }],
    frequency: { unit: 'HOUR', value: 1, repeats: 1 },
    usedAt: [],
    acknowledged: true,
  }
  const decision = decide(q, { recipient: 'active', holder: 'unknown', consents: [one], refusals: [] })
  assert.equal(decision.outcome, 'allow')
  const admitted = (patientReference: string, careContextReference: string): boolean =>
    admits(decision, { type: 'Prescription', date: at(2), careContext: { patientReference, careContextReference } })
  assert.deepEqual(
    [admitted('MRN-1', 'visit-1'), admitted('MRN-1', 'visit-2'), admitted('MRN-2', 'visit-1')],
    [true, false, false],
  )
  assert.equal(
    decide(
      { ...q, period: { from: at(3), to: at(1) } },
      { recipient: 'active', holder: 'active', consents: [one], refusals: [] },
    ).explain[0]?.rule,
    'question-malformed',
  )
})
