import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addStaff, openDesk, provedAtDesk } from '../../test/desk-bench.ts'
import { type Bench, openBench } from '../../test/hip-bench.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import { record } from '../audit/record.ts'
import { transact } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { staffActor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { addPatient } from '../records/commands.ts'
import { existingPatientKey } from '../vault/data-keys.ts'
import { findLooks, type LookSearch } from './access-log.ts'
import { lookAtPatient } from './looks.ts'

const ASHA = 'asha.rao@sbx'
const MRN = 'MRN-7'
let bench: Bench
describe('desk/access-log', () => {
  before(async () => {
    bench = await openBench()
  })
  after(() => bench.close())

  const find = (search: LookSearch) => transact(bench.machine, (tx) => findLooks(tx, bench.needs, search))
  const typesOf = (found: Awaited<ReturnType<typeof find>>) => found.looks.map(({ type }) => type)

  test('looks at one patient, under her number here and her address, are one list: newest first, with who and why', async () => {
    const doctor = await addStaff(bench.machine, 'doctor', 'Dr. Farida Khan')
    const nurse = await addStaff(bench.machine, 'nurse', 'Rosy Mathew')
    const { facility } = bench.needs
    const about = { actor: staffActor(facility.id, doctor), subject: 'consent-1', purpose: 'CAREMGT' } as const
    const who = { name: 'Asha Rao', gender: 'female', birthDate: '1968-04-12' } as const
    const ground = { subject: MRN, patient: MRN, ground: 'attending' } as const
    const own = { actor: staffActor(facility.id, nurse), ...ground }
    await transact(bench.machine, async (tx) => {
      const patient = { reference: MRN, ...who, abhaAddress: ASHA as AbhaAddress }
      must(await addPatient(tx, bench.needs, { kind: 'system', id: 'test' }, patient))
    })
    const times: string[] = []
    for (const event of [
      { type: 'hiu.record-viewed', ...about, patient: ASHA },
      { type: 'consent.granted', ...about, patient: ASHA },
      { type: 'records.viewed', ...about, ...own, records: [1, 2] },
      { type: 'hiu.view-denied', ...about, patient: ASHA },
      { type: 'hiu.record-viewed', ...about, patient: 'ravi.k@sbx' },
    ]) {
      times.push(bench.clock.now().toISOString())
      await transact(bench.machine, (tx) => record(tx, event))
      bench.clock.advance(60_000)
    }
    for (const patient of [ASHA, MRN])
      assert.deepEqual(typesOf(await find({ patient })), ['hiu.view-denied', 'records.viewed', 'hiu.record-viewed'])
    const { looks } = await find({ patient: MRN })
    const { id: _id, ...second } = looks[1] ?? assert.fail('no second look')
    assert.deepEqual(second, {
      at: times[2],
      type: 'records.viewed',
      person: { name: 'Rosy Mathew', role: 'nurse' },
      purpose: 'CAREMGT',
      ground: 'attending',
      records: 2,
    })
    assert.deepEqual(typesOf(await find({ patient: MRN, person: nurse.id })), ['records.viewed'])
    const between = { patient: ASHA, from: times[0] ?? '', until: times[2] ?? '' }
    assert.deepEqual(typesOf(await find(between)), ['hiu.record-viewed'])
    assert.deepEqual(typesOf(await find({ patient: ASHA, from: times[3] ?? '' })), ['hiu.view-denied'])
    assert.deepEqual(typesOf(await find({ patient: ASHA, before: looks[0]?.id ?? '' })), [
      'records.viewed',
      'hiu.record-viewed',
    ])
    assert.deepEqual(await find({ patient: 'nobody@sbx' }), { looks: [] })
  })

  test('a look that somebody changed stands in the list of everybody: whose it was, nobody can say any more', async () => {
    const nurse = await addStaff(bench.machine, 'nurse', 'Lata Kadam')
    const actor = staffActor(bench.needs.facility.id, nurse)
    const MEENA = 'meena.pillai@sbx'
    const { id } = await transact(bench.machine, (tx) =>
      record(tx, { type: 'hiu.record-viewed', actor, patient: MEENA, subject: 'consent-2' }),
    )
    const mine = { patient: MEENA, person: nurse.id }
    assert.deepEqual(typesOf(await find(mine)), ['hiu.record-viewed'])
    await bench.machine.db
      .updateTable('audit_event')
      .set({ body: Buffer.from('other') })
      .where('bucket', '=', bucketOf(MEENA))
      .where('id', '=', id)
      .execute()
    assert.deepEqual(
      (await find(mine)).looks.map((look) => [look.id, look.changed]),
      [[id, true]],
    )
  })

  test('asking is recorded in the log of the patient who is named; of somebody unknown here no key is made', async () => {
    const desk = openDesk(bench.machine, bench.needs as never)
    try {
      const dpo = await addStaff(bench.machine, 'dpo', 'Kavita Rane')
      const keyOf = (patient: string) => transact(bench.machine, (tx) => existingPatientKey(tx, patient))
      for (const patient of ['nobody@sbx', 'MRN-404']) {
        assert.equal((await desk.call(dpo, 'GET', `/v1/desk/access-log?patient=${patient}`)).status, 200)
        assert.equal(await keyOf(patient), undefined, patient)
      }
      await transact(bench.machine, async (tx) => {
        const who = { name: 'Ravi K', gender: 'male', birthDate: '1970-01-01' } as const
        const patient = { reference: 'MRN-8', ...who, abhaAddress: 'ravi.kumar@sbx' as AbhaAddress }
        must(await addPatient(tx, bench.needs, { kind: 'system', id: 'test' }, patient))
      })
      // Nothing stands under the address of the last one: he is known by his number alone.
      for (const [patient, stands] of [
        [ASHA, ASHA],
        [MRN, MRN],
        ['ravi.kumar@sbx', 'MRN-8'],
      ] as const) {
        assert.equal((await desk.call(dpo, 'GET', `/v1/desk/access-log?patient=${patient}`)).status, 200)
        const [asked] = await transact(bench.machine, (tx) =>
          receiptsAbout(tx, stands, { types: ['log.read'], limit: 1 }),
        )
        assert.ok(asked !== undefined && !('changed' in asked), patient)
      }
    } finally {
      await desk.close()
    }
  })

  test('the list goes out as a file only after a proof anew; who opened what lately stands there without a patient named', async () => {
    const desk = openDesk(bench.machine, bench.needs as never)
    try {
      const dpo = await addStaff(bench.machine, 'dpo', 'Kavita Rane')
      const front = await addStaff(bench.machine, 'front-desk', '=HYPERLINK("x")')
      await transact(bench.machine, (tx) => lookAtPatient(tx, bench.needs, front, MRN))
      const opened = await desk.call(dpo, 'GET', `/v1/desk/access-log/openings?person=${front.id}`)
      const { openings } = opened.json as { readonly openings: readonly { readonly patient: string }[] }
      assert.deepEqual(
        openings.map(({ patient }) => patient),
        [MRN],
      )
      const wanted = { form: 'csv', patient: MRN }
      assert.equal((await desk.call(dpo, 'POST', '/v1/desk/access-log/file', wanted)).status, 403)
      const stepUp = await provedAtDesk(bench.machine, bench.needs.facility.id, dpo, {
        act: 'export.read',
        subject: 'access-log',
      })
      const file = await desk.call(dpo, 'POST', '/v1/desk/access-log/file', { ...wanted, stepUp })
      assert.equal(file.status, 200, file.text)
      assert.match(file.type, /^text\/csv/)
      const rows = file.text.trim().split('\r\n')
      assert.equal(rows[0], 'at,person,role,type,patient,purpose,ground,standing,records,event')
      assert.match(rows[1] ?? '', /,"'=HYPERLINK\(""x""\)",front-desk,desk\.patient-opened,MRN-7,/)
      assert.equal(rows.length, 5)
      assert.equal(
        (await desk.call(dpo, 'POST', '/v1/desk/access-log/file', { ...wanted, stepUp })).status,
        403,
        'once',
      )
      assert.equal((await desk.call(front, 'GET', '/v1/desk/access-log/openings')).status, 403)
    } finally {
      await desk.close()
    }
  })
})
