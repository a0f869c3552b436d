import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Id } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { pageOfStaff } from './staff-list.ts'

const person = fc.record({
  id: fc.uuid().map((id) => id as Id<'staff'>),
  name: fc.constantFrom('Anjali Rao', 'anil kumar', 'Meera Nair', 'नीलम'),
  login: fc.constantFrom('anjali.rao', 'm.nair', 'x'),
})
const everybody = fc.uniqueArray(person, { selector: ({ id }) => id, maxLength: 30 })

describe('pages of the staff', () => {
  it('give everybody who is looked for once, in their order, and no page more than asked for', () => {
    fc.assert(
      fc.property(
        everybody,
        fc.constantFrom('', 'an', 'RAO', 'नी', 'nobody'),
        fc.integer({ min: 1, max: 7 }),
        (all, search, limit) => {
          const given: (typeof all)[number][] = []
          let after: Id<'staff'> | undefined
          do {
            const { staff, next } = must(pageOfStaff(all, { search, after, limit }))
            assert.ok(staff.length <= limit)
            assert.ok(next === undefined || staff.length === limit)
            given.push(...staff)
            after = next
          } while (after !== undefined)
          const wanted = all.filter(({ name, login }) => new RegExp(search, 'i').test(`${name} ${login}`))
          assert.deepEqual(given, wanted)
        },
      ),
    )
  })

  it('do not begin anew behind somebody who is not there', () => {
    assert.ok(isRefusal(pageOfStaff([], { search: '', after: 'nobody' as Id<'staff'>, limit: 1 })))
  })
})
