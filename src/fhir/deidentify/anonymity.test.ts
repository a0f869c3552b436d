import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { buildDocument } from '../build/document.ts'
import { SAMPLE_INPUTS } from '../build/sample-inputs.ts'
import type { Obj } from '../json.ts'
import { anonymityReport, personsOf } from './anonymity.ts'
import { deidentify } from './document.ts'
import { namesOf, personsBehind } from './whose.ts'

const NOW = new Date('2026-11-22T00:00:00Z')

describe('how well people hide among each other', () => {
  const person = (pseudonym: string, quasi: readonly string[], ...sensitive: string[]) => ({
    pseudonym,
    quasi,
    sensitive: new Set(sensitive),
  })

  test('k is the smallest class, l the fewest values in a class', () => {
    const report = anonymityReport(
      [
        person('a', ['female', '1980'], 'E11'),
        person('b', ['female', '1980'], 'I10'),
        person('c', ['male', '1990'], 'E11'),
        person('d', ['male', '1990'], 'E11'),
        person('e', ['male', '1990'], 'E11'),
      ],
      { k: 3, l: 2 },
    )
    assert.deepEqual(
      { ...report, entropyL: Math.round(report.entropyL) },
      {
        persons: 5,
        classes: 2,
        k: 2,
        l: 1,
        entropyL: 1,
        mostShared: 1,
        atRisk: ['a', 'b', 'c', 'd', 'e'],
      },
    )
    assert.equal(anonymityReport([], { k: 5, l: 2 }).k, 0)
  })

  test('leaving out who is at risk leaves an export that keeps its promise', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('f', 'm'), fc.constantFrom('1980', '1981'), fc.constantFrom('x', 'y', 'z'))),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        (rows, k, l) => {
          const persons = rows.map(([gender, year, code], at) => person(String(at), [gender, year], code))
          const { atRisk } = anonymityReport(persons, { k, l })
          const left = persons.filter(({ pseudonym }) => !atRisk.includes(pseudonym))
          const report = anonymityReport(left, { k, l })
          assert.deepEqual(report.atRisk, [])
          if (left.length > 0) assert.ok(report.k >= k && report.l >= l)
        },
      ),
    )
  })

  test('that a condition is masked is no second condition; two addresses are both known', () => {
    const masked = { system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'masked' }
    const document = (name: string, states: readonly string[]): Obj => ({
      entry: [
        {
          resource: {
            resourceType: 'Patient',
            identifier: [{ value: name }],
            address: states.map((state) => ({ state })),
          },
        },
        { resource: { resourceType: 'Condition', code: { coding: [masked] } } },
      ],
    })
    const persons = personsOf([
      document('a', ['Goa']),
      document('b', ['Goa', 'Kerala']),
      document('c', ['Kerala']),
      document('c', ['Goa']),
    ])
    const { l, classes, mostShared } = anonymityReport(persons, { k: 1, l: 1 })
    assert.deepEqual({ l, classes, mostShared }, { l: 1, classes: 2, mostShared: 0 })
  })

  test('documents that share an identifier, however it is written, are of one person', () => {
    const names = (...values: readonly (readonly [string, string])[]) =>
      namesOf({
        entry: [
          { resource: { resourceType: 'Patient', identifier: values.map(([system, value]) => ({ system, value })) } },
        ],
      })
    const persons = personsBehind([
      names(['urn:a', 'MRN-1'], ['urn:abha', '91-0000-0000-0001']),
      names(['urn:b', 'MRN-1']),
      names(['urn:phr', 'Asha.Rao@sbx'], ['urn:abha', '91000000000001']),
      names(['urn:c', '17'], ['urn:phr', 'asha.rao@sbx']),
      names(),
    ])
    assert.deepEqual(persons, ['1|91000000000001', '3|["urn:b","MRN-1"]', persons[0], persons[0], undefined])
  })

  test('documents of one person are one person', () => {
    const project = { id: 'diabetes-2026', key: new Uint8Array(32).fill(7) }
    const documents = SAMPLE_INPUTS.slice(0, 3).map((input) => {
      let count = 0
      const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
      const bundle = buildDocument(input, { bundleId: makeUuid(), now: NOW, makeUuid })
      return deidentify(bundle, { mode: 'limited', project, patient: 'meena.test@sbx', now: NOW, reviewed: new Set() })
        .document
    })
    const [one, ...others] = personsOf(documents)
    assert.equal(others.length, 0)
    assert.deepEqual(one?.quasi.slice(0, 1), ['female'])
    assert.deepEqual(one?.quasi.slice(2), ['Maharashtra', '411001'])
  })
})
