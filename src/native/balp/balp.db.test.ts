import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Bundle, AuditEvent as FhirAuditEvent } from 'fhir/r4.js'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../../test/machine.ts'
import { type AuditEvent, record } from '../../audit/record.ts'
import { makeSigner } from '../../crypto/signed-note.ts'
import { type Machine, transact } from '../../db/tx.ts'
import type { Call } from '../../http/route.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { existingPatientKey } from '../../vault/data-keys.ts'
import { toAuditEvent } from './audit-event.ts'
import { parseDateParams } from './dates.ts'
import { auditEventRoutes } from './routes.ts'

const PATIENT = 'asha.rao@sbx'
const OBSERVER = { id: 'IN2710000011', name: 'Tarangini Hospital', origin: 'tarangini.example/log' }
const facility = {
  kind: 'facility',
  id: 'IN2910000022',
  person: { name: 'Dr Meera Nair', role: 'doctor' },
} as AuditEvent['actor']
const about = { actor: facility, patient: PATIENT, subject: 'thing-1' }
const of = (type: string, more: object = {}): FhirAuditEvent =>
  toAuditEvent({ id: 'e1', at: '2026-11-22T06:30:00.000Z', event: { ...about, type, ...more } }, OBSERVER)

const profileOf = ({ meta }: FhirAuditEvent): string | undefined => meta?.profile?.[0]?.split('IHE.BasicAudit.')[1]
const rolesOf = ({ agent }: FhirAuditEvent): string => agent.map(({ type }) => type?.coding?.[0]?.code).join(' ')
const entityTypes = ({ entity }: FhirAuditEvent): string => (entity ?? []).map(({ type }) => type?.code).join(' ')

/** What BALP 1.1 asks of each profile: type, subtype, action, outcome, agents by role, entities by type. */
const EXPECTED: readonly (readonly [type: string, more: object, profile: string, shape: string])[] = [
  ['hiu.record-viewed', {}, 'PatientRead', 'rest read R 0 | 110152 110153 IRCP | 1 2'],
  ['access.reported', {}, 'PatientRead', 'rest read R 0 | 110152 110153 IRCP | 1 2'],
  ['desk.patient-opened', {}, 'PatientRead', 'rest read R 0 | 110152 110153 IRCP | 1 2'],
  ['records.record-added', {}, 'PatientCreate', 'rest create C 0 | 110153 110152 AUT | 1 2'],
  ['consent.revoked', {}, 'PatientUpdate', 'rest update U 0 | 110153 110152 AUT | 1 2'],
  ['hiu.copy-erased', {}, 'PatientDelete', 'rest delete D 0 | 110150 custodian AUT | 1 2'],
  ['log.read', { query: 'AuditEvent?x=1' }, 'PatientQuery', 'rest search-type E 0 | 110153 110152 IRCP | 1 2'],
  [
    'transfer.requested',
    { consent: 'c1' },
    'AuthZconsent',
    '110113 AuthZ-Consent E 0 | 110150 IRCP PROV authserver | 1 Consent',
  ],
  [
    'transfer.refused',
    { consent: 'c1', code: 'transfer/no' },
    'AuthZconsent',
    '110113 AuthZ-Consent E 8 | 110150 IRCP PROV authserver | 1 Consent',
  ],
  ['hiu.view-denied', {}, 'AuthZconsent', '110113 AuthZ-Consent E 8 | 110150 IRCP PROV authserver | 1 Consent'],
  [
    'hip.page-disclosed',
    { recipient: 'IN29', consent: 'c1' },
    'PrivacyDisclosure.Source',
    '110106 disclose R 0 | 110153 110152 | 1 2 Consent',
  ],
  ['hiu.page-received', { hip: 'IN27' }, 'PrivacyDisclosure.Recipient', '110107 disclose C 0 | 110153 110152 | 1 2'],
]

describe('native/balp/balp', () => {
  test('each kind of event is told by its BALP profile, with what that profile asks for', () => {
    for (const [type, more, profile, shape] of EXPECTED) {
      const event = of(type, more)
      assert.equal(profileOf(event), profile, type)
      const found = `${event.type.code} ${event.subtype?.[0]?.code} ${event.action} ${event.outcome} | ${rolesOf(event)} | ${entityTypes(event)}`
      assert.equal(found, shape, type)
      for (const agent of event.agent) {
        assert.ok(agent.who, `${type}: every agent has a who`)
        const isMachine = ['110152', '110153', '110150', 'custodian'].includes(agent.type?.coding?.[0]?.code ?? '')
        assert.equal(agent.network !== undefined, isMachine, `${type}: machines stand on a network, people do not`)
      }
      const patient = event.entity?.find(({ type: kind }) => kind?.code === '1')
      assert.equal(patient?.what?.reference, 'Patient/asha.rao%40sbx')
      assert.equal(patient?.role?.code, '1')
      assert.equal(event.source.observer.identifier?.value, OBSERVER.id)
    }
    // val-audit-source: who decides, hands over or takes is the observer itself.
    const isObserver = (event: FhirAuditEvent, role: string): void =>
      assert.deepEqual(event.agent.find(({ type }) => type?.coding?.[0]?.code === role)?.who, event.source.observer)
    isObserver(of('transfer.requested', { consent: 'c1' }), 'authserver')
    isObserver(of('hip.page-disclosed'), '110153')
    isObserver(of('hiu.page-received'), '110152')
    const query = of('log.read', { query: 'AuditEvent?date=ge2026' }).entity?.at(-1)
    assert.deepEqual(
      [query?.what, Buffer.from(query?.query ?? '', 'base64').toString()],
      [undefined, 'AuditEvent?date=ge2026'],
    )
  })

  test('no profile is claimed for what does not have what it asks', () => {
    assert.equal(profileOf(of('linking.discovery-asked')), undefined)
    assert.equal(profileOf(of('transfer.refused')), undefined, 'a decision without a consent')
    const { patient, ...nobody } = about
    assert.equal(patient, PATIENT)
    const read = toAuditEvent(
      { id: 'e1', at: '2026-11-22T06:30:00.000Z', event: { ...nobody, type: 'records.viewed' } },
      OBSERVER,
    )
    assert.equal(profileOf(read), 'Read')
    assert.equal(of('linking.failed').outcome, '8')
  })

  test('dates of a search, each as wide as it is exact', () => {
    const range = (...params: string[]) => {
      const found = parseDateParams(params)
      return found && [found.from.toISOString(), found.to.toISOString()]
    }
    assert.deepEqual(range('2026-11'), ['2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'])
    assert.deepEqual(range('ge2026-11-22', 'lt2026-11-23'), ['2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z'])
    assert.deepEqual(range('gt2026', 'le2027-01-02T10:30+05:30'), [
      '2027-01-01T00:00:00.000Z',
      '2027-01-02T05:01:00.000Z',
    ])
    for (const wrong of ['yesterday', '2026-13', '2026-02-30', 'ap2026', '2026-1-1', ''])
      assert.equal(range(wrong), undefined, wrong)
  })

  const clock = makeTestClock()
  let database: TestDatabase
  let machine: Machine
  const party = { id: OBSERVER.id, name: OBSERVER.name, publicUrl: 'https://tarangini.example' }
  const routes = auditEventRoutes({
    party,
    ownLog: { signer: makeSigner(OBSERVER.origin, new Uint8Array(32).fill(1)), witnesses: [] },
  })

  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
    for (let i = 0; i < 7; i++) {
      await transact(machine, (tx) =>
        record(tx, { ...about, type: i % 2 === 0 ? 'hiu.record-viewed' : 'hiu.view-denied' }),
      )
      clock.advance(86_400_000)
    }
    await transact(machine, (tx) => record(tx, { ...about, patient: 'vikram.singh@sbx', type: 'hiu.record-viewed' }))
    await transact(machine, (tx) => record(tx, { type: 'staff.invited', actor: { kind: 'operator', id: 'operator' } }))
  })
  after(() => database.close())

  async function get<T>(
    path: string,
    query: Record<string, string | string[]>,
    params: Record<string, string> = {},
  ): Promise<T | string> {
    const found = routes.find((route) => route.path === path)
    assert.ok(found)
    const parsed = found.query?.safeParse(query)
    assert.ok(parsed === undefined || parsed.success, JSON.stringify(parsed))
    const caller = { kind: 'operator', name: 'operator' } as const
    const call = { caller, query: parsed?.data, params, headers: {}, raw: Buffer.of(), body: undefined, requestId: 'r' }
    const answer = await transact(machine, (tx) => found.handle({ ...call, tx } as unknown as Call<never, never>))
    if (isRefusal(answer)) return answer.code
    assert.equal(answer.headers?.['content-type'], 'application/fhir+json; charset=utf-8')
    return JSON.parse(String(answer.body)) as T
  }
  const PATH = '/fhir/AuditEvent'
  const bundle = async (query: Record<string, string | string[]>): Promise<Bundle> => {
    const found = await get<Bundle>(PATH, query)
    assert.ok(typeof found === 'object', JSON.stringify(found))
    return found
  }

  test('a search of one patient’s events, page by page; the search itself stands in her log', async () => {
    const first = await bundle({ patient: `Patient/${PATIENT}`, _count: '3' })
    assert.equal(first.entry?.length, 3)
    const seen = new Set<string>()
    let page: Bundle = first
    for (let turn = 0; turn < 10; turn++) {
      for (const { resource } of page.entry ?? []) if (resource?.id !== undefined) seen.add(resource.id)
      const next = page.link?.find(({ relation }) => relation === 'next')
      if (next === undefined) break
      page = await bundle(Object.fromEntries(new URL(next.url).searchParams))
    }
    assert.equal(seen.size, 7, 'the searches themselves are newer than where they began')
    const [newest] = (await bundle({ patient: PATIENT, _count: '1' })).entry ?? []
    assert.equal(profileOf(newest?.resource as FhirAuditEvent), 'PatientQuery')
    assert.equal((await bundle({ patient: 'vikram.singh@sbx' })).entry?.length, 1)
    assert.equal((await bundle({ patient: 'nobody@sbx' })).entry?.length, 0)
    const key = await transact(machine, (tx) => existingPatientKey(tx, 'nobody@sbx'))
    assert.equal(key, undefined, 'no key is made for somebody unknown')
    for (const patient of ['Patient/%', 'Patient/a%00b', '%ED%A0%80', '%E0%A4%A'])
      for (const { path, query } of routes.filter((route) => route.query !== undefined))
        assert.equal(query?.safeParse({ patient }).success, false, `${path} ${patient}`)
  })

  test('by date and by who it was', async () => {
    const dates = await bundle({ patient: PATIENT, date: ['ge2026-11-23', 'lt2026-11-25'] })
    assert.deepEqual(
      dates.entry?.map(({ resource }) => (resource as FhirAuditEvent).recorded.slice(0, 10)),
      ['2026-11-24', '2026-11-23'],
    )
    const mine = { patient: PATIENT, date: 'lt2026-11-29' }
    assert.equal((await bundle({ ...mine, agent: 'Organization/IN2910000022' })).entry?.length, 7)
    assert.equal((await bundle({ ...mine, agent: 'Dr Meera Nair' })).entry?.length, 7)
    assert.equal((await bundle({ ...mine, agent: 'someone' })).entry?.length, 0)
    assert.equal(await get(PATH, { patient: PATIENT, date: 'soon' }), 'request/malformed')
  })

  test('without a patient: what is about nobody; and one by its id, only with the patient whose it is', async () => {
    const found = await bundle({})
    assert.ok(found.entry?.some(({ resource }) => resource?.meta?.tag?.[0]?.code === 'staff.invited'))
    assert.ok(!JSON.stringify(found).includes(PATIENT))
    const [entry] = (await bundle({ patient: PATIENT, date: 'lt2026-11-29' })).entry ?? []
    const id = entry?.resource?.id ?? ''
    const one = await get<FhirAuditEvent>(`${PATH}/:id`, { patient: PATIENT }, { id })
    assert.deepEqual(one, entry?.resource)
    assert.equal(await get(`${PATH}/:id`, {}, { id }), 'request/not-found')
    assert.equal(await get(`${PATH}/:id`, { patient: 'vikram.singh@sbx' }, { id }), 'request/not-found')
    assert.equal(await get(`${PATH}/:id`, {}, { id: 'x' }), 'request/not-found')
    const capabilities = await get<{ rest: { resource: { type: string }[] }[] }>('/fhir/metadata', {})
    assert.equal(typeof capabilities === 'object' && capabilities.rest[0]?.resource[0]?.type, 'AuditEvent')
  })
})
