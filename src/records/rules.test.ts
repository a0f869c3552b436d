import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { STAFF_ROLES, type StaffRole } from '../kernel/staff-role.ts'
import { mayDo } from '../people/rules.ts'
import { listedTypes, readingsOf } from './rules.ts'

const until = new Date('2026-01-01T10:15:00Z')
const relation = fc.record({
  role: fc.constantFrom(...STAFF_ROLES),
  attends: fc.boolean(),
  emergency: fc.boolean(),
})
const readings = (role: StaffRole, attends: boolean, emergency: boolean) =>
  readingsOf({ role, attends, ...(emergency ? { emergencyUntil: until } : {}) })

test('doctors and nurses read whom they attend, or in an emergency, and nobody else', () => {
  for (const role of ['doctor', 'nurse'] as const) {
    assert.deepEqual(readings(role, false, false), [])
    assert.deepEqual(
      readings(role, true, true).map(({ purpose, ground }) => [purpose, ground]),
      [
        ['CAREMGT', 'attending'],
        ['BTG', 'emergency'],
      ],
    )
    assert.deepEqual(readings(role, false, true)[0]?.until, until)
    assert.deepEqual(readings(role, true, false)[0]?.own, HI_TYPES)
  }
})

test('a unit reads the one kind that is its work; billing of others only for payment', () => {
  assert.deepEqual(readings('lab', false, false)[0]?.own, ['DiagnosticReport'])
  assert.deepEqual(readings('pharmacy', false, false)[0]?.received, ['Prescription'])
  const [billing] = readings('billing', false, false)
  assert.deepEqual([billing?.purpose, billing?.own], ['HPAYMT', ['Invoice']])
})

test('laws: only who may read at all reads; attending never narrows; only an emergency gives its purpose', () => {
  fc.assert(
    fc.property(relation, ({ role, attends, emergency }) => {
      const found = readings(role, attends, emergency)
      if (found.length > 0) assert.ok(mayDo(role, 'record.read'), role)
      if (listedTypes(role).length > 0) assert.ok(mayDo(role, 'record.list'), role)
      assert.ok(readings(role, true, emergency).length >= readings(role, false, emergency).length)
      for (const { purpose, ground, own } of found) {
        assert.equal(purpose === 'BTG', ground === 'emergency')
        assert.ok(ground !== 'emergency' || emergency)
        assert.ok(ground !== 'attending' || attends)
        for (const type of own) assert.ok(listedTypes(role).includes(type))
      }
    }),
  )
})
