import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { addStaff, type DeskBench, openDesk } from '../../test/desk-bench.ts'
import { type Bench, openBench } from '../../test/hip-bench.ts'
import { insistOnTable } from '../../test/moves.ts'
import { transact } from '../db/tx.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { must } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { tieAll } from '../keys/tie-existing.ts'
import { readPatient } from '../records/commands.ts'
import { endForgottenVisits, isAttending, readStanding, startOfDay } from './commands.ts'
import { JOINING_MOVES } from './joining.ts'
import { reviewJoiningRow } from './joining-store.ts'
import { endUnconfirmedAttending } from './stay-commands.ts'

type Today = { visits: { id: string; patient: { reference: string }; attendedByMe: boolean; status: string }[] }
const HOUR_MS = 3_600_000

describe('visits', () => {
  let bench: Bench
  let desk: DeskBench
  const staff = {} as Record<StaffRole, StaffCaller>
  let other: StaffCaller
  let dpo: StaffCaller
  let count = 0
  let patient = ''
  before(async () => {
    bench = await openBench()
    desk = openDesk(bench.machine, bench.needs as never)
    const roles = ['front-desk', 'doctor', 'nurse', 'lab', 'pharmacy', 'billing', 'records-officer'] as const
    for (const role of roles) staff[role] = await addStaff(bench.machine, role, `A ${role}`)
    other = await addStaff(bench.machine, 'doctor', 'Dr. Other')
    dpo = await addStaff(bench.machine, 'dpo', 'A dpo')
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
  const standing = (who: StaffCaller) =>
    transact(bench.machine, async (tx) => readStanding(tx, must(await readPatient(tx, patient)), who))
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

  it('a forgotten visit attends nobody after a day, and is ended; a stay goes on while somebody else says so', async () => {
    await start(staff.doctor, [])
    bench.clock.advance(24 * HOUR_MS)
    assert.equal(await attends(staff.doctor.id), false, 'before any sweep')
    assert.ok((await transact(bench.machine, endForgottenVisits)) >= 1)
    const { id } = await start(staff.doctor, [staff.nurse.id], 'inpatient')
    const confirm = async (who: StaffCaller) => (await desk.call(who, 'POST', `/v1/desk/visits/${id}/confirm`)).status
    bench.clock.advance(6 * 24 * HOUR_MS)
    await transact(bench.machine, endUnconfirmedAttending)
    assert.equal(await confirm(staff.doctor), 403, 'she began it: her word alone would keep it open for ever')
    assert.equal(await confirm(staff.nurse), 204)
    bench.clock.advance(6 * 24 * HOUR_MS)
    await transact(bench.machine, endForgottenVisits)
    assert.equal(await attends(staff.doctor.id), true)
    assert.equal((await mine(staff.doctor)).length, 1, 'open ones are of today whenever they began')
    bench.clock.advance(2 * 24 * HOUR_MS)
    assert.equal(await attends(staff.doctor.id), false, 'before any sweep')
    assert.equal(await transact(bench.machine, endUnconfirmedAttending), 1)
    assert.equal(await transact(bench.machine, endUnconfirmedAttending), 0)
    const [visit] = (await mine(staff['front-desk'])) as unknown as [
      { status: string; attendants: { until?: string }[] },
    ]
    assert.equal(visit.status, 'open')
    assert.ok(visit.attendants.every(({ until }) => until !== undefined))
    await desk.call(staff['front-desk'], 'POST', `/v1/desk/visits/${id}/attendants`, { add: [staff.doctor.id] })
    assert.equal(await attends(staff.doctor.id), true, 'named anew')
  })

  it('who adds herself to somebody else’s visit says why, is marked and reviewed by another; a colleague who is asked is not', async () => {
    const { id } = await start(staff['front-desk'], [staff.doctor.id])
    const path = `/v1/desk/visits/${id}/attendants`
    const bare = await desk.call(other, 'POST', path, { add: [other.id] })
    assert.equal(bare.status, 400, bare.text)
    assert.match(bare.text, /desk\/joining-unexplained/)
    assert.equal(await attends(other.id), false)
    const reason = 'Called at night to look at her heart.'
    assert.equal((await desk.call(other, 'POST', path, { add: [other.id], reason })).status, 204)
    assert.equal(await attends(other.id), true, 'a consultant who is called must be able to')
    assert.equal(await standing(other), 'joined')
    assert.equal(await standing(staff.doctor), 'attending')
    type Listed = { joinings: { id: string; status: string; words: string; person: object; patient: object }[] }
    const listed = async () =>
      ((await desk.call(dpo, 'GET', '/v1/desk/joinings')).json as Listed).joinings.filter(
        (one) => (one.patient as { reference: string }).reference === patient,
      )
    const [joining, ...more] = await listed()
    assert.deepEqual([joining?.words, joining?.status, more], [reason, 'waiting', []])
    assert.equal((await desk.call(staff.doctor, 'GET', '/v1/desk/joinings')).status, 403)
    const verdict = { outcome: 'not-justified', words: 'Nobody had called her.' }
    const review = `/v1/desk/joinings/${joining?.id}/review`
    assert.equal((await desk.call({ ...other, role: 'dpo' }, 'POST', review, verdict)).status, 403, 'not her own')
    assert.equal((await desk.call(dpo, 'POST', review, verdict)).status, 204)
    assert.equal((await desk.call(dpo, 'POST', review, verdict)).status, 409)
    assert.equal((await listed())[0]?.status, 'reviewed')
    assert.equal((await desk.call(staff.doctor, 'POST', path, { remove: [other.id] })).status, 204)
    assert.equal((await desk.call(staff.doctor, 'POST', path, { add: [other.id] })).status, 204)
    assert.equal(await standing(other), 'attending', 'asked by who attends')
    assert.equal((await listed()).length, 1)
  })

  it('who began a stay and adds herself anew joins it: she says why, is reviewed, and it shows, each week', async () => {
    const { id } = await start(staff.doctor, [], 'inpatient')
    assert.equal(await standing(staff.doctor), 'attending', 'registered today')
    const path = `/v1/desk/visits/${id}/attendants`
    for (let week = 0; week < 2; week++) {
      bench.clock.advance(8 * 24 * HOUR_MS)
      await transact(bench.machine, endUnconfirmedAttending)
      assert.equal(await standing(staff.doctor), undefined)
      const bare = await desk.call(staff.doctor, 'POST', path, { add: [staff.doctor.id] })
      assert.deepEqual([bare.status, await attends(staff.doctor.id)], [400, false], bare.text)
      assert.match(bare.text, /desk\/joining-unexplained/)
      const reason = `Still on the ward after week ${week + 1}.`
      assert.equal((await desk.call(staff.doctor, 'POST', path, { add: [staff.doctor.id], reason })).status, 204)
      assert.equal(await standing(staff.doctor), 'joined', 'it stands out')
    }
    const { joinings } = (await desk.call(dpo, 'GET', '/v1/desk/joinings')).json as {
      joinings: { patient: { reference: string } }[]
    }
    assert.equal(joinings.filter((one) => one.patient.reference === patient).length, 2)
    const paged: object[] = []
    for (let place: string | undefined = ''; place !== undefined; ) {
      const path = `/v1/desk/joinings?limit=1${place && `&after=${place}`}`
      const page = (await desk.call(dpo, 'GET', path)).json as { joinings: object[]; next?: string }
      assert.equal(page.joinings.length, 1)
      paged.push(...page.joinings)
      place = page.next
    }
    assert.deepEqual(paged, joinings, 'what waits, then what is reviewed, by the page')
    await desk.call(other, 'POST', path, { remove: [staff.doctor.id] })
    await desk.call(other, 'POST', path, { add: [staff.doctor.id] })
    assert.equal(await standing(staff.doctor), 'attending', 'asked by a colleague')
  })

  it('a visit that a doctor begins stands out unless something says that the patient is here', async () => {
    await start(staff.doctor, [staff.nurse.id])
    assert.equal(await standing(staff.doctor), 'attending', 'registered today')
    const visit = (await mine(staff.doctor))[0]?.id
    await desk.call(staff.doctor, 'POST', `/v1/desk/visits/${visit}/end`)
    await start(other, [])
    assert.equal(await standing(other), 'no-visit', 'a sign counts for one visit')
    bench.clock.advance(25 * HOUR_MS)
    await transact(bench.machine, endForgottenVisits)
    await start(other, [staff.nurse.id])
    assert.equal(await standing(other), 'no-visit')
    assert.equal(await standing(staff.nurse), 'attending', 'another named her')
  })

  it('a unit works for who is or was lately here; what nothing but its own word says stands out', async () => {
    assert.equal(await standing(staff.lab), 'attending', 'registered today')
    bench.clock.advance(25 * HOUR_MS)
    for (const unit of ['lab', 'pharmacy', 'billing'] as const) assert.equal(await standing(staff[unit]), 'no-visit')
    const { id } = await start(staff.lab, [])
    assert.equal(await standing(staff.lab), 'no-visit', 'her own word')
    assert.equal(await standing(staff.pharmacy), 'attending')
    await desk.call(staff.lab, 'POST', `/v1/desk/visits/${id}/end`)
    await start(staff['front-desk'], [])
    assert.equal(await standing(staff.lab), 'attending', 'nobody orders here: each visit counts')
    bench.clock.advance(10 * 24 * HOUR_MS)
    await transact(bench.machine, endForgottenVisits)
    assert.equal(await standing(staff.lab), 'attending')
    bench.clock.advance(15 * 24 * HOUR_MS)
    assert.equal(await standing(staff.lab), 'no-visit')
    assert.equal(await standing(staff.billing), 'attending', 'bills follow later')
  })

  it('who came today stands before the stays of a full house; all of them are reached by the page', async () => {
    const ward = await addStaff(bench.machine, 'nurse', 'A ward nurse')
    const bed = async (reference: string, kind: string) => {
      const body = { reference, name: `In ${reference}`, gender: 'male', birthDate: '1990-01-01' }
      assert.equal((await desk.call(staff['front-desk'], 'POST', '/v1/desk/patients', body)).status, 201)
      const visit = { patient: reference, kind, attendants: [ward.id] }
      assert.equal((await desk.call(staff['front-desk'], 'POST', '/v1/desk/visits', visit)).status, 201)
    }
    for (const reference of ['BED-1', 'BED-2', 'BED-3']) await bed(reference, 'inpatient')
    bench.clock.advance(24 * HOUR_MS)
    await bed('OUT-1', 'outpatient')
    await bed('OUT-2', 'inpatient')
    const page = async (after: string) => {
      const answer = await desk.call(ward, 'GET', `/v1/desk/today?limit=2${after}`)
      const { visits, next } = answer.json as Today & { next?: string }
      return { names: visits.map((visit) => visit.patient.reference), next }
    }
    const first = await page('')
    // Both began at one moment of the test's clock.
    assert.deepEqual(first.names.toSorted(), ['OUT-1', 'OUT-2'])
    const second = await page(`&after=${first.next}`)
    assert.equal(second.names.length, 2)
    const third = await page(`&after=${second.next}`)
    assert.deepEqual([...second.names, ...third.names].toSorted(), ['BED-1', 'BED-2', 'BED-3'])
    assert.equal(third.next, undefined)
    assert.equal((await desk.call(ward, 'GET', '/v1/desk/today?after=rubbish')).status, 400)
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

  it('a joining moves as its table says', () =>
    insistOnTable(
      JOINING_MOVES,
      (tx, from) =>
        reviewJoiningRow(tx, {} as never, { id: 'x', patientReference: 'P-1', status: from } as never, {
          outcome: 'justified',
          words: 'It was needed.',
          by: dpo.id,
        }),
      { from: ['waiting', 'reviewed'], to: ['reviewed'] },
    ))

  it('a day begins at midnight in India', () => {
    assert.equal(startOfDay(new Date('2026-11-22T18:29:59Z')).toISOString(), '2026-11-21T18:30:00.000Z')
    assert.equal(startOfDay(new Date('2026-11-22T18:30:00Z')).toISOString(), '2026-11-22T18:30:00.000Z')
  })
})
