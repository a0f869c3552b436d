import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AbhaAddress } from '../kernel/id.ts'
import { isSimilarName } from '../linking/demographics.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { type Candidates, match, type Wanted } from './matching.ts'

const wanted: Wanted = {
  abhaAddress: 'asha.rao@sbx' as AbhaAddress,
  name: 'Asha Rao',
  gender: 'F',
  yearOfBirth: 1985,
  mobiles: ['9000000001'],
  recordNumbers: [],
}
const asha: FacilityPatient = {
  reference: 'A',
  name: 'Asha Rao',
  gender: 'female',
  birthDate: '1985-04-01',
  mobile: '9000000001',
}
const nobody: Candidates = { byAddress: [], byNumber: [], byMobile: [], byRecordNumber: [] }

test('names that sound alike are similar, others are not', () => {
  const alike = [
    ['Sita Lakshmi', 'Seetha Laxmi'],
    ['Mohammed Irfan', 'Mohammad Irfaan'],
    ['Dr. Vijay Sharma', 'Wijay Sarma'],
    ['Smt. Asha S. Rao', 'Asha Rao'],
    ['R. Venkatesh', 'Ravi Venkatesh'],
    ['Priya', 'Priyaa Nair'],
    ['Deepika Jha', 'Dipika Jha'],
    ['Zakir Hussain', 'Jakir Husain'],
  ] as const
  for (const [a, b] of alike) {
    assert.ok(isSimilarName(a, b), `${a} / ${b}`)
    assert.ok(isSimilarName(b, a), `${b} / ${a}`)
  }
  const different = [
    ['Asha Rao', 'Usha Rao'],
    ['Asha Rao', 'Asha Menon'],
    ['Ravi Kumar', 'Ramesh Kumar'],
    ['A. R.', 'Asha Rao'],
    ['', 'Asha Rao'],
    ['Mr', 'Asha'],
  ] as const
  for (const [a, b] of different) assert.ok(!isSimilarName(a, b), `${a} / ${b}`)
})

test('ABHA address comes first, and several are none', () => {
  const other = { ...asha, reference: 'B', name: 'Wholly Other', gender: 'male' as const }
  assert.equal(match(wanted, { ...nobody, byAddress: [other], byMobile: [asha] })?.patient.reference, 'B')
  assert.equal(match(wanted, { ...nobody, byAddress: [asha, other] }), undefined)
  assert.equal(match(wanted, { ...nobody, byMobile: [asha, { ...asha, reference: 'C' }] }), undefined)
  assert.deepEqual(match(wanted, { ...nobody, byMobile: [asha], byRecordNumber: [asha] })?.matchedBy, ['MOBILE', 'MR'])
  assert.equal(match(wanted, nobody), undefined)
})

test('a mobile number alone finds nobody: gender, age within five years and name must fit', () => {
  const found = (changes: Partial<FacilityPatient>) =>
    match(wanted, { ...nobody, byMobile: [{ ...asha, ...changes }] }) !== undefined
  assert.ok(found({}))
  assert.ok(found({ birthDate: '1990-12-31' }))
  assert.ok(!found({ birthDate: '1991-01-01' }))
  assert.ok(found({ birthDate: '1980-01-01' }))
  assert.ok(!found({ birthDate: '1979-12-31' }))
  assert.ok(!found({ gender: 'male' }))
  assert.ok(!found({ gender: 'unknown' }))
  assert.ok(!found({ name: 'Usha Rao' }))
  assert.ok(!found({ abhaAddress: 'another@sbx' as AbhaAddress }), 'known to be somebody else')
})
