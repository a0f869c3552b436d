import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INSURER,
  LAB,
  link,
  RAVI,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { enrolPatient } from '../people/commands.ts'
import { endGuardian, nameGuardian } from '../people/guardian-commands.ts'
import { changeMobile } from '../people/mobile-commands.ts'

const TARA = 'tara.rao@sbx' as AbhaAddress
let exchange: TestExchange
describe('consent/approval-policy', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const RANGE = { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' }
  const PURPOSE = { text: 'Care Management', code: 'CAREMGT', refUri: 'http://example.org' }

  /** What a request of the clinic came to at once: its status, and the providers that granted. */
  async function outcomeOf(
    change: object = {},
  ): Promise<{ status: unknown; hips: readonly string[]; paths: readonly string[] }> {
    exchange.clock.advance(1_000)
    const permission = {
      accessMode: 'VIEW',
      dateRange: RANGE,
      dataEraseAt: '2027-01-01T00:00:00.000Z',
      frequency: { unit: 'DAY', value: 1, repeats: 1 },
    }
    const consent = {
      purpose: PURPOSE,
      patient: { id: ASHA },
      hiu: { id: CLINIC },
      requester: { name: 'Dr. Meera Iyer' },
      hiTypes: ['OPConsultation', 'DiagnosticReport'],
      permission,
      ...change,
    }
    const reply = await exchange.asBridge('bridge-clinic', '/consent/v3/request/init', { consent })
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    const sent = await exchange.takeSent()
    const id = sent
      .map(({ body }) => (body as { consentRequest?: { id: string } }).consentRequest?.id)
      .find((found) => found !== undefined)
    const who = 'patient' in change ? TARA : ASHA
    const { body } = await exchange.asPatient(who, 'GET', `/consent/v3/request/${id}`)
    const hips = sent.filter(({ path }) => path.endsWith('hip/notify')).map(({ headers }) => headers['X-HIP-ID'] ?? '')
    return { status: body['status'], hips, paths: sent.map(({ path }) => path) }
  }

  async function policy(terms: object): Promise<string> {
    const reply = await exchange.asPatient(ASHA, 'POST', '/consent/v3/auto/approve', {
      isApplicableForAllHIPs: true,
      hiu: { id: CLINIC, name: 'Lakeview Clinic' },
      ...terms,
    })
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    return String(reply.body['autoApprovalId'])
  }

  const source = (change: object = {}): object => ({
    hiTypes: ['OPConsultation', 'DiagnosticReport'],
    purpose: PURPOSE,
    period: { from: '2020-01-01T00:00:00.000Z', to: '2030-01-01T00:00:00.000Z' },
    ...change,
  })
  const flip = (id: string, verb: 'enable' | 'disable', who = ASHA) =>
    exchange.asPatient(who, 'POST', `/consent/v3/auto/approve/${id}/${verb}`, {})

  test('without a policy the patient decides', async () => {
    assert.deepEqual(await outcomeOf(), {
      status: 'REQUESTED',
      hips: [],
      paths: ['/api/v3/hiu/consent/request/on-init'],
    })
  })

  test('a policy grants what it covers, after the HIU heard the id, and only while it is on', async () => {
    const id = await policy({ includedSources: [source()] })
    const covered = await outcomeOf()
    assert.deepEqual([covered.status, covered.hips.toSorted()], ['GRANTED', [HOSPITAL, LAB]])
    assert.deepEqual(
      [covered.paths[0], covered.paths.at(-1)],
      ['/api/v3/hiu/consent/request/on-init', '/api/v3/hiu/consent/request/notify'],
    )
    const { body } = await exchange.asPatient(ASHA, 'GET', '/consent/v3/request?limit=1')
    assert.equal(
      (body['requests'] as { autoApprovalId: string }[])[0]?.autoApprovalId,
      id,
      "the patient's own standing decision is named",
    )
    assert.equal((await flip(id, 'disable')).status, 202)
    assert.equal((await outcomeOf()).status, 'REQUESTED')
    assert.equal((await flip(id, 'enable')).status, 202)
    assert.equal((await flip(id, 'enable')).status, 202, 'twice changes nothing')
    assert.equal((await outcomeOf()).status, 'GRANTED')
    assert.equal((await flip(id, 'disable', RAVI)).status, 404)
    assert.equal((await flip('x', 'disable')).status, 404)
    const list = (await exchange.asPatient(ASHA, 'GET', '/consent/v3/auto/approve')).body['autoApprovals'] as {
      status: string
    }[]
    assert.deepEqual(
      list.map(({ status }) => status),
      ['ENABLED'],
    )
    await flip(id, 'disable')
  })

  test('never wider: another purpose, type, date, facility, provider or patient waits', async () => {
    const id = await policy({
      includedSources: [source({ hip: { id: HOSPITAL }, period: RANGE, hiTypes: ['OPConsultation'] })],
      isApplicableForAllHIPs: false,
    })
    const types = { hiTypes: ['OPConsultation'] }
    assert.deepEqual((await outcomeOf(types)).hips, [HOSPITAL])
    const dates = (from: string, to: string): object => ({
      ...types,
      permission: {
        accessMode: 'VIEW',
        dateRange: { from, to },
        dataEraseAt: '2027-01-01T00:00:00.000Z',
        frequency: { unit: 'DAY', value: 1, repeats: 1 },
      },
    })
    for (const [name, change] of [
      ['purpose', { ...types, purpose: { text: '', code: 'HPAYMT' } }],
      ['type', { hiTypes: ['OPConsultation', 'Prescription'] }],
      ['earlier', dates('2024-12-31T23:59:59.999Z', RANGE.to)],
      ['later', dates(RANGE.from, '2026-01-01T00:00:00.001Z')],
      ['provider', { hiTypes: ['DiagnosticReport'], hip: { id: LAB } }],
      ['patient', { ...types, patient: { id: RAVI } }],
    ] as const) {
      assert.deepEqual((await outcomeOf(change)).hips, [], name)
    }
    const insurer = await exchange.asBridge('bridge-insurer', '/consent/v3/request/init', {
      consent: {
        purpose: PURPOSE,
        patient: { id: ASHA },
        hiu: { id: INSURER },
        requester: { name: 'Claims' },
        ...dates(RANGE.from, RANGE.to),
      },
    })
    assert.equal(insurer.status, 202)
    assert.deepEqual(
      (await exchange.takeSent()).map(({ path }) => path),
      ['/api/v3/hiu/consent/request/on-init'],
    )
    await flip(id, 'disable')
  })

  test('an excluded source wins over an included one', async () => {
    const id = await policy({ includedSources: [source()], excludedSources: [{ hip: { id: LAB } }] })
    assert.deepEqual((await outcomeOf()).hips, [HOSPITAL])
    await flip(id, 'disable')
    const byType = await policy({
      includedSources: [source()],
      excludedSources: [{ hiTypes: ['DiagnosticReport'], purpose: PURPOSE, hip: null, period: null }],
    })
    assert.deepEqual(
      [(await outcomeOf()).status, (await outcomeOf({ hiTypes: ['OPConsultation'] })).status],
      ['REQUESTED', 'GRANTED'],
    )
    await flip(byType, 'disable')
  })

  test('a policy that says nothing clear is refused', async () => {
    const terms: readonly [object, number][] = [
      [{ includedSources: [] }, 400],
      [{ includedSources: [source({ purpose: { text: '', code: 'FUN' } })] }, 400],
      [{ isApplicableForAllHIPs: false, includedSources: [source()] }, 400],
      [{ hiu: { id: HOSPITAL }, includedSources: [source()] }, 404],
    ]
    for (const [change, status] of terms) {
      const reply = await exchange.asPatient(ASHA, 'POST', '/consent/v3/auto/approve', {
        isApplicableForAllHIPs: true,
        hiu: { id: CLINIC },
        ...change,
      })
      assert.equal(reply.status, status, JSON.stringify(change))
    }
  })

  test('for a day after her number was changed nothing is allowed beforehand; taking back is never held up', async () => {
    const id = await policy({ includedSources: [source()] })
    const needs = { indexKey: new Uint8Array(32), exchange: { name: 'Test exchange' } }
    const actor = { kind: 'operator', id: 'test' } as const
    await exchange.inTx((tx) => changeMobile(tx, needs, { patient: ASHA, mobile: '9111111111', actor }))
    const terms = { isApplicableForAllHIPs: true, hiu: { id: CLINIC, name: 'Lakeview Clinic' } }
    const add = () =>
      exchange.asPatient(ASHA, 'POST', '/consent/v3/auto/approve', { ...terms, includedSources: [source()] })
    const refused = await add()
    assert.deepEqual([refused.status, JSON.stringify(refused.body).includes('Possible from')], [403, true])
    assert.equal((await flip(id, 'disable')).status, 202)
    assert.equal((await flip(id, 'enable')).status, 403)
    exchange.clock.advance(LIMITS.mobileSettlesMs)
    assert.equal((await flip(id, 'enable')).status, 202)
    assert.equal((await add()).status, 202)
  })

  test('what a guardian allowed beforehand grants nothing while nobody decides for the child', async () => {
    const needs = { indexKey: new Uint8Array(32), exchange: { name: 'Test exchange' } }
    const actor = { kind: 'operator', id: 'test' } as const
    const child = {
      abhaAddress: TARA,
      abhaNumber: '91000000000077' as AbhaNumber,
      name: 'Tara Rao',
      gender: 'F',
    } as const
    const profile = { ...child, birthDate: '2020-05-01', mobile: '9000000000', guardian: RAVI, language: 'en' }
    const grounds = { reason: 'A court ordered it', evidence: 'Order 12/2026 of the district court' }
    await exchange.inTx(async (tx) => {
      must(await enrolPatient(tx, needs, { profile, actor }))
      await link(tx, TARA, HOSPITAL, 'MRN-7', ['visit-7'], 'OPConsultation')
    })
    const terms = { isApplicableForAllHIPs: true, hiu: { id: CLINIC, name: 'Lakeview Clinic' } }
    const body = { ...terms, includedSources: [source()] }
    const saved = await exchange.asPatient(TARA, 'POST', '/consent/v3/auto/approve', body, { 'x-guardian': RAVI })
    assert.equal(saved.status, 202, JSON.stringify(saved.body))
    const asked = { patient: { id: TARA } }
    assert.equal((await outcomeOf(asked)).status, 'GRANTED')
    await exchange.inTx((tx) => endGuardian(tx, needs, { patient: TARA, actor, ...grounds }))
    assert.equal((await outcomeOf(asked)).status, 'REQUESTED')
    const guardian = ASHA
    await exchange.inTx((tx) => nameGuardian(tx, needs, { patient: TARA, guardian, actor, ...grounds }))
    assert.equal((await outcomeOf(asked)).status, 'GRANTED')
  })
})
