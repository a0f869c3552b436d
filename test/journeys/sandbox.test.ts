import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { hasEnded } from '../child-network.ts'
import { temporaryRoot } from '../database.ts'
import { FakeBridge } from '../fake-bridge.ts'
import { FakeHip } from '../fake-hip.ts'
import { FakeHiu } from '../fake-hiu.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { callJson, freePorts } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { daysFromNow, heldRecord } from '../people.ts'
import { usualAsk } from '../third-party-world.ts'
import { waitFor } from '../wait.ts'

const MAIN = path.join(import.meta.dirname, '../../src/main.ts')
const HOSPITAL = 'IN2710000011'
const OURS = 'IN2710000091'
const PARTIES = 6
const START_MS = 300_000
const FAR_DAYS = 9_000
const TYPES = [
  'OPConsultation',
  'Prescription',
  'DischargeSummary',
  'DiagnosticReport',
  'ImmunizationRecord',
  'HealthDocumentRecord',
  'WellnessRecord',
]
const run = promisify(execFile)

describe('a stranger joins the running sample network with the commands of the sandbox and nothing else', () => {
  const folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-sandbox-'))
  const bridge = new FakeBridge('care', OURS)
  const hiu = new FakeHiu(bridge)
  const hip = new FakeHip(bridge)
  let env: NodeJS.ProcessEnv
  let exchange: string
  let demo: ChildProcess
  let said = ''
  let patient: unknown
  let app: PatientApp

  const amanat = async (...args: readonly string[]): Promise<string> =>
    (await run(process.execPath, [MAIN, ...args], { env })).stdout
  const asked = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse(await amanat('sandbox', ...args, '--json')) as unknown

  before(async () => {
    const port = await freePorts(PARTIES)
    exchange = `http://127.0.0.1:${port}`
    env = { PATH: process.env['PATH'], AMANAT_DATA: folder, AMANAT_PORT: String(port) }
    demo = spawn(process.execPath, [MAIN, 'demo'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [demo.stdout, demo.stderr])
      stream?.on('data', (data: Buffer) => (said += data.toString('utf8')))
    await bridge.start()
    await waitFor(
      'the sample network',
      () => {
        if (hasEnded(demo)) throw new Error(`it ended: ${said}`)
        return said.includes('Ready after')
      },
      START_MS,
    )
  })
  after(async () => {
    if (!hasEnded(demo)) {
      const ended = once(demo, 'exit')
      demo.kill('SIGINT')
      await ended
    }
    fs.rmSync(folder, { recursive: true, force: true })
    await bridge.stop()
  })

  test('registers its bridge, lists people, gets a patient session', async () => {
    const credentials = await asked(
      'bridge',
      'add',
      '--id',
      OURS,
      '--name',
      'Clinic of strangers',
      '--url',
      bridge.url,
      '--roles',
      'hip,hiu',
    )
    bridge.join({
      baseUrl: `${exchange}/api/hiecm`,
      clientId: textAt(credentials, 'clientId'),
      clientSecret: textAt(credentials, 'clientSecret'),
    })
    const people = listAt({ all: await asked('patients') }, 'all')
    assert.ok(people.length >= 25, `${people.length} people`)
    const isAdult = (one: unknown): boolean => Date.parse(textAt(one, 'birthDate')) < daysFromNow(-20 * 366).getTime()
    patient = people.find(
      (one) =>
        isAdult(one) &&
        listAt(one, 'careContexts').filter(
          (context) => at(context, 'hip') === HOSPITAL && TYPES.includes(textAt(context, 'hiType')),
        ).length >= 2,
    )
    assert.ok(patient)
    const token = textAt(await asked('token', '--patient', textAt(patient, 'abhaAddress')), 'token')
    const asPatient = (own: string, to: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      callJson(
        `${exchange}${to}`,
        {
          'X-AUTH-TOKEN': own,
          'REQUEST-ID': randomUUID(),
          TIMESTAMP: new Date().toISOString(),
          'X-CM-ID': 'sbx',
          ...headers,
        },
        body,
      )
    app = new PatientApp({ asPatient, patientToken: () => Promise.resolve(token) }, token)
  })

  test('asks, is granted, and reads what the hospital holds', async () => {
    const abhaAddress = textAt(patient, 'abhaAddress')
    const request = await hiu.askFor(
      usualAsk({ patient: abhaAddress, hiTypes: TYPES, from: daysFromNow(-FAR_DAYS), to: daysFromNow(0) }),
    )
    const contexts = listAt(patient, 'careContexts').filter(
      (one) => at(one, 'hip') === HOSPITAL && TYPES.includes(textAt(one, 'hiType')),
    )
    const references = contexts.map((one) => textAt(one, 'careContextReference'))
    const careContexts = contexts.map((one) => ({
      patientReference: textAt(one, 'patientReference'),
      careContextReference: textAt(one, 'careContextReference'),
    }))
    const consent = await app.grant(request, HOSPITAL, { careContexts })
    const { detail } = await waitFor('the artefact', () => hiu.artefacts.get(consent))
    const range = { from: textAt(detail, 'permission.dateRange.from'), to: textAt(detail, 'permission.dateRange.to') }
    const { transfer } = await waitFor('the hospital to have acknowledged', async () => {
      const { answer, transfer: id } = await hiu.request(consent, range)
      return at(answer, 'error') === undefined && { transfer: id }
    })
    const documents = await hiu.documents(transfer)
    assert.deepEqual(documents.map(({ careContextReference }) => careContextReference).sort(), references.sort())
    for (const { text } of documents) assert.equal(textAt(JSON.parse(text), 'type'), 'document')
  })

  test('links a record of its own, which the patient then sees', async () => {
    hip.records.push(heldRecord('stranger-visit-1', 'OPConsultation', '{}'))
    const held = {
      abhaAddress: textAt(patient, 'abhaAddress'),
      abhaNumber: textAt(patient, 'abhaNumber'),
      name: textAt(patient, 'name'),
      gender: textAt(patient, 'gender'),
      yearOfBirth: Number(textAt(patient, 'birthDate').slice(0, 4)),
    }
    const linked = await hip.link(held, textAt(await hip.askLinkToken(held), 'linkToken'))
    assert.equal(at(linked, 'status'), 'Successfully Linked care context', JSON.stringify(linked))
    assert.deepEqual(await app.contexts(OURS), [
      { patientReference: 'patient-1', careContextReference: 'stranger-visit-1' },
    ])
  })

  test('every message can be read, and Ctrl-C ends the network cleanly', async () => {
    const messages = await amanat('sandbox', 'messages')
    for (const wanted of ['/consent/v3/request/init', '/api/v3/hiu/consent/request/notify', OURS])
      assert.ok(messages.includes(wanted), wanted)
    const ended = once(demo, 'exit')
    demo.kill('SIGINT')
    assert.deepEqual(await ended, [0, null], said)
  })
})
