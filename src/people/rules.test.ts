import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STAFF_ACTS, STAFF_ROLES, type StaffAct } from '../kernel/staff-role.ts'
import { actsOf, mayDo } from './rules.ts'
import { parseLogin, parseStaffRole } from './staff.ts'

/** What touches records of patients, their content or their being patients here. */
const ABOUT_PATIENTS: readonly StaffAct[] = STAFF_ACTS.filter((act) =>
  /^(patient|visit|link|record|share)\.|emergency\.open/.test(act),
)

test('nobody has everything, and everything has somebody', () => {
  for (const role of STAFF_ROLES) assert.ok(actsOf(role).length < STAFF_ACTS.length / 1.5, role)
  for (const act of STAFF_ACTS)
    assert.ok(
      STAFF_ROLES.some((role) => mayDo(role, act)),
      act,
    )
})

test('the administrator and the data protection officer reach no health data', () => {
  for (const role of ['administrator', 'dpo'] as const)
    for (const act of ABOUT_PATIENTS) assert.equal(mayDo(role, act), false, `${role} ${act}`)
  assert.equal(mayDo('administrator', 'consent.see'), false)
  assert.equal(mayDo('administrator', 'access-log.see'), false)
})

test('who gives accounts does nothing else, and who reviews emergencies opens none', () => {
  for (const role of STAFF_ROLES) {
    assert.equal(mayDo(role, 'staff.change'), role === 'administrator', role)
    assert.ok(!(mayDo(role, 'emergency.open') && mayDo(role, 'emergency.review')), role)
  }
})

test('content opens to those who treat, examine, dispense or bill, and to nobody else', () => {
  const readers = STAFF_ROLES.filter((role) => mayDo(role, 'record.read'))
  assert.deepEqual(readers, ['doctor', 'nurse', 'lab', 'pharmacy', 'billing'])
  assert.deepEqual(
    STAFF_ROLES.filter((role) => mayDo(role, 'emergency.open')),
    ['doctor', 'nurse'],
  )
})

test('logins are read in any case, and nothing else is one', () => {
  assert.equal(parseLogin(' Meera.Nair '), 'meera.nair')
  for (const bad of ['', 'ab', '.abc', 'abc-', 'a b c', 'é.nair', 'x'.repeat(41), 'a\u0000bc'])
    assert.equal(parseLogin(bad), undefined, bad)
})

test('roles are read by their names alone', () => {
  assert.equal(parseStaffRole('records-officer'), 'records-officer')
  for (const bad of ['Doctor', 'constructor', '', 'admin']) assert.equal(parseStaffRole(bad), undefined, bad)
})
