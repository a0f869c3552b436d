import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { ASHA, CLINIC, INSURER, RAVI, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { listAlarms } from '../audit/watch/alarm.ts'
import type { FacilityId } from '../kernel/id.ts'
import { tieAll } from '../keys/tie-existing.ts'

let exchange: TestExchange
/** Who may write everything in the database, and owns the insurer. */
let dba: pg.Client
describe('who may write everything in the database of an exchange, and owns a user of records', () => {
  before(async () => {
    exchange = await startTestExchange()
    dba = new pg.Client({ connectionString: exchange.connectionString })
    await dba.connect()
  })
  after(async () => {
    await dba.end()
    await exchange.close()
  })

  const PURPOSE = { text: 'Care Management', code: 'CAREMGT', refUri: 'http://example.org' }

  /** What a request about Asha comes to at once. */
  async function outcomeOf(hiu: FacilityId): Promise<unknown> {
    exchange.clock.advance(1_000)
    const permission = {
      accessMode: 'VIEW',
      dateRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' },
      dataEraseAt: '2027-01-01T00:00:00.000Z',
      frequency: { unit: 'DAY', value: 1, repeats: 1 },
    }
    const asked = { purpose: PURPOSE, patient: { id: ASHA }, hiu: { id: hiu }, requester: { name: 'Claims' } }
    const consent = { ...asked, hiTypes: ['OPConsultation'], permission }
    const bridge = hiu === INSURER ? 'bridge-insurer' : 'bridge-clinic'
    assert.equal((await exchange.asBridge(bridge, '/consent/v3/request/init', { consent })).status, 202)
    const id = (await exchange.takeSent())
      .map(({ body }) => (body as { consentRequest?: { id: string } }).consentRequest?.id)
      .find((found) => found !== undefined)
    return (await exchange.asPatient(ASHA, 'GET', `/consent/v3/request/${id}`)).body['status']
  }

  async function approve(hiu: string, who = ASHA): Promise<string> {
    const source = { hiTypes: ['OPConsultation'], purpose: PURPOSE }
    const period = { from: '2020-01-01T00:00:00.000Z', to: '2030-01-01T00:00:00.000Z' }
    const terms = { isApplicableForAllHIPs: true, includedSources: [{ ...source, period }], hiu: { id: hiu } }
    const reply = await exchange.asPatient(who, 'POST', '/consent/v3/auto/approve', terms)
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    return String(reply.body['autoApprovalId'])
  }
  const flip = (id: string, verb: 'enable' | 'disable') =>
    exchange.asPatient(ASHA, 'POST', `/consent/v3/auto/approve/${id}/${verb}`, {})
  const listed = async () =>
    (await exchange.asPatient(ASHA, 'GET', '/consent/v3/auto/approve')).body['autoApprovals'] as readonly unknown[]

  /** Its request waits for Asha, and one alarm more is raised, once. */
  async function assertFound(hiu: FacilityId): Promise<void> {
    const open = () => listAlarms(exchange.machine.db, { open: true, limit: 100 })
    const known = new Set((await open()).map(({ id }) => id))
    assert.equal(await outcomeOf(hiu), 'REQUESTED')
    const raised = (await open()).filter(({ id }) => !known.has(id))
    assert.deepEqual(
      raised.map(({ kind }) => kind),
      ['tampered'],
    )
    assert.match(raised[0]?.detail ?? '', /row of approval_policy \([-0-9a-f]{36}\)/)
    assert.equal(await outcomeOf(hiu), 'REQUESTED', 'and again')
  }
  const clear = () => dba.query('delete from approval_policy')

  test('a standing approval that she gives to her own facility grants nothing', async () => {
    await approve(CLINIC)
    assert.equal(await outcomeOf(CLINIC), 'GRANTED')
    await dba.query('update approval_policy set hiu = $1', [INSURER])
    await assertFound(INSURER)
    assert.deepEqual(await listed(), [])
    await clear()
  })

  test('one that she inserts beside the patient’s own, a copy with its tie, grants nothing', async () => {
    const id = await approve(CLINIC)
    await dba.query(
      `insert into approval_policy select bucket, gen_random_uuid(), patient, $1, enabled, terms, created_at, changed_at, tie
         from approval_policy where id = $2`,
      [INSURER, id],
    )
    await assertFound(INSURER)
    assert.equal(await outcomeOf(CLINIC), 'GRANTED', 'her own holds')
    assert.equal((await listed()).length, 1)
    await clear()
  })

  test('one that the patient switched off, and she on again, grants nothing, and no change by the program makes it true', async () => {
    const id = await approve(CLINIC)
    assert.equal((await flip(id, 'disable')).status, 202)
    assert.equal(await outcomeOf(CLINIC), 'REQUESTED')
    await dba.query('update approval_policy set enabled = true where id = $1', [id])
    await assertFound(CLINIC)
    assert.equal((await flip(id, 'disable')).status, 404)
    assert.equal((await flip(id, 'enable')).status, 404)
    await clear()
  })

  test('one whose terms she takes from a wider one of the same patient, or of another’s, grants nothing', async () => {
    const wide = await approve(CLINIC)
    const id = await approve(INSURER)
    await dba.query(
      'update approval_policy set terms = (select terms from approval_policy where id = $1) where id = $2',
      [wide, id],
    )
    await assertFound(INSURER)
    await clear()
    const others = await approve(INSURER, RAVI)
    const mine = await approve(CLINIC)
    await dba.query(
      `update approval_policy as o set (bucket, patient) = (select bucket, patient from approval_policy where id = $2) where o.id = $1`,
      [others, mine],
    )
    await assertFound(INSURER)
    await clear()
  })

  test('what an earlier release wrote is tied once, and holds', async () => {
    const id = await approve(CLINIC)
    await dba.query(`update approval_policy set tie = ''`)
    assert.equal(await outcomeOf(CLINIC), 'REQUESTED')
    await tieAll(exchange.machine.db)
    assert.equal(await outcomeOf(CLINIC), 'GRANTED')
    assert.equal((await flip(id, 'disable')).status, 202)
    assert.equal((await flip(id, 'enable')).status, 202)
    assert.equal(await outcomeOf(CLINIC), 'GRANTED')
  })
})
