import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Access } from '../audit/access.ts'
import type { Machine } from '../db/tx.ts'
import { buildDocument } from '../fhir/build/document.ts'
import { SAMPLE_INPUTS } from '../fhir/build/sample-inputs.ts'
import { makeOutbound } from '../http/outbound.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type DocumentsBy, makeFhirSource } from './fhir-source.ts'
import { makeFolderSource } from './folder-source.ts'
import type { FacilityPatient } from './patient.ts'
import { SourceUnavailable } from './record.ts'

const EXAMPLES = path.join(import.meta.dirname, '../../../shared/fhir/examples')
/** Neither source touches the database. */
const machine = {} as Machine
/** Nor the log: who opens is asked for by its type. */
const access = {} as Access
const meena: FacilityPatient = {
  reference: 'T-1',
  name: 'Meena Test',
  gender: 'female',
  birthDate: '1980-02-29',
  abhaAddress: 'meena.test@sbx' as AbhaAddress,
  abhaNumber: '91000000009999' as AbhaNumber,
}
const stranger: FacilityPatient = { reference: 'T-9', name: 'Meena Test', gender: 'female', birthDate: '1980-02-29' }
let count = 0
const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
const documents = SAMPLE_INPUTS.map((input, at) =>
  buildDocument(input, { bundleId: `doc-${at}`, now: new Date('2026-03-01T00:00:00Z'), makeUuid }),
)

describe('a folder of documents', () => {
  let folder: string
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-records-'))
    fs.mkdirSync(path.join(folder, 'lab'))
    fs.writeFileSync(path.join(folder, 'lab', 'first one.json'), `\ufeff  ${JSON.stringify(documents[0], null, 3)}\n`)
    fs.writeFileSync(path.join(folder, 'broken.json'), '{"resourceType": "Bundle"')
    fs.writeFileSync(path.join(folder, 'bytes.json'), Buffer.from([0xff, 0xfe, 0x00]))
    fs.writeFileSync(
      path.join(folder, 'patient.json'),
      JSON.stringify({ resourceType: 'Patient', name: [{ text: 'secretword' }] }),
    )
    fs.writeFileSync(path.join(folder, 'notes.txt'), 'not looked at')
    fs.symlinkSync('/etc/hostname', path.join(folder, 'link.json'))
  })
  after(() => fs.rmSync(folder, { recursive: true, force: true }))

  it('serves those of a patient byte for byte, and nobody else', async () => {
    const source = makeFolderSource({ folder })
    const [head, ...more] = await source.list(machine, meena)
    assert.equal(more.length, 0)
    assert.equal(head?.careContextReference, 'lab/first-one')
    assert.equal(head?.hiType, SAMPLE_INPUTS[0]?.hiType)
    const read = head && (await source.read(machine, meena, head, access))
    assert.ok(read !== undefined && !isRefusal(read) && read.form === 'document')
    assert.deepEqual(Buffer.from(read.bytes), fs.readFileSync(path.join(folder, 'lab', 'first one.json')))
    assert.deepEqual(await source.list(machine, stranger), [], 'a name and a birth date are not enough')
    assert.ok(isRefusal(await source.read(machine, stranger, head, access)))
    assert.ok(isRefusal(await source.read(machine, meena, { ...head, key: '../../etc/passwd' }, access)))
  })

  it('names each file that it cannot serve, without its words, and stays up', async () => {
    const findings = await makeFolderSource({ folder }).findings()
    assert.deepEqual(
      findings.map(({ file }) => file),
      ['broken.json', 'bytes.json', 'patient.json'],
    )
    assert.doesNotMatch(JSON.stringify(findings), /secretword/)
  })

  it('notices files that come, change and go', async () => {
    const source = makeFolderSource({ folder })
    assert.equal((await source.list(machine, meena)).length, 1)
    const added = path.join(folder, 'added.json')
    fs.writeFileSync(added, JSON.stringify(documents[1]))
    const heads = await source.list(machine, meena)
    assert.equal(heads.length, 2)
    fs.writeFileSync(added, '{}')
    assert.equal((await source.list(machine, meena)).length, 1)
    fs.rmSync(added)
    const gone = heads.find(({ key }) => key === 'added.json')
    assert.ok(gone && isRefusal(await source.read(machine, meena, gone, access)))
    await assert.rejects(
      makeFolderSource({ folder: path.join(folder, 'nowhere') }).list(machine, meena),
      SourceUnavailable,
    )
  })

  it('reads the official examples', { skip: !fs.existsSync(EXAMPLES) }, async () => {
    const source = makeFolderSource({ folder: EXAMPLES })
    const official: FacilityPatient = {
      reference: 'ABC-1',
      name: 'ABC',
      gender: 'male',
      birthDate: '1981-01-12',
      abhaNumber: '22722548295255' as AbhaNumber,
    }
    const heads = await source.list(machine, official)
    assert.deepEqual(heads.map(({ hiType }) => hiType).sort(), [
      'DiagnosticReport',
      'Invoice',
      'OPConsultation',
      'Prescription',
    ])
    assert.deepEqual(await source.findings(), [])
  })
})

describe('a FHIR server', () => {
  let server: Server
  let base: string
  let mood: 'fine' | 'down' | 'rubbish' | 'hangs' | 'elsewhere' = 'fine'
  const asked: string[] = []
  const outbound = makeOutbound({ allowPrivateNetworks: true, nowMs: () => performance.now() })

  const searchset = (resources: readonly object[], next?: string) => ({
    resourceType: 'Bundle',
    type: 'searchset',
    ...(next === undefined ? {} : { link: [{ relation: 'next', url: next }] }),
    entry: [
      ...resources.map((resource) => ({ resource })),
      { resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } },
    ],
  })
  const answer = (url: URL): object | undefined => {
    const { pathname, searchParams } = url
    if (pathname === '/r4/Patient')
      return searchset(
        searchParams.get('identifier')?.split(',').includes('91-0000-0000-9999')
          ? [{ resourceType: 'Patient', id: 'p1' }]
          : [],
      )
    const document = /^\/r4\/(?:Bundle\/|Composition\/|Binary\/)(\d+)(?:\/\$document)?$/.exec(pathname)?.[1]
    if (document !== undefined) return documents[Number(document)]
    const page = Number(searchParams.get('page') ?? '0')
    const of = (make: (at: number) => object) =>
      searchset(
        [make(page)],
        page < 2
          ? `${mood === 'elsewhere' ? 'http://127.0.0.1:1/r4' : base}${pathname.slice(3)}?page=${page + 1}`
          : undefined,
      )
    if (pathname === '/r4/Bundle') return of((at) => ({ ...documents[at], id: String(at) }))
    if (pathname === '/r4/Composition') return of((at) => ({ resourceType: 'Composition', id: String(at) }))
    if (pathname === '/r4/DocumentReference')
      return of((at) => ({
        resourceType: 'DocumentReference',
        id: `d${at}`,
        content: [{ attachment: { url: at === 1 ? 'http://127.0.0.1:1/evil' : `Binary/${at}` } }],
      }))
    return undefined
  }
  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '')
      if (mood === 'hangs') return
      if (mood === 'down') return void response.writeHead(503).end()
      const body = mood === 'rubbish' ? undefined : answer(new URL(request.url ?? '/', base))
      response.writeHead(mood === 'rubbish' || body !== undefined ? 200 : 404, {
        'content-type': 'application/fhir+json',
      })
      response.end(mood === 'rubbish' ? '<html>' : JSON.stringify(body ?? {}))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r4`
  })
  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await outbound.close()
  })
  const sourceBy = (documentsBy: DocumentsBy, timeoutMs?: number) => {
    const limited =
      timeoutMs === undefined
        ? outbound
        : {
            ...outbound,
            call: (wanted: Parameters<typeof outbound.call>[0]) => outbound.call({ ...wanted, timeoutMs }),
          }
    return makeFhirSource({
      outbound: limited,
      baseUrl: `${base}/`,
      documentsBy,
      headers: async () => ({ authorization: 'Bearer fhir' }),
    })
  }

  for (const by of ['Bundle', 'Composition', 'DocumentReference'] as const) {
    it(`finds the patient by identifier and reads documents by ${by}, page after page`, async () => {
      mood = 'fine'
      const heads = await sourceBy(by).list(machine, meena)
      assert.equal(heads.length, by === 'DocumentReference' ? 2 : 3, 'an attachment on another host is not followed')
      const [head] = heads
      const read = head && (await sourceBy(by).read(machine, meena, head, access))
      assert.ok(read !== undefined && !isRefusal(read) && read.form === 'document')
      assert.deepEqual(Buffer.from(read.bytes).toString('utf8'), JSON.stringify(documents[0]))
      assert.deepEqual(await sourceBy(by).list(machine, stranger), [])
      assert.ok(head && isRefusal(await sourceBy(by).read(machine, stranger, head, access)))
    })
  }

  it('says that it is not available when it is down, hangs, or talks rubbish; and stays on its host', async () => {
    for (const bad of ['down', 'rubbish', 'hangs'] as const) {
      mood = bad
      // Little patience only with the one that never answers.
      const source = bad === 'hangs' ? sourceBy('Bundle', 200) : sourceBy('Bundle')
      await assert.rejects(source.list(machine, meena), SourceUnavailable, bad)
    }
    mood = 'elsewhere'
    assert.equal((await sourceBy('Bundle').list(machine, meena)).length, 1)
    mood = 'fine'
    const gone = await sourceBy('Bundle').read(
      machine,
      meena,
      {
        key: 'Bundle/nothing',
        careContextReference: 'x',
        hiType: 'Invoice',
        date: new Date(0),
        display: '',
      },
      access,
    )
    assert.ok(isRefusal(gone))
  })
})
