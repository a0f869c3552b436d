import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { HI_TYPES } from './hi-type.ts'
import { type Profiles, R4, type Rule, shippedProfiles } from './profiles.ts'

const GUIDE = 'https://nrces.in/ndhm/fhir/r4/StructureDefinition/'
const LISTS = ['required-elements-6.5.txt', 'document-constraints-6.5.txt'].map(
  (name) => new URL(`../../../shared/fhir/${name}`, import.meta.url),
)
/** The two elements that 6.5.0 changed, neither in a health record (docs/fhir.md). */
const CHANGED = new Set(['Claim.identifier', 'ClaimResponse.item.adjudication.reason'])

/** The rule at an element id such as `Composition.section:Allergies.code.coding.code`. */
function ruleAt(profiles: Profiles, url: string, id: string): Rule | undefined {
  let rule = profiles.definition(url)?.root
  for (const step of id.split('.').slice(1)) {
    const [name = '', ...slice] = step.split(':')
    const shape: Rule | undefined = rule === undefined ? undefined : profiles.shape(rule, rule.types[0])
    const plain = name.replace('[x]', '')
    rule = [...(shape?.members?.values() ?? [])].find((member) => member.name === plain)?.rule
    if (slice.length > 0) rule = rule?.slicing?.slices.find((one) => one.name === slice.join(':'))?.rule
  }
  return rule
}

describe('the shipped profiles', () => {
  const profiles = shippedProfiles()

  it('name their origin', () => {
    assert.equal(profiles.data.package.name, 'ndhm.in')
    assert.equal(profiles.data.package.version, '6.0.0')
    assert.equal(profiles.data.base.version, '4.0.1')
    assert.match(profiles.data.package.sha256 + profiles.data.base.sha256, /^[0-9a-f]{128}$/)
  })

  it('have the document, a Composition for each HI type, and a default for the usual resources', () => {
    assert.equal(profiles.documentUrl, `${GUIDE}DocumentBundle`)
    for (const type of HI_TYPES) assert.equal(profiles.compositionOf(type)?.type, 'Composition')
    for (const type of ['Patient', 'Practitioner', 'Condition', 'Observation', 'MedicationRequest']) {
      assert.equal(profiles.defaultOf(type)?.url, GUIDE + type)
    }
    for (const type of ['DiagnosticReport', 'Composition', 'Location', 'constructor'])
      assert.equal(profiles.defaultOf(type), undefined)
  })

  it('find definitions by URL with and without version, and no others', () => {
    assert.equal(profiles.definition(`${GUIDE}Patient|6.5.0`), profiles.definition(`${GUIDE}Patient`))
    for (const url of ['', 'x', '__proto__', 'constructor', `${R4}Wizard`])
      assert.equal(profiles.definition(url), undefined)
    assert.equal(profiles.standsOn(`${GUIDE}Patient`, `${R4}Patient`), true)
    assert.equal(profiles.standsOn(`${R4}Patient`, `${GUIDE}Patient`), false)
  })

  it('are R4 without what the source of the base definitions added to it', () => {
    const membersOf = (type: string) => profiles.base(type)?.root.members
    for (const [type, added] of [
      ['Meta', 'project'],
      ['Meta', 'author'],
      ['Binary', 'url'],
      ['ResearchStudy', 'studyDesign'],
    ] as const) {
      assert.equal(membersOf(type)?.has(added), false, `${type}.${added}`)
    }
    for (const [type, own] of [
      ['Meta', 'versionId'],
      ['Binary', 'data'],
      ['Composition', 'section'],
      ['Age', 'code'],
      ['Observation', 'valueQuantity'],
    ] as const) {
      assert.equal(membersOf(type)?.has(own), true, `${type}.${own}`)
    }
    const section = membersOf('Composition')?.get('section')?.rule.members
    assert.ok(section?.get('section')?.rule.members?.has('entry'), 'sections in sections have the members of sections')
  })

  it('demand what the listings of 6.5.0 demand', {
    skip: !LISTS.every((list) => existsSync(list)) && 'the listings are not here',
  }, () => {
    let compared = 0
    for (const list of LISTS) {
      let url = ''
      for (const line of readFileSync(list, 'utf8').split('\n')) {
        url = /^#### (\S+)/.exec(line)?.[1] ?? url
        const [, id, min, max, rest = ''] = /^\s+(\S+) (\d+)\.\.(\d+|\*)(.*)$/.exec(line) ?? []
        if (id === undefined || CHANGED.has(id)) continue
        const rule = ruleAt(profiles, GUIDE + url, id)
        if (rule === undefined && min === '0') continue
        assert.ok(rule, `${url} ${id}`)
        assert.equal(rule.min, Number(min), `${url} ${id}`)
        assert.equal(rule.max, max === '*' ? Number.POSITIVE_INFINITY : Number(max), `${url} ${id}`)
        const fixed = / fixed\w+="([^"]*)"/.exec(rest)?.[1]
        if (fixed !== undefined) assert.equal(rule.fixed, fixed, `${url} ${id}`)
        compared++
      }
    }
    assert.ok(compared > 800, `only ${compared} elements were compared`)
  })
})
