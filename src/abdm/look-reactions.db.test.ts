import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import type { AuditEvent } from '../audit/record.ts'
import { type Machine, transact } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { accessReport } from '../native/messages.ts'
import type { OwnViewEvent } from '../records/view.ts'
import { lookReactions } from './look-reactions.ts'
import type { Outgoing } from './send.ts'

const HOSPITAL = 'IN2710000011' as FacilityId
const LINKED = 'MRN-7'

describe('abdm/look-reactions', () => {
  let database: TestDatabase
  let machine: Machine
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
    await machine.db
      .insertInto('hip_link')
      .values({
        bucket: bucketOf(LINKED),
        patient_reference: pseudonym(LINKED),
        care_context_reference: pseudonym('visit-1'),
        abha_address: 'asha.rao@sbx',
        linked_at: machine.now(),
      })
      .execute()
  })
  after(() => database.close())

  const looked = (change: Partial<OwnViewEvent>): OwnViewEvent => ({
    type: 'records.viewed',
    actor: { kind: 'facility', id: HOSPITAL },
    patient: LINKED,
    subject: LINKED,
    abhaAddress: 'asha.rao@sbx' as AbhaAddress,
    person: { name: 'Dr. Farida Khan', role: 'doctor', staff: 'x' as Id<'staff'> },
    purpose: 'CAREMGT',
    ground: 'attending',
    records: [
      {
        id: 'r' as Id<'record'>,
        hiType: 'Prescription',
        careContextReference: 'visit-1',
        date: '2026-01-01T00:00:00Z',
      },
    ],
    at: machine.now().toISOString(),
    ...change,
  })

  /** What the exchange is to be told of such an event. */
  async function told(event: OwnViewEvent | AuditEvent): Promise<readonly Outgoing[]> {
    await machine.db.deleteFrom('job').execute()
    const needs = { facility: { id: HOSPITAL }, reportsToExchange: true }
    const [, react] = lookReactions(needs).find(([type]) => type === event.type) ?? []
    await transact(machine, async (tx) => react?.(tx, event as never))
    const rows = await machine.db.selectFrom('job').select('payload').execute()
    return rows.map(({ payload }) => payload as Outgoing)
  }

  test('every look at own records is told to the exchange for as long as it takes: the patient’s list has no gap', async () => {
    for (const [change, says] of [
      [{ standing: 'attending' }, { basis: 'own-care', attending: true }],
      [{ standing: 'joined' }, { basis: 'own-care', attending: true, joined: true }],
      [
        { ground: 'unit', standing: 'no-visit' },
        { basis: 'own-care', attending: false },
      ],
      [{ ground: 'emergency', purpose: 'BTG' }, { basis: 'emergency' }],
      [
        { type: 'records.exported', ground: 'records-office' },
        { basis: 'own-care', asFile: true },
      ],
    ] as const) {
      const [report, ...more] = await told(looked(change))
      assert.deepEqual(more, [])
      assert.deepEqual([report?.path, report?.lasting], ['/v1/accesses', true])
      const { basis, attending, joined, asFile } = (report?.body ?? {}) as Record<string, unknown>
      assert.deepEqual(
        { basis, attending, joined, asFile },
        { attending: undefined, joined: undefined, asFile: undefined, ...says },
      )
    }
  })

  test('the opening of a page without records is told as such: no purpose, no records; of strangers to the exchange nothing', async () => {
    const { abhaAddress, person, at, actor } = looked({})
    const opened = { type: 'desk.patient-opened', actor, patient: LINKED, subject: LINKED, abhaAddress, person, at }
    const [report, ...more] = await told(opened)
    assert.deepEqual(more, [])
    assert.deepEqual([report?.path, report?.lasting], ['/v1/accesses', true])
    assert.ok(accessReport.safeParse(report?.body).success, 'the exchange takes it')
    const { name, role } = person
    assert.deepEqual(report?.body, { patient: abhaAddress, basis: 'page', at, person: { name, role } })
    assert.deepEqual(await told({ ...opened, patient: 'MRN-8' }), [])
    const { abhaAddress: _, ...unknown } = opened
    assert.deepEqual(await told(unknown), [])
  })

  test('nobody is told of a view that was denied, of one that found nothing, or of a patient of whom nothing is linked', async () => {
    assert.deepEqual(await told(looked({ type: 'records.view-denied' })), [])
    assert.deepEqual(await told(looked({ records: [] })), [])
    assert.deepEqual(await told(looked({ patient: 'MRN-8' })), [])
  })
})
