import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nameWarning, quarantineReason } from './document.ts'
import { MOVES, next, readTerms, type Terms, writeTerms } from './hiu.ts'
import { announcedPages, contextStates, type EntryResult, isComplete, outcomeOf } from './transfer.ts'

const TERMS: Terms = {
  purpose: 'CAREMGT',
  hiTypes: ['Prescription'],
  range: { from: new Date('2021-01-01T00:00:00Z'), to: new Date('2022-01-01T00:00:00Z') },
  dataEraseAt: new Date('2027-01-01T00:00:00Z'),
  frequency: { unit: 'HOUR', value: 1, repeats: 1 },
  accessMode: 'VIEW',
  careContexts: [{ patientReference: 'p', careContextReference: 'c' }],
}
const DOCUMENT = {
  hiType: 'Prescription',
  date: new Date('2021-06-01T00:00:00Z'),
  identity: { abhaNumbers: [], abhaAddresses: [], others: [] },
  bundle: {},
} as const
const ASHA = { abhaAddress: 'asha@sbx', abhaNumber: '91000000000001', birthDate: '1981-01-12', name: 'Asha Rao' }

describe('moves', () => {
  it('never lead out of a final state, nor back to granted', () => {
    for (const status of ['denied', 'expired', 'revoked'] as const) assert.deepEqual(MOVES.consent[status], {})
    for (const status of ['revoked', 'expired'] as const) assert.deepEqual(MOVES.artefact[status], {})
    for (const [from, moves] of Object.entries(MOVES.artefact))
      if (Object.values(moves).includes('granted' as never)) assert.equal(from, 'checking')
    assert.equal(next('artefact', 'refused', 'accept'), undefined)
    assert.equal(next('request', 'incomplete', 'last-page'), 'complete')
  })

  it('keep terms whole as JSON', () => {
    assert.deepEqual(readTerms(JSON.parse(JSON.stringify(writeTerms(TERMS)))), TERMS)
  })
})

describe('pages', () => {
  it('are complete when as many distinct ones are settled as were announced, in whatever order and counted from wherever', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(0, 1),
        fc.infiniteStream(fc.nat(1_000)),
        (count, base, chance) => {
          const numbers = Array.from({ length: count }, (_, i) => i + base).sort(() => (chance.next().value ?? 0) - 500)
          const pages = numbers.map((number) => ({ number, status: 'opened' as const }))
          assert.equal(isComplete(pages, count), true)
          assert.equal(isComplete([...pages, ...pages], count), true)
          assert.equal(isComplete([...pages.slice(1), ...pages.slice(1)], count), false)
          assert.equal(isComplete([...pages.slice(1), { number: numbers[0] ?? 0, status: 'stored' }], count), false)
        },
      ),
    )
    assert.equal(isComplete([], null), false)
  })

  it('read no count, and a count of 0, as one page', () => {
    assert.deepEqual([undefined, null, 0, 1, 7].map(announcedPages), [1, 1, 1, 1, 7])
  })
})

describe('care contexts', () => {
  const entry = (careContextReference: string, status: EntryResult['status'], reason?: string): EntryResult => ({
    page: 0,
    entry: 0,
    careContextReference,
    status,
    ...(reason === undefined ? {} : { reason }),
  })

  it('are received, errored or missing, each with its reason', () => {
    const states = contextStates(
      ['a', 'b', 'c'],
      [entry('a', 'held'), entry('b', 'errored', 'why'), entry('a', 'quarantined', 'whose'), entry('d', 'held')],
      { status: 'incomplete' },
    )
    assert.deepEqual(
      states.map(({ careContextReference, status, documents }) => [careContextReference, status, documents]),
      [
        ['a', 'received', 1],
        ['b', 'errored', 0],
        ['c', 'missing', 0],
        ['d', 'received', 1],
      ],
    )
    assert.equal(states[0]?.reason, 'whose')
    assert.match(states[2]?.reason ?? '', /ran out/)
  })

  it('are told as OK or ERRORED; what a whole transfer left out is not held against it', () => {
    const states = contextStates(['a', 'b'], [entry('a', 'held')], { status: 'complete' })
    assert.deepEqual(outcomeOf(states, 'complete'), {
      sessionStatus: 'RECEIVED',
      contexts: [{ careContextReference: 'a', hiStatus: 'OK' }],
    })
    assert.equal(outcomeOf(states, 'incomplete').sessionStatus, 'FAILED')
    assert.equal(outcomeOf(states, 'incomplete').contexts[1]?.hiStatus, 'ERRORED')
    assert.equal(
      outcomeOf(contextStates(['a'], [entry('a', 'errored', 'x')], { status: 'complete' }), 'complete').sessionStatus,
      'FAILED',
    )
    assert.equal(outcomeOf(contextStates(['a'], [], { status: 'complete' }), 'complete').sessionStatus, 'RECEIVED')
  })
})

describe('a document', () => {
  it('passes when nothing contradicts', () => {
    assert.equal(quarantineReason(DOCUMENT, 'c', TERMS, ASHA, []), undefined)
    assert.equal(
      quarantineReason(
        { ...DOCUMENT, identity: { abhaNumbers: ['91000000000001'], abhaAddresses: ['asha@sbx'], others: [] } },
        'c',
        { ...TERMS, careContexts: [] },
        ASHA,
        [],
      ),
      undefined,
    )
    const warned = [{ severity: 'warning', path: 'Bundle', rule: 'x', message: 'y' }] as const
    assert.equal(quarantineReason(DOCUMENT, 'c', TERMS, { abhaAddress: 'asha@sbx' }, warned), undefined)
  })

  it('is quarantined for each thing that contradicts', () => {
    const cases: readonly [Parameters<typeof quarantineReason>, RegExp][] = [
      [
        [
          { ...DOCUMENT, identity: { abhaNumbers: ['91000000000002'], abhaAddresses: [], others: [] } },
          'c',
          TERMS,
          ASHA,
          [],
        ],
        /another patient/,
      ],
      [
        [
          { ...DOCUMENT, identity: { abhaNumbers: ['91000000000001'], abhaAddresses: ['ravi@sbx'], others: [] } },
          'c',
          TERMS,
          ASHA,
          [],
        ],
        /another patient/,
      ],
      [
        [
          {
            ...DOCUMENT,
            identity: { abhaNumbers: [], abhaAddresses: ['asha@sbx'], others: [], birthDate: '1981-02-12' },
          },
          'c',
          TERMS,
          ASHA,
          [],
        ],
        /birth dates/,
      ],
      [[DOCUMENT, 'd', TERMS, ASHA, []], /care context/],
      [[{ ...DOCUMENT, hiType: 'Invoice' }, 'c', TERMS, ASHA, []], /HI type Invoice/],
      [[{ ...DOCUMENT, date: new Date('2022-01-01T00:00:00.001Z') }, 'c', TERMS, ASHA, []], /date/],
      [[DOCUMENT, 'c', TERMS, ASHA, [{ severity: 'error', path: 'Bundle', rule: 'x', message: 'y' }]], /not a valid/],
    ]
    for (const [input, expected] of cases) assert.match(quarantineReason(...input) ?? '', expected)
  })

  it('warns of a name that is none of the patient’s, and of nothing else', () => {
    const named = (name: unknown) => ({ entry: [{ resource: { resourceType: 'Patient', name } }] })
    assert.equal(nameWarning(named([{ text: 'RAO, Asha K.' }]), ASHA), undefined)
    assert.equal(nameWarning(named([{ family: 'Rao', given: ['A'] }]), ASHA), undefined)
    assert.equal(nameWarning(named(undefined), ASHA), undefined)
    assert.equal(nameWarning(named([{ text: 'Ravi Menon' }]), { abhaAddress: 'a@sbx' }), undefined)
    assert.match(nameWarning(named([{ text: 'Ravi Menon' }]), ASHA) ?? '', /not the name/)
  })
})
