import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Registry } from 'prom-client'
import { addStaff } from '../../test/desk-bench.ts'
import { type HiuBench, openHiuBench, PATIENT } from '../../test/hiu-bench.ts'
import { insistOnTable } from '../../test/moves.ts'
import { disclosureStop, listAlarms } from '../audit/watch/alarm.ts'
import { transact } from '../db/tx.ts'
import { addOverdueMetrics, watchOverdue } from '../desk/overdue.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { addPatient } from '../records/commands.ts'
import {
  breakGlass,
  type EmergencyNeeds,
  endDueEmergencies,
  endOwnEmergency,
  listEmergencies,
  openEmergencyOf,
  reviewEmergency,
} from './commands.ts'
import { EMERGENCY_MOVES, type EmergencyAccess, isOpen } from './emergency.ts'
import { endEmergencyRow, reviewEmergencyRow } from './store.ts'
import { emergencyReactions, noteLetterSent } from './tell-commands.ts'

const WORDS = 'Brought in after a road accident, not responding.'

describe('breaking the glass at a facility', () => {
  let bench: HiuBench
  let needs: EmergencyNeeds
  const staff = {} as Record<'doctor' | 'nurse' | 'dpo', StaffCaller>
  before(async () => {
    bench = await openHiuBench()
    needs = { ...bench.needs, indexKey: new Uint8Array(32), reportsToExchange: true, textLanguage: 'hi' } as never
    for (const [type, reaction] of emergencyReactions(needs)) bench.reactions.set(type, [reaction])
    for (const role of ['doctor', 'nurse', 'dpo'] as const)
      staff[role] = await addStaff(bench.machine, role, `A ${role}`)
    await transact(bench.machine, async (tx) => {
      const actor = { kind: 'operator', id: 'test' } as const
      const facts = { gender: 'female', birthDate: '1974-06-19' } as const
      must(await addPatient(tx, needs, actor, { ...facts, name: 'Asha Rao', reference: 'P-1', abhaAddress: PATIENT }))
      must(await addPatient(tx, needs, actor, { ...facts, name: 'No Address', reference: 'P-2', mobile: '9876500011' }))
      must(await addPatient(tx, needs, actor, { ...facts, name: 'No Mobile', reference: 'P-3' }))
    })
  })
  after(() => bench.close())

  const reviews = async () =>
    (await transact(bench.machine, (tx) => listEmergencies(tx, { limit: LIMITS.pageSizeMax }))).emergencies
  const open = (who: StaffCaller, patient = 'P-1') =>
    transact(bench.machine, (tx) => breakGlass(tx, needs, who, { patient, reason: 'unconscious', words: WORDS }))
  const held = (who: StaffCaller, patient = 'P-1') =>
    transact(bench.machine, (tx) => openEmergencyOf(tx, patient, who.id))
  const review = (who: StaffCaller, id: EmergencyAccess['id']) =>
    transact(bench.machine, (tx) =>
      reviewEmergency(tx, needs, who, { id, outcome: 'justified', words: 'It was needed.' }),
    )
  const codeOf = (value: unknown) => (isRefusal(value) ? value.code : 'ok')

  it('opens to one person for minutes, asks the exchange for what others hold, and ends by itself', async () => {
    const access = must(await open(staff.doctor))
    assert.equal((await held(staff.doctor))?.id, access.id)
    assert.equal(await held(staff.nurse), undefined)
    await bench.drain()
    const sent = bench.last('/v1/emergencies')
    assert.ok(sent)
    assert.equal(sent.requestId, access.consent)
    assert.deepEqual((sent.body as { emergency: unknown }).emergency, {
      reason: 'unconscious',
      words: WORDS,
      person: { name: 'A doctor', role: 'doctor' },
    })
    assert.equal(must(await open(staff.doctor)).id, access.id)
    bench.clock.advance(LIMITS.emergencyMs)
    // The clock counts, not the chore.
    assert.equal(await held(staff.doctor), undefined)
    assert.ok(!isOpen(access, bench.clock.now()))
    assert.equal(await transact(bench.machine, (tx) => endDueEmergencies(tx, needs)), 1)
    assert.equal(await transact(bench.machine, (tx) => endDueEmergencies(tx, needs)), 0)
    const [listed] = await reviews()
    assert.deepEqual([listed?.status, listed?.name, listed?.words], ['ended', 'A doctor', WORDS])
  })

  it('without an ABHA address, or an exchange that takes emergencies, only our own records open', async () => {
    const before = bench.sent.length
    const access = must(await open(staff.nurse, 'P-3'))
    await bench.drain()
    assert.equal(access.consent, undefined)
    assert.equal(bench.sent.length, before)
    assert.equal(codeOf(await open(staff.nurse, 'nobody')), 'records/unknown-patient')
  })

  it('where the exchange does not tell the patient, a text message of the hospital does; without a mobile a letter waits', async () => {
    const texts = async () => {
      const rows = await bench.machine.db
        .selectFrom('job')
        .select('payload')
        .where('kind', '=', 'text-message')
        .execute()
      return rows.map(({ payload }) => payload as { mobile: string; text: string })
    }
    const before = (await texts()).length
    const access = must(await open(staff.doctor, 'P-2'))
    const sent = (await texts()).slice(before)
    assert.deepEqual([access.told, sent.length, sent[0]?.mobile], ['text', 1, '9876500011'])
    assert.match(sent[0]?.text ?? '', /A doctor ने No Address के सेहत के रिकॉर्ड/)
    assert.ok(!/ऐप|road accident/.test(sent[0]?.text ?? ''), 'no app, and not the words about her')
    const national = { ...needs, reportsToExchange: false }
    const behind = await transact(bench.machine, (tx) =>
      breakGlass(tx, national, staff.doctor, { patient: 'P-3', reason: 'unconscious', words: WORDS }),
    )
    const unreached = must(behind)
    assert.deepEqual([unreached.told, unreached.toldAt, (await texts()).length], ['letter', undefined, before + 1])
    const note = (id: EmergencyAccess['id']) =>
      transact(bench.machine, (tx) => noteLetterSent(tx, needs, staff.dpo, id))
    assert.ok(must(await note(unreached.id)).toldAt)
    assert.equal(codeOf(await note(unreached.id)), 'incidents/told-already')
    assert.equal(codeOf(await note(access.id)), 'incidents/told-already')
    const [listed] = (await reviews()).filter(({ id }) => id === unreached.id)
    assert.ok(listed?.toldAt)
  })

  it('an exchange that does not take it is no excuse: the hospital tells', async () => {
    const answered = async (who: StaffCaller, error: { code: string; message: string }, told: object) => {
      const access = must(await open(who, 'P-1'))
      assert.equal(access.told, 'exchange')
      const path = '/api/v3/hiu/consent/request/on-init'
      const reply = await bench.callback(path, { error, response: { requestId: access.consent }, ...told })
      assert.equal(reply.status, 202)
      await transact(bench.machine, (tx) => endOwnEmergency(tx, needs, who, access.id))
      return (await reviews()).find(({ id }) => id === access.id)?.told
    }
    const nothing = { code: 'ABDM-1057', message: 'nothing is linked' }
    assert.equal(await answered(staff.nurse, nothing, { patientTold: true }), 'exchange', 'it told her all the same')
    // An address of another consent manager, mistyped, closed or erased; no mobile is known.
    const unknown = { code: 'ABDM-1010', message: 'nobody has this address' }
    for (const told of [{ patientTold: false }, {}])
      assert.equal(await answered(staff.nurse, unknown, told), 'letter', JSON.stringify(told))
  })

  it('is reviewed once, after its end, by somebody else', async () => {
    const access = must(await open(staff.doctor))
    assert.equal(codeOf(await review(staff.dpo, access.id)), 'incidents/not-ended')
    assert.equal(codeOf(await review(staff.nurse, access.id)), 'auth/forbidden')
    const end = (who: StaffCaller) => transact(bench.machine, (tx) => endOwnEmergency(tx, needs, who, access.id))
    assert.equal(codeOf(await end(staff.nurse)), 'incidents/unknown-emergency')
    assert.equal(must(await end(staff.doctor)).status, 'ended')
    assert.equal(must(await end(staff.doctor)).status, 'ended')
    assert.equal(must(await review(staff.dpo, access.id)).review?.outcome, 'justified')
    assert.equal(codeOf(await review(staff.dpo, access.id)), 'incidents/reviewed-already')
    const own = must(await open({ ...staff.dpo, role: 'doctor' }))
    await transact(bench.machine, (tx) => endOwnEmergency(tx, needs, staff.dpo, own.id))
    assert.equal(codeOf(await review(staff.dpo, own.id)), 'incidents/own-review')
  })

  it('a review that nobody writes, and a letter that nobody sends, are counted and raise an alarm, until they are done', async () => {
    const origin = 'hospital.example/log'
    const watch = () => transact(bench.machine, (tx) => watchOverdue(tx, origin))
    const alarms = async () =>
      (await listAlarms(bench.machine.db, { open: true, limit: 50 })).filter(({ kind }) => kind === 'overdue').length
    const counted = async (kind: string) => {
      const registry = new Registry()
      addOverdueMetrics(registry, bench.machine)
      return Number(new RegExp(`amanat_overdue\\{kind="${kind}"\\} (\\d+)`).exec(await registry.metrics())?.[1])
    }
    const nurse = await addStaff(bench.machine, 'nurse', 'A late nurse')
    await watch()
    const before = await alarms()
    const access = must(await open(nurse, 'P-3'))
    await transact(bench.machine, (tx) => endOwnEmergency(tx, needs, nurse, access.id))
    const reviews = await counted('emergency-review')
    bench.clock.advance(LIMITS.emergencyReviewMs + 1_000)
    await watch()
    await watch()
    assert.ok((await counted('emergency-review')) > reviews)
    assert.ok((await counted('emergency-letter')) >= 1)
    const late = await alarms()
    assert.ok(late >= before + 2, 'each thing once')
    must(await review(staff.dpo, access.id))
    must(await transact(bench.machine, (tx) => noteLetterSent(tx, needs, staff.dpo, access.id)))
    await watch()
    assert.equal(await alarms(), late - 2)
    assert.equal(await transact(bench.machine, disclosureStop), undefined, 'work goes on')
  })

  it('moves as its table says', async () => {
    const access = { id: '01a20000-0000-7000-8000-000000000001', patientReference: 'P-1' }
    await insistOnTable(
      EMERGENCY_MOVES,
      (tx, from, to) =>
        to === 'ended'
          ? endEmergencyRow(tx, {} as never, { ...access, status: from } as never)
          : reviewEmergencyRow(tx, {} as never, { ...access, status: from } as never, {
              outcome: 'justified',
              words: WORDS,
              by: staff.dpo.id,
            }),
      { to: ['ended', 'reviewed'] },
    )
  })
})
