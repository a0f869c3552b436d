import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { addStaff, type DeskBench, openDesk } from '../../test/desk-bench.ts'
import {
  deliver,
  detailOf,
  type HiuBench,
  newId,
  openHiuBench,
  PATIENT,
  requested,
  tell,
} from '../../test/hiu-bench.ts'
import { transact } from '../db/tx.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { must } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { addPatient } from '../records/commands.ts'
import type { DeskConsent } from './consents.ts'

const PATH = '/v1/desk/consents'

describe('consent from the desk', () => {
  let bench: HiuBench
  let desk: DeskBench
  const staff = {} as Record<StaffRole, StaffCaller>
  before(async () => {
    bench = await openHiuBench()
    desk = openDesk(bench.machine, bench.needs as never)
    const roles = ['front-desk', 'doctor', 'nurse', 'lab', 'pharmacy', 'billing', 'dpo', 'administrator'] as const
    for (const role of roles)
      staff[role] = await addStaff(bench.machine, role, `A ${role}`, role === 'doctor' ? 'MH-77' : undefined)
    await transact(bench.machine, async (tx) => {
      const actor = { kind: 'operator', id: 'test' } as const
      const facts = { name: 'Asha Rao', gender: 'female', birthDate: '1974-06-19' } as const
      must(await addPatient(tx, bench.needs as never, actor, { ...facts, reference: 'P-1', abhaAddress: PATIENT }))
      must(await addPatient(tx, bench.needs as never, actor, { ...facts, reference: 'P-2', name: 'No Address' }))
    })
  })
  after(async () => {
    await desk.close()
    await bench.close()
  })

  const ask = (who: StaffCaller, body: object) => desk.call(who, 'POST', PATH, { patient: 'P-1', ...body })
  const read = async (who: StaffCaller, id: string): Promise<DeskConsent> =>
    (await desk.call(who, 'GET', `${PATH}/${id}`)).json
  const listed = async (who: StaffCaller, query = ''): Promise<readonly DeskConsent[]> => {
    const answer = await desk.call(who, 'GET', `${PATH}${query}`)
    assert.equal(answer.status, 200, answer.text)
    return (answer.json as { consents: DeskConsent[] }).consents
  }
  /** Asks, and has the exchange take it. */
  const accepted = async (who: StaffCaller, body: object): Promise<{ id: string; exchange: string }> => {
    const answer = await ask(who, body)
    assert.equal(answer.status, 202, answer.text)
    const { id } = answer.json as { id: string }
    await bench.drain()
    const exchange = newId<'consent-request'>(bench.machine)
    await bench.callback('/api/v3/hiu/consent/request/on-init', {
      consentRequest: { id: exchange },
      error: null,
      response: { requestId: id },
    })
    return { id, exchange }
  }

  it('asks as the person who signed in, for what the template asks and no more', async () => {
    await accepted(staff.doctor, { template: 'first-consultation' })
    const sent = bench.last('/consent/v3/request/init')?.body as {
      consent: {
        requester: object
        hiTypes: string[]
        permission: { dateRange: { from: string; to: string }; dataEraseAt: string }
      }
    }
    assert.deepEqual(sent.consent.requester, {
      name: 'A doctor',
      identifier: { type: 'REGNO', value: 'MH-77', system: 'https://www.nmc.org.in' },
    })
    assert.equal(sent.consent.hiTypes.length, 5)
    const { dateRange, dataEraseAt } = sent.consent.permission
    assert.equal(Math.round((Date.parse(dateRange.to) - Date.parse(dateRange.from)) / 86_400_000), 5 * 365)
    assert.equal(Math.round((Date.parse(dataEraseAt) - Date.parse(dateRange.to)) / 86_400_000), 30)
  })

  it('lets a template be cut down, never widened, and knows each role its own', async () => {
    const less = await accepted(staff.doctor, {
      template: 'first-consultation',
      hiTypes: ['Prescription'],
      keepDays: 3,
    })
    assert.deepEqual((await read(staff.doctor, less.id)).terms?.hiTypes, ['Prescription'])
    const wider: readonly (readonly [object, string])[] = [
      [{ template: 'first-consultation', hiTypes: ['Invoice'] }, 'hiTypes'],
      [{ template: 'first-consultation', keepDays: 31 }, 'keepDays'],
      [{ template: 'first-consultation', lookBackDays: 5 * 365 + 1 }, 'lookBackDays'],
      [{ template: 'first-consultation', hiTypes: [] }, 'hiTypes'],
    ]
    for (const [body, field] of wider) {
      const answer = await ask(staff.doctor, body)
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.equal((answer.json as { field: string }).field, field)
    }
    assert.equal((await ask(staff.doctor, { template: 'claim' })).status, 404)
    assert.equal((await ask(staff.billing, { template: 'first-consultation' })).status, 404)
    assert.equal((await ask(staff['front-desk'], { template: 'first-consultation' })).status, 403)
    assert.equal((await ask(staff.doctor, { template: 'vaccinations', requester: { name: 'Else' } })).status, 400)
    assert.equal((await ask(staff.doctor, { patient: 'P-2', template: 'vaccinations' })).status, 409)
    assert.equal((await ask(staff.doctor, { patient: 'P-9', template: 'vaccinations' })).status, 404)
  })

  it('no role sees what is asked in the work of another', async () => {
    const byDoctor = await accepted(staff.doctor, { template: 'vaccinations' })
    const byBilling = await accepted(staff.billing, { template: 'claim' })
    const ids = async (who: StaffCaller) => (await listed(who)).map(({ id }) => id as string)
    assert.ok((await ids(staff.nurse)).includes(byDoctor.id))
    assert.ok(!(await ids(staff.nurse)).includes(byBilling.id))
    assert.deepEqual(await ids(staff.billing), [byBilling.id])
    assert.deepEqual(await ids(staff.pharmacy), [])
    assert.equal((await desk.call(staff.pharmacy, 'GET', `${PATH}/${byDoctor.id}`)).status, 404)
    assert.equal((await desk.call(staff.billing, 'POST', `${PATH}/${byDoctor.id}/refresh`)).status, 404)
    assert.equal((await desk.call(staff.administrator, 'GET', PATH)).status, 403)
    assert.ok((await ids(staff.dpo)).includes(byBilling.id))
    const waiting = (await listed(staff['front-desk'])).find(({ id }) => id === byDoctor.id)
    assert.equal(waiting?.status, 'requested', 'the front desk sees that something waits')
    assert.equal(waiting?.terms, undefined, 'and not what')
  })

  it('follows a consent from asked to read, with what the patient changed', async () => {
    const { id, exchange } = await accepted(staff.doctor, { template: 'first-consultation' })
    const states = async () => (await read(staff.doctor, id)).steps.map(({ name, state }) => `${name} ${state}`)
    assert.deepEqual(await states(), ['asked done', 'decided now', 'data later', 'read later'])
    const waiting = await listed(staff.doctor, '?state=waiting&patient=P-1')
    assert.ok(waiting.some((consent) => consent.id === id))
    const artefact = newId<'artefact'>(bench.machine)
    await tell(bench, exchange, 'GRANTED', [artefact])
    await bench.drain()
    const { permission } = detailOf(artefact) as { permission: object }
    const dateRange = { from: '2024-01-01T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z' }
    await deliver(bench, artefact, {
      hiTypes: ['Prescription'],
      permission: {
        ...permission,
        dateRange,
        dataEraseAt: '2026-12-01T00:00:00.000Z',
        frequency: { unit: 'DAY', value: 1, repeats: 1 },
      },
    })
    await bench.drain()
    const granted = await read(staff.doctor, id)
    assert.equal(granted.status, 'granted')
    assert.deepEqual(
      granted.terms?.differences.map(({ kind }) => kind),
      ['types', 'from', 'to', 'keep', 'frequency'],
    )
    assert.deepEqual(granted.places, [
      { hip: { id: 'IN2710000011', name: 'Asha Hospital' }, state: 'waiting', documents: 0 },
    ])
    assert.deepEqual(await states(), ['asked done', 'decided done', 'data now', 'read later'])
    await requested(bench, { own: id, exchange, consentId: artefact })
    assert.ok((await listed(staff.doctor, '?state=live')).some((consent) => consent.id === id))
    const again = await desk.call(staff.doctor, 'POST', `${PATH}/${id}/fetch`)
    assert.ok([202, 429].includes(again.status), again.text)
    assert.equal((await desk.call(staff.doctor, 'POST', `${PATH}/${id}/refresh`)).status, 202)
    await tell(bench, exchange, 'REVOKED', [artefact])
    await bench.drain()
    assert.deepEqual(await states(), ['asked done', 'decided stopped'])
    assert.ok((await listed(staff.doctor, '?state=ended')).some((consent) => consent.id === id))
    assert.equal((await desk.call(staff.doctor, 'POST', `${PATH}/${id}/fetch`)).status, 409)
  })

  it('says why a patient did not allow it, when she said why', async () => {
    const { id, exchange } = await accepted(staff.nurse, { template: 'diabetes-follow-up' })
    await tell(bench, exchange, 'DENIED', [], 'Not now')
    const denied = await read(staff.nurse, id)
    assert.equal(denied.status, 'denied')
    assert.equal(denied.reason, 'Not now')
    assert.equal((await desk.call(staff.nurse, 'GET', `${PATH}/rubbish`)).status, 404)
    assert.deepEqual(await listed(staff.doctor, '?patient=P-2'), [])
    assert.equal((await desk.call(staff.doctor, 'GET', `${PATH}?state=lost`)).status, 400)
  })
})
