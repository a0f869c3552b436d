import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { put, sampleDocument } from '../sample-documents.ts'
import { deidentifyCommand } from './export-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'amanat-deidentify-'))
describe('fhir/deidentify/export-file', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))

  const order = (out: string) => ({
    folder: join(folder),
    out: join(folder, out),
    project: 'diabetes-2026',
    keyFile: join(folder, 'project.key'),
    mode: 'safe-harbour' as const,
    k: 2,
    l: 1,
    now: new Date('2026-11-22T00:00:00Z'),
  })

  /** Three women and a man: he is alone in his class. */
  for (const [at, gender] of ['female', 'female', 'female', 'male'].entries()) {
    const document = structuredClone(sampleDocument('OPConsultation'))
    const patientAt = (document['entry'] as { resource: { resourceType: string } }[]).findIndex(
      ({ resource }) => resource.resourceType === 'Patient',
    )
    const path = `Bundle.entry[${patientAt}].resource`
    const named = put(put(document, `${path}.gender`, gender), `${path}.identifier[0].value`, `22-${at}`)
    writeFileSync(join(folder, `${at}.json`), JSON.stringify(named))
  }

  test('who stands alone is left out; the same key gives the same pseudonyms', async () => {
    const said: string[] = []
    assert.equal(await deidentifyCommand(order('one'), (line) => said.push(line)), 0)
    assert.equal(readdirSync(join(folder, 'one', 'documents')).length, 3)
    const report = JSON.parse(readFileSync(join(folder, 'one', 'report.json'), 'utf8')) as { written: { k: number } }
    assert.equal(report.written.k, 3)
    assert.match(said.join('\n'), /3 of 4 documents of 3 persons[\s\S]*Left out: 1 persons/)
    assert.equal(statSync(join(folder, 'project.key')).mode & 0o777, 0o600)
    assert.equal(await deidentifyCommand(order('two'), () => {}), 0)
    const first = (out: string) => readFileSync(join(folder, out, 'documents', '000001.json'), 'utf8')
    assert.equal(first('two'), first('one'))
    const names = readdirSync(join(folder, 'one', 'documents')).map((name) => {
      const text = readFileSync(join(folder, 'one', 'documents', name), 'utf8')
      return (JSON.parse(text) as { identifier: { value: string } }).identifier.value
    })
    assert.deepEqual(names, names.toSorted(), 'their order says nothing of the names of the files')
  })

  test('what cannot be done is a sentence that names the option, and nothing is written', async () => {
    const said: string[] = []
    const refuse = async (more: object) => {
      assert.equal(await deidentifyCommand({ ...order('three'), ...more }, (line) => said.push(line)), 1)
      return said.at(-1) ?? ''
    }
    assert.match(await refuse({ out: join(folder, 'one') }), /--out: .* is not empty/)
    assert.match(await refuse({ folder: join(folder, 'nowhere') }), /nowhere cannot be read \(ENOENT\)/)
    assert.match(await refuse({ reviewedFile: join(folder, 'nowhere') }), /--reviewed: .* cannot be read \(ENOENT\)/)
    assert.match(await refuse({ keyFile: join(folder, 'no', 'where') }), /--key: .* cannot be made \(ENOENT\)/)
    assert.match(await refuse({ out: join(folder, '0.json') }), /--out: .* cannot be read \(ENOTDIR\)/)
    const nowhere = '/proc/sys/amanat/export'
    assert.match(await refuse({ out: nowhere }), /--out: .* cannot be made \(E(NOENT|ACCES|PERM|ROFS)\)/, 'and soon')
    writeFileSync(join(folder, 'bad.key'), 'nonsense')
    assert.match(await refuse({ keyFile: join(folder, 'bad.key') }), /--key: .*64 hexadecimal digits/)
    writeFileSync(join(folder, 'hashes'), '# read by Dr. Rao\nnonsense\n')
    assert.match(await refuse({ reviewedFile: join(folder, 'hashes') }), /--reviewed: entry 1/)
    writeFileSync(join(folder, 'z.json'), '{"resourceType":"Bundle","entry":[]}')
    assert.match(await refuse({}), /z\.json has no Patient with an identifier/)
    writeFileSync(join(folder, 'z.json'), '{')
    assert.match(await refuse({}), /z\.json is not JSON/)
    rmSync(join(folder, 'z.json'))
    assert.throws(() => readdirSync(join(folder, 'three')))
  })
})
