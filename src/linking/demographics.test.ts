import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSameGender, isSamePerson, isSimilarName } from './demographics.ts'

const SAME: readonly (readonly [string, string])[] = [
  ['Asha Rao', 'asha rao'],
  ['Asha Rao', 'Rao, Asha'],
  ['Smt. Asha Rao', 'Asha Rao'],
  ['Asha Rao', 'Asha Prakash Rao'],
  ['A. Rao', 'Asha Rao'],
  ['Lakshmi Iyer', 'Laxmi Iyer'],
  ['Mohammed Faisal', 'Mohamed Faizal'],
  ['Shri Ashok Kumar', 'Ashoka Kumar'],
  ['Geeta Devi', 'Gita Devi'],
  ['Vikram Singh', 'Wikram Singh'],
  ['Subramaniam', 'Subramanian'],
  ['आशा राव', 'आशा राव'],
  ['José Fernandes', 'Jose Fernandes'],
]
for (const [a, b] of SAME) {
  test(`${a} and ${b} may be one person, either way round`, () => {
    assert.ok(isSimilarName(a, b))
    assert.ok(isSimilarName(b, a))
  })
}

const DIFFERENT: readonly (readonly [string, string])[] = [
  ['Asha Rao', 'Usha Rao'],
  ['Asha Rao', 'Asha Nair'],
  ['Asha Rao', 'Ravi Rao'],
  ['Asha Rao', 'A. R.'],
  ['A', 'Asha Rao'],
  ['Asha Rao', ''],
  ['Asha Rao', '---'],
  ['Amit Sharma', 'Anil Sharma'],
  ['Sunita Patil', 'Sumati Patil'],
  ['आशा राव', 'उषा राव'],
]
for (const [a, b] of DIFFERENT) {
  test(`${a || '(nothing)'} and ${b || '(nothing)'} are not taken for one person`, () => {
    assert.ok(!isSimilarName(a, b))
    assert.ok(!isSimilarName(b, a))
  })
}

test('a short word is a word, not an initial', () => {
  for (const name of ['Ie', 'iE', 'Oo', 'Yy']) assert.ok(isSimilarName(name, name), name)
  assert.ok(!isSimilarName('I', 'I'))
})

test('likeness of names does not depend on their order, and every real name is like itself', () => {
  const name = fc
    .array(fc.stringMatching(/^[A-Za-z]{2,10}$/), { minLength: 1, maxLength: 4 })
    .map((words) => words.join(' '))
  fc.assert(fc.property(name, name, (a, b) => isSimilarName(a, b) === isSimilarName(b, a)))
  fc.assert(fc.property(name, (a) => isSimilarName(a, a)))
})

test('gender and year of birth must fit; the genders that old forms write as other are one', () => {
  const asha = { name: 'Asha Rao', gender: 'F', yearOfBirth: 1990 } as const
  assert.ok(isSamePerson(asha, { ...asha, name: 'Rao Asha' }))
  assert.ok(!isSamePerson(asha, { ...asha, gender: 'M' }))
  assert.ok(!isSamePerson(asha, { ...asha, yearOfBirth: 1991 }))
  assert.ok(isSameGender('T', 'O'))
  assert.ok(!isSameGender('T', 'F'))
})
