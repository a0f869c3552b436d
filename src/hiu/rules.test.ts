import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import type { ConsentAsk } from './hiu.ts'
import { checkWithinAsked } from './rules.ts'

const ASKED: ConsentAsk = {
  patient: 'asha@sbx' as AbhaAddress,
  requester: { name: 'Dr. Nikhil Sagar' },
  purpose: 'CAREMGT',
  hiTypes: ['Prescription', 'DiagnosticReport'],
  range: { from: new Date('2021-01-01T00:00:00.500Z'), to: new Date('2022-01-01T00:00:00Z') },
  dataEraseAt: new Date('2027-01-01T00:00:00Z'),
  frequency: { unit: 'HOUR', value: 1, repeats: 1 },
  accessMode: 'VIEW',
  hip: { id: 'HIP-1' as FacilityId },
  careContexts: ['a', 'b'].map((careContextReference) => ({ patientReference: 'p', careContextReference })),
}

describe('an artefact within what was asked', () => {
  it('may be the same, narrower, or dated to the second', () => {
    assert.equal(checkWithinAsked(ASKED, ASKED), undefined)
    const range = { from: new Date('2021-06-01T00:00:00Z'), to: new Date('2021-07-01T00:00:00Z') }
    const careContexts = ASKED.careContexts.slice(0, 1)
    assert.equal(checkWithinAsked(ASKED, { ...ASKED, hiTypes: ['Prescription'], range, careContexts }), undefined)
    const cut = { ...ASKED.range, from: new Date('2021-01-01T00:00:00Z') }
    assert.equal(checkWithinAsked(ASKED, { ...ASKED, range: cut }), undefined)
    const { hip: _hip, ...anywhere } = ASKED
    assert.equal(checkWithinAsked({ ...anywhere, careContexts: [] }, ASKED), undefined)
  })

  it('is not when any field is wider or other, and the field is named', () => {
    const cases: readonly [Partial<ConsentAsk>, string][] = [
      [{ patient: 'ravi@sbx' as AbhaAddress }, 'patient.id'],
      [{ purpose: 'BTG' }, 'purpose.code'],
      [{ hiTypes: ['Prescription', 'Invoice'] }, 'hiTypes'],
      [{ range: { ...ASKED.range, from: new Date('2020-12-31T23:59:59.999Z') } }, 'permission.dateRange.from'],
      [{ range: { ...ASKED.range, to: new Date('2022-01-01T00:00:01Z') } }, 'permission.dateRange.to'],
      [{ hip: { id: 'HIP-2' as FacilityId } }, 'hip.id'],
      [{ careContexts: [{ patientReference: 'p', careContextReference: 'c' }] }, 'careContexts'],
      [{ careContexts: [{ patientReference: 'q', careContextReference: 'a' }] }, 'careContexts'],
      [{ careContexts: [] }, 'careContexts'],
    ]
    for (const [change, field] of cases) {
      const refusal = checkWithinAsked(ASKED, { ...ASKED, ...change })
      assert.deepEqual([refusal?.code, refusal?.field], ['hiu/artefact-wider', field])
      assert.ok(refusal?.detail.startsWith(field))
    }
  })
})
