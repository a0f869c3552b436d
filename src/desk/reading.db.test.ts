import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { addStaff, type DeskBench, openDesk, provedAtDesk } from '../../test/desk-bench.ts'
import { type Bench, openBench } from '../../test/hip-bench.ts'
import { type Reaction, transact } from '../db/tx.ts'
import { SAMPLE_INPUTS } from '../fhir/build/sample-inputs.ts'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { breakGlass } from '../incidents/commands.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { addPatient, addRecord } from '../records/commands.ts'
import { exportsOf, type Relation, readingsOf } from '../records/rules.ts'
import type { OwnViewEvent } from '../records/view.ts'
import type { RecordsExport } from './export.ts'
import type { OpenReading, ReadingDoor } from './reading.ts'

const REFERENCE = 'R-1'
const PATH = `/v1/desk/patients/${REFERENCE}/reading`
const ROLES = [
  'front-desk',
  'doctor',
  'nurse',
  'lab',
  'pharmacy',
  'billing',
  'records-officer',
  'dpo',
  'administrator',
] as const

describe('reading own records at the desk', () => {
  let bench: Bench
  let desk: DeskBench
  const staff = {} as Record<StaffRole, StaffCaller>
  const heard: OwnViewEvent[] = []
  /** What happens elsewhere while records are being opened. */
  let meanwhile = async (): Promise<void> => undefined
  before(async () => {
    bench = await openBench()
    const reactions = bench.machine.reactions as Map<string, Reaction[]>
    const listen: Reaction = async (_tx, event) => void heard.push(event as OwnViewEvent)
    for (const type of ['records.viewed', 'records.exported', 'records.view-denied']) reactions.set(type, [listen])
    reactions.set('records.viewed', [listen, () => meanwhile()])
    desk = openDesk(bench.machine, bench.needs as never)
    for (const role of ROLES) staff[role] = await addStaff(bench.machine, role, `A ${role}`)
    await transact(bench.machine, async (tx) => {
      const actor = { kind: 'system', id: 'test' } as const
      const { name, gender, birthDate } = { name: 'Meena Pillai', gender: 'female' as const, birthDate: '1980-02-29' }
      const saved = await addPatient(tx, bench.needs, actor, { reference: REFERENCE, name, gender, birthDate })
      assert.ok(!isRefusal(saved), JSON.stringify(saved))
      for (const hiType of HI_TYPES) {
        const input = SAMPLE_INPUTS.find((one) => one.hiType === hiType)
        assert.ok(input)
        const patient = { name, gender, birthDate, mrn: REFERENCE }
        const added = await addRecord(tx, actor, REFERENCE, { input: { ...input, patient } })
        assert.ok(!isRefusal(added), JSON.stringify(added))
      }
    })
  })
  after(async () => {
    await desk.close()
    await bench.close()
  })

  const read = async (by: StaffCaller, purpose = 'CAREMGT', path = PATH) => {
    const answer = await desk.call(by, 'POST', path, { purpose })
    return { status: answer.status, text: answer.text, body: answer.json as OpenReading }
  }
  const door = async (by: StaffCaller) => {
    const answer = await desk.call(by, 'GET', PATH)
    return { status: answer.status, body: answer.json as ReadingDoor }
  }
  const views = (type: OwnViewEvent['type']) => heard.filter((event) => event.type === type)
  const start = async (by: StaffCaller, attendants: readonly string[]) => {
    const answer = await desk.call(by, 'POST', '/v1/desk/visits', { patient: REFERENCE, attendants })
    assert.equal(answer.status, 201, answer.text)
    return (answer.json as { id: string }).id
  }

  it('is closed to a doctor who does not attend, and the attempt is recorded', async () => {
    assert.deepEqual((await door(staff.doctor)).body.ways, [])
    const { status, text } = await read(staff.doctor)
    assert.equal(status, 403, text)
    assert.doesNotMatch(text, /Metformin/)
    const [denied] = views('records.view-denied')
    assert.deepEqual(
      [denied?.person.name, denied?.person.role, denied?.purpose, denied?.records],
      ['A doctor', 'doctor', 'CAREMGT', []],
    )
  })

  it('opens all eight kinds to the doctor who attends, after one record that names each', async () => {
    const visit = await start(staff['front-desk'], [staff.doctor.id])
    const { body: before } = await door(staff.doctor)
    assert.deepEqual(before.ways, [{ purpose: 'CAREMGT', ground: 'attending' }])
    assert.equal(before.counts.length, 8)
    const { status, body } = await read(staff.doctor)
    assert.equal(status, 200)
    assert.equal(body.entries.length, 8)
    assert.ok(body.entries.every(({ document, received }) => document !== undefined && received === undefined))
    const seen = views('records.viewed')
    assert.equal(seen.length, 1)
    const [view] = seen
    assert.deepEqual([view?.person.staff, view?.ground, view?.purpose], [staff.doctor.id, 'attending', 'CAREMGT'])
    assert.deepEqual(view?.records.map(({ id }) => id).sort(), body.entries.map(({ id }) => id).sort())
    assert.deepEqual(view?.rules, ['own-record'])
    await read(staff.doctor)
    assert.equal(views('records.viewed').length, 2, 'every view is recorded')
    assert.equal((await read(staff.doctor, 'DSRCH')).status, 403, 'for care only')
    assert.equal((await read(staff.nurse)).status, 403, 'nobody sent her')
    assert.equal((await desk.call(staff['front-desk'], 'POST', `/v1/desk/visits/${visit}/end`)).status, 204)
    assert.equal((await read(staff.doctor)).status, 403, 'the visit is over')
  })

  it('opens to each unit the one kind that is its work', async () => {
    const kinds = async (by: StaffCaller, purpose?: string) =>
      (await read(by, purpose)).body.entries.map(({ hiType }) => hiType)
    assert.deepEqual(await kinds(staff.lab), ['DiagnosticReport'])
    assert.deepEqual(await kinds(staff.pharmacy), ['Prescription'])
    assert.deepEqual(await kinds(staff.billing, 'HPAYMT'), ['Invoice'])
    assert.equal((await read(staff.billing)).status, 403)
    assert.deepEqual((await door(staff.lab)).body.counts, [{ hiType: 'DiagnosticReport', own: 1, received: 0 }])
  })

  it('shows the records officer what there is and no content; the rest not even that', async () => {
    const { status, body } = await door(staff['records-officer'])
    assert.equal(status, 200)
    assert.deepEqual([body.ways, body.counts.length], [[], 8])
    assert.equal((await read(staff['records-officer'])).status, 403)
    for (const role of ['front-desk', 'dpo', 'administrator'] as const) {
      assert.equal((await door(staff[role])).status, 403, role)
      assert.equal((await read(staff[role])).status, 403, role)
    }
  })

  it('lets the records officer take them out as a file: after a proof anew, for a purpose, recorded as taken out', async () => {
    const path = `/v1/desk/patients/${REFERENCE}/export`
    const officer = staff['records-officer']
    const proved = () =>
      provedAtDesk(bench.machine, bench.needs.facility.id, officer, { act: 'export.read', subject: REFERENCE })
    assert.equal((await desk.call(officer, 'POST', path, { purpose: 'PATRQT' })).status, 403, 'no proof')
    for (const role of ROLES)
      if (exportsOf(role).length === 0)
        assert.equal((await desk.call(staff[role], 'POST', path, { purpose: 'CAREMGT' })).status, 403, role)
    const denials = views('records.view-denied').length
    const stepUp = await proved()
    assert.equal((await desk.call(officer, 'POST', path, { purpose: 'DSRCH', stepUp })).status, 403, 'not for this')
    assert.equal(views('records.view-denied').length, denials + 1)
    const looked = views('records.viewed').length
    const answer = await desk.call(officer, 'POST', path, { purpose: 'PATRQT', stepUp })
    assert.equal(answer.status, 200, answer.text)
    const { bundle, own, received, withheld, unreadable } = answer.json as RecordsExport
    assert.deepEqual([own, received, withheld, unreadable, bundle.entry.length], [8, 0, [], 0, 8])
    assert.deepEqual([bundle.resourceType, bundle.type], ['Bundle', 'collection'])
    assert.deepEqual(
      bundle.meta.security.map(({ code }) => code),
      ['PATRQT', 'NORDSCLCD'],
    )
    assert.ok(bundle.entry.every(({ resource }) => (resource as { type?: string }).type === 'document'))
    const exported = heard.filter(({ type }) => type === 'records.exported')
    assert.deepEqual(
      exported.map(({ ground, purpose, records, person }) => [ground, purpose, records.length, person.role]),
      [['records-office', 'PATRQT', 8, 'records-officer']],
    )
    assert.equal(views('records.viewed').length, looked, 'nothing was shown on a screen')
    assert.equal((await desk.call(officer, 'POST', path, { purpose: 'PATRQT', stepUp })).status, 403, 'once')
  })

  it('does not put together in memory what is too large for one file, and records nothing as taken out', async () => {
    const officer = staff['records-officer']
    const large = `${REFERENCE}-large`
    await transact(bench.machine, async (tx) => {
      const actor = { kind: 'system', id: 'test' } as const
      const who = { name: 'Lata Pillai', gender: 'female', birthDate: '1980-02-29' } as const
      assert.ok(!isRefusal(await addPatient(tx, bench.needs, actor, { reference: large, ...who })))
      const [input] = SAMPLE_INPUTS
      assert.ok(input)
      const added = await addRecord(tx, actor, large, { input: { ...input, patient: { ...who, mrn: large } } })
      assert.ok(!isRefusal(added), JSON.stringify(added))
      const bytes = sql<Buffer>`decode(repeat('00', ${LIMITS.exportBytesMax + 1}), 'hex')`
      await tx.db
        .updateTable('clinical_record')
        .set({ sealed: bytes })
        .where('bucket', '=', bucketOf(large))
        .where('id', '=', added.id)
        .execute()
    })
    const stepUp = await provedAtDesk(bench.machine, bench.needs.facility.id, officer, {
      act: 'export.read',
      subject: large,
    })
    const before = views('records.exported').length
    const order = { purpose: 'PATRQT', stepUp }
    const answer = await desk.call(officer, 'POST', `/v1/desk/patients/${large}/export`, order)
    assert.equal(answer.status, 422, answer.text)
    assert.match(answer.text, /records\/too-large/)
    assert.equal(views('records.exported').length, before)
  })

  it('opens for the minutes of an emergency, with that purpose alone', async () => {
    const input = { patient: REFERENCE, reason: 'unconscious', words: 'Brought in without words' } as const
    const needs = { ...bench.needs, reportsToExchange: false } as never
    const opened = await transact(bench.machine, (tx) => breakGlass(tx, needs, staff.nurse, input))
    assert.ok(!isRefusal(opened))
    assert.deepEqual(
      (await door(staff.nurse)).body.ways.map(({ purpose, ground }) => [purpose, ground]),
      [['BTG', 'emergency']],
    )
    assert.equal((await read(staff.nurse)).status, 403)
    const { status, body: seen } = await read(staff.nurse, 'BTG')
    assert.equal(status, 200)
    assert.equal(seen.entries.length, 8)
    assert.equal(views('records.viewed').at(-1)?.ground, 'emergency')
    bench.clock.advance(60 * 60_000)
    assert.equal((await read(staff.nurse, 'BTG')).status, 403, 'its minutes are over')
  })

  it('counts what comes while records are being opened as not open yet, so that the page of an emergency opens it next', async () => {
    const more = `${REFERENCE}-more`
    const who = { name: 'Uma Pillai', gender: 'female', birthDate: '1980-02-29' } as const
    const [input] = SAMPLE_INPUTS
    assert.ok(input)
    const actor = { kind: 'system', id: 'test' } as const
    const put = () =>
      transact(bench.machine, async (tx) => {
        const added = await addRecord(tx, actor, more, { input: { ...input, patient: { ...who, mrn: more } } })
        assert.ok(!isRefusal(added), JSON.stringify(added))
      })
    await transact(bench.machine, async (tx) => {
      assert.ok(!isRefusal(await addPatient(tx, bench.needs, actor, { reference: more, ...who })))
      const order = { patient: more, reason: 'unconscious', words: 'Brought in without words' } as const
      const needs = { ...bench.needs, reportsToExchange: false } as never
      assert.ok(!isRefusal(await breakGlass(tx, needs, staff.nurse, order)))
    })
    await put()
    meanwhile = put
    const path = `/v1/desk/patients/${more}/reading`
    const { status, body } = await read(staff.nurse, 'BTG', path)
    meanwhile = async () => undefined
    assert.equal(status, 200)
    const counted = ({ counts }: Pick<ReadingDoor, 'counts'>) => counts.reduce((sum, { own }) => sum + own, 0)
    assert.deepEqual([body.entries.length, counted(body)], [1, 1])
    const answer = await desk.call(staff.nurse, 'GET', path)
    assert.equal(counted(answer.json as ReadingDoor), 2)
  })

  it('opens to every role, however it stands to the patient, what the rules say and nothing else', async () => {
    const needs = { ...bench.needs, reportsToExchange: false } as never
    const people = {} as Record<StaffRole, StaffCaller>
    for (const role of ROLES) people[role] = await addStaff(bench.machine, role, `Another ${role}`)
    const hold = async (relation: Omit<Relation, 'role'>, says: string) => {
      for (const role of ROLES) {
        const readings = readingsOf({ role, ...relation })
        for (const purpose of ['CAREMGT', 'BTG', 'HPAYMT'] as const) {
          const wanted = readings.find((one) => one.purpose === purpose)
          const { status, body } = await read(people[role], purpose)
          const told = `${role}, ${says}, ${purpose}`
          assert.equal(status, wanted === undefined ? 403 : 200, told)
          const seen = wanted === undefined ? [] : body.entries.map(({ hiType }) => hiType)
          assert.deepEqual(seen.toSorted(), (wanted?.own ?? []).toSorted(), told)
        }
      }
    }
    await hold({ attends: false }, 'not attending')
    const visit = await start(staff['front-desk'], [people.doctor.id, people.nurse.id])
    await hold({ attends: true }, 'attending')
    assert.equal((await desk.call(staff['front-desk'], 'POST', `/v1/desk/visits/${visit}/end`)).status, 204)
    await hold({ attends: false }, 'after the visit')
    const input = { patient: REFERENCE, reason: 'unconscious', words: 'Brought in without words' } as const
    for (const role of ['doctor', 'nurse'] as const) {
      const opened = await transact(bench.machine, (tx) => breakGlass(tx, needs, people[role], input))
      assert.ok(!isRefusal(opened), JSON.stringify(opened))
    }
    await hold({ attends: false, emergencyUntil: new Date(bench.clock.now().getTime() + 60_000) }, 'in an emergency')
    bench.clock.advance(60 * 60_000)
    await hold({ attends: false }, 'after the emergency')
  })

  it('takes person and role from the session alone, and refuses rubbish', async () => {
    const forged = { purpose: 'CAREMGT', person: { name: 'Dr. Boss', role: 'doctor' } }
    assert.equal((await desk.call(staff.lab, 'POST', PATH, forged)).status, 400)
    assert.equal((await read(staff.lab, 'CURIOSITY')).status, 400)
    assert.equal((await read(staff.lab, 'CAREMGT', '/v1/desk/patients/nobody/reading')).status, 404)
  })
})
