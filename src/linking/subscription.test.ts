import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type Answer, contextsToTell, makeTerms, type Subscription, type SubscriptionRequest } from './subscription.ts'

const at = (day: number) => new Date(Date.UTC(2026, 0, day))
const NOW = at(10)
const HIPS = ['IN1', 'IN2', 'IN3'] as FacilityId[]
const TYPES = ['Prescription', 'OPConsultation', 'Invoice'] as const

const period = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .map(([a, b]) => ({ from: at(Math.min(a, b)), to: at(Math.max(a, b) + 1) }))
const categories = fc.subarray(['LINK', 'DATA'] as const, { minLength: 1 })
const source = fc.record(
  { hip: fc.constantFrom(...HIPS), hiTypes: fc.subarray([...TYPES]), categories, period },
  { requiredKeys: [] },
)
const answers: fc.Arbitrary<Answer> = fc.record({
  isForAllHips: fc.boolean(),
  included: fc.array(source, { maxLength: 3 }),
  excluded: fc.array(source, { maxLength: 2 }),
})
const requests: fc.Arbitrary<SubscriptionRequest> = fc.record({
  purpose: fc.constant({ code: 'CAREMGT' as const, text: '' }),
  hips: fc.subarray(HIPS),
  categories,
  period,
})

const granted = (request: SubscriptionRequest, answer: Answer): Subscription | undefined => {
  const terms = makeTerms(request, answer, NOW)
  const base = {
    id: 'x' as Id<'subscription'>,
    patient: 'a@sbx' as AbhaAddress,
    hiu: 'H' as FacilityId,
    request,
    requestedAt: NOW,
  }
  return isRefusal(terms) ? undefined : { ...base, status: 'granted', terms, decidedAt: NOW }
}

test('a subscriber is told of nothing outside its request, and of nothing that the patient left out', () => {
  const news = fc.record({
    hip: fc.constantFrom(...HIPS),
    category: fc.constantFrom('LINK' as const, 'DATA' as const),
    hiType: fc.constantFrom(...TYPES),
    now: fc.integer({ min: 1, max: 22 }).map(at),
  })
  fc.assert(
    fc.property(requests, answers, news, (request, answer, { hip, category, hiType, now }) => {
      const subscription = granted(request, answer)
      if (subscription === undefined) return
      const context = { patientReference: 'p', careContextReference: 'c', hiType }
      const told = contextsToTell(subscription, { hip, category, contexts: [context] }, now)
      if (told.length === 0) return
      assert.ok(request.hips.length === 0 || request.hips.includes(hip))
      assert.ok(request.categories.includes(category))
      assert.ok(request.period.from <= now && now < request.period.to)
      for (const each of answer.excluded) {
        const isCovered =
          (each.hip === undefined || each.hip === hip) &&
          (each.categories ?? request.categories).includes(category) &&
          ((each.hiTypes ?? []).length === 0 || each.hiTypes?.includes(hiType)) &&
          (each.period ?? request.period).from <= now &&
          now < (each.period ?? request.period).to
        assert.ok(!isCovered)
      }
      assert.deepEqual(
        contextsToTell(
          { ...subscription, status: 'revoked' } as Subscription,
          { hip, category, contexts: [context] },
          now,
        ),
        [],
      )
    }),
    { numRuns: 3_000 },
  )
})

test('more than was asked is refused, and so is nothing at all', () => {
  const request: SubscriptionRequest = {
    purpose: { code: 'CAREMGT', text: '' },
    hips: [HIPS[0] as FacilityId],
    categories: ['LINK'],
    period: { from: at(5), to: at(20) },
  }
  const field = (answer: Partial<Answer>) => {
    const terms = makeTerms(request, { isForAllHips: false, included: [], excluded: [], ...answer }, NOW)
    return isRefusal(terms) ? terms.field : 'granted'
  }
  assert.equal(field({ included: [{ hip: HIPS[1] as FacilityId }] }), 'includedSources.hip')
  assert.equal(field({ included: [{ categories: ['DATA'] }] }), 'includedSources.categories')
  assert.equal(field({ included: [{ period: { from: at(5), to: at(21) } }] }), 'includedSources.period')
  assert.equal(field({ included: [{ period: { from: at(5), to: at(9) } }] }), 'includedSources.period')
  assert.equal(field({}), 'includedSources')
  assert.equal(field({ isForAllHips: true }), 'granted')
  assert.equal(field({ included: [{}] }), 'granted')
})
