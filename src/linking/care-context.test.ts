import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { checkGroups, contextsIn, groupsOf, keyOf } from './care-context.ts'

const reference = fc.stringMatching(/^[a-zA-Z0-9_\-@,().:| ]{1,20}$/).filter((text) => text.trim() !== '')
const group = fc
  .record({
    referenceNumber: reference,
    display: reference,
    careContexts: fc.uniqueArray(fc.record({ referenceNumber: reference, display: reference }), {
      minLength: 1,
      maxLength: 20,
      selector: (each) => each.referenceNumber,
    }),
    hiType: fc.constantFrom(...HI_TYPES),
  })
  .map((each) => ({ ...each, count: each.careContexts.length }))
const groups = fc.uniqueArray(group, {
  minLength: 1,
  maxLength: 4,
  selector: (each) => JSON.stringify([each.referenceNumber, each.hiType]),
})

test('every well-formed message passes, and none with a wrong count, a repetition or a character too many', () => {
  fc.assert(
    fc.property(groups, fc.integer({ min: 1, max: 20 }), (good, count) => {
      assert.equal(checkGroups(good), undefined)
      const [first] = good
      if (first === undefined) return
      if (count !== first.count) assert.equal(checkGroups([{ ...first, count }])?.code, 'linking/count-mismatch')
      assert.equal(checkGroups([first, first])?.code, 'linking/invalid-contexts')
      for (const bad of ['', ' ', 'a;b', 'a\nb', 'x'.repeat(256)]) {
        assert.equal(checkGroups([{ ...first, referenceNumber: bad }])?.code, 'linking/invalid-patient-reference')
        const careContexts = [{ referenceNumber: bad, display: 'x' }]
        assert.equal(checkGroups([{ ...first, careContexts, count: 1 }])?.code, 'linking/invalid-contexts')
      }
    }),
  )
})

test('taking groups apart and putting them together loses and adds nothing', () => {
  fc.assert(
    fc.property(groups, (some) => {
      const contexts = contextsIn(some)
      assert.deepEqual(contextsIn(groupsOf(contexts)).map(keyOf).toSorted(), contexts.map(keyOf).toSorted())
    }),
  )
})
