import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { create } from 'tar'
import { HI_TYPES } from './hi-type.ts'
import { importProfilesCommand, loadProfiles, PROFILES_FILE, useImportedProfiles } from './package-file.ts'
import { currentProfiles, shippedProfiles, useProfiles } from './profiles.ts'
import { type Json, sampleDocument } from './sample-documents.ts'
import { validateDocument } from './validate.ts'

const OFFICIAL = new URL('../../../shared/fhir/ndhm.in-6.0.0/', import.meta.url)
const R4 = 'http://hl7.org/fhir/StructureDefinition/'
const GUIDE = 'https://nrces.in/ndhm/fhir/r4/StructureDefinition/'

let folder = ''
const said: string[] = []
const run = async (tgz: string, out = join(folder, 'out')) => {
  said.length = 0
  return importProfilesCommand(tgz, out, (line) => said.push(line))
}

/** Packs files as `package/<name>` into a .tgz. */
async function pack(name: string, files: { readonly [file: string]: unknown }): Promise<string> {
  const from = await mkdtemp(join(folder, 'from-'))
  await mkdir(join(from, 'package', 'other'), { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(from, 'package', file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  const tgz = join(folder, name)
  await create({ gzip: true, file: tgz, cwd: from, portable: true }, ['package'])
  return tgz
}

const MANIFEST = { name: 'ndhm.in', version: '9.9.9', fhirVersions: ['4.0.1'] }

/** A profile that takes the base definition's members and demands one more of them. */
function profile(name: string, type: string, elements: readonly Json[]): Json {
  return {
    resourceType: 'StructureDefinition',
    url: GUIDE + name,
    name,
    type,
    kind: 'resource',
    derivation: 'constraint',
    baseDefinition: R4 + type,
    snapshot: { element: [{ id: type, path: type, min: 0, max: '*' }, ...elements] },
  }
}

const member = (path: string, code: string, rest: Json = {}): Json => ({
  id: path,
  path,
  min: 0,
  max: '1',
  base: { path, min: 0, max: '1' },
  type: [{ code }],
  ...rest,
})

const DOCUMENT_BUNDLE = profile('DocumentBundle', 'Bundle', [
  member('Bundle.type', 'code', { min: 1, fixedCode: 'document' }),
  member('Bundle.language', 'code', { min: 1, binding: { strength: 'required', valueSet: `${GUIDE}languages|1` } }),
  member('Bundle.entry', 'BackboneElement', { max: '*', base: { path: 'Bundle.entry', min: 0, max: '*' } }),
  member('Bundle.entry.resource', 'Resource'),
  member('Bundle.entry.fullUrl', 'uri'),
])
const PRESCRIPTION = profile('PrescriptionRecord', 'Composition', [member('Composition.title', 'string', { min: 1 })])
const LANGUAGES = {
  resourceType: 'ValueSet',
  url: `${GUIDE}languages`,
  compose: { include: [{ system: 'urn:ietf:bcp:47', concept: [{ code: 'hi' }, { code: 'ta' }] }] },
}
const GOOD = {
  'package.json': MANIFEST,
  'a.json': DOCUMENT_BUNDLE,
  'b.json': PRESCRIPTION,
  'c.json': LANGUAGES,
  '.index.json': { files: [] },
}

describe('amanat fhir import', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amanat-fhir-'))
  })
  after(async () => {
    useProfiles(undefined)
    await rm(folder, { recursive: true, force: true })
  })

  it('compiles a package over the R4 base, and the program then checks by it', async () => {
    assert.equal(await run(await pack('good.tgz', GOOD)), 0, said.join('\n'))
    assert.match(said.join('\n'), /Imported ndhm\.in 9\.9\.9: 2 definitions over FHIR R4 4\.0\.1/)
    const profiles = await loadProfiles(join(folder, 'out', PROFILES_FILE))
    assert.equal(profiles.data.package.version, '9.9.9')
    const document = {
      resourceType: 'Bundle',
      type: 'document',
      entry: [{ fullUrl: 'urn:uuid:x', resource: { resourceType: 'Composition', title: 'x' } }],
    }
    const rules = () => validateDocument(document, 'strict').map(({ path, rule }) => `${path} ${rule}`)
    useProfiles(profiles)
    assert.equal(currentProfiles(), profiles)
    assert.ok(rules().includes('Bundle.language cardinality'))
    Object.assign(document, { language: 'xx' })
    assert.ok(rules().includes('Bundle.language binding'))
    Object.assign(document, { language: 'ta' })
    assert.ok(!rules().some((rule) => rule.startsWith('Bundle.language')))
    useProfiles(undefined)
    assert.ok(rules().includes('Bundle.meta cardinality'), 'the shipped profiles are back')
    assert.equal((await useImportedProfiles(join(folder, 'out')))?.version, '9.9.9')
    assert.equal(currentProfiles().data.package.version, '9.9.9')
    useProfiles(undefined)
    assert.equal(await useImportedProfiles(join(folder, 'elsewhere')), undefined)
    assert.equal(currentProfiles(), shippedProfiles())
  })

  it('leaves the profiles in use alone when a later package cannot be used', async () => {
    const path = join(folder, 'out', PROFILES_FILE)
    await run(await pack('again.tgz', GOOD))
    const before = await readFile(path, 'utf8')
    assert.equal(await run(await pack('bad.tgz', { ...GOOD, 'a.json': '{"resourceType":' })), 1)
    assert.match(said.join('\n'), /Nothing was imported: a\.json in the package is no JSON/)
    assert.equal(await readFile(path, 'utf8'), before)
    assert.deepEqual(await readdir(join(folder, 'out')), [PROFILES_FILE])
  })

  const { 'package.json': _, ...withoutManifest } = GOOD
  const { snapshot: __, ...withoutSnapshot } = PRESCRIPTION
  for (const [name, files, words] of [
    ['has no manifest', withoutManifest, /no package\/package\.json/],
    ['has a manifest without version', { ...GOOD, 'package.json': { name: 'x' } }, /no name or no version/],
    [
      'is for another FHIR',
      { ...GOOD, 'package.json': { ...MANIFEST, fhirVersions: ['5.0.0'] } },
      /is for FHIR 5\.0\.0/,
    ],
    ['has no definitions', { 'package.json': MANIFEST }, /has no StructureDefinition/],
    ['has no snapshots', { ...GOOD, 'b.json': withoutSnapshot }, /PrescriptionRecord has no snapshot/],
    ['is no ABDM guide', { 'package.json': MANIFEST, 'a.json': profile('Thing', 'Patient', []) }, /not an ABDM guide/],
    [
      'stands on what is not there',
      { ...GOOD, 'b.json': { ...PRESCRIPTION, baseDefinition: `${GUIDE}Other` } },
      /stands on .*Other/,
    ],
    [
      'has an element before its parent',
      { ...GOOD, 'b.json': profile('PrescriptionRecord', 'Composition', [member('Composition.a.b', 'code')]) },
      /comes before its parent/,
    ],
  ] as const) {
    it(`says so when the package ${name}`, async () => {
      assert.equal(await run(await pack('one.tgz', files), join(folder, 'none')), 1)
      assert.match(said.join('\n'), words)
      assert.equal(existsSync(join(folder, 'none')), false)
    })
  }

  it('says so when the file is not there, no archive, or cut off', async () => {
    assert.equal(await run(join(folder, 'absent.tgz')), 1)
    assert.match(said.join('\n'), /absent\.tgz cannot be read \(ENOENT\)/)
    const whole = await readFile(await pack('whole.tgz', GOOD))
    for (const bytes of [
      Buffer.from('hello'),
      gzipSync(Buffer.from('hello')),
      Buffer.alloc(0),
      whole.subarray(0, whole.length >> 1),
    ]) {
      const path = join(folder, 'odd.tgz')
      await writeFile(path, bytes)
      assert.equal(await run(path), 1)
      assert.match(said.join('\n'), /^Nothing was imported: /)
    }
  })

  it('says what to do when compiled data cannot be loaded', async () => {
    const path = join(folder, 'odd.json')
    await assert.rejects(loadProfiles(path), /odd\.json cannot be read: .*Import the package again/)
    await writeFile(path, '{"format":"amanat-fhir-profiles/1"}')
    await assert.rejects(loadProfiles(path), /no compiled profile data/)
    await writeFile(path, '{"format":"other","definitions":{},"nodes":[],"constraints":[]}')
    await assert.rejects(loadProfiles(path), /format other: import the package again/)
  })

  it('makes of the official 6.0.0 files what is shipped', {
    skip: !existsSync(OFFICIAL) && 'the package is not here',
  }, async () => {
    const from = await mkdtemp(join(folder, 'official-'))
    await mkdir(join(from, 'package'))
    for (const part of ['StructureDefinition', 'ValueSet', 'CodeSystem']) {
      for (const file of await readdir(new URL(part, OFFICIAL)))
        await cp(new URL(`${part}/${file}`, OFFICIAL), join(from, 'package', file))
    }
    await writeFile(join(from, 'package', 'package.json'), JSON.stringify({ ...MANIFEST, version: '6.0.0' }))
    const tgz = join(folder, 'official.tgz')
    await create({ gzip: true, file: tgz, cwd: from, portable: true }, ['package'])
    assert.equal(await run(tgz, join(folder, 'official-out')), 0, said.join('\n'))
    const profiles = await loadProfiles(join(folder, 'official-out', PROFILES_FILE))
    assert.deepEqual(profiles.data.definitions, shippedProfiles().data.definitions)
    assert.deepEqual(profiles.data.nodes, shippedProfiles().data.nodes)
    for (const type of HI_TYPES) assert.deepEqual(validateDocument(sampleDocument(type), 'strict', profiles), [])
  })
})
