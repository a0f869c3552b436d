import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import {
  addTestPatient,
  type Bench,
  detailOf,
  type FakeRequester,
  grant,
  HIP,
  HIU,
  newId,
  notify,
  openBench,
  PATIENT,
  REFERENCE,
  requestBody,
  requesterKeys,
  sampleOf,
  startRequester,
} from '../../test/hip-bench.ts'
import { openBody } from '../audit/record.ts'
import { transact } from '../db/tx.ts'
import { validateDocument } from '../fhir/validate.ts'
import { expireArtefacts } from '../hip/artefact-commands.ts'
import { must, refuse } from '../kernel/refusal.ts'
import { addPatient, addRecord } from '../records/commands.ts'
import { makeFolderSource } from '../records/folder-source.ts'
import { SourceUnavailable } from '../records/record.ts'
import { existingPatientKey } from '../vault/data-keys.ts'
import { dataNotify } from './data-messages.ts'

const EXAMPLES = path.join(import.meta.dirname, '../../../shared/fhir/examples')
const REQUEST = '/api/v3/hip/health-information/request'
const ON_REQUEST = '/data-flow/v3/health-information/hip/on-request'
const NOTIFY = '/data-flow/v3/health-information/notify'
const ON_NOTIFY = '/consent/v3/request/hip/on-notify'

describe('a provider under a consent', () => {
  let bench: Bench
  let requester: FakeRequester
  before(async () => {
    bench = await openBench()
    requester = await startRequester()
    await addTestPatient(bench)
    await bench.drain()
  })
  afterEach(() => {
    bench.sent.length = 0
    requester.got.length = 0
    requester.headers.length = 0
    requester.mood = 'takes'
    bench.verdict.value = true
  })
  after(async () => {
    await requester.close()
    await bench.close()
  })

  const ask = async (
    consentId: string,
    options: { transactionId?: string; dateRange?: object; keys?: ReturnType<typeof requesterKeys>; url?: string } = {},
  ) => {
    const transactionId = options.transactionId ?? newId(bench)
    const keys = options.keys ?? requesterKeys(bench)
    const answer = await bench.callback(
      REQUEST,
      requestBody(consentId, transactionId, options.url ?? requester.url, keys.keyMaterial, options.dateRange),
    )
    assert.equal(answer.status, 202, answer.body)
    return { transactionId, keys, requestId: answer.requestId }
  }
  const errorOf = (path: string) =>
    (bench.last(path)?.body as { error?: { code: string; message: string } } | undefined)?.error
  const told = () => dataNotify.parse(bench.last(NOTIFY)?.body).notification
  const disclosures = async () =>
    (await bench.app.inject({ url: '/v1/disclosures?limit=100' })).json().disclosures as {
      transactionId: string
      status: string
      error: string | null
      event: string
    }[]
  const events = async (type: string) => {
    const rows = await bench.machine.db
      .selectFrom('audit_event')
      .select('id')
      .where('type', '=', type)
      .where('bucket', '>=', 0)
      .execute()
    return rows.length
  }

  it('acknowledges, pushes one sealed document a page with keys of its own, records each, and tells the exchange', async () => {
    const consentId = await grant(bench)
    await bench.drain()
    assert.deepEqual(bench.last(ON_NOTIFY)?.body, {
      acknowledgement: { status: 'OK', consentId },
      response: { requestId: (bench.last(ON_NOTIFY)?.body as { response: { requestId: string } }).response.requestId },
    })
    const before = await events('hip.page-disclosed')
    const { transactionId, keys, requestId } = await ask(consentId)
    await bench.drain()
    assert.deepEqual(bench.last(ON_REQUEST)?.body, {
      hiRequest: { transactionId, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId },
    })
    assert.equal(bench.last(ON_REQUEST)?.headers['X-HIP-ID'], HIP)
    assert.equal(requester.got.length, 2)
    assert.equal(requester.headers[0]?.authorization, 'Bearer session')
    assert.deepEqual(requester.got.map(({ pageNumber, pageCount }) => [pageNumber, pageCount]).sort(), [
      [0, 2],
      [1, 2],
    ])
    assert.equal(new Set(requester.got.map((page) => page.keyMaterial.dhPublicKey.keyValue)).size, 2)
    assert.equal(new Set(requester.got.map((page) => page.keyMaterial.nonce)).size, 2)
    assert.equal(requester.got[0]?.keyMaterial.dhPublicKey.keyValue.length, 412)
    for (const page of requester.got) {
      const [text = ''] = keys.openPage(page)
      assert.deepEqual(validateDocument(JSON.parse(text), 'strict'), [])
      assert.match(page.entries[0]?.checksum ?? '', /^[0-9a-f]{32}$/)
    }
    assert.equal((await events('hip.page-disclosed')) - before, 2)
    assert.equal(told().statusNotification.sessionStatus, 'TRANSFERRED')
    assert.deepEqual(
      told().statusNotification.statusResponses?.map(({ careContextReference, hiStatus }) => [
        careContextReference,
        hiStatus,
      ]),
      [
        ['cc-1', 'DELIVERED'],
        ['cc-2', 'DELIVERED'],
      ],
    )
    assert.deepEqual(told().notifier, { type: 'HIP', id: HIP })
    const page = await bench.machine.db
      .selectFrom('hip_page')
      .selectAll()
      .where('bucket', '>=', 0)
      .where('transaction_id', '=', transactionId)
      .execute()
    assert.ok(page.every((row) => row.body === null && row.status === 'sent'))
  })

  it('gives a repeated transaction the same answer, without a second push', async () => {
    const consentId = await grant(bench)
    const { transactionId, keys } = await ask(consentId)
    await bench.drain()
    assert.equal(requester.got.length, 2)
    await ask(consentId, { transactionId, keys })
    await bench.drain()
    assert.equal(requester.got.length, 2)
    assert.equal(bench.sent.filter(({ path }) => path === ON_REQUEST).length, 2)
    assert.equal(bench.sent.filter(({ path }) => path === NOTIFY).length, 1)
  })

  it('sends only the permitted types, care contexts and dates', async () => {
    const types = await grant(bench, { hiTypes: ['Invoice'] })
    await ask(types)
    await bench.drain()
    assert.deepEqual(
      requester.got.map((page) => page.entries[0]?.careContextReference),
      ['cc-2'],
    )
    assert.deepEqual(told().statusNotification.statusResponses?.[0], {
      careContextReference: 'cc-1',
      hiStatus: 'ERRORED',
      description: 'No record of the permitted types and dates.',
    })
    requester.got.length = 0
    const contexts = await grant(bench, {
      careContexts: [{ patientReference: REFERENCE, careContextReference: 'cc-1' }],
    })
    await ask(contexts)
    await bench.drain()
    assert.deepEqual(
      requester.got.map((page) => page.entries[0]?.careContextReference),
      ['cc-1'],
    )
    requester.got.length = 0
    const dates = await grant(bench)
    await ask(dates, { dateRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' } })
    await bench.drain()
    assert.equal(requester.got.length, 0)
    assert.equal(told().statusNotification.sessionStatus, 'FAILED')
  })

  it('refuses in the callback, and never pushes: range, unknown consent, expired key, bad key, too often', async () => {
    const consentId = await grant(bench, {
      permission: {
        ...(detailOf('x') as { permission: object }).permission,
        frequency: { unit: 'DAY', value: 1, repeats: 1 },
      },
    })
    const cases: readonly (readonly [string, () => Promise<unknown>])[] = [
      [
        'ABDM-1063',
        () => ask(consentId, { dateRange: { from: '2024-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' } }),
      ],
      ['ABDM-1112', () => ask(newId(bench))],
      ['3410', () => ask(consentId, { keys: requesterKeys(bench, new Date(bench.clock.now().getTime() - 1)) })],
      [
        'ABDM-1006',
        () => {
          const keys = requesterKeys(bench)
          const bad = {
            ...keys.keyMaterial,
            dhPublicKey: { ...keys.keyMaterial.dhPublicKey, keyValue: Buffer.alloc(65, 4).toString('base64') },
          }
          return ask(consentId, { keys: { ...keys, keyMaterial: bad } })
        },
      ],
    ]
    for (const [code, attempt] of cases) {
      await attempt()
      await bench.drain()
      assert.equal(errorOf(ON_REQUEST)?.code, code)
    }
    await ask(consentId)
    await ask(consentId)
    await bench.drain()
    assert.equal(errorOf(ON_REQUEST)?.code, 'ABDM-1062')
    assert.match(errorOf(ON_REQUEST)?.message ?? '', /permits no further request/)
    assert.equal(requester.got.length, 2, 'only the first of the two was served')
    const repeated = await ask(consentId, {
      transactionId: newId(bench),
      dateRange: { from: '2024-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
    })
    await ask(consentId, { transactionId: repeated.transactionId })
    await bench.drain()
    assert.equal(errorOf(ON_REQUEST)?.code, 'ABDM-1063', 'a refused transaction stays refused')
  })

  it('sends no page after a revocation that came between pages', async () => {
    const consentId = await grant(bench)
    const { transactionId } = await ask(consentId)
    await bench.drain({ only: 'hip.push' })
    assert.equal(requester.got.length, 1)
    await notify(bench, { status: 'REVOKED', consentId })
    await bench.drain()
    assert.equal(requester.got.length, 1)
    const own = (await disclosures()).filter((one) => one.transactionId === transactionId)
    assert.deepEqual(own.map(({ status }) => status).sort(), ['sent', 'withheld'])
    assert.equal(told().statusNotification.sessionStatus, 'TRANSFERRED')
    assert.ok(
      told().statusNotification.statusResponses?.some(
        ({ hiStatus, description }) => hiStatus === 'ERRORED' && /revoked/.test(description ?? ''),
      ),
    )
    await ask(consentId)
    await bench.drain()
    assert.equal(errorOf(ON_REQUEST)?.code, 'ABDM-1062')
  })

  it('sends nothing when the consent ends by its own clock, before the exchange says so', async () => {
    const consentId = await grant(bench, {
      permission: {
        ...(detailOf('x') as { permission: object }).permission,
        dataEraseAt: new Date(bench.clock.now().getTime() + 60_000).toISOString(),
      },
    })
    await ask(consentId)
    bench.clock.advance(61_000)
    await bench.drain()
    assert.equal(requester.got.length, 0)
    assert.equal(told().statusNotification.sessionStatus, 'FAILED')
    assert.equal(await expireArtefacts(bench.machine, bench.needs), 1)
    const artefacts = (await bench.app.inject({ url: '/v1/artefacts' })).json().artefacts as {
      consentId: string
      status: string
    }[]
    assert.equal(artefacts.find((one) => one.consentId === consentId)?.status, 'EXPIRED')
    assert.equal(await expireArtefacts(bench.machine, bench.needs), 0)
  })

  it('tries again after 500, silence and dropped connections; the very same page goes again', async () => {
    for (const mood of ['error-500', 'drops-before', 'hangs', 'takes-then-drops'] as const) {
      requester.got.length = 0
      requester.mood = mood
      const consentId = await grant(bench, { hiTypes: ['Invoice'] })
      const { transactionId } = await ask(consentId)
      await bench.drain()
      assert.equal(
        (await disclosures()).filter((one) => one.transactionId === transactionId).length,
        0,
        `${mood}: nothing is settled yet`,
      )
      requester.mood = 'takes'
      bench.clock.advance(2_000)
      await bench.drain()
      const settled = (await disclosures()).filter((one) => one.transactionId === transactionId)
      assert.deepEqual(
        settled.map(({ status }) => status),
        ['sent'],
        mood,
      )
      assert.equal(requester.got.length, mood === 'takes-then-drops' ? 2 : 1)
      assert.deepEqual(requester.got.at(-1), requester.got[0])
    }
  })

  it('ends once when its pages are settled at the same time', async () => {
    const consentId = await grant(bench)
    await ask(consentId)
    await bench.drain({ only: 'hip.collect' })
    await bench.runTogether()
    await bench.drain()
    assert.equal(requester.got.length, 2)
    assert.equal(bench.sent.filter(({ path: to }) => to === NOTIFY).length, 1)
    assert.equal(told().statusNotification.sessionStatus, 'TRANSFERRED')
  })

  it('takes an end and pages that settle at the same time without a deadlock', async () => {
    for (let round = 0; round < 5; round++) {
      const consentId = await grant(bench)
      const { transactionId } = await ask(consentId)
      await bench.drain({ only: 'hip.collect' })
      await Promise.all([bench.runTogether(), notify(bench, { status: 'REVOKED', consentId })])
      await bench.drain()
      const settled = (await disclosures()).filter((one) => one.transactionId === transactionId)
      assert.equal(settled.length, 2)
      assert.equal(settled.filter(({ status }) => status === 'sent').length <= requester.got.length, true)
      requester.got.length = 0
    }
  })

  it('records the page that it sent before it was killed: sends it again, and counts it once', async () => {
    const consentId = await grant(bench, { hiTypes: ['Invoice'] })
    const { transactionId } = await ask(consentId)
    await bench.drain({ only: 'hip.collect' })
    const before = await events('hip.page-sending')
    await bench.dieAfter('hip.push')
    assert.equal(requester.got.length, 1)
    assert.equal((await events('hip.page-sending')) - before, 1, 'it was recorded before it was sent')
    bench.clock.advance(61_000)
    await bench.drain()
    assert.equal(requester.got.length, 2)
    assert.deepEqual(requester.got[0], requester.got[1])
    assert.deepEqual(
      (await disclosures()).filter((one) => one.transactionId === transactionId).map(({ status }) => status),
      ['sent'],
    )
  })

  it('says that a page may have arrived, when the consent ends after a try whose answer was lost', async () => {
    requester.mood = 'takes-then-drops'
    const consentId = await grant(bench, { hiTypes: ['Invoice'] })
    const { transactionId } = await ask(consentId)
    await bench.drain()
    assert.equal(requester.got.length, 1)
    await notify(bench, { status: 'REVOKED', consentId })
    bench.clock.advance(5_000)
    await bench.drain()
    assert.equal(requester.got.length, 1)
    const [page] = (await disclosures()).filter((one) => one.transactionId === transactionId)
    assert.equal(page?.status, 'withheld')
    const { key, event } = await withheldEvent(page?.event ?? '')
    assert.ok(key)
    assert.equal(event['mayHaveArrived'], true)
  })

  const withheldEvent = async (id: string) => {
    const row = await bench.machine.db
      .selectFrom('audit_event')
      .selectAll()
      .where('bucket', '>=', 0)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    const key = await transact(bench.machine, (tx) => existingPatientKey(tx, PATIENT))
    assert.ok(key)
    const opened = openBody(id, row.body, { key, patient: PATIENT })
    return { key, event: (opened?.event ?? {}) as unknown as Record<string, unknown> }
  }

  it('gives up where the requester refuses or redirects, and follows nobody', async () => {
    for (const mood of ['refuses', 'redirects'] as const) {
      requester.mood = mood
      const consentId = await grant(bench, { hiTypes: ['Invoice'] })
      const { transactionId } = await ask(consentId)
      await bench.drain()
      const [page] = (await disclosures()).filter((one) => one.transactionId === transactionId)
      assert.equal(page?.status, 'failed')
      assert.match(page?.error ?? '', mood === 'refuses' ? /400/ : /307/)
      assert.equal(told().statusNotification.sessionStatus, 'FAILED')
    }
    requester.mood = 'rubbish'
    await ask(await grant(bench, { hiTypes: ['Invoice'] }))
    await bench.drain()
    assert.equal(told().statusNotification.sessionStatus, 'TRANSFERRED', 'only the status of the answer counts')
  })

  it('closes after 20 minutes what a requester that is down never took, and says that it may have arrived', async () => {
    requester.mood = 'error-500'
    const before = await events('hip.page-withheld')
    const consentId = await grant(bench, { hiTypes: ['Invoice'] })
    await ask(consentId)
    for (let minute = 0; minute < 21; minute++) {
      await bench.drain()
      bench.clock.advance(60_000)
    }
    await bench.drain()
    assert.equal((await events('hip.page-withheld')) - before, 1)
    assert.equal(told().statusNotification.sessionStatus, 'FAILED')
    assert.match(
      told().statusNotification.statusResponses?.find((one) => one.careContextReference === 'cc-2')?.description ?? '',
      /time|20 minutes/,
    )
    requester.mood = 'takes'
    bench.clock.advance(3_600_000)
    await bench.drain()
    assert.equal(requester.got.length, 0, 'nothing is sent late')
  })

  it('waits for a source that does not answer', async () => {
    let down = true
    bench.sources.push({
      name: 'flaky',
      list: async () => {
        if (down) throw new SourceUnavailable('the FHIR server answered 503')
        return []
      },
      read: async () => refuse('records/unreadable'),
    })
    await ask(await grant(bench))
    await bench.drain()
    assert.equal(requester.got.length, 0)
    down = false
    bench.clock.advance(2_000)
    await bench.drain()
    assert.equal(requester.got.length, 2)
    bench.sources.pop()
  })

  it('serves documents of others byte for byte, and tells what of an invalid one is invalid, without its words', async () => {
    const consentId = await grant(bench, {
      careContexts: ['cc-own', 'cc-bad'].map((careContextReference) => ({
        patientReference: REFERENCE,
        careContextReference,
      })),
      hiTypes: ['OPConsultation', 'Prescription'],
    })
    await ask(await grant(bench, { hiTypes: ['Prescription'] })).then(({ keys }) => bench.drain().then(() => keys))
    const first = requester.got[0]
    assert.ok(first)
    requester.got.length = 0
    const made = await ask(await grant(bench, { hiTypes: ['Prescription'] }))
    await bench.drain()
    const [text = ''] = made.keys.openPage(requester.got[0] as never)
    // Odd white space and order must survive: the bytes of others are kept.
    const bytes = `\n${JSON.stringify(JSON.parse(text), null, 3)}\n`
    const broken = JSON.stringify({
      ...JSON.parse(text),
      entry: (JSON.parse(text) as { entry: { resource: { resourceType: string; status?: string } }[] }).entry.map(
        (entry) =>
          entry.resource.resourceType === 'MedicationRequest'
            ? { ...entry, resource: { ...entry.resource, status: 'secretword' } }
            : entry,
      ),
    })
    await transact(bench.machine, async (tx) => {
      const actor = { kind: 'operator', id: 'desk' } as const
      await addRecord(tx, actor, REFERENCE, {
        careContextReference: 'cc-own',
        document: Buffer.from(bytes).toString('base64'),
      })
      await addRecord(tx, actor, REFERENCE, {
        careContextReference: 'cc-bad',
        document: Buffer.from(broken).toString('base64'),
      })
    })
    requester.got.length = 0
    const { keys } = await ask(consentId)
    await bench.drain()
    assert.equal(requester.got.length, 1)
    assert.deepEqual(keys.openPage(requester.got[0] as never), [bytes])
    const bad = told().statusNotification.statusResponses?.find((one) => one.careContextReference === 'cc-bad')
    assert.equal(bad?.hiStatus, 'ERRORED')
    assert.match(bad?.description ?? '', /not valid: Bundle\.entry/)
    assert.doesNotMatch(bad?.description ?? '', /secretword/)
  })

  it('sends the official examples from a folder, byte for byte', { skip: !fs.existsSync(EXAMPLES) }, async () => {
    await transact(bench.machine, async (tx) => {
      const abc = {
        reference: 'ABC-1',
        name: 'ABC',
        gender: 'male',
        birthDate: '1981-01-12',
        abhaNumber: '22722548295255',
        abhaAddress: 'abc@sbx',
      }
      must(await addPatient(tx, bench.needs, { kind: 'operator', id: 'desk' }, abc as never))
    })
    const folder = makeFolderSource({ folder: EXAMPLES })
    bench.sources.push(folder)
    const files = fs.readdirSync(EXAMPLES).filter((name) => name.endsWith('.json'))
    const consentId = await grant(bench, {
      patient: { id: 'abc@sbx' },
      careContexts: files.map((name) => ({
        patientReference: 'ABC-1',
        careContextReference: name.replace(/\.json$/, ''),
      })),
      hiTypes: ['DiagnosticReport', 'Invoice', 'OPConsultation', 'Prescription'],
      permission: {
        ...(detailOf('x') as { permission: object }).permission,
        dateRange: { from: '2010-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
      },
    })
    const { keys } = await ask(consentId, {
      dateRange: { from: '2010-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
    })
    await bench.drain()
    bench.sources.pop()
    const got = requester.got.flatMap((page) => keys.openPage(page)).sort()
    const wanted = files.map((name) => fs.readFileSync(path.join(EXAMPLES, name), 'utf8')).sort()
    assert.equal(got.length, wanted.length, JSON.stringify(told().statusNotification.statusResponses))
    assert.deepEqual(got, wanted)
  })

  it('does not serve a patient who is not the consenting one', async () => {
    const consentId = await grant(bench, { patient: { id: 'somebody.else@sbx' } })
    await ask(consentId)
    await bench.drain()
    assert.equal(requester.got.length, 0)
    assert.equal(told().statusNotification.sessionStatus, 'FAILED')
  })

  describe('holding artefacts', () => {
    it('refuses one with a bad signature, one for another facility, one that is not whole; and records it', async () => {
      const before = await events('hip.artefact-refused')
      const consentId = newId(bench)
      bench.verdict.value = refuse('crypto/signature-invalid')
      await notify(bench, { status: 'GRANTED', consentId, consentDetail: detailOf(consentId), signature: 'c2ln' })
      await bench.drain()
      assert.deepEqual((bench.last(ON_NOTIFY)?.body as { acknowledgement: object }).acknowledgement, {
        status: 'ERRORED',
        consentId,
      })
      assert.equal(errorOf(ON_NOTIFY)?.code, 'ABDM-1006')
      bench.verdict.value = true
      await notify(bench, {
        status: 'GRANTED',
        consentId,
        consentDetail: detailOf(consentId, { hip: { id: HIU, name: 'x' } }),
        signature: 'c2ln',
      })
      await bench.drain()
      assert.equal(errorOf(ON_NOTIFY)?.code, 'ABDM-1035')
      await notify(bench, { status: 'GRANTED', consentId })
      await notify(bench, {
        status: 'GRANTED',
        consentId: newId(bench),
        consentDetail: detailOf(consentId),
        signature: 'c2ln',
      })
      await bench.drain()
      assert.equal((await events('hip.artefact-refused')) - before, 4)
      await ask(consentId)
      await bench.drain()
      assert.equal(errorOf(ON_REQUEST)?.code, 'ABDM-1112')
    })

    it('honours an end that comes first or unsigned; a late grant changes nothing and is acknowledged', async () => {
      const consentId = newId(bench)
      await notify(bench, { status: 'REVOKED', consentId })
      await notify(bench, { status: 'GRANTED', consentId, consentDetail: detailOf(consentId), signature: 'c2ln' })
      await bench.drain()
      assert.deepEqual((bench.last(ON_NOTIFY)?.body as { acknowledgement: object }).acknowledgement, {
        status: 'OK',
        consentId,
      })
      await ask(consentId)
      await bench.drain()
      assert.equal(errorOf(ON_REQUEST)?.code, 'ABDM-1062')
      const granted = await grant(bench)
      bench.verdict.value = refuse('crypto/signature-invalid')
      await notify(bench, {
        status: 'REVOKED',
        consentId: granted,
        consentDetail: detailOf(granted),
        signature: 'YmFk',
      })
      await notify(bench, { status: 'EXPIRED', consentId: granted })
      await bench.drain()
      await ask(granted)
      await bench.drain()
      assert.equal(errorOf(ON_REQUEST)?.code, 'ABDM-1062', 'REVOKED stays, whatever comes after')
    })

    it('keeps its copy sealed, and answers the same message twice without effect', async () => {
      const consentId = newId(bench)
      const body = {
        notification: { status: 'GRANTED', consentId, consentDetail: detailOf(consentId), signature: 'c2ln' },
      }
      const headers = { 'request-id': newId(bench) as string }
      assert.equal((await bench.callback('/api/v3/consent/request/hip/notify', body, headers)).status, 202)
      assert.equal((await bench.callback('/api/v3/consent/request/hip/notify', body, headers)).status, 202)
      await bench.drain()
      assert.equal(bench.sent.filter(({ path }) => path === ON_NOTIFY).length, 1)
      const row = await bench.machine.db
        .selectFrom('hip_artefact')
        .selectAll()
        .where('bucket', '>=', 0)
        .where('consent_id', '=', consentId)
        .executeTakeFirst()
      assert.ok(row?.detail)
      assert.doesNotMatch(row.detail.toString('latin1'), /Prescription|CAREMGT/)
      assert.equal(row.abha_address, PATIENT)
    })

    it('is not moved by a callback that names another facility', async () => {
      const consentId = newId(bench)
      const answer = await bench.callback(
        '/api/v3/consent/request/hip/notify',
        { notification: { status: 'REVOKED', consentId } },
        { 'x-hip-id': HIU },
      )
      assert.equal(answer.status, 403)
    })
  })

  it('keeps sample records of every type valid when it sends them', async () => {
    const types = [
      'OPConsultation',
      'DischargeSummary',
      'DiagnosticReport',
      'ImmunizationRecord',
      'HealthDocumentRecord',
      'WellnessRecord',
    ] as const
    await transact(bench.machine, async (tx) => {
      for (const type of types)
        await addRecord(tx, { kind: 'operator', id: 'desk' }, REFERENCE, {
          careContextReference: `cc-${type}`,
          input: sampleOf(type),
        })
    })
    const consentId = await grant(bench, {
      hiTypes: [...types],
      careContexts: types.map((type) => ({ patientReference: REFERENCE, careContextReference: `cc-${type}` })),
    })
    await ask(consentId)
    await bench.drain()
    assert.equal(requester.got.length, types.length, JSON.stringify(told().statusNotification.statusResponses))
  })
})
