import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HI_TYPES } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'
import { applyPolicy } from './approval-policy.ts'
import type { CareContextRef, ConsentAsk, GrantItem } from './consent.ts'
import { checkAsk, checkGrant, KEPT_YEARS_MAX, sinceBirth } from './rules.ts'

const NOW = new Date('2026-11-22T06:30:00.000Z')
const DAY_MS = 86_400_000
const day = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS)
const HOSPITAL = 'HOSPITAL' as FacilityId
const LAB = 'LAB-1' as FacilityId
const CONTEXTS: readonly CareContextRef[] = ['a', 'b', 'c'].map((careContextReference) => ({
  patientReference: 'P',
  careContextReference,
}))
const linked: ReadonlyMap<FacilityId, readonly CareContextRef[]> = new Map([
  [HOSPITAL, CONTEXTS],
  [LAB, CONTEXTS.slice(0, 1)],
])

const types = fc.subarray([...HI_TYPES], { minLength: 1 })
const range = fc
  .tuple(fc.integer({ min: -900, max: -1 }), fc.integer({ min: 1, max: 400 }))
  .map(([from, days]) => ({ from: day(from), to: day(from + days) }))
const permission = fc.record({
  accessMode: fc.constantFrom('VIEW' as const, 'STORE' as const, 'QUERY' as const),
  dateRange: range,
  dataEraseAt: fc.integer({ min: 1, max: 90 }).map(day),
  frequency: fc.record({
    unit: fc.constantFrom('HOUR' as const, 'DAY' as const),
    value: fc.integer({ min: 1, max: 30 }),
    repeats: fc.integer({ min: 0, max: 5 }),
  }),
})
const asked: fc.Arbitrary<ConsentAsk> = fc.record(
  {
    purpose: fc.constant({ code: 'CAREMGT' as const, text: 'Care Management', refUri: 'x' }),
    patient: fc.constant('asha.rao@sbx' as AbhaAddress),
    hiu: fc.constant('CLINIC' as FacilityId),
    hip: fc.constantFrom(HOSPITAL, LAB),
    careContexts: fc.subarray([...CONTEXTS]),
    requester: fc.constant({ name: 'Dr. Iyer' }),
    hiTypes: types,
    permission,
  },
  { requiredKeys: ['purpose', 'patient', 'hiu', 'careContexts', 'requester', 'hiTypes', 'permission'] },
)
const anyItem: fc.Arbitrary<GrantItem> = fc.record({
  hip: fc.constantFrom(HOSPITAL, LAB),
  hiTypes: types,
  careContexts: fc.subarray([...CONTEXTS], { minLength: 1 }),
  permission,
})

/** What the request itself asks for, at one provider. */
function wholeOf(ask: ConsentAsk): GrantItem {
  const hip = ask.hip ?? HOSPITAL
  const careContexts = (linked.get(hip) ?? []).filter(
    (c) => ask.careContexts.length === 0 || ask.careContexts.includes(c),
  )
  return { hip, hiTypes: ask.hiTypes, careContexts, permission: ask.permission }
}

/** The request with one to all of its parts exchanged for any others: within it about as often as beyond it. */
const askAndItem = fc
  .tuple(
    asked,
    anyItem,
    fc.subarray(['hip', 'hiTypes', 'careContexts', 'accessMode', 'dateRange', 'dataEraseAt', 'frequency'] as const),
  )
  .map(([ask, other, changed]): readonly [ConsentAsk, GrantItem] => {
    const whole = wholeOf(ask)
    const mixed = { ...whole, permission: { ...whole.permission } }
    for (const part of changed) {
      if (part === 'hip' || part === 'hiTypes' || part === 'careContexts') Object.assign(mixed, { [part]: other[part] })
      else Object.assign(mixed.permission, { [part]: other.permission[part] })
    }
    return [ask, mixed]
  })

/** Whether the item lies within the request, written once more and otherwise: what could be used under it could be used as asked. */
function isWithin(ask: ConsentAsk, one: GrantItem): boolean {
  const { permission: wanted } = ask
  const given = one.permission
  const held = new Set((linked.get(one.hip) ?? []).map((c) => c.careContextReference))
  const named = new Set(ask.careContexts.map((c) => c.careContextReference))
  const hours = (f: typeof given.frequency): number => f.value * (f.unit === 'DAY' ? 24 : 1)
  const mostInOneWindow =
    Math.max(1, given.frequency.repeats) * Math.ceil(hours(wanted.frequency) / hours(given.frequency))
  return (
    [undefined, one.hip].includes(ask.hip) &&
    one.hiTypes.every((type) => ask.hiTypes.includes(type)) &&
    one.careContexts.every(
      (c) => held.has(c.careContextReference) && (named.size === 0 || named.has(c.careContextReference)),
    ) &&
    given.dateRange.from >= wanted.dateRange.from &&
    given.dateRange.to <= wanted.dateRange.to &&
    given.dataEraseAt <= wanted.dataEraseAt &&
    mostInOneWindow <= Math.max(1, wanted.frequency.repeats) &&
    ['VIEW', wanted.accessMode].includes(given.accessMode)
  )
}

test('a grant is taken exactly when it lies within the request', () => {
  const met = new Set<boolean>()
  fc.assert(
    fc.property(askAndItem, ([ask, one]) => {
      const within = isWithin(ask, one)
      met.add(within)
      assert.equal(checkGrant(ask, [one], linked, NOW) === undefined, within)
    }),
    { numRuns: 3_000 },
  )
  assert.equal(met.size, 2, 'both kinds were met')
})

test('what was asked for itself lies within the request, and so does everything narrower', () => {
  fc.assert(
    fc.property(asked, fc.nat(), (ask, seed) => {
      const whole = wholeOf(ask)
      assert.equal(checkGrant(ask, [whole], linked, NOW), undefined)
      const { dateRange } = ask.permission
      const narrower: GrantItem = {
        ...whole,
        hiTypes: ask.hiTypes.slice(0, 1 + (seed % ask.hiTypes.length)),
        permission: {
          ...ask.permission,
          accessMode: 'VIEW',
          dateRange: { from: dateRange.from, to: new Date(dateRange.to.getTime() - (seed % DAY_MS)) },
        },
      }
      assert.equal(checkGrant(ask, [narrower], linked, NOW), undefined)
    }),
  )
})

test('a standing approval never grants what the patient could not grant, nor what the policy does not name', () => {
  const period = fc.oneof(fc.constant({ from: day(-2_000), to: day(2_000) }), range)
  const named = fc.oneof({ arbitrary: fc.constant([...HI_TYPES]), weight: 3 }, { arbitrary: types, weight: 1 })
  const purpose = fc.constantFrom('CAREMGT', 'CAREMGT', 'HPAYMT')
  const hip = fc.constantFrom(HOSPITAL, LAB)
  const source = fc.record({ hiTypes: named, purpose, hip, period }, { requiredKeys: ['hiTypes', 'purpose', 'period'] })
  const excluded = fc.record({ hiTypes: types, purpose, hip, period: range }, { requiredKeys: [] })
  const terms = fc.record(
    {
      isApplicableForAllHIPs: fc.boolean(),
      includedSources: fc.array(source, { minLength: 1, maxLength: 3 }),
      excludedSources: fc.array(excluded, { maxLength: 1 }),
      until: fc.integer({ min: -10, max: 200 }).map(day),
    },
    { requiredKeys: ['isApplicableForAllHIPs', 'includedSources', 'excludedSources'] },
  )
  let granted = 0
  fc.assert(
    fc.property(asked, terms, fc.boolean(), (ask, policyTerms, enabled) => {
      const policy = { patient: ask.patient, hiu: ask.hiu, enabled, terms: policyTerms }
      const items = applyPolicy(policy, ask, linked, NOW) ?? []
      assert.ok(enabled || items.length === 0)
      granted += items.length
      for (const one of items) {
        assert.equal(checkGrant(ask, [one], linked, NOW), undefined)
        const { until } = policyTerms
        assert.ok(until === undefined || (NOW < until && one.permission.dataEraseAt <= until), 'not beyond its end')
        for (const type of one.hiTypes) {
          const isNamed = policyTerms.includedSources.some(
            (s) =>
              s.hiTypes.includes(type) &&
              s.purpose === ask.purpose.code &&
              (s.hip ?? (policyTerms.isApplicableForAllHIPs ? one.hip : undefined)) === one.hip &&
              s.period.from <= one.permission.dateRange.from &&
              one.permission.dateRange.to <= s.period.to,
          )
          const excludes = policyTerms.excludedSources.some(
            (s) =>
              [undefined, one.hip].includes(s.hip) &&
              [undefined, ask.purpose.code].includes(s.purpose) &&
              (s.hiTypes?.includes(type) ?? true) &&
              (s.period === undefined ||
                (s.period.from <= one.permission.dateRange.to && one.permission.dateRange.from <= s.period.to)),
          )
          assert.ok(isNamed && !excludes)
        }
      }
    }),
    { numRuns: 3_000 },
  )
  assert.ok(granted > 100, `only ${granted} grants were met`)
})

test('dates that cannot be are refused when asked', () => {
  const [ask] = fc.sample(asked, 1)
  assert.ok(ask)
  const at = (change: object): ConsentAsk => ({ ...ask, permission: { ...ask.permission, ...change } })
  assert.equal(checkAsk(ask, NOW), undefined)
  assert.equal(checkAsk(at({ dataEraseAt: NOW }), NOW)?.field, 'consent.permission.dataEraseAt')
  assert.equal(checkAsk(at({ dateRange: { from: NOW, to: NOW } }), NOW)?.field, 'consent.permission.dateRange.from')
})

test('no copy is kept for longer than its purpose can need', () => {
  fc.assert(
    fc.property(asked, fc.constantFrom(...(Object.keys(PURPOSES) as PurposeCode[])), (ask, code) => {
      const of = (dataEraseAt: Date) =>
        checkAsk({ ...ask, purpose: { ...ask.purpose, code }, permission: { ...ask.permission, dataEraseAt } }, NOW)
      const latest = new Date(NOW)
      latest.setUTCFullYear(NOW.getUTCFullYear() + KEPT_YEARS_MAX[code])
      assert.equal(of(latest), undefined)
      assert.equal(of(new Date(latest.getTime() + 1))?.code, 'consent/kept-too-long')
    }),
  )
})

test('years before the patient was born are cut away; a range that ends before is refused', () => {
  fc.assert(
    fc.property(asked, (ask) => {
      const { from, to } = ask.permission.dateRange
      const old = must(sinceBirth(ask, '1950-01-01'))
      assert.deepEqual(old, ask)
      const cut = must(
        sinceBirth({ ...ask, permission: { ...ask.permission, dateRange: { from: new Date(0), to } } }, '2020-03-01'),
      )
      assert.deepEqual(cut.permission.dateRange, { from: new Date('2020-02-29T18:30:00.000Z'), to })
      const before = { from: new Date(0), to: new Date('2019-01-01') }
      assert.ok(isRefusal(sinceBirth({ ...ask, permission: { ...ask.permission, dateRange: before } }, '2020-03-01')))
      assert.ok(from < to)
    }),
  )
})
