import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  ASK,
  askAccepted,
  CONTEXTS,
  deliver,
  granted,
  HIP,
  type HiuBench,
  newId,
  openHiuBench,
  requested,
  tell,
} from '../../test/hiu-bench.ts'
import { refuse } from '../kernel/refusal.ts'
import { consentInit, consentOnNotify } from './consent-messages.ts'
import { dataPushUrl, dataRequest } from './data-messages.ts'

const INIT = '/consent/v3/request/init'
const FETCH = '/consent/v3/fetch'
const ON_NOTIFY = '/consent/v3/request/hiu/on-notify'
const REQUEST = '/data-flow/v3/health-information/request'

type View = {
  readonly status: string
  readonly reason?: string
  readonly asked: { readonly hiTypes: readonly string[] }
  readonly artefacts: readonly {
    readonly id: string
    readonly status: string
    readonly reason?: string
    readonly granted?: { readonly hiTypes: readonly string[]; readonly range: { readonly from: string } }
    readonly transfers: readonly { readonly id: string; readonly status: string; readonly reason?: string }[]
  }[]
}

describe('a facility asks for consent', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  const view = async (own: string): Promise<View> => (await bench.native('GET', `/v1/consent-requests/${own}`)).json
  const acknowledged = () => consentOnNotify.parse(bench.last(ON_NOTIFY)?.body)

  it('sends what ABDM asks for, acknowledges the grant, fetches, and asks for the data with the range of the artefact', async () => {
    const { own, exchange } = await askAccepted(bench)
    const init = consentInit.parse(bench.last(INIT)?.body).consent
    assert.equal(bench.last(INIT)?.requestId, own)
    assert.equal(bench.last(INIT)?.headers['X-HIU-ID'], bench.needs.facility.id)
    assert.deepEqual(init.hiTypes, ASK.hiTypes)
    assert.equal(init.requester.identifier?.value, 'MH1001')
    assert.equal((await view(own)).status, 'requested')
    const ids = [newId<'artefact'>(bench.machine), newId<'artefact'>(bench.machine)]
    const notice = await tell(bench, exchange, 'GRANTED', ids)
    assert.equal(notice.status, 202)
    await bench.drain()
    assert.deepEqual(
      acknowledged().acknowledgement.map((one) => [one.status, one.consentId]),
      ids.map((id) => ['OK', id]),
    )
    const sent = bench.last(ON_NOTIFY)?.body as { acknowledgement: unknown } | undefined
    assert.ok(Array.isArray(sent?.acknowledgement))
    assert.equal(acknowledged().response.requestId, notice.requestId)
    assert.equal(bench.sent.filter(({ path }) => path === FETCH).length, 2)
    for (const id of ids) await deliver(bench, id)
    await bench.drain()
    const asks = bench.sent.filter(({ path }) => path === REQUEST).map(({ body }) => dataRequest.parse(body).hiRequest)
    assert.deepEqual(asks.map((ask) => ask.consent.id).sort(), [...ids].sort())
    for (const ask of asks) {
      assert.equal(ask.dateRange?.from.toISOString(), '2021-01-01T00:00:00.000Z')
      assert.equal(ask.keyMaterial.dhPublicKey.keyValue.length, 88)
      assert.equal(ask.keyMaterial.dhPublicKey.expiry.getTime() - bench.clock.now().getTime(), 24 * 3_600_000)
      assert.ok(dataPushUrl.safeParse(ask.dataPushUrl).success)
    }
    assert.notEqual(asks[0]?.keyMaterial.dhPublicKey.keyValue, asks[1]?.keyMaterial.dhPublicKey.keyValue)
    assert.notEqual(asks[0]?.keyMaterial.nonce, asks[1]?.keyMaterial.nonce)
    assert.notEqual(asks[0]?.dataPushUrl, asks[1]?.dataPushUrl)
    const shown = await view(own)
    assert.equal(shown.status, 'granted')
    assert.deepEqual(shown.asked.hiTypes, ['Prescription', 'DiagnosticReport', 'OPConsultation'])
    assert.deepEqual(
      shown.artefacts.map((artefact) => artefact.granted?.hiTypes),
      [
        ['Prescription', 'DiagnosticReport'],
        ['Prescription', 'DiagnosticReport'],
      ],
    )
    assert.deepEqual(
      shown.artefacts.map((artefact) => artefact.transfers[0]?.status),
      ['asked', 'asked'],
    )
  })

  it('keeps the words of an exchange that refuses, or that cannot be reached; an answer that comes after all still counts', async () => {
    const { id: refused } = (await bench.native('POST', '/v1/consent-requests', ASK)).json as { id: string }
    await bench.callback('/api/v3/hiu/consent/request/on-init', {
      error: { code: 'ABDM-1010', message: 'No such patient' },
      response: { requestId: refused },
    })
    assert.deepEqual(
      [(await view(refused)).status, (await view(refused)).reason],
      ['failed', 'ABDM-1010: No such patient'],
    )
    const { id: lost } = (await bench.native('POST', '/v1/consent-requests', ASK)).json as { id: string }
    await bench.fail('hiu-consent', lost, { message: 'no answer in time' })
    assert.equal((await view(lost)).reason, 'no answer in time')
    await bench.callback('/api/v3/hiu/consent/request/on-init', {
      consentRequest: { id: newId(bench.machine) },
      response: { requestId: lost },
    })
    assert.equal((await view(lost)).status, 'requested')
  })

  it('refuses terms that cannot be, answers to what it never asked, and callbacks for another facility', async () => {
    const late = await bench.native('POST', '/v1/consent-requests', { ...ASK, dataEraseAt: '2026-01-01T00:00:00Z' })
    assert.equal(late.status, 400)
    assert.equal((await bench.native('POST', '/v1/consent-requests', { ...ASK, careContexts: CONTEXTS })).status, 400)
    assert.equal((await bench.native('POST', '/v1/consent-requests', { ...ASK, purpose: 'FUN' })).status, 400)
    const answer = { consentRequest: { id: newId(bench.machine) }, response: { requestId: newId(bench.machine) } }
    assert.equal((await bench.callback('/api/v3/hiu/consent/request/on-init', answer)).status, 404)
    const { id } = (await bench.native('POST', '/v1/consent-requests', ASK)).json as { id: string }
    const other = await bench.callback(
      '/api/v3/hiu/consent/request/on-init',
      { ...answer, response: { requestId: id } },
      { 'x-hiu-id': HIP },
    )
    assert.equal(other.status, 403)
    assert.equal((await view(id)).status, 'asked')
  })

  it('keeps a notification that overtakes the answer which names its request', async () => {
    const { id: own } = (await bench.native('POST', '/v1/consent-requests', ASK)).json as { id: string }
    const exchange = newId(bench.machine)
    const consentId = newId<'artefact'>(bench.machine)
    assert.equal((await tell(bench, exchange, 'GRANTED', [consentId])).status, 202)
    assert.equal((await view(own)).status, 'asked')
    await bench.callback('/api/v3/hiu/consent/request/on-init', {
      consentRequest: { id: exchange },
      response: { requestId: own },
    })
    assert.equal((await view(own)).status, 'granted')
    await bench.drain()
    assert.deepEqual(bench.last(FETCH)?.body, { consentId })
    assert.equal(await bench.rows('hiu_early_notice'), 0)
    await tell(bench, newId(bench.machine), 'GRANTED', [newId(bench.machine)])
    assert.equal(await bench.rows('hiu_early_notice'), 1)
    bench.clock.advance(3_600_001)
    await bench.chores()
    assert.equal(await bench.rows('hiu_early_notice'), 0)
  })

  it('never uses an artefact that the exchange did not sign, or that is for somebody else', async () => {
    const requests = () => bench.sent.filter(({ path }) => path === REQUEST).length
    const before = requests()
    const cases: readonly [string, object][] = [
      ['signature', {}],
      ['another patient', { patient: { id: 'other@sbx' } }],
      ['another facility', { hiu: { id: 'IN2710000099', name: 'X' } }],
      ['another consent', { consentId: newId(bench.machine) }],
    ]
    for (const [name, changes] of cases) {
      const { own, exchange } = await askAccepted(bench)
      const consentId = newId<'artefact'>(bench.machine)
      await tell(bench, exchange, 'GRANTED', [consentId])
      await bench.drain()
      bench.verdict.value = name === 'signature' ? refuse('crypto/signature-invalid') : true
      await deliver(bench, consentId, changes)
      await bench.drain()
      const [artefact] = (await view(own)).artefacts
      assert.equal(artefact?.status, 'refused', name)
      assert.match(
        artefact?.reason ?? '',
        name === 'signature' ? /^crypto\/signature-invalid/ : /^hiu\/artefact-mismatch/,
      )
      assert.equal((await bench.native('POST', `/v1/consent-requests/${own}/fetch`, {})).status, 409)
    }
    bench.verdict.value = true
    assert.equal(requests(), before)
    assert.equal(await bench.count('hiu.artefact-refused'), 4)
  })

  it('never uses an artefact that gives what was not asked for, though it is signed, and says which field', async () => {
    const requests = () => bench.sent.filter(({ path }) => path === REQUEST).length
    const before = { requests: requests(), refused: await bench.count('hiu.artefact-refused') }
    const permission = (from: string, to: string) => ({
      accessMode: 'VIEW',
      dateRange: { from, to },
      dataEraseAt: '2026-12-22T00:00:00.000Z',
      frequency: { unit: 'HOUR', value: 1, repeats: 2 },
    })
    const cases: readonly [object, string][] = [
      [{ hiTypes: ['Prescription', 'DischargeSummary'] }, 'hiTypes'],
      [{ purpose: { text: 'Break the glass', code: 'BTG', refUri: 'www.abdm.gov.in' } }, 'purpose.code'],
      [{ permission: permission('2019-12-31T00:00:00.000Z', '2021-01-01T00:00:00.000Z') }, 'permission.dateRange.from'],
      [{ permission: permission('2021-01-01T00:00:00.000Z', '2026-11-22T00:00:01.000Z') }, 'permission.dateRange.to'],
    ]
    for (const [changes, field] of cases) {
      const { own, exchange } = await askAccepted(bench)
      const consentId = newId<'artefact'>(bench.machine)
      await tell(bench, exchange, 'GRANTED', [consentId])
      await bench.drain()
      await deliver(bench, consentId, changes)
      await bench.drain()
      const [artefact] = (await view(own)).artefacts
      assert.equal(artefact?.status, 'refused', field)
      assert.ok(artefact.reason?.startsWith(`hiu/artefact-wider: ${field} `), artefact.reason)
      assert.equal((await bench.native('POST', `/v1/consent-requests/${own}/fetch`, {})).status, 409)
    }
    assert.equal(requests(), before.requests)
    assert.equal(await bench.count('hiu.artefact-refused'), before.refused + cases.length)
    const { own, exchange } = await askAccepted(bench, { hip: { id: HIP } })
    const consentId = newId<'artefact'>(bench.machine)
    await tell(bench, exchange, 'GRANTED', [consentId])
    await bench.drain()
    await deliver(bench, consentId, { hiTypes: ['Prescription'] })
    await bench.drain()
    assert.equal((await view(own)).artefacts[0]?.status, 'granted', 'narrower is fine')
    assert.equal(requests(), before.requests + 1)
  })

  it('decides nothing about a signature while the keys of the exchange cannot be fetched', async () => {
    const { own, exchange } = await askAccepted(bench)
    const consentId = newId<'artefact'>(bench.machine)
    await tell(bench, exchange, 'GRANTED', [consentId])
    await bench.drain()
    bench.verdict.value = refuse('machine/unavailable')
    await deliver(bench, consentId)
    await bench.drain()
    assert.equal((await view(own)).artefacts[0]?.status, 'checking')
    bench.verdict.value = true
    bench.clock.advance(10_000)
    await bench.drain()
    assert.equal((await view(own)).artefacts[0]?.status, 'granted')
  })

  it('fetches again, when the status is asked, what could not be fetched', async () => {
    const { own, exchange } = await askAccepted(bench)
    assert.equal((await bench.native('POST', `/v1/consent-requests/${own}/refresh`)).status, 202)
    const consentId = newId<'artefact'>(bench.machine)
    await bench.callback('/api/v3/hiu/consent/request/on-status', {
      consentRequest: { id: exchange, status: 'GRANTED', consentArtefacts: [{ id: consentId }] },
      response: { requestId: newId(bench.machine) },
    })
    await bench.drain()
    const first = bench.last(FETCH)
    await bench.callback('/api/v3/hiu/consent/on-fetch', {
      error: { code: 'ABDM-1112', message: 'Not there yet' },
      response: { requestId: first?.requestId },
    })
    assert.equal((await view(own)).artefacts[0]?.reason, 'ABDM-1112: Not there yet')
    await bench.callback('/api/v3/hiu/consent/request/on-status', {
      consentRequest: { id: exchange, status: 'GRANTED', consentArtefacts: [{ id: consentId }] },
      response: { requestId: newId(bench.machine) },
    })
    await bench.drain()
    assert.notEqual(bench.last(FETCH)?.requestId, first?.requestId)
    await deliver(bench, consentId)
    await bench.drain()
    assert.equal((await view(own)).artefacts[0]?.status, 'granted')
  })

  it('takes a final state as final: late, repeated and out-of-order notifications never bring a consent back', async () => {
    const { own, exchange } = await askAccepted(bench)
    const [one, two] = [newId<'artefact'>(bench.machine), newId<'artefact'>(bench.machine)]
    await tell(bench, exchange, 'REVOKED', [one])
    await tell(bench, exchange, 'GRANTED', [one, two])
    await bench.drain()
    const states = async () => Object.fromEntries((await view(own)).artefacts.map(({ id, status }) => [id, status]))
    assert.deepEqual(await states(), { [one]: 'revoked', [two]: 'told' })
    await tell(bench, exchange, 'REVOKED', [two])
    assert.equal((await view(own)).status, 'revoked')
    await tell(bench, exchange, 'GRANTED', [one, two])
    await deliver(bench, two)
    await bench.drain()
    assert.deepEqual(await states(), { [one]: 'revoked', [two]: 'revoked' })
    assert.equal((await view(own)).status, 'revoked')
    assert.equal(await bench.count('hiu.notice-ignored'), 1)
  })

  it('hears a denial, its reason, and the end of the time to decide', async () => {
    const denied = await askAccepted(bench)
    await tell(bench, denied.exchange, 'DENIED', [], 'Not now')
    assert.deepEqual([(await view(denied.own)).status, (await view(denied.own)).reason], ['denied', 'Not now'])
    const expired = await askAccepted(bench)
    await tell(bench, expired.exchange, 'EXPIRED')
    assert.equal((await view(expired.own)).status, 'expired')
    await tell(bench, expired.exchange, 'GRANTED', [newId(bench.machine)])
    assert.equal((await view(expired.own)).artefacts.length, 0)
  })

  it('asks again within the frequency, with new keys, and not beyond it', async () => {
    const asked = await granted(bench)
    const again = await bench.native('POST', `/v1/consent-requests/${asked.own}/fetch`, {})
    assert.equal(again.status, 202)
    await bench.drain()
    const second = await requested(bench, asked)
    assert.notEqual(second.requestId, asked.requestId)
    assert.notEqual(second.keyMaterial.dhPublicKey.keyValue, asked.keyMaterial.dhPublicKey.keyValue)
    const third = await bench.native('POST', `/v1/consent-requests/${asked.own}/fetch`, {})
    assert.equal(third.status, 429)
    bench.clock.advance(3_600_000)
    assert.equal(
      (await bench.native('POST', `/v1/consent-requests/${asked.own}/fetch`, { artefact: asked.consentId })).status,
      202,
    )
  })

  it('shows why a data request failed', async () => {
    const asked = await granted(bench, {}, 'early')
    await bench.callback('/api/v3/hiu/health-information/on-request', {
      error: { code: 'ABDM-1112', message: 'Invalid or already expired consent artefact id' },
      response: { requestId: asked.requestId },
    })
    const [transfer] = (await view(asked.own)).artefacts[0]?.transfers ?? []
    assert.deepEqual(
      [transfer?.status, transfer?.reason],
      ['failed', 'ABDM-1112: Invalid or already expired consent artefact id'],
    )
    assert.equal(
      (
        await bench.push(asked.dataPushUrl, {
          transactionId: newId(bench.machine),
          entries: [],
          keyMaterial: asked.keyMaterial,
        })
      ).status,
      410,
    )
  })
})
