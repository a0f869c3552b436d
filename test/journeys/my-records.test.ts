import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { CompiledQuery, sql } from 'kysely'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import type { PagesView } from '../../src/native/me-record-routes.ts'
import { type Collector, type OwnCopy, startCollector } from '../../web/patient/records/collector.ts'
import { comeBack } from '../come-back.ts'
import { dumpTables, tablesWith } from '../database-dump.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { type Answer, partyName, TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, heldPatient, heldRecord, RAVI } from '../people.ts'
import { waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const THEIRS = 'IN2710000088'
const MRN = '22-7225'
const PATH = '/v1/me/records/fetch'
/** Stands in every document: what must never be at the exchange. */
const MARKER = `kesar-${randomUUID()}`

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

/** The calls of a page, with the patient's session. */
async function pageOf(network: TestNetwork, patient: string) {
  const token = await network.patientToken(patient)
  const send = async (path: string, method: string, body?: unknown): Promise<Answer> => {
    const answer = await comeBack(`${network.exchange.url}${path}`, {
      method,
      headers: { 'x-auth-token': token, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const call = async <T>(path: string, options: { method?: string; body?: unknown } = {}): Promise<T> => {
    const { status, body } = await send(path, options.method ?? 'GET', options.body)
    if (status >= 400) throw Object.assign(new Error(`${path}: ${status} ${JSON.stringify(body)}`), { status, body })
    return body as T
  }
  return { send, call }
}

async function finished({ collector }: { readonly collector: Collector }): Promise<OwnCopy> {
  return waitFor('all hospitals', async () => {
    const copy = await collector.step()
    return copy.isDone && copy
  })
}

describe('a patient reads her own records, from our hospital and a third party’s', () => {
  let network: TestNetwork
  let hospital: ThirdParty
  let desk: FacilityDesk
  let page: Awaited<ReturnType<typeof pageOf>>
  const lines: string[] = []

  before(async () => {
    network = await TestNetwork.start({ facilities: [OURS], logTo: (line) => void lines.push(line) })
    for (const person of [ASHA, RAVI]) await network.enrol(person)
    hospital = await network.join('wrapper', THEIRS)
    desk = new FacilityDesk(network, OURS)
    await desk.addPatient(MRN, ASHA)
    for (const [reference, type] of [
      ['op-1', 'OPConsultation'],
      ['rx-1', 'Prescription'],
    ] as const)
      await desk.addDocument(MRN, reference, marked(sampleDocument(type)))
    await desk.link(MRN, 2)
    for (let i = 1; i <= 9; i++)
      hospital.hip.records.push(
        heldRecord(`visit-${i}`, 'OPConsultation', JSON.stringify(marked(sampleDocument('OPConsultation')))),
      )
    const token = await hospital.hip.askLinkToken(heldPatient(ASHA))
    await hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'))
    page = await pageOf(network, ASHA.abhaAddress)
  })
  after(() => network.stop())

  test('all of them, byte for byte, and the exchange holds not a byte of the text', async () => {
    const started = await startCollector({ call: page.call, random })
    assert.deepEqual(
      started.first.view.holders.map(({ hip, status }) => [hip.id, status]),
      [
        [OURS, 'asking'],
        [THEIRS, 'asking'],
      ],
    )
    const copy = await finished(started)
    assert.deepEqual(
      copy.documents.map(({ careContextReference }) => careContextReference).sort(),
      ['op-1', 'rx-1', ...Array.from({ length: 9 }, (_, i) => `visit-${i + 1}`)].sort(),
    )
    assert.deepEqual(copy.unopened, [])
    assert.ok(copy.documents.every(({ text }) => text.includes(MARKER)))
    const op = copy.documents.find(({ careContextReference }) => careContextReference === 'op-1')
    assert.deepEqual(op?.document, marked(sampleDocument('OPConsultation')))
    assert.deepEqual(
      copy.view.holders.map(({ status, entriesReceived }) => [status, entriesReceived]),
      [
        ['complete', 2],
        ['complete', 9],
      ],
    )
    assert.deepEqual(await tracesOf(network, MARKER), [])
    // The search finds what is there.
    assert.ok((await tracesOf(network, ASHA.abhaAddress)).includes('message'))
    assert.ok(lines.length > 0 && !lines.some((line) => line.includes(MARKER)))
  })

  test('both sides of the transfer stand at the exchange, and the log says who asked, what came, who collected', async () => {
    const { db } = network.exchange.running.machine
    await waitFor('the hospitals to have reported', async () => {
      const { rows } = await sql<{ both: boolean }>`
        /* all buckets */ select hip_status = 'TRANSFERRED' and hiu_status = 'RECEIVED' as both from data_request`.execute(
        db,
      )
      return rows.length === 2 && rows.every(({ both }) => both)
    })
    const { body } = await page.send('/v1/me/events?limit=100', 'GET')
    const types = new Set(listAt({ body }, 'body').map((one) => textAt(one, 'event.type')))
    for (const type of ['asked', 'requested', 'page-received', 'collected', 'opened', 'moved'])
      assert.ok(types.has(`transfer.own-copy-${type}`), type)
    assert.deepEqual(await network.jobs('sbx').then((jobs) => jobs.filter((job) => at(job, 'status') === 'dead')), [])
  })

  test('a second look uses the consents again, and has its own keys', async () => {
    const before = hospital.hip.artefacts.size
    const started = await startCollector({ call: page.call, random })
    const copy = await finished(started)
    assert.equal(copy.documents.length, 11)
    assert.equal(hospital.hip.artefacts.size, before)
    await started.collector.close()
    assert.equal((await page.send(`${PATH}/${copy.view.id}`, 'GET')).status, 404)
  })

  test('somebody else sees nothing of it, and what was closed is gone', async () => {
    const started = await startCollector({ call: page.call, random })
    const at404 = `${PATH}/${started.first.view.id}`
    const ravi = await pageOf(network, RAVI.abhaAddress)
    for (const [method, path, body] of [
      ['GET', at404],
      ['GET', `${at404}/pages`],
      ['POST', `${at404}/opened`, { pages: [{ seq: 1, entries: [] }] }],
      ['DELETE', at404],
    ] as const) {
      const { status, body: said } = await ravi.send(path, method, body)
      assert.deepEqual(
        [status, at(said, 'type')],
        [404, 'urn:amanat:problem:transfer/unknown-fetch'],
        `${method} ${path}`,
      )
    }
    const nothing = await ravi.send(PATH, 'POST', { keyMaterial: { dhPublicKey: { keyValue: 'x' }, nonce: 'y' } })
    assert.equal(nothing.status, 400)
    await finished(started)
  })

  test('what a hospital changed on the way does not open, is named, and does no harm to the rest', async () => {
    hospital.hip.changesCiphertext = true
    const copy = await finished(await startCollector({ call: page.call, random }))
    hospital.hip.changesCiphertext = false
    assert.equal(copy.documents.length, 2)
    assert.equal(copy.unopened.length, 9)
    assert.ok(copy.unopened.every(({ fault, hip }) => fault === 'not-authentic' && hip === THEIRS))
    hospital.hip.sendsLinks = true
    const linked = await finished(await startCollector({ call: page.call, random }))
    hospital.hip.sendsLinks = false
    assert.ok(linked.unopened.length === 9 && linked.unopened.every(({ fault }) => fault === 'by-link'))
  })

  test('a page that was not opened yet is kept: the line may break', async () => {
    const started = await startCollector({ call: page.call, random })
    const { id } = started.first.view
    const read = async (): Promise<PagesView> => page.call<PagesView>(`${PATH}/${id}/pages?after=0`)
    const first = await waitFor('a page', async () => {
      const answer = await read()
      return answer.pages.length > 0 && answer
    })
    assert.ok((await read()).pages.some(({ seq }) => seq === first.pages[0]?.seq))
    assert.equal((await finished(started)).documents.length, 11)
    assert.deepEqual(await read(), { pages: [], more: false })
  })

  test('after the consent is revoked nothing more is taken or given out', async () => {
    const started = await startCollector({ call: page.call, random })
    await waitFor('pages to wait', async () => {
      const view = await page.call<{ holders: { status: string }[] }>(`${PATH}/${started.first.view.id}`)
      return view.holders.every(({ status }) => status === 'complete')
    })
    const { body } = await page.send('/v1/me/sharing', 'GET')
    const own = listAt(body, 'items').filter((one) => textAt(one, 'hiu') === 'patient-app@sbx')
    assert.equal(own.length, 2)
    const asha = await PatientApp.open(network, ASHA.abhaAddress)
    assert.equal((await asha.revoke(...own.map((one) => textAt(one, 'id')))).status, 202)
    const copy = await finished(started)
    assert.deepEqual(copy.documents, [])
    assert.ok(copy.view.holders.every(({ status }) => status === 'stopped'))
    const { rows } = await sql<{ n: number }>`
      /* all buckets */ select count(*)::int as n from own_fetch_page where body is not null and own_fetch = ${copy.view.id}`.execute(
      network.exchange.running.machine.db,
    )
    assert.equal(rows[0]?.n, 0)
    // A new look makes new consents.
    assert.equal((await finished(await startCollector({ call: page.call, random }))).documents.length, 11)
  })

  test('a hospital that refuses, and one that is not there: each says so by name', async () => {
    await hospital.bridge.stop()
    const started = await startCollector({ call: page.call, random })
    const lost = await waitFor('the hospital to be given up', async () => {
      await network.hurry('sbx', true)
      const copy = await started.collector.step()
      return copy.isDone && copy
    })
    const theirs = lost.view.holders.find(({ hip }) => hip.id === THEIRS)
    assert.equal(theirs?.status, 'failed')
    assert.equal(theirs?.reason?.code, 'unreachable')
    assert.equal(theirs?.hip.name, partyName('Third party', THEIRS))
    assert.equal(lost.documents.length, 2)
    assert.deepEqual(await tracesOf(network, MARKER), [])
    assert.ok(!lines.some((line) => line.includes(MARKER)))
  })
})

/** A document with the marker where its text is. */
function marked(document: object): object {
  return JSON.parse(JSON.stringify(document).replace(/"title":"[^"]*"/, `"title":"${MARKER}"`)) as object
}

/** The tables of the exchange that hold the marker, as the program itself reads them. */
async function tracesOf(network: TestNetwork, marker: string): Promise<readonly string[]> {
  const { db } = network.exchange.running.machine
  const dump = await dumpTables((text) => db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text)))
  assert.ok(dump.has('own_fetch_page') && dump.has('message'))
  return tablesWith(dump, marker)
}
