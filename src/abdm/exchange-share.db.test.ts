import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  APP,
  ASHA,
  HOSPITAL,
  type LinkingExchange,
  RAVI,
  type Reply,
  startLinkingExchange,
} from '../../test/linking-exchange.ts'
import { sharesOf } from '../linking/share-commands.ts'
import { shareUndelivered } from './exchange-share-reactions.ts'
import type { Outgoing } from './send.ts'
import { onShare, profileShare } from './share-messages.ts'

let exchange: LinkingExchange
describe('abdm/exchange-share', () => {
  before(async () => {
    exchange = await startLinkingExchange()
  })
  after(() => exchange.close())

  const errorCode = (reply: Reply) => (reply.body['error'] as { code: string } | undefined)?.code
  async function only(): Promise<Outgoing> {
    const sent = await exchange.takeSent()
    assert.equal(sent.length, 1, sent.map(({ path }) => path).join(', '))
    return sent[0] as Outgoing
  }
  const share = (change: object = {}, metaData: object = {}, who = ASHA.abhaAddress) =>
    exchange.asPatient(who, 'POST', '/patient-share/v3/share', {
      intent: 'PROFILE_SHARE',
      metaData: { hipId: HOSPITAL, context: 'counter-1', ...metaData },
      profile: {
        patient: {
          abhaAddress: ASHA.abhaAddress,
          name: 'Asha Rao',
          gender: 'F',
          dayOfBirth: 2,
          monthOfBirth: '3',
          yearOfBirth: '1990',
          ...change,
        },
      },
    })
  const answer = (
    sent: Outgoing,
    change: object = {},
    bridge: 'bridge-hospital' | 'bridge-other' = 'bridge-hospital',
  ) =>
    exchange.asBridge(bridge, '/patient-share/v3/on-share', {
      acknowledgement: {
        abhaAddress: ASHA.abhaAddress,
        status: 'SUCCESS',
        profile: { context: 'counter-1', tokenNumber: 7, expiry: 600 },
      },
      response: { requestId: sent.requestId },
      ...change,
    })
  const tokens = async () =>
    (await exchange.asPatient(ASHA.abhaAddress, 'GET', '/patient-share/v3/profile/getTokenDetails')).body[
      'tokenDetails'
    ] as Record<string, unknown>[]

  test('a profile is shown with everything that clients demand, and the queue token comes back', async () => {
    const reply = await share()
    assert.equal(reply.status, 202)
    const sent = await only()
    assert.equal(sent.path, '/api/v3/hip/patient/share')
    profileShare.parse(sent.body)
    assert.deepEqual(sent.body, {
      intent: 'PROFILE_SHARE',
      metaData: { hipId: HOSPITAL, context: 'counter-1', hprId: '', latitude: '0.0', longitude: '0.0' },
      profile: {
        patient: {
          abhaNumber: ASHA.abhaNumber,
          abhaAddress: ASHA.abhaAddress,
          name: 'Asha Rao',
          gender: 'F',
          dayOfBirth: '2',
          monthOfBirth: '3',
          yearOfBirth: '1990',
          address: { line: '', district: '', state: '', pincode: '' },
          phoneNumber: ASHA.mobile,
        },
      },
    })
    assert.equal((await answer(sent, {}, 'bridge-other')).status, 404)
    assert.equal((await answer(sent)).status, 202)
    const told = await only()
    assert.equal(told.path, '/api/v3/hiu/patient/on-share')
    assert.deepEqual(told.headers, { 'X-HIU-ID': APP })
    const heard = onShare.parse(told.body)
    assert.deepEqual(
      [
        heard.acknowledgement?.status,
        heard.acknowledgement?.profile?.tokenNumber,
        heard.acknowledgement?.profile?.expiry,
        heard.response.requestId,
      ],
      ['SUCCESS', '7', '600', reply.requestId],
    )
    assert.equal(errorCode(await answer(sent)), 'ABDM-1087')
    const [token] = await tokens()
    assert.deepEqual(
      [token?.['tokenNumber'], token?.['status'], token?.['hip']],
      ['7', 'SUCCESS', { id: HOSPITAL, name: 'City Hospital' }],
    )
    exchange.clock.advance(601_000)
    assert.equal((await tokens())[0]?.['status'], 'EXPIRED')
  })

  test('nobody shows another person’s profile, or one with another name, number or age', async () => {
    const cases: [object, string][] = [
      [{ abhaAddress: RAVI.abhaAddress }, 'ABDM-1084'],
      [{ abhaNumber: RAVI.abhaNumber }, 'ABDM-1085'],
      [{ name: 'Usha Nair' }, 'ABDM-1086'],
      [{ yearOfBirth: 1960 }, 'ABDM-1086'],
      [{ gender: 'M' }, 'ABDM-1086'],
    ]
    for (const [change, code] of cases) assert.equal(errorCode(await share(change)), code)
    assert.equal(errorCode(await share({}, {}, RAVI.abhaAddress)), 'ABDM-1084')
    assert.equal(errorCode(await share({}, { hipId: APP })), 'ABDM-1035')
    assert.equal((await share({ dayOfBirth: 40 })).status, 400)
    assert.deepEqual(await exchange.takeSent(), [])
  })

  test('a refusal, an answer about another patient, and a facility that cannot be reached', async () => {
    await share()
    const first = await only()
    assert.equal(
      (await answer(first, { acknowledgement: { abhaAddress: RAVI.abhaAddress, status: 'SUCCESS' } })).status,
      404,
    )
    assert.equal(
      (await answer(first, { acknowledgement: { abhaAddress: ASHA.abhaAddress, status: 'FAILURE' } })).status,
      202,
    )
    assert.equal(onShare.parse((await only()).body).acknowledgement?.status, 'FAILED')
    exchange.clock.advance(1_000)
    await share()
    const second = await only()
    const [latest] = await exchange.inTx((tx) => sharesOf(tx, ASHA.abhaAddress))
    assert.ok(latest)
    await exchange.inTx((tx) => shareUndelivered(tx, latest.id, { message: 'ECONNREFUSED' }))
    assert.equal(onShare.parse((await only()).body).error?.code, 'ABDM-1401')
    assert.equal((await answer(second)).status, 409)
    assert.deepEqual(
      (await tokens()).slice(0, 2).map((token) => token['status']),
      ['FAILED', 'FAILED'],
    )
  })
})
