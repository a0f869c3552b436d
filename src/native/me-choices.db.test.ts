import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INSURER,
  RAVI,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps } from '../../test/consent-steps.ts'
import { codeOf, meSteps } from '../../test/me-steps.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import { must } from '../kernel/refusal.ts'
import { requestSubscription } from '../linking/subscription-commands.ts'

let exchange: TestExchange
const { requested, ask, permission } = consentSteps(() => exchange)
const me = meSteps(() => exchange)
describe('native/me-choices', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const PERIOD = { from: '2020-01-01T00:00:00.000Z', to: '2030-01-01T00:00:00.000Z' }
  const ALL = ['OPConsultation', 'Prescription', 'DiagnosticReport']
  const wanted = async (change: object = {}): Promise<object> => ({
    stepUp: await me.proved('policy.save', CLINIC),
    hiu: CLINIC,
    purpose: 'CAREMGT',
    hiTypes: ALL,
    period: PERIOD,
    ...change,
  })

  test('a standing approval is made with a proof, told by names, and decides the next request', async () => {
    await requested()
    const before = await me.get('policies')
    assert.deepEqual(before.body['askers'], [{ id: CLINIC, name: 'Lakeview Clinic' }])
    assert.equal((before.body['providers'] as unknown[]).length, 2)
    const made = await me.post('policies', await wanted())
    assert.equal(made.status, 201, JSON.stringify(made.body))
    assert.deepEqual(made.body['hiu'], { id: CLINIC, name: 'Lakeview Clinic' })
    assert.equal(made.body['isForAll'], true)
    const id = await requested()
    const { body } = await me.get(`requests/${id}`)
    assert.equal(body['status'], 'GRANTED')
    assert.equal(body['byPolicy'], true)
    const longer = ask({ permission: { ...permission(), dataEraseAt: '2030-01-02T00:00:00.000Z' } })
    const asksHer = await me.get(`requests/${await requested(longer)}`)
    assert.equal(asksHer.body['status'], 'REQUESTED', 'who wants to keep a copy beyond the day that she chose asks her')
    assert.equal((await me.post(`policies/${String(made.body['id'])}/disable`)).body['enabled'], false)
    const next = await requested()
    assert.equal((await me.get(`requests/${next}`)).body['status'], 'REQUESTED')
    const enable = (stepUp: string) => me.post(`policies/${String(made.body['id'])}/enable`, { stepUp })
    assert.match(String(codeOf(await enable(randomUUID()))), /^auth\//)
    assert.equal((await enable(await me.proved('policy.save', String(made.body['id'])))).body['enabled'], true)
    assert.equal((await me.post(`policies/${String(made.body['id'])}/disable`)).status, 200)
  })

  test('without a proof for this facility no standing approval; of one provider only where she says so', async () => {
    const count = async () => ((await me.get('policies')).body['policies'] as unknown[]).length
    const before = await count()
    const bad = [
      await wanted({ stepUp: randomUUID() }),
      await wanted({ stepUp: await me.proved('policy.save', INSURER) }),
      await wanted({ stepUp: await me.proved('consent.grant', CLINIC) }),
      await wanted({ hiu: HOSPITAL }),
      await wanted({ hiu: 'IN9999' }),
      await wanted({ purpose: 'ANY' }),
      await wanted({ hiTypes: [] }),
      await wanted({ period: { from: PERIOD.to, to: PERIOD.from } }),
    ]
    for (const body of bad) {
      const { status } = await me.post('policies', body)
      assert.ok(status >= 400 && status < 500, JSON.stringify(body))
    }
    assert.equal(await count(), before)
    const made = await me.post('policies', await wanted({ hips: [HOSPITAL] }))
    assert.equal(made.body['isForAll'], false)
    assert.deepEqual((made.body['sources'] as { hip: unknown }[])[0]?.hip, { id: HOSPITAL, name: 'City Hospital' })
    assert.equal((await me.post(`policies/${String(made.body['id'])}/disable`, {}, {}, RAVI)).status, 404)
    const id = await requested(ask({ hiTypes: ['OPConsultation'] }))
    const consents = (await me.get(`requests/${id}`)).body['decided'] as { consents: { hip: { id: string } }[] }
    assert.deepEqual(
      consents.consents.map(({ hip }) => hip.id),
      [HOSPITAL],
    )
  })

  async function subscribed(): Promise<string> {
    const purpose = { code: 'CAREMGT', text: 'Care' } as const
    const period = { from: new Date(PERIOD.from), to: new Date(PERIOD.to) }
    const request = { purpose, hips: [], categories: ['LINK', 'DATA'] as const, period }
    const asked = await exchange.inTx((tx) => requestSubscription(tx, { hiu: CLINIC, patient: ASHA, request }))
    return must(asked).id
  }

  test('a subscription is approved as asked or less, switched off and on, and no wider', async () => {
    const id = await subscribed()
    const rows = (await me.get('subscriptions')).body['items'] as { id: string; status: string; hiu: object }[]
    const row = rows.find((each) => each.id === id)
    assert.equal(row?.status, 'requested')
    assert.deepEqual(row?.hiu, { id: CLINIC, name: 'Lakeview Clinic', isLocker: false })
    assert.match(codeOf(await me.post(`subscriptions/${id}/approve`)), /^auth\//, 'it takes a proof anew')
    const stepUp = await me.proved('policy.save', id)
    const late = await me.post(`subscriptions/${id}/approve`, { until: '2031-01-01T00:00:00.000Z', stepUp })
    assert.equal(codeOf(late), 'linking/subscription-too-wide')
    const less = { hips: [HOSPITAL], categories: ['LINK'], until: '2027-01-01T00:00:00.000Z' }
    const approved = await me.post(`subscriptions/${id}/approve`, { ...less, stepUp })
    assert.equal(approved.status, 200, JSON.stringify(approved.body))
    assert.equal(approved.body['until'], less.until)
    assert.deepEqual(approved.body['categories'], ['LINK'])
    assert.deepEqual(approved.body['hips'], [{ id: HOSPITAL, name: 'City Hospital' }])
    const again = await me.proved('policy.save', id)
    assert.equal(
      codeOf(await me.post(`subscriptions/${id}/approve`, { ...less, stepUp })),
      'auth/step-up-needed',
      'once',
    )
    const twice = await me.post(`subscriptions/${id}/approve`, { ...less, stepUp: again })
    assert.equal(codeOf(twice), 'linking/subscription-acted-on')
    assert.equal((await me.post(`subscriptions/${id}/disable`)).body['status'], 'revoked')
    assert.equal((await me.post(`subscriptions/${id}/disable`)).body['status'], 'revoked')
    assert.equal((await me.post(`subscriptions/${id}/enable`)).status, 403, 'to tell again is harder than to stop')
    assert.equal((await me.post(`subscriptions/${id}/enable`, { stepUp: again })).body['status'], 'granted')
    const other = { stepUp: await me.proved('policy.save', id) }
    for (const verb of ['approve', 'deny', 'disable', 'enable'])
      assert.equal(
        (await me.post(`subscriptions/${id}/${verb}`, verb === 'deny' || verb === 'disable' ? {} : other, {}, RAVI))
          .status,
        404,
      )
  })

  test('a subscription is denied, with or without a reason', async () => {
    const id = await subscribed()
    assert.equal((await me.post(`subscriptions/${id}/deny`)).body['status'], 'denied')
    const second = await subscribed()
    assert.equal((await me.post(`subscriptions/${second}/deny`, { reason: 'No.' })).body['reason'], 'No.')
    const stepUp = await me.proved('policy.save', second)
    assert.equal((await me.post(`subscriptions/${second}/approve`, { stepUp })).status, 409)
  })

  test('her copy leaves the page after a proof anew for herself, and the log says in which form', async () => {
    assert.equal((await me.post('records/export', { form: 'fhir' })).status, 403)
    const ofAnother = await me.proved('export.read', RAVI)
    assert.equal((await me.post('records/export', { form: 'fhir', stepUp: ofAnother })).status, 403)
    const stepUp = await me.proved('export.read', ASHA)
    assert.equal((await me.post('records/export', { form: 'print', stepUp })).status, 204)
    assert.equal((await me.post('records/export', { form: 'print', stepUp })).status, 403, 'once')
    const told = await exchange.inTx((tx) =>
      receiptsAbout(tx, ASHA, { types: ['transfer.own-copy-exported'], limit: 10 }),
    )
    assert.deepEqual(
      told.map((one) => ('event' in one ? (one.event as { form?: string }).form : 'changed')),
      ['print'],
    )
  })
})
