import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INSURER,
  LAB,
  link,
  RAVI,
  startTestExchange,
  strangerId,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, DAY_MS, RANGE } from '../../test/consent-steps.ts'
import type { Outgoing } from '../abdm/send.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { makeKeyMaterial, makeNonce } from '../crypto/key-agreement.ts'
import { makeKeyPair } from '../crypto/sealing.ts'
import type { FacilityId } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { saveServices } from '../partners/commands.ts'
import type { Chain, ReceiverView, RequestView } from './views.ts'

let exchange: TestExchange
const steps = consentSteps(() => exchange)
describe('rights/sharing', () => {
  // Each test has its own exchange: what is shared is the whole state of a patient.
  beforeEach(async () => {
    exchange = await startTestExchange()
  })
  afterEach(() => exchange.close())

  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  const OPERATOR = { kind: 'operator', id: 'test' } as const
  const get = async <T>(path: string, who = ASHA): Promise<T> =>
    (await exchange.asPatient(who, 'GET', path)).body as unknown as T
  const receivers = async (): Promise<readonly ReceiverView[]> =>
    (await get<{ receivers: readonly ReceiverView[] }>('/v1/me/sharing')).receivers
  const stop = (what: string, who = ASHA) => exchange.asPatient(who, 'POST', `/v1/me/sharing/${what}/stop`, {})

  type Bridge = 'bridge-hip' | 'bridge-clinic' | 'bridge-insurer'
  const BRIDGE_OF: Readonly<Record<string, Bridge>> = {
    [HOSPITAL]: 'bridge-hip',
    [LAB]: 'bridge-hip',
    [CLINIC]: 'bridge-clinic',
    [INSURER]: 'bridge-insurer',
  }
  const bridgeOf = (facility: FacilityId): Bridge => BRIDGE_OF[facility] ?? 'bridge-hip'

  /** The provider says that it knows of the consent, as ABDM asks it to. */
  async function acknowledge(consentId: string, hip: FacilityId, sent: readonly Outgoing[]): Promise<void> {
    const notice = sent.find(
      ({ path, body }) => path.endsWith('hip/notify') && JSON.stringify(body).includes(consentId),
    )
    const reply = await exchange.asBridge(bridgeOf(hip), '/consent/v3/request/hip/on-notify', {
      acknowledgement: { status: 'OK', consentId },
      response: { requestId: notice?.requestId },
    })
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
  }

  /** One transfer under a consent, told by both sides. */
  async function transfer(consentId: string, hip: FacilityId, hiu: FacilityId, references: readonly string[]) {
    const key = makeKeyMaterial(
      makeKeyPair(random),
      makeNonce(random),
      new Date(exchange.clock.now().getTime() + 3_600_000),
      'raw',
    )
    const reply = await exchange.asBridge(
      bridgeOf(hiu),
      '/data-flow/v3/health-information/request',
      {
        hiRequest: {
          consent: { id: consentId },
          dateRange: RANGE,
          dataPushUrl: 'https://clinic.example.org/push/abc',
          keyMaterial: key,
        },
      },
      { 'x-hiu-id': hiu },
    )
    assert.equal(reply.status, 202)
    const routed = (await exchange.takeSent()).find(({ path }) => path.endsWith('hip/health-information/request'))
    assert.ok(routed)
    const { transactionId } = routed.body as { transactionId: string }
    for (const [type, id, sessionStatus, hiStatus] of [
      ['HIP', hip, 'TRANSFERRED', 'DELIVERED'],
      ['HIU', hiu, 'TRANSFERRED', 'OK'],
    ] as const) {
      const told = await exchange.asBridge(bridgeOf(id), '/data-flow/v3/health-information/notify', {
        notification: {
          consentId,
          transactionId,
          doneAt: exchange.clock.now().toISOString(),
          notifier: { type, id },
          statusNotification: {
            sessionStatus,
            hipId: hip,
            statusResponses: references.map((careContextReference) => ({ careContextReference, hiStatus })),
          },
        },
      })
      assert.equal(told.status, 202, JSON.stringify(told.body))
    }
  }

  async function askedBy(hiu: FacilityId, items: readonly object[]) {
    const body = steps.ask({ hiu: { id: hiu } })
    const reply = await exchange.asBridge(bridgeOf(hiu), '/consent/v3/request/init', body)
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    const sent = await exchange.takeSent()
    const onInit = sent.find(({ path }) => path.endsWith('request/on-init'))?.body as { consentRequest: { id: string } }
    const approved = await steps.approve(onInit.consentRequest.id, items)
    assert.equal(approved.status, 202, JSON.stringify(approved.body))
    const consents = (approved.body['consentIds'] as { id: string }[]).map(({ id }) => id)
    return { request: onInit.consentRequest.id, consents, sent: await exchange.takeSent() }
  }

  test('sharing tells by receiver what is allowed, what went, who knows of it, and what proves it', async () => {
    const { request, consents, sent } = await steps.granted([steps.item(), steps.labItem()])
    const [visit = '', report = ''] = consents
    await acknowledge(visit, HOSPITAL, sent)
    await transfer(visit, HOSPITAL, CLINIC, ['visit-1'])
    exchange.clock.advance(15 * DAY_MS)
    const [clinic, ...others] = await receivers()
    assert.deepEqual(others, [])
    assert.equal(clinic?.facility.name, 'Lakeview Clinic')
    assert.equal(clinic.status, 'live')
    assert.equal(clinic.records, 1)
    assert.ok(Math.abs(clinic.shareLeft - 0.5) < 0.001, `half of 30 days is left, not ${clinic.shareLeft}`)
    assert.deepEqual(new Set(clinic.live), new Set([visit, report]))
    const one = await get<RequestView>(`/v1/me/sharing/${request}`)
    assert.equal(one.purpose, 'CAREMGT')
    const seen = one.consents.find(({ artefact }) => artefact === visit)
    assert.equal(seen?.holder.name, 'City Hospital')
    assert.equal(seen.transfers[0]?.outcome, 'received')
    assert.equal(seen.transfers[0]?.records, 1)
    const told = seen.notices.find(({ party }) => party === 'hip')
    assert.ok(told?.confirmedAt, 'the hospital knows')
    assert.equal(seen.notices.find(({ party }) => party === 'hiu')?.confirmedAt, undefined)
    await sequenceNow(exchange.machine, exchange.ownLog.signer)
    for (const proof of [seen.granted, seen.transfers[0]?.proof, told.proof]) {
      const receipt = await exchange.asPatient(ASHA, 'GET', `/v1/me/receipts/${proof?.event}`)
      assert.equal(receipt.status, 200, `no receipt for ${JSON.stringify(proof)}`)
    }
    assert.equal(one.consents.find(({ artefact }) => artefact === report)?.transfers.length, 0)
    assert.equal((await exchange.asPatient(RAVI, 'GET', `/v1/me/sharing/${request}`)).status, 404)
    assert.deepEqual((await get<{ receivers: readonly unknown[] }>('/v1/me/sharing', RAVI)).receivers, [])
  })

  test('the chain goes over two hops: hospital to clinic, clinic to insurer', async () => {
    await exchange.inTx(async (tx) => {
      const clinic = { id: CLINIC, name: 'Lakeview Clinic', roles: ['hip', 'hiu'] as const, isActive: true }
      must(await saveServices(tx, { clientId: 'bridge-clinic', services: [clinic], actor: OPERATOR }))
      await link(tx, ASHA, CLINIC, 'C-1', ['stay-1'], 'OPConsultation')
    })
    const first = await askedBy(CLINIC, [steps.item()])
    await acknowledge(first.consents[0] ?? '', HOSPITAL, first.sent)
    await transfer(first.consents[0] ?? '', HOSPITAL, CLINIC, ['visit-1'])
    const careContexts = [{ patientReference: 'C-1', careContextReference: 'stay-1' }]
    const second = await askedBy(INSURER, [steps.item({ hip: { id: CLINIC }, careContexts })])
    await acknowledge(second.consents[0] ?? '', CLINIC, second.sent)
    const planned = await get<Chain>('/v1/me/chain')
    assert.equal(planned.edges.find(({ to }) => to === INSURER)?.state, 'planned')
    await transfer(second.consents[0] ?? '', CLINIC, INSURER, ['stay-1'])
    const chain = await get<Chain>('/v1/me/chain')
    const roles = Object.fromEntries(chain.nodes.map(({ id, role }) => [id, role]))
    assert.deepEqual(roles, {
      me: 'me',
      [HOSPITAL]: 'holder',
      [LAB]: 'holder',
      [CLINIC]: 'both',
      [INSURER]: 'receiver',
    })
    const hospital = chain.nodes.find(({ id }) => id === HOSPITAL)
    assert.deepEqual(
      new Map(hospital?.holds.map(({ hiType, count }) => [hiType, count])),
      new Map([
        ['OPConsultation', 2],
        ['Prescription', 1],
      ]),
    )
    const arrows = chain.edges.map(({ from, to, state }) => `${from} ${state} ${to}`)
    assert.deepEqual(
      new Set(arrows),
      new Set([
        `me link ${HOSPITAL}`,
        `me link ${LAB}`,
        `me link ${CLINIC}`,
        `${HOSPITAL} shared ${CLINIC}`,
        `${CLINIC} shared ${INSURER}`,
      ]),
    )
    assert.equal(chain.nodes.find(({ id }) => id === INSURER)?.received, 1)
  })

  test('stopping a receiver ends all its consents at once, and the arrows tell how far it has come', async () => {
    const { consents, sent } = await steps.granted([steps.item(), steps.labItem()])
    const [visit = '', report = ''] = consents
    await acknowledge(visit, HOSPITAL, sent)
    await transfer(visit, HOSPITAL, CLINIC, ['visit-1'])
    const reply = await stop(CLINIC)
    assert.equal(reply.status, 200)
    assert.deepEqual(new Set(reply.body['stopped'] as string[]), new Set(consents))
    const told = await exchange.takeSent()
    assert.equal(
      told.filter(({ path }) => path.endsWith('/notify')).length,
      4,
      'each holder and the receiver, for each',
    )
    const state = async (from: string) =>
      (await get<Chain>('/v1/me/chain')).edges.find((edge) => edge.from === from && edge.to === CLINIC)?.state
    assert.equal(await state(HOSPITAL), 'stopping')
    assert.equal(await state(LAB), 'unused')
    const erasure = {
      consentId: visit,
      erasedAt: exchange.clock.now().toISOString(),
      reason: 'REVOKED',
      documents: 1,
      sha256: ['a'.repeat(64)],
    }
    assert.equal(
      (await exchange.asBridge('bridge-clinic', '/v1/erasures', erasure, { 'x-hiu-id': CLINIC })).status,
      202,
    )
    assert.equal(await state(HOSPITAL), 'erased')
    const [clinic] = await receivers()
    assert.equal(clinic?.status, 'stopped')
    assert.deepEqual(clinic.live, [])
    const seen = clinic.requests[0]?.consents.find(({ artefact }) => artefact === visit)
    assert.ok(seen?.endedAt && seen.erasedAt && seen.ended && seen.erased)
    assert.equal((await stop(report)).body['stopped']?.toString(), '', 'a second stop says that it is over')
  })

  test('two taps, or two devices, stop once and hear the same; another patient’s consent does not exist', async () => {
    const { request, consents } = await steps.granted([steps.item(), steps.labItem()])
    const replies = await Promise.all([stop(CLINIC), stop(request), stop(CLINIC)])
    for (const { status, body } of replies) {
      assert.equal(status, 200, JSON.stringify(body))
      const all = [...(body['stopped'] as string[]), ...(body['already'] as string[])]
      assert.deepEqual(new Set(all), new Set(consents))
    }
    const revoked = (await exchange.eventTypes()).filter((type) => type === 'consent.revoked')
    assert.equal(revoked.length, 2, 'one for each consent')
    for (const what of [request, consents[0] ?? '', CLINIC, strangerId(exchange, RAVI), 'x', ''])
      assert.equal((await stop(what, RAVI)).status, 404, `Ravi stops ${what}`)
  })

  test('a consent whose time is over counts as ended before the sweep has written it down', async () => {
    await steps.granted([steps.item()])
    exchange.clock.advance(31 * DAY_MS)
    const [clinic] = await receivers()
    assert.equal(clinic?.status, 'ended')
    assert.equal(clinic.shareLeft, 0)
    assert.deepEqual((await stop(CLINIC)).body['stopped'], [])
  })

  test('the artefacts as signed come page by page', async () => {
    await steps.granted([steps.item(), steps.labItem()])
    const all = await get<{ items: { id: string }[]; size: number }>('/v1/me/sharing')
    const rest = await get<{ items: { id: string }[]; size: number }>('/v1/me/sharing?offset=1')
    assert.ok(all.items.length > 1)
    assert.deepEqual(
      rest.items.map(({ id }) => id),
      all.items.slice(1).map(({ id }) => id),
    )
    assert.equal(rest.size, all.size)
  })
})
