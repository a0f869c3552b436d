import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Asked,
  acknowledgeRequest,
  granted,
  type HiuBench,
  openHiuBench,
  PATIENT,
  requested,
  tell,
} from '../../test/hiu-bench.ts'
import { documentText, lastTransfer, recordsOf, sealPage, transfersOf } from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { existingDataKey } from '../vault/data-keys.ts'
import { dataRequest } from './data-messages.ts'

const REQUEST = '/data-flow/v3/health-information/request'
const NOT_YET = { code: 'ABDM-1402', message: 'Acknowledgement is not received from HIP' }
const WORDS = `${NOT_YET.code}: ${NOT_YET.message}`

type Seen = {
  readonly status: string
  readonly reason?: string
  readonly againAt?: string
  readonly askedAt: string
  readonly refusals: readonly { readonly askedAt: string; readonly reason: string }[]
}

describe('a facility whose data request is refused for a reason that passes', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  const seen = async (asked: Asked) => (await transfersOf(bench, asked)) as unknown as readonly Seen[]
  const sentRequests = ({ consentId }: Asked) =>
    bench.sent.filter(
      ({ path, body }) => path === REQUEST && dataRequest.parse(body).hiRequest.consent.id === consentId,
    ).length
  const refuse = (asked: Pick<Asked, 'requestId'>, error: object = NOT_YET) =>
    bench.callback('/api/v3/hiu/health-information/on-request', { error, response: { requestId: asked.requestId } })
  const wait = async (ms: number) => {
    bench.clock.advance(ms)
    await bench.drain()
  }

  it('asks again by itself, with a new request and new keys, and receives', async () => {
    const first = await granted(bench, {}, 'early')
    const events = await bench.count('hiu.data-postponed')
    const askedAt = bench.clock.now()
    assert.equal((await refuse(first)).status, 202)
    const [postponed] = await seen(first)
    assert.deepEqual(
      [postponed?.status, postponed?.reason, postponed?.againAt],
      ['postponed', WORDS, new Date(askedAt.getTime() + 2_000).toISOString()],
    )
    assert.equal(await bench.count('hiu.data-postponed'), events + 1)
    assert.equal(
      await transact(bench.machine, (tx) => existingDataKey(tx, PATIENT, first.requestId as never)),
      undefined,
      'its private key is gone',
    )
    const before = sentRequests(first)
    await wait(1_999)
    assert.equal(sentRequests(first), before)
    await wait(1)
    assert.equal(sentRequests(first), before + 1)
    const second = await requested(bench, first)
    assert.notEqual(second.requestId, first.requestId)
    assert.notEqual(second.dataPushUrl, first.dataPushUrl)
    assert.notEqual(second.keyMaterial.dhPublicKey.keyValue, first.keyMaterial.dhPublicKey.keyValue)
    assert.notEqual(second.keyMaterial.nonce, first.keyMaterial.nonce)
    const item = { careContext: 'visit-1', text: documentText('Prescription', { note: 'at last' }) }
    assert.equal((await bench.push(first.dataPushUrl, sealPage(bench, second, [item], {}).body)).status, 410)
    assert.equal((await bench.push(second.dataPushUrl, sealPage(bench, second, [item], {}).body)).status, 202)
    await bench.drain()
    assert.equal((await recordsOf(bench, first)).length, 1)
    const transfers = await seen(first)
    assert.deepEqual(
      transfers.map(({ status, refusals }) => [status, refusals]),
      [['complete', [{ askedAt: askedAt.toISOString(), reason: WORDS }]]],
    )
  })

  it('asks five times in all, 2, 5, 15 and 60 seconds after each refusal, then fails with the words of the exchange', async () => {
    const first = await granted(bench, {}, 'early')
    let asked = first
    for (const delayMs of [2_000, 5_000, 15_000, 60_000]) {
      await refuse(asked)
      const transfer = (await seen(first)).at(-1)
      assert.equal(transfer?.againAt, new Date(bench.clock.now().getTime() + delayMs).toISOString())
      await wait(delayMs)
      const next = { ...asked, requestId: bench.last(REQUEST)?.requestId ?? '' }
      assert.notEqual(next.requestId, asked.requestId)
      asked = next
    }
    const before = sentRequests(first)
    await refuse(asked)
    const [transfer, ...others] = await seen(first)
    assert.deepEqual(others, [])
    assert.deepEqual([transfer?.status, transfer?.reason, transfer?.againAt], ['failed', WORDS, undefined])
    assert.equal(transfer?.refusals.length, LIMITS.requestAgainDelaysMs.length)
    await wait(3_600_000)
    assert.equal(sentRequests(first), before)
  })

  it('treats alike the gateway’s other code, busy and broken servers, and a request that could not be delivered', async () => {
    const passing = [
      { code: 'ABDM-8877', message: 'Acknowledgement is not received from HIP' },
      { code: 'ABDM-8877: ', message: 'x' },
      { code: '429', message: 'Too many' },
      { message: 'answered 503: <html>no</html>' },
    ]
    for (const error of passing) {
      const asked = await granted(bench, {}, 'early')
      await bench.fail('hiu-data', asked.requestId, error)
      assert.equal((await lastTransfer(bench, asked)).status, 'postponed', JSON.stringify(error))
    }
    for (const error of [
      { code: 'ABDM-1022', message: 'Too many requests for this consent: 503' },
      { code: 'ABDM-2500', message: 'No mapping found' },
      { message: 'answered 400: no' },
    ]) {
      const asked = await granted(bench, {}, 'early')
      await bench.fail('hiu-data', asked.requestId, error)
      assert.equal((await lastTransfer(bench, asked)).status, 'failed', JSON.stringify(error))
    }
  })

  it('asks only once when staff ask again meanwhile, and not at all when the consent ends meanwhile', async () => {
    const asked = await granted(bench, {}, 'early')
    await refuse(asked)
    const before = sentRequests(asked)
    assert.equal((await bench.native('POST', `/v1/consent-requests/${asked.own}/fetch`, {})).status, 202)
    await bench.drain()
    await wait(3_000)
    assert.equal(sentRequests(asked), before + 1)
    assert.deepEqual(
      (await seen(asked)).map(({ status, refusals }) => [status, refusals.length]),
      [['asked', 1]],
    )
    const ended = await granted(bench, {}, 'early')
    await refuse(ended)
    await tell(bench, ended.exchange, 'REVOKED', [ended.consentId])
    const sent = sentRequests(ended)
    await wait(3_000)
    assert.equal(sentRequests(ended), sent)
    assert.deepEqual(
      (await seen(ended)).map(({ status }) => status),
      ['erased'],
    )
  })

  it('leaves none waiting for ever when two requests for one consent are refused', async () => {
    const first = await granted(bench, {}, 'early')
    assert.equal((await bench.native('POST', `/v1/consent-requests/${first.own}/fetch`, {})).status, 202)
    await bench.drain()
    const second = { requestId: bench.last(REQUEST)?.requestId ?? '' }
    assert.notEqual(second.requestId, first.requestId)
    await refuse(first)
    await refuse(second)
    await wait(2_000)
    const rows = await bench.machine.db
      .selectFrom('hiu_request')
      .select('status')
      .where('bucket', '>=', 0)
      .where('artefact', '=', first.consentId)
      .orderBy('ordinal')
      .execute()
    assert.deepEqual(
      rows.map(({ status }) => status),
      ['replaced', 'replaced', 'asked'],
    )
  })

  it('asks once when it is killed while asking again, and when the exchange repeats its refusal', async () => {
    const asked = await granted(bench, {}, 'early')
    await refuse(asked)
    await refuse(asked)
    const before = sentRequests(asked)
    bench.clock.advance(2_000)
    await bench.die()
    assert.equal((await lastTransfer(bench, asked)).status, 'postponed')
    await wait(60_001)
    assert.equal(sentRequests(asked), before + 1)
    const again = await requested(bench, asked)
    assert.equal((await acknowledgeRequest(bench, again)).status, 202)
    await refuse(asked)
    assert.equal((await lastTransfer(bench, asked)).status, 'acknowledged')
  })

  it('does not ask beyond what the consent permits: a refusal uses nothing up, a request that was taken does', async () => {
    const frequency = { unit: 'HOUR', value: 1, repeats: 1 }
    const permission = {
      accessMode: 'VIEW',
      dateRange: { from: '2021-01-01T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z' },
      dataEraseAt: new Date(bench.clock.now().getTime() + 86_400_000).toISOString(),
      frequency,
    }
    const asked = await granted(bench, { permission }, 'early')
    await refuse(asked)
    await wait(2_000)
    const again = await requested(bench, asked)
    assert.equal((await lastTransfer(bench, asked)).status, 'acknowledged')
    assert.equal((await bench.native('POST', `/v1/consent-requests/${asked.own}/fetch`, {})).status, 429)
    assert.notEqual(again.requestId, asked.requestId)
  })
})
