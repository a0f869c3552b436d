import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { addStaff, type DeskBench, openDesk, plainEvents } from '../../test/desk-bench.ts'
import { grant, notify } from '../../test/hip-bench.ts'
import { useTransfers } from '../../test/hip-transfers.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import type { HeldConsent, ServedRequest } from './provider.ts'

describe('what this facility gave away', () => {
  const world = useTransfers()
  let desk: DeskBench
  let dpo: StaffCaller
  let officer: StaffCaller
  let doctor: StaffCaller
  before(async () => {
    desk = openDesk(world.bench.machine, world.bench.needs as never)
    dpo = await addStaff(world.bench.machine, 'dpo', 'The Officer')
    officer = await addStaff(world.bench.machine, 'records-officer', 'The Archivist')
    doctor = await addStaff(world.bench.machine, 'doctor', 'Dr. Ila Sen')
  })
  after(() => desk.close())

  const served = async (query = ''): Promise<readonly ServedRequest[]> => {
    const answer = await desk.call(officer, 'GET', `/v1/desk/provider/requests${query}`)
    assert.equal(answer.status, 200, answer.text)
    return (answer.json as { requests: ServedRequest[] }).requests
  }
  const held = async (query = ''): Promise<readonly HeldConsent[]> => {
    const answer = await desk.call(dpo, 'GET', `/v1/desk/provider/consents${query}`)
    assert.equal(answer.status, 200, answer.text)
    return (answer.json as { consents: HeldConsent[] }).consents
  }

  it('shows consents with what they permit and whom, and filters them by state', async () => {
    const live = await grant(world.bench)
    world.bench.clock.advance(1_000)
    const ended = await grant(world.bench, { hiTypes: ['Invoice'] })
    await notify(world.bench, { status: 'REVOKED', consentId: ended })
    const all = await held()
    assert.deepEqual(
      all.map(({ consentId, status }) => [consentId, status]),
      [
        [ended, 'REVOKED'],
        [live, 'GRANTED'],
      ],
    )
    const [, shown] = all
    assert.equal(shown?.patient?.name, 'Meena Test')
    assert.deepEqual(shown?.receiver, { id: 'IN2710000022', name: 'Other Hospital' })
    assert.deepEqual(shown?.hiTypes, ['Prescription', 'Invoice'])
    assert.equal(shown?.careContexts, 2)
    assert.deepEqual(
      (await held('?status=REVOKED')).map(({ consentId }) => consentId),
      [ended],
    )
    assert.deepEqual(
      (await held(`?limit=1&before=${ended}`)).map(({ consentId }) => consentId),
      [live],
    )
    assert.deepEqual((await held())[0]?.endedAt !== undefined, true)
  })

  it('shows requests with what was sent, what was held back and why, what failed, what was refused', async () => {
    const { bench, requester } = world
    const consentId = await grant(bench, { hiTypes: ['Prescription'] })
    const first = await world.ask(consentId)
    await bench.drain()
    const [request] = await served(`?consent=${consentId}`)
    assert.equal(request?.transactionId, first.transactionId)
    assert.equal(request?.sent, 1)
    assert.equal(request?.status, 'ended')
    assert.equal(request?.outcome, 'TRANSFERRED')
    assert.deepEqual(
      request?.documents.map(({ hiType, status }) => [hiType, status]),
      [['Prescription', 'sent']],
    )
    assert.deepEqual(
      request?.heldBack.map(({ careContext }) => careContext),
      ['cc-2'],
      'the invoice is of a kind that the consent does not permit',
    )
    assert.match(request?.heldBack[0]?.why ?? '', /permitted/)
    assert.deepEqual(await served('?what=narrowed'), [], 'nothing had to be cut out of a document')

    bench.clock.advance(61_000)
    requester.mood = 'refuses'
    const failing = await world.ask(consentId)
    await bench.drain()
    const failed = await served('?what=failed')
    assert.deepEqual(
      failed.map(({ transactionId }) => transactionId),
      [failing.transactionId],
    )
    assert.equal(failed[0]?.failed, 1)
    assert.ok((failed[0]?.documents[0]?.why ?? '').length > 0)

    await notify(bench, { status: 'REVOKED', consentId })
    const refused = await world.ask(consentId)
    const [last] = await served('?what=refused')
    assert.equal(last?.transactionId, refused.transactionId)
    assert.match(last?.refusal ?? '', /revoked/)
    assert.deepEqual(await served('?what=open'), [])
    const all = await served()
    const paged: ServedRequest[] = []
    for (let before: string | undefined = ''; before !== undefined; ) {
      const path = `/v1/desk/provider/requests?limit=1${before && `&before=${before}`}`
      const page = (await desk.call(officer, 'GET', path)).json as { requests: ServedRequest[]; next?: string }
      assert.equal(page.requests.length, 1)
      paged.push(...page.requests)
      before = page.next
    }
    assert.deepEqual(paged, all)
    assert.ok(all.length > 2)
  })

  it('is for those who answer for it: opened lists are recorded, others are turned away', async () => {
    for (const path of ['consents', 'requests', 'erasures', 'kept'])
      assert.equal((await desk.call(doctor, 'GET', `/v1/desk/provider/${path}`)).status, 403)
    assert.deepEqual((await desk.call(dpo, 'GET', '/v1/desk/provider/erasures')).json, { erasures: [] })
    assert.deepEqual((await desk.call(dpo, 'GET', '/v1/desk/provider/kept')).json, { kept: [] })
    assert.equal((await desk.call(dpo, 'GET', '/v1/desk/provider/requests?what=lost')).status, 400)
    const lists = await plainEvents(world.bench.machine, 'desk.list-opened')
    assert.ok(lists.some((body) => /provider consents/.test(body) && /The Officer/.test(body)))
    assert.ok(lists.some((body) => /provider requests/.test(body) && /The Archivist/.test(body)))
  })
})
