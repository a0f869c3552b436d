import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ASHA, CLINIC, HOSPITAL, RAVI, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { consentSteps, RANGE } from '../../test/consent-steps.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { verifyReceipt } from '../audit/verify.ts'
import { isRefusal } from '../kernel/refusal.ts'

let exchange: TestExchange
const steps = consentSteps(() => exchange)
describe('native/exchange-partner', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  async function get(bridge: string, url: string) {
    const answer = await exchange.app.inject({ url, headers: { authorization: `Bearer ${bridge}` } })
    return { status: answer.statusCode, body: answer.json() }
  }
  type Listed = {
    readonly consents: readonly { readonly consentId: string; readonly status: string }[]
    readonly before?: string
  }
  const list = async (bridge: string, query = '') => (await get(bridge, `/v1/partner/consents${query}`)).body as Listed

  const question = (change: object = {}) => ({
    patient: ASHA,
    recipient: CLINIC,
    holder: HOSPITAL,
    purpose: 'CAREMGT',
    hiTypes: ['OPConsultation'],
    from: RANGE.from,
    to: RANGE.to,
    ...change,
  })
  const may = (bridge: 'bridge-clinic' | 'bridge-hip' | 'bridge-insurer', body: object, headers = {}) =>
    exchange.asBridge(bridge, '/v1/decisions', body, headers)

  test('a partner lists the consents of its own facilities, page by page, and sees none of others', async () => {
    const made: string[] = []
    for (let n = 0; n < 3; n++) {
      made.push(await steps.consented())
      exchange.clock.advance(1_000)
    }
    const first = await list('bridge-clinic', '?limit=2')
    assert.deepEqual(
      first.consents.map(({ consentId }) => consentId),
      [made[2], made[1]],
    )
    const second = await list('bridge-clinic', `?limit=2&before=${first.before}`)
    assert.deepEqual(
      second.consents.map(({ consentId }) => consentId),
      [made[0]],
    )
    assert.equal((await list('bridge-hip')).consents.length, 3)
    assert.deepEqual((await list('bridge-insurer')).consents, [])
    assert.ok(!JSON.stringify(first).includes(ASHA), 'whose they are stands in the consents themselves')
    const one = await get('bridge-clinic', `/v1/partner/consents/${made[0]}`)
    assert.deepEqual([one.status, one.body.status, one.body.consentDetail.patient.id], [200, 'GRANTED', ASHA])
    const others = await get('bridge-insurer', `/v1/partner/consents/${made[0]}`)
    const absent = await get('bridge-insurer', '/v1/partner/consents/01a20000-0000-7000-8000-000000000001')
    assert.equal(others.status, 404)
    assert.deepEqual({ ...others.body, trace: '' }, { ...absent.body, trace: '' })
  })

  test('a partner fetches receipts of what its facilities took part in, which hold offline; others’ do not exist', async () => {
    const consent = await steps.consented()
    const { body } = await get('bridge-clinic', `/v1/partner/consents/${consent}`)
    const events = body.events as readonly { readonly event: string; readonly type: string }[]
    const granted = events.find(({ type }) => type === 'consent.granted')
    assert.ok(granted, JSON.stringify(events))
    const at = `/v1/partner/receipts/${granted.event}?patient=${ASHA}`
    assert.equal((await get('bridge-clinic', at)).status, 503)
    await sequenceNow(exchange.machine, exchange.ownLog.signer)
    const seen = (await get('bridge-hip', `/v1/partner/consents/${consent}`)).body.events as typeof events
    assert.deepEqual(
      seen.map(({ type }) => type),
      ['consent.artefact-acknowledged'],
      'who else was asked is not its business',
    )
    const acknowledged = `/v1/partner/receipts/${seen[0]?.event}?patient=${ASHA}`
    for (const [bridge, url] of [
      ['bridge-clinic', at],
      ['bridge-hip', acknowledged],
    ] as const) {
      const receipt = await get(bridge, url)
      assert.equal(receipt.status, 200, JSON.stringify(receipt.body))
      assert.ok(!isRefusal(verifyReceipt(JSON.stringify(receipt.body), {})))
    }
    for (const [bridge, url] of [
      ['bridge-insurer', at],
      ['bridge-hip', at],
      ['bridge-clinic', at.replace(ASHA, RAVI)],
      ['bridge-clinic', at.split('?')[0] ?? ''],
      ['bridge-clinic', '/v1/partner/receipts/nonsense'],
    ] as const)
      assert.equal((await get(bridge, url)).status, 404, `${bridge} ${url}`)
    const types = await exchange.eventTypes()
    assert.equal(types.filter((type) => type === 'partners.receipt-fetched').length, 2)
  })

  test('may this be shared? The answer is that of the gate, names its rules, is recorded, and shares nothing', async () => {
    const consent = await steps.consented()
    const allowed = await may('bridge-clinic', question())
    assert.deepEqual([allowed.status, allowed.body['outcome']], [200, 'allow'], JSON.stringify(allowed.body))
    assert.ok((allowed.body['consents'] as string[]).includes(consent))
    const narrowed = await may('bridge-hip', question({ hiTypes: ['OPConsultation', 'Prescription'] }))
    assert.equal(narrowed.body['outcome'], 'narrow')
    const wider = await may('bridge-hip', question({ from: '2020-01-01T00:00:00.000Z' }))
    assert.equal(wider.body['outcome'], 'narrow')
    for (const change of [{ purpose: 'HPAYMT' }, { patient: RAVI }, { patient: 'nobody@sbx' }]) {
      const denied = await may('bridge-clinic', question(change))
      assert.deepEqual([denied.status, denied.body['outcome']], [200, 'deny'], JSON.stringify(change))
      assert.match(JSON.stringify(denied.body['explain']), /no-consent/)
    }
    assert.equal((await may('bridge-insurer', question())).status, 403)
    assert.equal((await may('bridge-clinic', question(), { 'x-purpose': 'HPAYMT' })).status, 403)
    assert.equal((await may('bridge-clinic', question(), { 'x-purpose': 'CAREMGT' })).status, 200)
    assert.equal((await may('bridge-clinic', question({ hiTypes: [] }))).status, 400)
    assert.deepEqual(await exchange.takeSent(), [])
    const { rows } = await exchange.machine.db
      .selectFrom('audit_event')
      .select(['body', 'patient_tag'])
      .where('bucket', '>=', 0)
      .where('type', '=', 'partners.decision-asked')
      .execute()
      .then((found) => ({ rows: found }))
    assert.equal(rows.length, 7)
    for (const row of rows) assert.ok(!Buffer.from(row.body).toString().includes(ASHA), 'about nobody')
  })

  test('what was revoked answers as revoked', async () => {
    await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', {
      consents: (await list('bridge-clinic', '?limit=100')).consents.map(({ consentId }) => consentId),
    })
    const denied = await may('bridge-clinic', question())
    assert.equal(denied.body['outcome'], 'deny')
    assert.match(JSON.stringify(denied.body['explain']), /consent-revoked/)
  })
})
