import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { holds, holdsByFhirPath, isHollow, isWellFormedExtension } from './invariants.ts'
import type { Obj } from './json.ts'
import { shippedProfiles } from './profiles.ts'
import { isEachContainedUsed, isSafeXhtml, USUAL } from './usual-invariants.ts'

const { constraints, nodes, definitions } = shippedProfiles().data

/** Type or path that each constraint is written for, and small values that meet or break it. */
const CASES: readonly (readonly [expression: RegExp, base: string, members: { readonly [key: string]: unknown }])[] = [
  [/^code\.empty\(\) or system/, 'Quantity', { code: 'mg', system: 'http://unitsofmeasure.org', value: 1 }],
  [/^data\.empty\(\) or contentType/, 'Attachment', { data: 'AAAA', contentType: 'a/b', _data: { id: 'x' }, url: 'u' }],
  [/^value\.empty\(\) or system/, 'ContactPoint', { value: '1', system: 'phone', use: 'home', _value: { id: 'y' } }],
  [/^comparator/, 'Quantity', { comparator: '<', value: 2 }],
  [
    /^text\.exists\(\) or entry/,
    'Composition.section',
    { text: { status: 'x', div: 'y' }, entry: [{ reference: 'x' }], section: [], title: 't' },
  ],
  [/^emptyReason/, 'Composition.section', { emptyReason: { text: 'x' }, entry: [{ reference: 'x' }] }],
  [
    /^low\.exists\(\) or high/,
    'Observation.referenceRange',
    { low: { value: 1 }, high: { value: 2 }, text: 'x', age: { low: { value: 1 } } },
  ],
  [
    /^dataAbsentReason/,
    'Observation',
    { dataAbsentReason: { text: 'x' }, valueString: 'x', valueQuantity: { value: 1 }, status: 'final' },
  ],
  [
    /^contained\./,
    'Patient',
    {
      contained: [
        {
          resourceType: 'Organization',
          id: 'a',
          meta: { security: [{ code: 'x' }] },
          contained: [{ resourceType: 'Patient' }],
        },
      ],
      active: true,
    },
  ],
  [
    /^contained\.meta\.versionId/,
    'Patient',
    {
      contained: [
        { resourceType: 'Organization', meta: { versionId: '1' } },
        { resourceType: 'Group', meta: { lastUpdated: 'x' } },
      ],
    },
  ],
  [
    /^duration\.empty|^durationMax|^duration\.exists/,
    'Timing.repeat',
    { duration: -1, durationUnit: 's', durationMax: 3 },
  ],
  [/^period\.empty|^periodMax|^period\.exists/, 'Timing.repeat', { period: 1, periodUnit: 'd', periodMax: 3 }],
  [/^countMax/, 'Timing.repeat', { countMax: 1, count: 1 }],
  [/^timeOfDay/, 'Timing.repeat', { timeOfDay: ['10:00:00'], when: ['AC'] }],
  [/^detail\.empty/, 'CarePlan.activity', { detail: { status: 'x' }, reference: { reference: 'x' } }],
  [
    /^name\.exists\(\) or telecom/,
    'Patient.contact',
    {
      name: { text: 'x' },
      telecom: [{ value: '1' }],
      address: { text: 'x' },
      organization: { display: 'x' },
      gender: 'male',
    },
  ],
  [
    /^\(identifier\.count/,
    'Organization',
    { identifier: [{ value: 'x' }], name: 'x', active: true, _name: { id: 'x' } },
  ],
  [
    /^type\.exists\(\) or actor/,
    'Appointment.participant',
    { type: [{ text: 'x' }], actor: { display: 'x' }, status: 'accepted' },
  ],
  [/^dose\.exists/, 'MedicationAdministration.dosage', { dose: { value: 1 }, rateQuantity: { value: 1 }, text: 'x' }],
  [/^orderDetail/, 'ServiceRequest', { orderDetail: [{ text: 'x' }], code: { text: 'x' } }],
  [
    /^resource\.exists/,
    'Bundle.entry',
    { resource: { resourceType: 'Patient' }, request: { method: 'GET' }, response: { status: '1' }, fullUrl: 'x' },
  ],
  [
    /^\(type = 'history'\)|^entry\.all/,
    'Bundle',
    {
      type: 'history',
      entry: [
        { fullUrl: 'a', resource: { resourceType: 'Patient', meta: { versionId: '1' } }, request: { method: 'GET' } },
        { fullUrl: 'a', resource: { resourceType: 'Patient' }, response: { status: '200' } },
        { fullUrl: 'a', resource: { resourceType: 'Patient', meta: { versionId: '1' } } },
        { resource: { resourceType: 'Patient' } },
      ],
    },
  ],
  [/^entry\.all/, 'Bundle', { type: 'batch', entry: [{ request: { method: 'GET' } }], id: 'x' }],
  [/^entry\.all/, 'Bundle', { type: 'batch-response', entry: [{ response: { status: '1' } }], id: 'x' }],
  [/^\(type = 'history'\)/, 'Bundle', { type: 'document', entry: [{ fullUrl: 'a' }, { fullUrl: 'b' }], id: 'x' }],
  [/^fullUrl/, 'Bundle.entry', { fullUrl: 'http://x/Patient/1/_history/2', search: { score: 1 } }],
]

describe('invariants', () => {
  it('answers the usual ones as fhirpath.js does, on every combination of members', () => {
    const compared = new Set<string>()
    for (const [pattern, base, members] of CASES) {
      for (const [expression, usual] of USUAL) {
        if (!pattern.test(expression)) continue
        fc.assert(
          fc.property(fc.subarray(Object.keys(members)), (keys) => {
            const value: Obj = Object.fromEntries(keys.map((key) => [key, members[key]]))
            // Every Bundle has a type; without one the answer of fhirpath.js is empty, which says nothing.
            fc.pre(base !== 'Bundle' || 'type' in value)
            const around = { resource: value, root: value }
            assert.equal(
              usual(value, around),
              holdsByFhirPath(expression, value, base, around),
              `${expression} on ${JSON.stringify(value)}`,
            )
            compared.add(expression)
          }),
          { numRuns: 60 },
        )
      }
    }
    assert.deepEqual(
      [...USUAL.keys()].filter((expression) => !compared.has(expression)),
      [],
    )
  })

  it('knows every usual expression from the profile data, so that none is dead', () => {
    const known = new Set(constraints.map((constraint) => constraint.expression))
    assert.deepEqual(
      [...USUAL.keys()].filter((expression) => !known.has(expression)),
      [],
    )
  })

  it('can evaluate every constraint of the profile data', () => {
    const used = new Map<number, string>()
    const visit = (index: number, path: string, depth: number) => {
      const node = nodes[index]
      if (node === undefined || depth > 8) return
      for (const constraint of node.k ?? []) if (!used.has(constraint)) used.set(constraint, path)
      for (const [name, child] of node.c ?? []) visit(child, `${path}.${name.replace('[x]', '')}`, depth + 1)
    }
    for (const definition of Object.values(definitions)) visit(definition.root, definition.type, 0)
    assert.equal(used.size, constraints.length)
    for (const [index, base] of used) {
      const constraint = constraints[index]
      assert.ok(constraint)
      if (constraint.expression === 'htmlChecks()') continue
      const value = { id: 'x' }
      assert.equal(
        typeof holds(constraint, value, base, { resource: value, root: value }),
        'boolean',
        `${constraint.key} at ${base}`,
      )
      assert.doesNotMatch(constraint.expression, /trace\(|resolve\(/)
    }
  })

  it('wants every contained resource to be used (dom-3)', () => {
    const inner = { resourceType: 'Organization', id: 'o' }
    assert.deepEqual(isEachContainedUsed({ contained: [inner], managingOrganization: { reference: '#o' } }), true)
    assert.deepEqual(isEachContainedUsed({ contained: [{ ...inner, partOf: { reference: '#' } }] }), true)
    assert.deepEqual(isEachContainedUsed({ contained: [inner] }), false)
    assert.deepEqual(isEachContainedUsed({ contained: [inner], managingOrganization: { reference: '#other' } }), false)
  })

  it('leaves a constraint open when its expression cannot be read', () => {
    const constraint = { key: 'x-1', expression: 'this is (not', human: '' }
    assert.equal(holds(constraint, {}, 'Patient', { resource: {}, root: {} }), undefined)
  })

  it('tells hollow elements and extensions of the wrong form', () => {
    assert.equal(isHollow({}), true)
    assert.equal(isHollow({ id: 'x' }), true)
    assert.equal(isHollow({ id: 'x', extension: [] }), false)
    assert.equal(isWellFormedExtension({ url: 'x', valueString: 'y' }), true)
    assert.equal(isWellFormedExtension({ url: 'x', _valueString: { id: 'y' } }), true)
    assert.equal(isWellFormedExtension({ url: 'x', extension: [{}] }), true)
    assert.equal(isWellFormedExtension({ url: 'x' }), false)
    assert.equal(isWellFormedExtension({ url: 'x', valueString: 'y', extension: [{}] }), false)
  })

  it('allows in narratives what R4 allows and nothing that runs or loads', () => {
    const safe = [
      '<div>x</div>',
      '<div xmlns="http://www.w3.org/1999/xhtml"><p>A &amp; B</p><br/><!-- c --></div>',
      '<div><img src="#a" alt="x"/></div>',
    ]
    const unsafe = [
      '<div></div>',
      '<div> </div>',
      '<div><script>x</script></div>',
      '<div><p onclick="x">y</p></div>',
      '<div><a href="javascript:x">y</a></div>',
      '<div><iframe src="x"/>y</div>',
      '<div>a < b</div>',
      '<div><!-- x</div>',
      '<!DOCTYPE html><div>x</div>',
      '<div><svg:script>x</svg:script></div>',
      '<div><object data="x">y</object></div>',
    ]
    for (const div of safe) assert.equal(isSafeXhtml(div), true, div)
    for (const div of unsafe) assert.equal(isSafeXhtml(div), false, div)
  })
})
