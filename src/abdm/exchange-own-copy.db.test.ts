import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { KyselyPlugin } from 'kysely'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  LAB,
  RAVI,
  type Reply,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { artefactsOf, noticesOf } from '../consent/readers.ts'
import { makeKeyMaterial, makeNonce } from '../crypto/key-agreement.ts'
import { encodeRaw } from '../crypto/key-material.ts'
import { makeKeyPair } from '../crypto/sealing.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import type { FetchView, PagesView } from '../native/me-record-routes.ts'
import { facilityById, registerBridge, revokeBridge, saveServices } from '../partners/commands.ts'
import { isOwnApp, ownAppId } from '../partners/own-app.ts'
import { transferById } from '../transfer/commands.ts'
import { readOwnFetch } from '../transfer/own-fetch-commands.ts'
import { endWaiting, sweepOwnFetches } from '../transfer/own-fetch-jobs.ts'
import { hipDataRequest } from './data-messages.ts'
import type { Outgoing } from './send.ts'

let exchange: TestExchange
describe('abdm/exchange-own-copy', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const APP = ownAppId({ id: 'sbx' })
  const MINUTE_MS = 60_000
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  const patient = (method: 'GET' | 'POST', path: string, body?: object): Promise<Reply> =>
    exchange.asPatient(ASHA, method, `/v1/me/records/fetch${path}`, body)

  function keyMaterial(): object {
    return { dhPublicKey: { keyValue: encodeRaw(makeKeyPair(random).publicKey) }, nonce: makeNonce(random) }
  }

  async function start(more: object = {}): Promise<FetchView> {
    const { status, body } = await patient('POST', '', { keyMaterial: keyMaterial(), ...more })
    assert.equal(status, 202, JSON.stringify(body))
    return body as unknown as FetchView
  }
  const view = async (id: string): Promise<FetchView> => (await patient('GET', `/${id}`)).body as unknown as FetchView
  async function stateOf(id: string, hip = HOSPITAL) {
    const { status, reason } = must(found((await view(id)).holders.find((one) => one.hip.id === hip)))
    return reason === undefined ? status : `${status}: ${reason.code}`
  }
  function found<T>(value: T | undefined): T {
    assert.ok(value !== undefined)
    return value
  }
  const consentOf = (one: Outgoing): string =>
    (one.body as { notification: { consentId: string } }).notification.consentId
  const notified = (sent: readonly Outgoing[]) =>
    sent.filter(({ path }) => path === '/api/v3/consent/request/hip/notify')

  /** The hospitals take note of the consents; the requests that then go to them. */
  async function acknowledge(sent: readonly Outgoing[], status = 'OK'): Promise<readonly Outgoing[]> {
    for (const one of notified(sent)) {
      const body = {
        acknowledgement: { status, consentId: consentOf(one) },
        response: { requestId: one.requestId },
      }
      assert.equal((await exchange.asBridge('bridge-hip', '/consent/v3/request/hip/on-notify', body)).status, 202)
    }
    return (await exchange.takeSent()).filter(({ path }) => path === '/api/v3/hip/health-information/request')
  }

  type Routed = ReturnType<typeof hipDataRequest.parse>
  /** A look with both hospitals asked: the requests that they got, by hospital. */
  async function asked(): Promise<{ readonly id: string; readonly hospital: Routed; readonly lab: Routed }> {
    await exchange.takeSent()
    const { id } = await start()
    const sent = await exchange.takeSent()
    const requests = [
      ...sent.filter(({ path }) => path.endsWith('/health-information/request')),
      ...(await acknowledge(sent)),
    ]
    const of = (hip: string): Routed =>
      hipDataRequest.parse(found(requests.find(({ headers }) => headers['X-HIP-ID'] === hip)).body)
    return { id, hospital: of(HOSPITAL), lab: of(LAB) }
  }

  function push(routed: Routed, change: object = {}): Promise<Reply> {
    const url = new URL(routed.hiRequest.dataPushUrl)
    assert.equal(url.origin, 'https://exchange.test')
    const own = makeKeyMaterial(
      makeKeyPair(random),
      makeNonce(random),
      new Date(exchange.clock.now().getTime() + MINUTE_MS),
      'x509',
    )
    const entry = {
      content: Buffer.from('sealed').toString('base64'),
      media: 'application/fhir+json',
      careContextReference: 'visit-1',
    }
    const body = {
      pageNumber: 1,
      pageCount: 1,
      transactionId: routed.transactionId,
      entries: [entry],
      keyMaterial: own,
      ...change,
    }
    return exchange.asBridge('bridge-hip', url.pathname, body)
  }
  const ended = (routed: Routed, hip: string, sessionStatus: string): Promise<Reply> =>
    exchange.asBridge('bridge-hip', '/data-flow/v3/health-information/notify', {
      notification: {
        consentId: routed.hiRequest.consent.id,
        transactionId: routed.transactionId,
        doneAt: exchange.clock.now().toISOString(),
        notifier: { type: 'HIP', id: hip },
        statusNotification: { sessionStatus, hipId: hip, statusResponses: [] },
      },
    })
  const collect = async (id: string, after = 0): Promise<PagesView> =>
    (await patient('GET', `/${id}/pages?after=${after}`)).body as unknown as PagesView

  test('asks and allows in one: an hour, to view, for herself; the own app hears of it without a call, hospitals as ever', async () => {
    const { id, startedAt, holders } = await start()
    assert.equal(startedAt, exchange.clock.now().toISOString())
    assert.deepEqual(
      holders.map(({ hip, status }) => [hip.name, status]),
      [
        ['City Hospital', 'asking'],
        ['Deccan Diagnostics', 'asking'],
      ],
    )
    const sent = await exchange.takeSent()
    assert.ok(sent.every(({ to }) => to.kind === 'facility' && !isOwnApp(to.facility)))
    const { items } = await exchange.inTx((tx) => artefactsOf(tx, ASHA))
    assert.equal(items.length, 2)
    for (const { detail, hiu, dataEraseAt, request } of items) {
      assert.deepEqual([hiu, detail.purpose.code, detail.permission.accessMode], [APP, 'PATRQT', 'VIEW'])
      assert.equal(dataEraseAt.getTime() - exchange.clock.now().getTime(), LIMITS.ownConsentMs)
      const notices = must(await exchange.inTx((tx) => noticesOf(tx, ASHA, request)))
      assert.ok(notices.filter(({ party }) => party === 'hiu').every((one) => one.acknowledgedAt !== undefined))
    }
    // Her own copy is shared with nobody, and nobody asked.
    const sharing = await exchange.asPatient(ASHA, 'GET', '/v1/me/sharing')
    assert.deepEqual(sharing.body['receivers'], [])
    const decided = await exchange.asPatient(ASHA, 'GET', '/v1/me/requests?status=decided')
    assert.deepEqual(decided.body['items'], [])
    const requests = await acknowledge(sent)
    assert.equal(requests.length, 2)
    for (const { body, requestId } of requests) {
      const routed = hipDataRequest.parse(body)
      assert.equal(routed.transactionId, requestId)
      assert.match(routed.hiRequest.dataPushUrl, /^https:\/\/exchange\.test\/v1\/mailbox\/[0-9a-f]{2}[\w-]{32}$/)
    }
    assert.equal(await stateOf(id), 'requested')
  })

  test('pages come, are collected, opened, deleted; the transfer ends for both sides', async () => {
    const { id, hospital, lab } = await asked()
    assert.equal((await push(hospital, { pageNumber: 1, pageCount: 2 })).status, 202)
    assert.equal(await stateOf(id), 'receiving')
    assert.equal((await push(hospital, { pageNumber: 2, pageCount: 2 })).status, 202)
    assert.equal(await stateOf(id), 'complete')
    const { pages, more } = await collect(id)
    assert.deepEqual(
      [pages.map(({ seq, hip, number }) => [seq, hip, number]), more],
      [
        [
          [1, HOSPITAL, 1],
          [2, HOSPITAL, 2],
        ],
        false,
      ],
    )
    assert.equal(pages[0]?.entries[0]?.content, Buffer.from('sealed').toString('base64'))
    const opened = {
      pages: [
        { seq: 1, entries: [{ careContextReference: 'visit-1' }] },
        { seq: 2, entries: [{ careContextReference: 'visit-2', fault: 'not-authentic' }] },
      ],
    }
    assert.equal((await patient('POST', `/${id}/opened`, opened)).status, 204)
    assert.deepEqual(await collect(id), { pages: [], more: false })
    const transfer = found(await exchange.inTx((tx) => transferById(tx, hospital.transactionId)))
    assert.equal(transfer.hiuStatus, 'PARTIAL_RECEIVED')
    assert.deepEqual(
      transfer.hiuOutcomes.map(({ careContextReference, hiStatus }) => [careContextReference, hiStatus]),
      [
        ['visit-1', 'OK'],
        ['visit-2', 'ERRORED'],
      ],
    )
    await ended(lab, LAB, 'TRANSFERRED')
    assert.equal(await stateOf(id, LAB), 'empty')
    assert.equal((await push(lab)).status, 202, 'a late page is welcome')
    assert.equal(await stateOf(id, LAB), 'complete')
  })

  test('a page that comes while she asks how it stands is never taken for collected', async () => {
    const { id, hospital } = await asked()
    let isPushed = false
    const pushesAfterFirstLook: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        if (!isPushed) {
          isPushed = true
          assert.equal((await push(hospital)).status, 202)
        }
        return result
      },
    }
    const seen = await exchange.inTx((tx) =>
      readOwnFetch({ ...tx, db: tx.db.withPlugin(pushesAfterFirstLook) }, ASHA, id as Id<'own-fetch'>),
    )
    assert.ok(!isRefusal(seen))
    const { status } = found(seen.holders.find(({ hip }) => hip === HOSPITAL))
    assert.deepEqual([status, seen.own.lastSeq], ['requested', 1])
    assert.equal(await stateOf(id), 'complete')
  })

  test('a page again is fine; another of the same number, of another transaction, to no address is not', async () => {
    const { id, hospital, lab } = await asked()
    const page = { keyMaterial: makeKeyMaterial(makeKeyPair(random), makeNonce(random), exchange.clock.now(), 'x509') }
    assert.equal((await push(hospital, page)).status, 202)
    assert.equal((await push(hospital, page)).status, 202)
    assert.equal((await push(hospital)).status, 409)
    assert.equal((await push({ ...hospital, transactionId: lab.transactionId })).status, 404)
    const away = { ...hospital.hiRequest, dataPushUrl: `https://exchange.test/v1/mailbox/00${'x'.repeat(32)}` }
    assert.equal((await push({ ...hospital, hiRequest: away })).status, 404)
    assert.equal((await view(id)).holders.find(({ hip }) => hip.id === HOSPITAL)?.pagesReceived, 1)
    assert.equal((await collect(id)).pages.length, 1)
  })

  test('a hospital that declines, that fails to send, that stops in the middle, that never answers', async () => {
    const { id, hospital, lab } = await asked()
    const declined = await exchange.asBridge('bridge-hip', '/data-flow/v3/health-information/hip/on-request', {
      error: { code: '3416', message: 'Our archive is closed' },
      response: { requestId: hospital.transactionId },
    })
    assert.equal(declined.status, 200)
    const holder = (await view(id)).holders.find(({ hip }) => hip.id === HOSPITAL)
    assert.deepEqual(holder?.reason, { code: 'declined', says: 'Our archive is closed' })
    await ended(lab, LAB, 'FAILED')
    assert.equal(await stateOf(id, LAB), 'failed: sending-failed')

    const second = await asked()
    await push(second.hospital, { pageNumber: 1, pageCount: 3 })
    await ended(second.hospital, HOSPITAL, 'TRANSFERRED')
    assert.equal(await stateOf(second.id), 'partial')
    const due = () => exchange.inTx((tx) => endWaiting(tx, exchange.needs, second.id as Id<'own-fetch'>))
    await due()
    assert.equal(await stateOf(second.id, LAB), 'requested', 'before the deadline nothing ends')
    exchange.clock.advance(LIMITS.transferMs)
    await due()
    assert.equal(await stateOf(second.id, LAB), 'failed: no-answer')
  })

  test('a hospital that does not take note of the consent, or is not in the network any more', async () => {
    exchange.clock.advance(LIMITS.ownConsentMs)
    await exchange.takeSent()
    const { id } = await start()
    await acknowledge(await exchange.takeSent(), 'ERROR')
    assert.equal(await stateOf(id), 'failed: consent-refused')
    const save = (isActive: boolean) =>
      exchange.inTx((tx) =>
        saveServices(tx, {
          clientId: 'bridge-hip',
          services: [{ id: LAB, name: 'Deccan Diagnostics', roles: ['hip'], isActive }],
          actor: { kind: 'operator', id: 'test' },
        }),
      )
    await save(false)
    const second = await start()
    assert.equal(await stateOf(second.id, LAB), 'failed: inactive')
    await save(true)
  })

  test('a revoked consent empties the mailbox and closes it; the own app attests it', async () => {
    exchange.clock.advance(LIMITS.ownConsentMs)
    const { id, hospital } = await asked()
    await push(hospital, { pageNumber: 1, pageCount: 2 })
    const consents = [hospital.hiRequest.consent.id]
    assert.equal((await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents })).status, 202)
    assert.equal(await stateOf(id), 'stopped')
    assert.equal((await push(hospital, { pageNumber: 2, pageCount: 2 })).status, 403)
    assert.deepEqual((await collect(id)).pages, [])
    const { items } = await exchange.inTx((tx) => artefactsOf(tx, ASHA))
    assert.ok(items.find((one) => one.id === hospital.hiRequest.consent.id)?.erasedAt !== undefined)
  })

  test('what nobody collects is deleted in time, reported, and its address leads nowhere', async () => {
    exchange.clock.advance(LIMITS.ownConsentMs)
    const { id, hospital } = await asked()
    await push(hospital)
    exchange.clock.advance(LIMITS.ownFetchKeptMs)
    assert.equal((await patient('GET', `/${id}`)).status, 404)
    assert.equal((await patient('GET', `/${id}/pages`)).status, 404)
    await sweepOwnFetches(exchange.machine, exchange.needs)
    assert.equal((await push(hospital, { pageNumber: 2, pageCount: 2 })).status, 404)
    const transfer = found(await exchange.inTx((tx) => transferById(tx, hospital.transactionId)))
    assert.equal(transfer.hiuStatus, 'FAILED')
    for (const table of ['own_fetch', 'own_fetch_holder', 'own_fetch_page'] as const) {
      const row = await exchange.machine.db
        .selectFrom(table)
        .select((e) => e.fn.countAll<number>().as('n'))
        .where('bucket', '>=', 0)
        .executeTakeFirst()
      assert.equal(Number(row?.n), 0, table)
    }
  })

  test('pages of two devices at most: the oldest look is emptied; the same call twice is one look', async () => {
    const looks: FetchView[] = []
    for (let i = 0; i < 3; i++) {
      looks.push(await start())
      exchange.clock.advance(1_000)
    }
    const states: number[] = []
    for (const { id } of looks) states.push((await patient('GET', `/${id}`)).status)
    assert.deepEqual(states, [404, 200, 200])
    const key = randomUUID()
    const body = { keyMaterial: keyMaterial() }
    const again = async () => exchange.asPatient(ASHA, 'POST', '/v1/me/records/fetch', body, { 'idempotency-key': key })
    assert.equal((await again()).body['id'], (await again()).body['id'])
  })

  test('refused: a key that is none, kinds and hospitals of which nothing is linked, nobody’s key of the own app', async () => {
    const bad = await patient('POST', '', {
      keyMaterial: { dhPublicKey: { keyValue: 'AAAA' }, nonce: makeNonce(random) },
    })
    assert.equal(bad.body['type'], 'urn:amanat:problem:crypto/key-malformed')
    for (const more of [{ hips: [CLINIC] }, { hiTypes: ['Invoice'] }]) {
      const { status, body } = await patient('POST', '', { keyMaterial: keyMaterial(), ...more })
      assert.deepEqual([status, body['type']], [409, 'urn:amanat:problem:transfer/nothing-linked'])
    }
    const narrow = await start({ hiTypes: ['DiagnosticReport'] })
    assert.deepEqual(
      narrow.holders.map(({ hip }) => hip.id),
      [LAB],
    )
    const other = await exchange.asPatient(RAVI, 'GET', `/v1/me/records/fetch/${narrow.id}`)
    assert.equal(other.status, 404)
    const actor = { kind: 'operator', id: 'test' } as const
    const service = { id: APP, name: 'A thief', roles: ['hiu' as const], isActive: true }
    const taken = await exchange.inTx((tx) =>
      saveServices(tx, { clientId: 'bridge-clinic', services: [service], actor }),
    )
    assert.ok(isRefusal(taken) && taken.code === 'partners/facility-taken')
    const name = { name: 'A thief', url: 'http://127.0.0.1:9', services: [], actor }
    const bridge = await exchange.inTx((tx) => registerBridge(tx, { clientId: 'patient-app@other', ...name }))
    assert.ok(isRefusal(bridge) && bridge.code === 'partners/duplicate-bridge')
  })

  test('an operator who revokes the own app ends all of it', async () => {
    const { id, hospital } = await asked()
    await push(hospital)
    await exchange.inTx((tx) => revokeBridge(tx, { clientId: APP, actor: { kind: 'operator', id: 'test' } }))
    assert.equal((await exchange.inTx((tx) => facilityById(tx, APP)))?.status, 'inactive')
    assert.deepEqual((await collect(id)).pages, [], 'the gate denies what is already here')
    assert.equal(await stateOf(id), 'stopped')
    assert.equal((await patient('POST', '', { keyMaterial: keyMaterial() })).status, 404)
  })
})
