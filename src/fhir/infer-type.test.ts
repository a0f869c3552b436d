import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HI_TYPES, parseHiType } from './hi-type.ts'
import { inferHiType } from './infer-type.ts'
import { type Json, sampleDocument } from './sample-documents.ts'

const compositionOf = (document: Json) => (document['entry'] as { resource: Json }[])[0]?.resource as Json

const bundleOf = (composition: Json) => ({
  resourceType: 'Bundle',
  entry: [{ resource: { resourceType: 'Composition', ...composition } }],
})

describe('parseHiType', () => {
  it('reads today’s spelling and the upper-case one of the drafts, and nothing else', () => {
    for (const type of HI_TYPES) {
      assert.equal(parseHiType(type), type)
      assert.equal(parseHiType(type.toUpperCase()), type)
    }
    for (const other of ['', 'prescription', 'Observation', ' Prescription', 'toString'])
      assert.equal(parseHiType(other), undefined)
  })
})

describe('inferHiType', () => {
  it('tells all eight by Composition.type', () => {
    for (const type of HI_TYPES) {
      const document = sampleDocument(type)
      delete compositionOf(document)['meta']
      assert.equal(inferHiType(document), type)
    }
  })

  it('tells them by the rest when Composition.type says nothing', () => {
    for (const type of HI_TYPES) {
      const document = sampleDocument(type)
      compositionOf(document)['type'] = { text: 'Report' }
      assert.equal(inferHiType(document), type, 'by declared profile or section')
    }
    for (const type of [
      'Prescription',
      'DiagnosticReport',
      'ImmunizationRecord',
      'WellnessRecord',
      'Invoice',
      'HealthDocumentRecord',
    ] as const) {
      const document = sampleDocument(type)
      const composition = compositionOf(document)
      delete composition['type']
      delete composition['meta']
      assert.equal(inferHiType(document), type, 'by sections alone')
    }
  })

  it('reads codes in other people’s code systems, displays in place of codes, and the SNOMED coding first', () => {
    assert.equal(
      inferHiType(bundleOf({ type: { coding: [{ system: 'https://projecteka.in/sct', code: '440545006' }] } })),
      'Prescription',
    )
    assert.equal(
      inferHiType(bundleOf({ type: { coding: [{ code: 'x', display: 'Discharge Summary' }] } })),
      'DischargeSummary',
    )
    const two = [
      { system: 'https://a.example', code: '373942005' },
      { system: 'http://snomed.info/sct', code: '440545006' },
    ]
    assert.equal(inferHiType(bundleOf({ type: { coding: two } })), 'Prescription')
  })

  it('says nothing where nothing tells', () => {
    for (const value of [
      undefined,
      null,
      'x',
      [],
      {},
      { entry: 'x' },
      { entry: [null, { resource: null }] },
      bundleOf({}),
      bundleOf({ section: [{ title: 'Document Reference' }] }),
    ]) {
      assert.equal(inferHiType(value), undefined)
    }
  })

  it('never throws on arbitrary JSON', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => assert.equal(inferHiType(value), undefined)))
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (type, section, meta) => {
        inferHiType(bundleOf({ type, section, meta }))
      }),
    )
  })
})
