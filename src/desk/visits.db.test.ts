import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { addStaff, type DeskBench, openDesk } from '../../test/desk-bench.ts'
import { type Bench, openBench } from '../../test/hip-bench.ts'
import { transact } from '../db/tx.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { tieAll } from '../keys/tie-existing.ts'
import { endForgottenVisits, isAttending, startOfDay } from './commands.ts'

type Today = { visits: { id: string; patient: { reference: string }; attendedByMe: boolean; status: string }[] }
const HOUR_MS = 3_600_000

describe('visits', () => {
  let bench: Bench
  let desk: DeskBench
  const staff = {} as Record<StaffRole, StaffCaller>
  let other: StaffCaller
  let count = 0
  let patient = ''
  before(async () => {
    bench = await openBench()
    desk = openDesk(bench.machine, bench.needs as never)
    const roles = ['front-desk', 'doctor', 'nurse', 'lab', 'pharmacy', 'billing', 'records-officer'] as const
    for (const role of roles) staff[role] = await addStaff(bench.machine, role, `A ${role}`)
    other = await addStaff(bench.machine, 'doctor', 'Dr. Other')
  })
  after(async () => {
    await desk.close()
    await bench.close()
  })
  beforeEach(async () => {
    patient = `V-${++count}`
    const body = { reference: patient, name: `Visitor ${count}`, gender: 'male', birthDate: '1990-01-01' }
    assert.equal((await desk.call(staff['front-desk'], 'POST', '/v1/desk/patients', body)).status, 201)
  })

  const start = async (by: StaffCaller, attendants: readonly string[], kind = 'outpatient') => {
    const answer = await desk.call(by, 'POST', '/v1/desk/visits', { patient, kind, attendants })
    return { status: answer.status, id: (answer.json as { id?: string } | undefined)?.id ?? '', text: answer.text }
  }
  const attends = (who: string) => transact(bench.machine, (tx) => isAttending(tx, patient, who))
  const mine = async (who: StaffCaller) =>
    ((await desk.call(who, 'GET', '/v1/desk/today')).json as Today).visits.filter(
      (visit) => visit.patient.reference === patient,
    )

  it('who attends is named at the start; each sees what is hers, and the front desk sees all', async () => {
    const { status, text } = await start(staff['front-desk'], [staff.doctor.id, 'lab'])
    assert.equal(status, 201, text)
    assert.equal(await attends(staff.doctor.id), true)
    assert.equal(await attends('lab'), true)
    assert.equal(await attends(other.id), false)
    assert.equal(await attends('pharmacy'), false)
    assert.equal((await mine(staff['front-desk']))[0]?.attendedByMe, false)
    assert.equal((await mine(staff.doctor))[0]?.attendedByMe, true)
    assert.equal((await mine(staff.lab)).length, 1)
    for (const role of ['nurse', 'pharmacy', 'billing', 'records-officer'] as const)
      assert.deepEqual(await mine(staff[role]), [], role)
    assert.deepEqual(await mine(other), [])
  })

  it('a doctor who starts a visit attends it; the second start is told that one is open', async () => {
    const { id } = await start(staff.doctor, [])
    assert.equal(await attends(staff.doctor.id), true)
    assert.equal((await start(staff.nurse, [])).status, 409)
    const path = `/v1/desk/visits/${id}`
    assert.equal(
      (await desk.call(staff.doctor, 'POST', `${path}/attendants`, { add: [staff.nurse.id, 'pharmacy'] })).status,
      204,
    )
    assert.equal(await attends(staff.nurse.id), true)
    assert.equal(
      (await desk.call(staff.doctor, 'POST', `${path}/attendants`, { remove: [staff.doctor.id] })).status,
      204,
    )
    assert.equal(await attends(staff.doctor.id), false)
    assert.deepEqual(await mine(staff.doctor), [], 'handed over')
    assert.equal((await mine(staff.nurse)).length, 1)
    await desk.call(staff.nurse, 'POST', `${path}/attendants`, { add: [staff.doctor.id] })
    assert.equal(await attends(staff.doctor.id), true, 'and taken back')
  })

  it('its end ends the attending, and it stays on the list of the day', async () => {
    const { id } = await start(staff['front-desk'], [staff.doctor.id])
    assert.equal((await desk.call(staff['front-desk'], 'POST', `/v1/desk/visits/${id}/end`)).status, 204)
    assert.equal(await attends(staff.doctor.id), false)
    assert.equal((await desk.call(staff['front-desk'], 'POST', `/v1/desk/visits/${id}/end`)).status, 409)
    assert.equal(
      (await desk.call(staff.doctor, 'POST', `/v1/desk/visits/${id}/attendants`, { add: ['lab'] })).status,
      409,
    )
    assert.equal((await mine(staff.doctor))[0]?.status, 'ended')
    bench.clock.advance(30 * HOUR_MS)
    assert.deepEqual(await mine(staff.doctor), [], 'tomorrow it is gone')
    assert.equal((await start(staff['front-desk'], [])).status, 201, 'she may come again')
  })

  it('a forgotten visit attends nobody after a day, and is ended; a stay goes on', async () => {
    await start(staff.doctor, [])
    bench.clock.advance(24 * HOUR_MS)
    assert.equal(await attends(staff.doctor.id), false, 'before any sweep')
    assert.ok((await transact(bench.machine, endForgottenVisits)) >= 1)
    await start(staff.doctor, [], 'inpatient')
    bench.clock.advance(10 * 24 * HOUR_MS)
    await transact(bench.machine, endForgottenVisits)
    assert.equal(await attends(staff.doctor.id), true)
    assert.equal((await mine(staff.doctor)).length, 1, 'open ones are of today whenever they began')
  })

  it('hospital software begins and ends visits too, and attends none', async () => {
    const body = { patient, attendants: [staff.doctor.id] }
    const answer = await desk.call(staff.billing, 'POST', '/v1/visits', body)
    assert.equal(answer.status, 201, answer.text)
    assert.equal(await attends(staff.doctor.id), true)
    assert.equal(await attends(staff.billing.id), false)
    assert.equal((await desk.call(staff.billing, 'POST', '/v1/visits', body)).status, 409)
    const { id } = answer.json as { id: string }
    assert.equal((await desk.call(staff.billing, 'POST', `/v1/visits/${id}/end`)).status, 204)
    assert.equal(await attends(staff.doctor.id), false)
  })

  it('refuses who does not attend patients, unknown patients and rubbish', async () => {
    assert.equal((await start(staff['front-desk'], [staff.lab.id])).status, 400)
    assert.equal((await start(staff['front-desk'], ['kitchen'])).status, 400)
    assert.equal((await desk.call(staff['front-desk'], 'POST', '/v1/desk/visits', { patient: 'nobody' })).status, 404)
    assert.equal((await desk.call(staff['front-desk'], 'POST', '/v1/desk/visits/rubbish/end')).status, 404)
    assert.equal((await start(staff['front-desk'], [], 'party')).status, 400)
    assert.equal((await start(staff['records-officer'], [])).status, 403)
    const suspended = await addStaff(bench.machine, 'doctor', 'Dr. Away')
    await bench.machine.db
      .updateTable('staff')
      .set({ status: 'suspended', tie: '' })
      .where('id', '=', suspended.id)
      .execute()
    await tieAll(bench.machine.db)
    assert.equal((await start(staff['front-desk'], [suspended.id])).status, 400)
  })

  it('a day begins at midnight in India', () => {
    assert.equal(startOfDay(new Date('2026-11-22T18:29:59Z')).toISOString(), '2026-11-21T18:30:00.000Z')
    assert.equal(startOfDay(new Date('2026-11-22T18:30:00Z')).toISOString(), '2026-11-22T18:30:00.000Z')
  })
})
