import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HI_TYPES } from '../fhir/hi-type.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { STAFF_ROLES } from '../kernel/staff-role.ts'
import { mayDo } from '../people/rules.ts'
import type { Terms } from './hiu.ts'
import { differencesOf, placeOf, stepsOf } from './progress.ts'
import { askFrom, requesterOf, TEMPLATES, templatesOf } from './templates.ts'

const NOW = new Date('2026-11-22T06:00:00Z')
const WHOM = { patient: 'asha.rao@sbx' as AbhaAddress, requester: { name: 'Dr. A' } }
const DAY_MS = 86_400_000

test('every template belongs to roles that may ask, and every role that may ask has one', () => {
  for (const { id, roles, hiTypes } of TEMPLATES) {
    assert.ok(hiTypes.length > 0, id)
    for (const role of roles) assert.ok(mayDo(role, 'consent.ask'), `${role} may not ask ${id}`)
  }
  for (const role of STAFF_ROLES) assert.equal(templatesOf(role).length > 0, mayDo(role, 'consent.ask'), role)
  assert.equal(new Set(TEMPLATES.map(({ id }) => id)).size, TEMPLATES.length)
})

test('whatever a person types, what is asked lies within the template of her role, or nothing is asked', () => {
  const adjustment = fc.record(
    {
      hiTypes: fc.uniqueArray(fc.constantFrom(...HI_TYPES), { maxLength: 8 }),
      lookBackDays: fc.integer({ min: 1, max: 20_000 }),
      keepDays: fc.integer({ min: 1, max: 20_000 }),
    },
    { requiredKeys: [] },
  )
  const ids = fc.constantFrom<string>(...TEMPLATES.map(({ id }) => id), 'other')
  fc.assert(
    fc.property(ids, fc.constantFrom(...STAFF_ROLES), adjustment, (id, role, change) => {
      const ask = askFrom(id, role, WHOM, change, NOW)
      const template = TEMPLATES.find((each) => each.id === id)
      if (isRefusal(ask) || template === undefined) return assert.ok(isRefusal(ask))
      assert.ok((template.roles as readonly string[]).includes(role))
      assert.ok(ask.hiTypes.every((type) => (template.hiTypes as readonly string[]).includes(type)))
      assert.ok(NOW.getTime() - ask.range.from.getTime() <= template.lookBackDays * DAY_MS)
      assert.ok(ask.dataEraseAt.getTime() - NOW.getTime() <= template.keepDays * DAY_MS)
      assert.equal(ask.purpose, template.purpose)
    }),
  )
})

test('the requester is named with the register of the profession, when she has a number in it', () => {
  assert.deepEqual(requesterOf({ name: 'Dr. A', role: 'doctor', registration: 'MH-1' }), {
    name: 'Dr. A',
    registrationNumber: 'MH-1',
    registrationSystem: 'https://www.nmc.org.in',
  })
  assert.deepEqual(requesterOf({ name: 'B', role: 'billing' }), { name: 'B' })
  assert.deepEqual(requesterOf({ name: 'L', role: 'lab', registration: '7' }), { name: 'L', registrationNumber: '7' })
})

const terms = (changes: Partial<Terms> = {}): Terms => ({
  purpose: 'CAREMGT',
  hiTypes: ['Prescription', 'DiagnosticReport'],
  range: { from: new Date('2024-01-01'), to: new Date('2026-01-01') },
  dataEraseAt: new Date('2027-01-01'),
  frequency: { unit: 'DAY', value: 1, repeats: 2 },
  accessMode: 'VIEW',
  careContexts: [],
  ...changes,
})

test('what was allowed as asked shows no difference; each cut shows as its own', () => {
  assert.deepEqual(differencesOf(terms(), [terms()]), [])
  assert.deepEqual(differencesOf(terms(), []), [])
  assert.deepEqual(
    differencesOf(terms(), [terms({ hiTypes: ['Prescription'] }), terms({ hiTypes: ['DiagnosticReport'] })]),
    [],
  )
  const one = (changes: Partial<Terms>) => differencesOf(terms(), [terms(changes)])
  assert.deepEqual(one({ hiTypes: ['Prescription'] }), [{ kind: 'types', without: ['DiagnosticReport'] }])
  assert.deepEqual(
    one({ range: { from: new Date('2025-01-01'), to: new Date('2025-06-01') } }).map(({ kind }) => kind),
    ['from', 'to'],
  )
  assert.deepEqual(one({ dataEraseAt: new Date('2026-12-01') })[0]?.kind, 'keep')
  assert.deepEqual(one({ frequency: { unit: 'DAY', value: 1, repeats: 1 } }), [{ kind: 'frequency' }])
  assert.deepEqual(one({ range: { from: new Date(terms().range.from.getTime() + 999), to: terms().range.to } }), [])
})

const transfer = (status: string, documents: number) =>
  ({
    status,
    askedAt: NOW,
    refusals: [],
    pages: [],
    pagesMissing: 0,
    careContexts: [{ careContextReference: 'c', status: documents > 0 ? 'received' : 'missing', documents }],
  }) as never

test('a place is what its newest transfer says; an ended consent has nothing left', () => {
  const state = (status: string, ...transfers: never[]) =>
    placeOf({ status, transfers, granted: undefined as never } as never).state
  assert.equal(state('checking'), 'checking')
  assert.equal(state('granted'), 'waiting')
  assert.equal(state('granted', transfer('receiving', 0)), 'coming')
  assert.equal(state('granted', transfer('complete', 2)), 'here')
  assert.equal(state('granted', transfer('complete', 0)), 'nothing')
  assert.equal(state('granted', transfer('incomplete', 1)), 'part')
  assert.equal(
    state('granted', transfer('complete', 2), transfer('asked', 0)),
    'here',
    'what came before is still here',
  )
  assert.equal(state('revoked', transfer('erased', 2)), 'ended')
  assert.equal(state('refused'), 'nothing')
})

test('the progress line stops where it stopped', () => {
  const line = (status: string, places: readonly { state: string; documents: number }[] = [], readAt?: Date) =>
    stepsOf({ status, askedAt: NOW, changedAt: NOW, places, ...(readAt === undefined ? {} : { readAt }) } as never).map(
      ({ name, state }) => `${name} ${state}`,
    )
  assert.deepEqual(line('failed'), ['asked stopped'])
  assert.deepEqual(line('denied'), ['asked done', 'decided stopped'])
  assert.deepEqual(line('granted').at(2), 'data now')
  const here = { state: 'here', documents: 2 }
  const nothing = { state: 'nothing', documents: 0 }
  assert.deepEqual(line('granted', [here, { state: 'coming', documents: 0 }]).slice(2), ['data now', 'read later'])
  assert.deepEqual(line('granted', [here, nothing]).slice(2), ['data done', 'read now'])
  assert.deepEqual(line('granted', [nothing]).slice(2), ['data stopped', 'read later'])
  assert.deepEqual(line('granted', [here], NOW).slice(2), ['data done', 'read done'])
})
