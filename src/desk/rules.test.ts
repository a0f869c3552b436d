import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Id } from '../kernel/id.ts'
import { STAFF_ROLES, type StaffRole } from '../kernel/staff-role.ts'
import { mayDo } from '../people/rules.ts'
import { attendantOf, consentsSeenBy, mayAttend, seesTerms, todayScope } from './rules.ts'
import { attendsNow, endsBy, UNITS, VISIT_KINDS, type Visit } from './visit.ts'

const roles = fc.constantFrom(...STAFF_ROLES)
const people = fc.record({ id: fc.uuid().map((id) => id as Id<'staff'>), role: roles })
const AT = new Date('2026-11-22T06:00:00Z')

/** Whether somebody finds a visit, attended by these, on her list of today. */
function isListed(
  reader: { readonly id: Id<'staff'>; readonly role: StaffRole },
  attendants: readonly string[],
): boolean {
  const scope = todayScope(reader)
  return scope === 'all' || (scope !== 'none' && attendants.includes(scope.attendant))
}

test('nobody but the front desk finds on her list whom neither she nor her unit attends', () => {
  fc.assert(
    fc.property(people, fc.array(people, { maxLength: 5 }), (reader, others) => {
      const attendants = others.flatMap((person) => attendantOf(person) ?? [])
      const own = attendantOf(reader)
      const expected = reader.role === 'front-desk' || (own !== undefined && attendants.includes(own))
      assert.equal(isListed(reader, attendants), expected)
    }),
  )
})

test('two people of different roles never share a list by attending', () => {
  fc.assert(
    fc.property(people, people, (one, other) => {
      if (one.id === other.id || one.role === 'front-desk') return
      const attendant = attendantOf(other)
      if (attendant === undefined || one.role === other.role) return
      assert.equal(isListed(one, [attendant]), false)
    }),
  )
})

test('who attends by name may start visits; who attends nobody has no list', () => {
  for (const role of STAFF_ROLES) {
    const person = { id: 'x' as Id<'staff'>, role }
    assert.equal(mayAttend(role), attendantOf(person) === person.id, role)
    if (mayAttend(role)) assert.ok(mayDo(role, 'visit.start'), role)
    if (attendantOf(person) === undefined && role !== 'front-desk') assert.equal(todayScope(person), 'none', role)
  }
})

test('clinical and billing work do not see what the other asks; who asks sees her own', () => {
  for (const role of STAFF_ROLES) {
    const seen = consentsSeenBy(role)
    if (mayDo(role, 'consent.ask')) assert.ok(seen.includes(role), `${role} sees what ${role} asks`)
    if (!mayDo(role, 'consent.see')) assert.deepEqual(seen, [], role)
    if (seesTerms(role) && !['dpo', 'records-officer'].includes(role)) {
      assert.equal(seen.includes('billing'), role === 'billing', role)
      assert.equal(seen.includes('lab'), role === 'lab', role)
      assert.equal(seen.includes('pharmacy'), role === 'pharmacy', role)
    }
  }
})

test('attending needs an open visit, a name on it, and time that is not over', () => {
  const attendant = fc.constantFrom<string>('a', 'b', ...UNITS)
  const minutes = fc.integer({ min: -10_000, max: 10_000 }).map((m) => new Date(AT.getTime() + m * 60_000))
  const attendance = fc.record({ attendant, from: minutes, until: fc.option(minutes, { nil: undefined }) })
  fc.assert(
    fc.property(
      fc.constantFrom(...VISIT_KINDS),
      fc.constantFrom('open' as const, 'ended' as const),
      minutes,
      fc.array(attendance, { maxLength: 4 }),
      attendant,
      minutes,
      (kind, status, startedAt, attendants, who, now) => {
        const visit = { kind, status, startedAt, attendants } as unknown as Visit
        const attends = attendsNow(visit, who, now)
        if (!attends) return
        assert.equal(status, 'open')
        const end = endsBy(visit)
        assert.ok(end === undefined || now < end)
        assert.ok(attendants.some((one) => one.attendant === who && one.from <= now && (one.until ?? now) >= now))
        assert.equal(attendsNow({ ...visit, status: 'ended' }, who, now), false)
        assert.equal(attendsNow({ ...visit, attendants: [] }, who, now), false)
      },
    ),
  )
})
