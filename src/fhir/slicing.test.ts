import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileProfiles, type ElementDefinition } from './compile-profiles.ts'
import { Profiles, R4, type Rule, shippedProfiles } from './profiles.ts'
import { sliceOf } from './slicing.ts'

const ORIGIN = { name: 'test', version: '1', sha256: '' }
const URL = 'https://example.org/StructureDefinition/Sliced'

/** The rule of Observation.component sliced by one discriminator into slices with these elements inside. */
function sliced(
  by: { readonly type: string; readonly path: string },
  slices: { readonly [name: string]: readonly Partial<ElementDefinition>[] },
): { profiles: Profiles; rule: Rule } {
  const at = 'Observation.component'
  const element: ElementDefinition[] = [
    { id: 'Observation', path: 'Observation' },
    {
      id: at,
      path: at,
      max: '*',
      base: { max: '*' },
      type: [{ code: 'BackboneElement' }],
      slicing: { discriminator: [by], rules: 'open' },
    },
    { id: `${at}.code`, path: `${at}.code`, type: [{ code: 'CodeableConcept' }] },
  ]
  for (const [name, inside] of Object.entries(slices)) {
    element.push({ id: `${at}:${name}`, path: at, max: '1', base: { max: '*' }, type: [{ code: 'BackboneElement' }] })
    for (const one of inside)
      element.push({ ...one, id: `${at}:${name}.${one.path ?? ''}`, path: `${at}.${one.path ?? ''}` })
  }
  const data = compileProfiles({
    structures: [
      {
        resourceType: 'StructureDefinition',
        url: URL,
        name: 'Sliced',
        type: 'Observation',
        kind: 'resource',
        derivation: 'constraint',
        baseDefinition: `${R4}Observation`,
        snapshot: { element },
      },
    ],
    terminology: {
      valueSets: new Map([
        [
          'https://example.org/vs',
          {
            resourceType: 'ValueSet',
            url: 'https://example.org/vs',
            compose: { include: [{ system: 's', concept: [{ code: 'a' }] }] },
          },
        ],
      ]),
      codeSystems: new Map(),
    },
    package: ORIGIN,
    base: ORIGIN,
    below: shippedProfiles().data,
  })
  const profiles = new Profiles(data)
  const rule = profiles.definition(URL)?.root.members?.get('component')?.rule
  assert.ok(rule?.slicing)
  return { profiles, rule }
}

function nameOf(
  { profiles, rule }: ReturnType<typeof sliced>,
  item: unknown,
  target?: { resourceType: string },
): string | undefined {
  assert.ok(rule.slicing)
  return sliceOf(profiles, rule.slicing, item, rule.types[0], () => target)?.name
}

const fixed = (path: string, code: string, value: unknown) => ({ path, type: [{ code }], fixedCode: value })
const coding = (code: string, system = 's') => ({
  code: {
    coding: [
      { system: 'other', code: 'other' },
      { system, code },
    ],
  },
})

describe('sliceOf', () => {
  it('matches by a value deep inside, in any of several codings', () => {
    const rules = sliced(
      { type: 'value', path: 'code.coding.code' },
      {
        A: [
          { path: 'code', type: [{ code: 'CodeableConcept' }] },
          { path: 'code.coding', type: [{ code: 'Coding' }], max: '*' },
          fixed('code.coding.code', 'code', 'a'),
        ],
      },
    )
    assert.equal(nameOf(rules, coding('a')), 'A')
    assert.equal(nameOf(rules, coding('b')), undefined)
    for (const odd of [null, 'a', [], {}, { code: 'a' }, { code: { coding: { code: ['a', 1] } } }]) {
      const expected = JSON.stringify(odd).includes('coding') ? 'A' : undefined
      assert.equal(nameOf(rules, odd), expected)
    }
  })

  it('matches by a pattern above the discriminated element', () => {
    const pattern = { coding: [{ system: 's', code: 'a' }] }
    const rules = sliced(
      { type: 'pattern', path: 'code' },
      {
        A: [
          {
            path: 'code',
            type: [{ code: 'CodeableConcept' }],
            patternCodeableConcept: pattern,
          } as Partial<ElementDefinition>,
        ],
      },
    )
    assert.equal(nameOf(rules, coding('a')), 'A')
    assert.equal(nameOf(rules, coding('a', 't')), undefined)
    const deeper = sliced(
      { type: 'value', path: 'code.coding.code' },
      {
        A: [
          {
            path: 'code',
            type: [{ code: 'CodeableConcept' }],
            patternCodeableConcept: pattern,
          } as Partial<ElementDefinition>,
        ],
      },
    )
    assert.equal(nameOf(deeper, coding('a')), 'A')
  })

  it('matches by a required value set', () => {
    const binding = { strength: 'required', valueSet: 'https://example.org/vs' }
    const rules = sliced(
      { type: 'value', path: 'code' },
      { A: [{ path: 'code', type: [{ code: 'CodeableConcept' }], binding }] },
    )
    assert.equal(nameOf(rules, coding('a')), 'A')
    assert.equal(nameOf(rules, coding('b')), undefined)
  })

  it('matches by presence', () => {
    const rules = sliced(
      { type: 'exists', path: 'code' },
      { With: [{ path: 'code', min: 1, type: [{ code: 'CodeableConcept' }] }], Without: [{ path: 'code', max: '0' }] },
    )
    assert.equal(nameOf(rules, coding('a')), 'With')
    assert.equal(nameOf(rules, { id: 'x' }), 'Without')
  })

  it('matches by the type of what a reference leads to', () => {
    const rules = sliced(
      { type: 'type', path: 'subject.resolve()' },
      { P: [{ path: 'subject', type: [{ code: 'Reference', targetProfile: [`${R4}Patient`] }] }] },
    )
    const item = { subject: { reference: 'x' } }
    assert.equal(nameOf(rules, item, { resourceType: 'Patient' }), 'P')
    assert.equal(nameOf(rules, item, { resourceType: 'Group' }), undefined)
    assert.equal(nameOf(rules, item), undefined)
  })

  it('never matches a slice that the discriminator says nothing about', () => {
    const rules = sliced(
      { type: 'value', path: 'code' },
      { A: [{ path: 'code', type: [{ code: 'CodeableConcept' }] }], B: [] },
    )
    assert.equal(nameOf(rules, coding('a')), undefined)
    const unknown = sliced({ type: 'position', path: '$this' }, { A: [] })
    assert.equal(nameOf(unknown, coding('a')), undefined)
  })
})
