import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  APP,
  ASHA,
  HOSPITAL,
  type LinkingExchange,
  OPERATOR,
  RAVI,
  type Reply,
  startLinkingExchange,
} from '../../test/linking-exchange.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type Id, makeId } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { readLinking } from '../linking/discovery-commands.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { setPatientStatus } from '../people/commands.ts'
import { linkingUndelivered } from './exchange-linking-reactions.ts'
import { hipDiscover, hipLinkConfirm, hipLinkInit, onConfirm, onDiscover, onInit } from './linking-messages.ts'
import type { Outgoing } from './send.ts'

let exchange: LinkingExchange
describe('abdm/exchange-discovery', () => {
  before(async () => {
    exchange = await startLinkingExchange()
  })
  after(() => exchange.close())

  const BASE = '/user-initiated-linking/v3'
  const errorCode = (reply: Reply) => (reply.body['error'] as { code: string } | undefined)?.code

  async function only(): Promise<Outgoing> {
    const sent = await exchange.takeSent()
    assert.equal(sent.length, 1, sent.map(({ path }) => path).join(', '))
    return sent[0] as Outgoing
  }

  const found = (references: readonly string[]) => [
    {
      referenceNumber: 'MRN-1',
      display: 'Asha R',
      careContexts: references.map((referenceNumber) => ({ referenceNumber, display: `OPD ${referenceNumber}` })),
      hiType: 'OPConsultation',
      count: references.length,
    },
  ]

  const discover = (patient = ASHA.abhaAddress, headers: Record<string, string> = {}, hip: string = HOSPITAL) =>
    exchange.asPatient(
      patient,
      'POST',
      `${BASE}/patient/care-context/discover`,
      { hip: { id: hip }, unverifiedIdentifiers: [{ type: 'MR', value: 'MR-77' }] },
      headers,
    )
  const onDiscoverBy = (bridge: 'bridge-hospital' | 'bridge-other', body: object) =>
    exchange.asBridge(bridge, `${BASE}/patient/care-context/on-discover`, body)

  /** Asks; gives the transaction and the message that went to the HIP. */
  async function asked(
    headers: Record<string, string> = {},
  ): Promise<{ id: Id<'linking-transaction'>; sent: Outgoing; reply: Reply }> {
    const reply = await discover(ASHA.abhaAddress, headers)
    assert.equal(reply.status, 202)
    const sent = await only()
    return { id: hipDiscover.parse(sent.body).transactionId as Id<'linking-transaction'>, sent, reply }
  }

  async function answered(references: readonly string[] = ['v1', 'v2']) {
    const { id, sent } = await asked()
    const reply = await onDiscoverBy('bridge-hospital', {
      transactionId: id,
      patient: found(references),
      matchedBy: ['MOBILE'],
      response: { requestId: sent.requestId },
    })
    assert.equal(reply.status, 202)
    await exchange.takeSent()
    return id
  }

  const init = (
    transactionId: string,
    references: readonly string[],
    patient = ASHA.abhaAddress,
    abhaAddress: string = patient,
  ) =>
    exchange.asPatient(patient, 'POST', `${BASE}/link/care-context/init`, {
      transactionId,
      abhaAddress,
      patient: found(references),
    })
  const confirm = (linkRefNumber: string, token = '123456', patient = ASHA.abhaAddress) =>
    exchange.asPatient(patient, 'POST', `${BASE}/link/care-context/confirm`, { linkRefNumber, token })
  const offer = (reference: string, minutes = 10) => ({
    referenceNumber: reference,
    authenticationType: 'MEDIATE',
    meta: {
      communicationMedium: 'MOBILE',
      communicationHint: 'OTP',
      communicationExpiry: new Date(exchange.clock.now().getTime() + minutes * 60_000).toISOString(),
    },
  })

  /** As far as the HIP's offer of a one-time password. */
  async function offered(reference: string): Promise<Id<'linking-transaction'>> {
    const id = await answered()
    assert.equal((await init(id, ['v1'])).status, 202)
    const sent = await only()
    const reply = await exchange.asBridge('bridge-hospital', `${BASE}/link/care-context/on-init`, {
      transactionId: id,
      link: offer(reference),
      response: { requestId: sent.requestId },
    })
    assert.equal(reply.status, 202)
    await exchange.takeSent()
    return id
  }
  const onConfirmOf = (sent: Outgoing, body: object, bridge: 'bridge-hospital' | 'bridge-other' = 'bridge-hospital') =>
    exchange.asBridge(bridge, `${BASE}/link/care-context/on-confirm`, {
      ...body,
      response: { requestId: sent.requestId },
    })
  const status = async (id: Id<'linking-transaction'>) =>
    must(await exchange.inTx((tx) => readLinking(tx, ASHA.abhaAddress, id)))

  test('the whole way: discover, choose, one-time password, linked; the app hears every answer', async () => {
    const { id, sent, reply } = await asked()
    assert.equal(sent.path, '/api/v3/hip/patient/care-context/discover')
    assert.deepEqual(sent.headers, { 'X-HIP-ID': HOSPITAL })
    const { patient } = hipDiscover.parse(sent.body)
    assert.deepEqual(
      [patient.id, patient.name, patient.gender, patient.yearOfBirth],
      [ASHA.abhaAddress, 'Asha Rao', 'F', 1990],
    )
    assert.deepEqual(
      patient.verifiedIdentifiers?.map(({ type, value }) => `${type} ${value}`),
      ['MOBILE 9999999999', 'ABHA_NUMBER 91000000000001', 'ABHA_ADDRESS asha.rao@sbx'],
    )
    assert.deepEqual(patient.unverifiedIdentifiers, [{ type: 'MR', value: 'MR-77' }])

    await onDiscoverBy('bridge-hospital', {
      transactionId: id,
      patient: found(['v1', 'v2']),
      matchedBy: ['MOBILE'],
      error: null,
      response: { requestId: sent.requestId },
    })
    const toApp = await only()
    assert.equal(toApp.path, '/api/v3/hiu/patient/care-context/on-discover')
    assert.deepEqual(toApp.headers, { 'X-HIU-ID': APP })
    const told = onDiscover.parse(toApp.body)
    assert.deepEqual([told.transactionId, told.response.requestId, told.patient?.[0]?.count], [id, reply.requestId, 2])

    const chosen = await init(id, ['v2'])
    const toHip = await only()
    assert.equal(toHip.path, '/api/v3/hip/link/care-context/init')
    assert.deepEqual(hipLinkInit.parse(toHip.body).patient[0], {
      referenceNumber: 'MRN-1',
      display: 'Asha R',
      careContexts: [{ referenceNumber: 'v2', display: 'OPD v2' }],
      hiType: 'OPConsultation',
      count: 1,
    })
    await exchange.asBridge('bridge-hospital', `${BASE}/link/care-context/on-init`, {
      transactionId: id,
      link: offer('ref-1'),
      response: { requestId: toHip.requestId },
    })
    const initTold = onInit.parse((await only()).body)
    assert.deepEqual(
      [initTold.link?.referenceNumber, initTold.link?.authenticationType, initTold.response.requestId],
      ['ref-1', 'MEDIATED', chosen.requestId],
    )

    const confirmed = await confirm('ref-1', '654321')
    const otp = await only()
    assert.equal(otp.path, '/api/v3/hip/link/care-context/confirm')
    assert.deepEqual(hipLinkConfirm.parse(otp.body), { confirmation: { linkRefNumber: 'ref-1', token: '654321' } })
    const waiting = await status(id)
    assert.ok(!JSON.stringify(waiting).includes('654321'))
    // The HIP names one context more than was chosen: that one is not linked.
    assert.equal((await onConfirmOf(otp, { patient: found(['v1', 'v2']) })).status, 202)
    const linked = onConfirm.parse((await only()).body)
    assert.deepEqual([linked.response.requestId, linked.patient?.[0]?.careContexts.length], [confirmed.requestId, 1])
    const contexts = await exchange.inTx((tx) => careContextsOf(tx, ASHA.abhaAddress))
    assert.deepEqual(
      contexts.map(({ careContextReference, hip }) => [careContextReference, hip]),
      [['v2', HOSPITAL]],
    )
    assert.equal((await status(id)).status, 'linked')
  })

  test('without a registered app the patient reads the result, another patient does not', async () => {
    const { id, sent, reply } = await asked({ 'x-hiu-id': 'IN9999999999' })
    assert.deepEqual(reply.body, { transactionId: id })
    await onDiscoverBy('bridge-hospital', {
      transactionId: id,
      error: { code: 'ABDM-1010', message: 'Patient not found' },
      response: { requestId: sent.requestId },
    })
    assert.deepEqual(await exchange.takeSent(), [])
    const seen = await status(id)
    assert.ok(seen.status === 'failed' && seen.error.code === 'ABDM-1010')
    const other = await exchange.inTx((tx) => readLinking(tx, RAVI.abhaAddress, id))
    const stranger = await exchange.inTx((tx) =>
      readLinking(tx, RAVI.abhaAddress, makeId(tx.now, tx.random, bucketOf(RAVI.abhaAddress))),
    )
    assert.ok(isRefusal(other))
    assert.deepEqual(other, stranger)
  })

  test('an answer after ten seconds is refused, and the app has been told', async () => {
    const { id, sent } = await asked()
    exchange.clock.advance(10_001)
    await exchange.runDue()
    const told = onDiscover.parse((await only()).body)
    assert.deepEqual([told.transactionId, told.error?.code], [id, 'ABDM-1402'])
    const late = await onDiscoverBy('bridge-hospital', {
      transactionId: id,
      patient: found(['v1']),
      response: { requestId: sent.requestId },
    })
    assert.deepEqual([late.status, errorCode(late)], [410, 'ABDM-1048'])
    await exchange.runDue()
    assert.deepEqual(await exchange.takeSent(), [])
  })

  test('a late answer that comes before our own look at the clock is refused too, and the app is told once', async () => {
    const { id, sent } = await asked()
    exchange.clock.advance(10_001)
    const late = await onDiscoverBy('bridge-hospital', {
      transactionId: id,
      patient: found(['v1']),
      response: { requestId: sent.requestId },
    })
    assert.equal(late.status, 410)
    assert.equal(onDiscover.parse((await only()).body).error?.code, 'ABDM-1402')
    await exchange.runDue()
    assert.deepEqual(await exchange.takeSent(), [])
  })

  test('second, early and foreign answers are refused and change nothing', async () => {
    const { id, sent } = await asked()
    const answer = { transactionId: id, patient: found(['v1']), response: { requestId: sent.requestId } }
    const foreign = await onDiscoverBy('bridge-other', answer)
    const unknown = await onDiscoverBy('bridge-other', {
      ...answer,
      transactionId: makeId(exchange.clock.now(), exchange.machine.random, bucketOf(ASHA.abhaAddress)),
    })
    assert.deepEqual([foreign.status, foreign.body], [unknown.status, unknown.body])
    assert.equal(errorCode(foreign), 'ABDM-1017')
    const wrongRequest = await onDiscoverBy('bridge-hospital', { ...answer, response: { requestId: id } })
    assert.equal(errorCode(wrongRequest), 'ABDM-1052')
    const early = await exchange.asBridge('bridge-hospital', `${BASE}/link/care-context/on-init`, {
      transactionId: id,
      link: offer('early'),
      response: { requestId: sent.requestId },
    })
    assert.equal(errorCode(early), 'ABDM-1408')
    assert.equal((await status(id)).status, 'asked')
    assert.equal((await onDiscoverBy('bridge-hospital', answer)).status, 202)
    const again = await onDiscoverBy('bridge-hospital', answer)
    assert.deepEqual([again.status, errorCode(again)], [409, 'ABDM-1106'])
    assert.equal((await exchange.takeSent()).length, 1)
    const form = await onDiscoverBy('bridge-hospital', {
      transactionId: id,
      error: { code: '', message: '' },
      response: { requestId: sent.requestId },
    })
    assert.equal(form.status, 400)
  })

  test('the patient links only what was found, for herself, in order', async () => {
    const id = await answered(['v5'])
    assert.equal(errorCode(await init(id, ['v6'])), 'ABDM-1057')
    assert.equal(errorCode(await init(id, ['v5'], ASHA.abhaAddress, RAVI.abhaAddress)), 'ABDM-1084')
    assert.equal(errorCode(await init(id, ['v5'], RAVI.abhaAddress)), 'ABDM-1017')
    assert.equal(errorCode(await confirm('nothing')), 'ABDM-1056')
    assert.deepEqual(await exchange.takeSent(), [])
    assert.equal((await init(id, ['v5'])).status, 202)
    assert.equal((await init(id, ['v5'])).status, 409)
    assert.equal((await exchange.takeSent()).length, 1)
    exchange.clock.advance(60_001)
    await exchange.runDue()
    assert.equal(onInit.parse((await only()).body).error?.code, 'ABDM-1402')
  })

  test('a wrong one-time password leaves the offer open; an expired one does not', async () => {
    const id = await offered('ref-otp')
    await confirm('ref-otp', '000000')
    const first = await only()
    await onConfirmOf(first, { error: { code: 'ABDM-1035: ', message: 'Wrong OTP' } })
    assert.equal(onConfirm.parse((await only()).body).error?.message, 'Wrong OTP')
    assert.equal((await status(id)).status, 'offered')
    assert.equal((await confirm('ref-otp', '111111', RAVI.abhaAddress)).status, 404)
    exchange.clock.advance(11 * 60_000)
    assert.equal((await confirm('ref-otp', '111111')).status, 410)
    // The answer to the first confirmation, sent once more, finds nothing to confirm.
    assert.equal((await onConfirmOf(first, { patient: found(['v1']) })).status, 409)
    assert.deepEqual(await exchange.takeSent(), [])
  })

  test('only the HIP that was asked confirms, once, and only what was chosen', async () => {
    await offered('ref-own')
    await confirm('ref-own')
    const sent = await only()
    assert.equal(errorCode(await onConfirmOf(sent, { patient: found(['v1']) }, 'bridge-other')), 'ABDM-1052')
    assert.equal(errorCode(await onConfirmOf(sent, { patient: found(['v9']) })), 'ABDM-1057')
    assert.equal((await onConfirmOf(sent, { patient: found(['v1']) })).status, 202)
    assert.equal(errorCode(await onConfirmOf(sent, { patient: found(['v1']) })), 'ABDM-1108')
    assert.equal((await confirm('ref-own')).status, 409)
    assert.equal(onConfirm.parse((await only()).body).error ?? undefined, undefined)
  })

  test('an account that fell asleep before the HIP confirms gets no links, and the linking ends with the reason', async () => {
    const id = await offered('ref-asleep')
    await confirm('ref-asleep')
    const sent = await only()
    const turn = (to: 'active' | 'deactivated') =>
      exchange.inTx((tx) => setPatientStatus(tx, { patient: ASHA.abhaAddress, status: to, actor: OPERATOR }))
    const links = () => exchange.inTx((tx) => careContextsOf(tx, ASHA.abhaAddress))
    const before = (await links()).length
    await turn('deactivated')
    assert.equal(errorCode(await onConfirmOf(sent, { patient: found(['v2']) })), 'ABDM-1057')
    assert.equal(errorCode(await onConfirmOf(sent, { patient: found(['v1']) })), 'ABDM-1407')
    await turn('active')
    assert.equal((await links()).length, before)
    const ended = await status(id)
    assert.deepEqual([ended.status, 'error' in ended && ended.error.code], ['failed', 'ABDM-1407'])
    await exchange.takeSent()
  })

  test('a HIP that cannot be reached, is unknown, or is none ends the discovery with a reason', async () => {
    const { id } = await asked()
    await exchange.inTx((tx) => linkingUndelivered(tx, id, { message: 'ECONNREFUSED 10.0.0.1' }))
    const told = onDiscover.parse((await only()).body)
    assert.equal(told.error?.code, 'ABDM-1035')
    assert.ok(!JSON.stringify(told).includes('10.0.0.1'))
    assert.equal(errorCode(await discover(ASHA.abhaAddress, {}, 'IN0000000000')), 'ABDM-1035')
    assert.equal(errorCode(await discover(ASHA.abhaAddress, {}, APP)), 'ABDM-1035')
    const nobody = await exchange.call('POST', `${BASE}/patient/care-context/discover`, { hip: { id: HOSPITAL } }, {})
    assert.equal(nobody.status, 401)
    const bridge = await exchange.call(
      'POST',
      `${BASE}/patient/care-context/discover`,
      { hip: { id: HOSPITAL } },
      { 'x-auth-token': 'Bearer rubbish' },
    )
    assert.deepEqual([bridge.status, errorCode(bridge)], [401, 'ABDM-1065'])
  })
})
