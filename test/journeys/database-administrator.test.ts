import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { CompiledQuery } from 'kysely'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { startCollector } from '../../web/patient/records/collector.ts'
import { comeBack } from '../come-back.ts'
import { type Dump, dumpDatabase, dumpTables, tablesWith } from '../database-dump.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { type Answer, callJson, freePort, type Person, TestNetwork } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { addStaff, codeOfStaff, signInStaff } from '../staff.ts'
import { waitFor } from '../wait.ts'

const HOSPITAL = 'IN2710000011'
const CENTRE = 'IN2910000022'
const AWAY = 'IN2710000099'
const MRN = 'UHID-26-0077313'
/** What the hospital calls her two visits. */
const VISITS = ['OPD-26-0771904', 'IPD-26-0338812'] as const
const CM = '/api/hiecm'

const PATIENT: Person = {
  abhaAddress: 'zubeda.q7731@sbx',
  abhaNumber: '91774488113355',
  name: 'Zubedabanu Qanitwala',
  gender: 'F',
  birthDate: '1961-07-23',
  mobile: '9812376541',
}
const ADDRESS = { line: '14 Kastureenagar Lane', district: 'Chandrabagh', state: 'Maharashtra', pincode: '413777' }
/** What is planted, and must be found in no table of any party. */
const MARKERS: Readonly<Record<string, string>> = {
  'first name': 'Zubedabanu',
  'family name': 'Qanitwala',
  'ABHA address': 'zubeda.q7731',
  'ABHA number': '91774488113355',
  'ABHA number as people read it': '91-7744-8811-3355',
  mobile: '9812376541',
  'birth date': '1961-07-23',
  'e-mail address': 'zbq.mail77',
  street: 'Kastureenagar',
  district: 'Chandrabagh',
  pincode: '413777',
  'number of the patient at a facility': MRN,
  'number of a visit': VISITS[0],
  'number of another visit': VISITS[1],
  'title of a document': 'Mallarpura-title',
  diagnosis: 'Tesserine-diagnosis',
  medicine: 'Vorapamil-medicine',
  'reason of a denial': 'Kumkuma-reason',
  'account of an emergency': 'Nagarjuna-account',
  'words of a review': 'Nagarjuna-review',
  question: 'Chandrika-question',
  answer: 'Chandrika-answer',
}
const mark = (what: string): string => MARKERS[what] ?? assert.fail(`no marker ${what}`)

/** A document in which the texts that name what she has are ours. */
function document(type: 'OPConsultation' | 'Prescription' | 'DischargeSummary'): object {
  const words = ['diagnosis', 'medicine'].map((what) => mark(what)).join(' ')
  const text = JSON.stringify(sampleDocument(type))
    .replaceAll(/"title":"[^"]*"/g, `"title":"${mark('title of a document')}"`)
    .replaceAll(/"text":"[^"]*"/g, `"text":"${words}"`)
    .replaceAll('22-7225', MRN)
    .replaceAll('1981-01-12', PATIENT.birthDate)
  return JSON.parse(text) as object
}

describe('who has the whole database of a party, and not its keys', () => {
  let network: TestNetwork
  let patient: PatientApp
  const dumps: { readonly when: string; readonly party: string; readonly dump: Dump }[] = []

  async function dumpAll(when: string): Promise<void> {
    for (const party of ['sbx', HOSPITAL, CENTRE])
      dumps.push({ when, party, dump: await dumpDatabase(network.party(party).databaseUrl) })
  }

  before(async () => {
    const kinds = { [HOSPITAL]: ['Hospital'], [CENTRE]: ['Hospital'] }
    network = await TestNetwork.start({ facilities: [HOSPITAL, CENTRE], kinds })
    const enrolled = await network.operator('sbx', '/v1/patients', {
      ...PATIENT,
      email: `${mark('e-mail address')}@mail.example`,
      address: ADDRESS,
    })
    assert.ok([200, 201].includes(enrolled.status), JSON.stringify(enrolled.body))
    patient = await PatientApp.open(network, PATIENT.abhaAddress)
    await held()
    await shared()
    await dumpAll('while she is being asked, with a message that cannot be delivered')
    await lookedAt()
    await emergency()
    await ownCopy()
    await dumpAll('in the midst of it')
    await ended()
    await dumpAll('at the end, with the queue worked off')
  })
  after(() => network.stop())

  /** Two hospitals hold records of hers, linked; a third that cannot be reached is asked whether it knows her. */
  async function held(): Promise<void> {
    for (const id of [HOSPITAL, CENTRE]) {
      const desk = new FacilityDesk(network, id)
      await desk.call('/v1/patients', { ...PATIENT, reference: MRN, gender: 'female', address: ADDRESS })
    }
    const hospital = new FacilityDesk(network, HOSPITAL)
    await hospital.addDocument(MRN, VISITS[0], document('OPConsultation'))
    await hospital.addDocument(MRN, VISITS[1], document('Prescription'))
    await hospital.link(MRN, 2)
    await network.operator('sbx', '/v1/bridges', {
      id: AWAY,
      name: 'Away',
      url: `http://127.0.0.1:${await freePort()}`,
      roles: ['hip'],
      facilityTypes: [],
    })
    const asked = await patient.call(
      `${CM}/user-initiated-linking/v3/patient/care-context/discover`,
      { hip: { id: AWAY }, unverifiedIdentifiers: [{ type: 'MR', value: MRN }] },
      { 'X-HIU-ID': HOSPITAL },
    )
    assert.equal(asked.status, 202, JSON.stringify(asked.body))
    await waitFor('the message that waits', async () => {
      const waiting = await network.jobs('sbx')
      return waiting.some((job) => String(at(job, 'path')).endsWith('care-context/discover'))
    })
  }

  let consent: { readonly own: string; readonly artefact: string }

  /** One consent is denied with a reason, one is granted and its records come. */
  async function shared(): Promise<void> {
    const centre = new FacilityDesk(network, CENTRE)
    const denied = await centre.ask({ patient: PATIENT.abhaAddress, hiTypes: ['Prescription'] })
    const reason = `${mark('reason of a denial')} of my own`
    const answer = await patient.call(`${CM}/consent/v3/request/${denied.request}/deny`, { reason })
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    await waitFor('the denial', async () => at(await centre.consent(denied.own), 'status') === 'denied')
    const { own, request } = await centre.ask({ patient: PATIENT.abhaAddress, hiTypes: ['OPConsultation'] })
    const artefact = await patient.grant(request, HOSPITAL)
    await centre.transferred(own)
    consent = { own, artefact }
  }

  /** The records are read, she asks why, and is answered. */
  async function lookedAt(): Promise<void> {
    const centre = new FacilityDesk(network, CENTRE)
    const shown = await centre.view(PATIENT.abhaAddress)
    assert.ok(JSON.stringify(shown).includes(mark('diagnosis')), 'what is looked for was there')
    const look = await waitFor('the look', async () => at((await patient.call('/v1/me/looks')).body, '0.id'))
    const text = `${mark('question')}: why?`
    assert.equal((await patient.call(`/v1/me/looks/${String(look)}/question`, { text })).status, 201)
    const received = await waitFor('the question', async () => {
      return listAt((await network.operator(CENTRE, '/v1/questions')).body, 'questions')[0]
    })
    const path = `/v1/questions/${PATIENT.abhaAddress}/${textAt(received, 'id')}/answer`
    await centre.call(path, { text: `${mark('answer')}: to help`, by: 'A. Bose' })
    await waitFor('the answer', async () => {
      return at((await patient.call('/v1/me/questions')).body, '0.status') === 'answered'
    })
  }

  /** A doctor of the centre breaks the glass, and the data protection officer reviews it. */
  async function emergency(): Promise<void> {
    const doctor = await addStaff(network, CENTRE, 'doctor')
    const headers = await signInStaff(network, CENTRE, doctor)
    const call = (path: string, body?: unknown, as: typeof headers = headers): Promise<Answer> =>
      callJson(`${network.party(CENTRE).url}${path}`, as, body)
    const stepUp = textAt((await call('/v1/desk/step-up', { act: 'emergency.open', subject: MRN })).body, 'id')
    const code = await codeOfStaff(network, CENTRE, doctor.login)
    assert.equal((await call(`/v1/desk/step-up/${stepUp}`, { code })).status, 204)
    const words = `${mark('account of an emergency')}: brought in after an accident`
    const opened = await call(`/v1/desk/patients/${MRN}/emergency`, { reason: 'unconscious', words, stepUp })
    assert.equal(opened.status, 201, JSON.stringify(opened.body))
    const id = textAt(opened.body, 'id')
    assert.equal((await call(`/v1/desk/emergencies/${id}/end`, {})).status, 200)
    const officer = await signInStaff(network, CENTRE, await addStaff(network, CENTRE, 'dpo'))
    const review = { outcome: 'justified', words: `${mark('words of a review')}: it was` }
    const reviewed = await call(`/v1/desk/emergencies/${id}/review`, review, officer)
    assert.equal(reviewed.status, 200, JSON.stringify(reviewed.body))
  }

  /** Her own copy, collected by her page. */
  async function ownCopy(): Promise<void> {
    const token = await network.patientToken(PATIENT.abhaAddress)
    const call = async <T>(path: string, options: { method?: string; body?: unknown } = {}): Promise<T> => {
      const answer = await comeBack(`${network.exchange.url}${path}`, {
        method: options.method ?? 'GET',
        headers: { 'x-auth-token': token, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      })
      return JSON.parse((await answer.text()) || 'null') as T
    }
    const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes))
    const { collector } = await startCollector({ call, random })
    const copy = await waitFor('her own copy', async () => {
      const step = await collector.step()
      return step.isDone && step
    })
    assert.ok(copy.documents.some(({ text }) => text.includes(mark('medicine'))))
  }

  /** She stops it; the copy is erased; nothing waits but what cannot be delivered. */
  async function ended(): Promise<void> {
    const centre = new FacilityDesk(network, CENTRE)
    assert.equal((await patient.revoke(consent.artefact)).status, 202)
    await waitFor('the erasure', async () => (await centre.erasures()).length > 0)
    // What waits for its date, such as the end of a link token, carries ids alone.
    for (const id of [HOSPITAL, CENTRE])
      await waitFor(`the messages of ${id}`, async () =>
        (await network.jobs(id)).every((job) => typeof at(job, 'path') !== 'string'),
      )
  }

  test('reads nothing about a patient, neither in plain nor by decoding', () => {
    const found = Object.entries(MARKERS).flatMap(([what, marker]) =>
      dumps.flatMap(({ when, party, dump }) =>
        tablesWith(dump, marker).map((table) => `${what} in ${table} of ${party}, ${when}`),
      ),
    )
    assert.deepEqual(found, [])
  })

  test('finds, with the same search, what is nobody’s secret, and the program finds what was planted', async () => {
    const last = dumps.filter(({ when }) => when.startsWith('at the end'))
    assert.equal(last.length, 3)
    for (const { dump } of last) assert.ok(dump.size > 40 && tablesWith(dump, CENTRE).length > 0)
    const { db } = network.exchange.running.machine
    const lifted = await dumpTables((text) => db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text)))
    for (const table of ['patient', 'consent_request', 'consent_artefact', 'web_session', 'message', 'job'])
      assert.ok(dumps[0]?.dump.get(table) !== undefined, table)
    assert.ok(tablesWith(lifted, mark('ABHA address')).includes('consent_request'))
    assert.ok(tablesWith(lifted, mark('ABHA address')).includes('message'))
    for (const what of ['number of the patient at a facility', 'number of a visit'])
      assert.ok(tablesWith(lifted, mark(what)).includes('care_context'), what)
  })

  test('finds the same patient under another name at each party', () => {
    const tokens = dumps
      .filter(({ when }) => when.startsWith('at the end'))
      .map(({ dump }) => new Set([...dump.values()].flatMap((text) => text.match(/pt1\.[A-Za-z0-9_-]+/g) ?? [])))
    assert.ok(tokens.every((own) => own.size > 0))
    const all = tokens.flatMap((own) => [...own])
    assert.equal(new Set(all).size, all.length)
  })
})
