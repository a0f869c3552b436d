import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { sql } from 'kysely'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { textAt } from '../json-path.ts'
import { callJson, TestNetwork, type ThirdParty } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA } from '../people.ts'
import { addStaff, signInStaff } from '../staff.ts'
import { usualAsk } from '../third-party-world.ts'
import { waitFor } from '../wait.ts'
import { abdmHeaders } from './world.ts'

const HOSPITAL = 'IN2710000011'
const CLINIC = 'IN2710000099'
const MRN = '22-7225-ZZMRNMARK'
const DIAGNOSIS = 'ZZDIAGNOSISMARK'
const WRONG_PASSWORD = 'ZZWRONGPASSWORDMARK 1'
/** Outputs of thousands of numbers. */
const COUNTS: ReadonlySet<string> = new Set(['/metrics', 'process'])
const PERSON = {
  ...ASHA,
  abhaAddress: 'zzaddressmark.rao@sbx',
  abhaNumber: '91777000777123',
  name: 'Zznamemark Rao',
  mobile: '9777700712',
}

/** The document with a diagnosis that is found again wherever it leaks to. */
function markedDocument(): unknown {
  const text = JSON.stringify(sampleDocument('OPConsultation'))
  const marked = text.replaceAll(/("text":")([^"]+")/g, `$1${DIAGNOSIS} $2`)
  assert.notEqual(marked, text)
  return JSON.parse(marked)
}

/** All texts of a keys file that are long enough to be secrets, but for names and public halves. */
function secretsIn(folder: string): readonly string[] {
  return fs.readdirSync(folder).flatMap((file) => {
    const bytes = fs.readFileSync(path.join(folder, file))
    if (!file.endsWith('.json')) return bytes.length >= 16 ? [bytes.toString('base64url'), bytes.toString('hex')] : []
    const keys: unknown = JSON.parse(bytes.toString('utf8'))
    const collect = (value: unknown, name = ''): readonly string[] => {
      if (typeof value === 'string')
        return value.length >= 32 && !/public|kid|\bn\b|\be\b/.test(name) ? [value.slice(0, 200)] : []
      return typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([inner, each]) => collect(each, inner))
        : []
    }
    return collect(keys)
  })
}

describe('secrets and health data of a whole journey', () => {
  let network: TestNetwork
  let clinic: ThirdParty
  const outputs = new Map<string, string[]>()
  const secrets = new Map<string, string>()
  const say = (output: string, text: string): void =>
    void (outputs.get(output) ?? outputs.set(output, []).get(output))?.push(text)
  const restore: (() => void)[] = []

  before(async () => {
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = process[name]
      const write = stream.write.bind(stream)
      stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
        say(name, Buffer.from(chunk as string).toString())
        return write(chunk, ...rest)
      }) as typeof stream.write
      restore.push(() => void (stream.write = write))
    }
    const warn = (warning: Error): void => say('warnings', inspect(warning, { depth: 8 }))
    process.on('warning', warn)
    restore.push(() => process.off('warning', warn))
    network = await TestNetwork.start({ facilities: [HOSPITAL], logTo: (line) => say('log', line) })
    await journey()
    await failures()
    await lookAround()
  })
  after(async () => {
    for (const undo of restore) undo()
    await network.stop()
  })

  /** Enrols, links, asks, grants, discloses; the desk, its staff, the patient's app. */
  async function journey(): Promise<void> {
    await network.enrol(PERSON)
    clinic = await network.join('care', CLINIC)
    const desk = new FacilityDesk(network, HOSPITAL)
    const app = await PatientApp.open(network, PERSON.abhaAddress)
    await desk.addPatient(MRN, PERSON)
    await desk.addDocument(MRN, 'op-1', markedDocument() as never)
    await desk.link(MRN, 1)
    const request = await clinic.hiu.askFor(usualAsk({ patient: PERSON.abhaAddress, hiTypes: ['OPConsultation'] }))
    const id = await app.grant(request, HOSPITAL, { hiTypes: ['OPConsultation'] })
    const { detail } = await clinic.hiu.granted(HOSPITAL)
    const range = { from: textAt(detail, 'permission.dateRange.from'), to: textAt(detail, 'permission.dateRange.to') }
    const { transfer } = await waitFor('the request to be taken', async () => {
      const asked = await clinic.hiu.request(id, range)
      return JSON.stringify(asked.answer).includes('error') ? undefined : asked
    })
    const documents = await clinic.hiu.documents(transfer)
    assert.ok(JSON.stringify(documents).includes(DIAGNOSIS), 'the marker did travel')
    secrets.set('patient token', await network.patientToken(PERSON.abhaAddress))
    const staff = await addStaff(network, HOSPITAL, 'doctor')
    const headers = await signInStaff(network, HOSPITAL, staff)
    secrets.set('staff password', staff.password)
    secrets.set('staff session', headers.cookie.split('=')[1] ?? '')
    secrets.set('word of the session', headers['X-CSRF'])
    const input = { id: 'IN2910000044', name: 'Another', url: 'http://127.0.0.1:9', roles: ['hiu'] }
    const bridge = await network.operator('sbx', '/v1/bridges', input)
    const clientSecret = textAt(bridge.body, 'clientSecret')
    secrets.set('client secret', clientSecret)
    const login = { clientId: textAt(bridge.body, 'clientId'), clientSecret, grantType: 'client_credentials' }
    const session = await callJson(`${network.exchange.url}/api/hiecm/gateway/v3/sessions`, abdmHeaders(), login)
    for (const name of ['accessToken', 'refreshToken']) secrets.set(name, textAt(session.body, name))
    await signIn()
    for (const party of ['sbx', HOSPITAL]) {
      secrets.set(`operator token of ${party}`, network.party(party).operatorToken)
      for (const [n, key] of secretsIn(network.keysFolder(party)).entries()) secrets.set(`key ${n} of ${party}`, key)
    }
  }

  /** The patient signs in to the app by a code. */
  async function signIn(): Promise<void> {
    const { url } = network.exchange
    const page = url.replace('127.0.0.1', 'localhost')
    const asked = await callJson(`${url}/v1/sign-in`, { origin: page }, { abhaAddress: PERSON.abhaAddress })
    const code = await waitFor('the code', async () => {
      const { body } = await network.operator('sbx', `/v1/sandbox/text-messages?mobile=${PERSON.mobile}`)
      // That somebody asks for her records is told by text messages, too.
      return (body as { text: string }[]).flatMap(({ text }) => /\b\d{6}\b/.exec(text)?.[0] ?? [])[0]
    })
    const not = code === '000000' ? '111111' : '000000'
    const wrong = await callJson(`${url}/v1/sign-in/${textAt(asked.body, 'id')}`, { origin: page }, { code: not })
    say('errors', JSON.stringify(wrong.body))
    const opened = await callJson(`${url}/v1/sign-in/${textAt(asked.body, 'id')}`, { origin: page }, { code })
    assert.equal(opened.status, 200)
    secrets.set('patient session', opened.headers.get('set-cookie')?.split(';')[0]?.split('=')[1] ?? '')
    secrets.set('code of the text message', code)
  }

  /** Wrong passwords, wrong fields, forged tokens, and a machine that breaks in the middle of somebody's data. */
  async function failures(): Promise<void> {
    const { url, running } = network.party(HOSPITAL)
    const fail = async (at: string, headers: Readonly<Record<string, string>>, body?: unknown): Promise<number> => {
      const answer = await callJson(at, headers, body)
      assert.ok(answer.status >= 400, `${at}: ${answer.status} ${JSON.stringify(body)} ${JSON.stringify(answer.body)}`)
      say('errors', `${JSON.stringify(answer.body)} ${JSON.stringify([...answer.headers])}`)
      return answer.status
    }
    await fail(`${url}/v1/desk/sign-in`, {}, { login: 'test.doctor', password: WRONG_PASSWORD })
    await fail(`${network.exchange.url}/v1/me`, { 'X-AUTH-TOKEN': `${secrets.get('patient token')}x` })
    await fail(`${network.exchange.url}/v1/patients`, operatorOf('sbx'), {
      ...PERSON,
      gender: PERSON.name,
      birthDate: DIAGNOSIS,
    })
    await fail(`${network.exchange.url}/v1/patients`, operatorOf('sbx'), {
      ...PERSON,
      abhaAddress: 'zzaddressmark.two@sbx',
    })
    await fail(`${url}/v1/patients/${encodeURIComponent(PERSON.name)}`, operatorOf(HOSPITAL))
    await sql`alter table facility_patient rename to facility_patient_away`.execute(running.machine.db)
    try {
      const patient = {
        reference: `${MRN}-2`,
        name: PERSON.name,
        gender: 'female',
        birthDate: PERSON.birthDate,
        mobile: PERSON.mobile,
      }
      assert.equal(await fail(`${url}/v1/patients`, operatorOf(HOSPITAL), patient), 500)
    } finally {
      await sql`alter table facility_patient_away rename to facility_patient`.execute(running.machine.db)
    }
  }

  const operatorOf = (id: string) => ({ authorization: `Bearer ${network.party(id).operatorToken}` })

  async function lookAround(): Promise<void> {
    for (const id of ['sbx', HOSPITAL]) {
      const { url } = network.party(id)
      for (const page of ['/metrics', '/health/live', '/health/ready', '/log/checkpoint', '/v1/party'])
        say(page, JSON.stringify((await callJson(`${url}${page}`, operatorOf(id))).body))
      say('delivery log', JSON.stringify((await callJson(`${url}/v1/messages?limit=100`, operatorOf(id))).body))
      say('queue', JSON.stringify((await callJson(`${url}/v1/jobs`, operatorOf(id))).body))
    }
    say(
      'process',
      `${process.title} ${process.argv.join(' ')} ${JSON.stringify(process.report.getReport()).replaceAll(/"environmentVariables":\{[^}]*\}/g, '')}`,
    )
  }

  /** The outputs in which a marker stands. */
  function leaksOf(marker: string, allowed: readonly string[] = []): readonly string[] {
    assert.ok(marker.length >= 6, 'a marker that says something')
    // Six digits stand by chance within many a number: a code is meant only where it stands by itself, and not where all is counted.
    const alone = /^\d{6}$/.test(marker) ? new RegExp(`(?<![\\w.])${marker}(?![\\w.])`) : undefined
    const isIn = (text: string): boolean => alone?.test(text) ?? text.includes(marker)
    return [...outputs].flatMap(([output, texts]) => {
      const isCounts = alone !== undefined && COUNTS.has(output)
      const found = isCounts || allowed.includes(output) ? undefined : texts.find(isIn)
      return found === undefined
        ? []
        : [`${output}: …${found.slice(Math.max(0, found.indexOf(marker) - 120), found.indexOf(marker) + 60)}`]
    })
  }

  test('there is something to search', () => {
    for (const output of ['log', 'errors', '/metrics', 'delivery log', 'process'])
      assert.ok((outputs.get(output)?.join('').length ?? 0) > 200, output)
    assert.match(outputs.get('log')?.join('') ?? '', /unhandled fault/)
    assert.ok(secrets.size > 14, [...secrets.keys()].join(', '))
  })

  test('no secret stands in any of them', () => {
    for (const [name, secret] of secrets) assert.deepEqual(leaksOf(secret), [], name)
    assert.deepEqual(leaksOf(WRONG_PASSWORD), [])
  })

  test('no name, number, mobile, record number or diagnosis stands in any of them', () => {
    for (const marker of ['Zznamemark', PERSON.abhaNumber, '91-7770-0077-7123', PERSON.mobile, DIAGNOSIS, 'ZZMRNMARK'])
      assert.deepEqual(leaksOf(marker), [], marker)
  })

  test('whose data it was stands in the delivery log alone', () => {
    assert.deepEqual(leaksOf('zzaddressmark', ['delivery log']), [])
  })
})
