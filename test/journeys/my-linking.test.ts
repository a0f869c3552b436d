import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { type Answer, partyName, TestNetwork, type ThirdParty } from '../network.ts'
import { ASHA, heldRecord, RAVI } from '../people.ts'
import { waitFor } from '../wait.ts'

const OURS = 'IN2710000011'
const THEIRS = 'IN2710000088'
const MRN = '22-7225'

describe('a patient links records and shows her profile from her page', () => {
  let network: TestNetwork
  let hospital: ThirdParty
  let desk: FacilityDesk
  const tokens = new Map<string, string>()

  before(async () => {
    network = await TestNetwork.start({ facilities: [OURS] })
    for (const person of [ASHA, RAVI]) {
      await network.enrol(person)
      tokens.set(person.abhaAddress, await network.patientToken(person.abhaAddress))
    }
    hospital = await network.join('care', THEIRS)
    hospital.hip.records.push(heldRecord('op-1', 'OPConsultation', '{}'))
    desk = new FacilityDesk(network, OURS)
    await desk.addPatient(MRN, ASHA)
    await desk.addDocument(MRN, 'op-1', sampleDocument('OPConsultation'))
    await desk.addDocument(MRN, 'rx-1', sampleDocument('Prescription'))
  })
  after(() => network.stop())

  const call = (path: string, body?: unknown, who = ASHA): Promise<Answer> =>
    network.asPatient(tokens.get(who.abhaAddress) ?? '', `/v1/me${path}`, body, { 'idempotency-key': randomUUID() })
  const state = async (id: string): Promise<unknown> => (await call(`/linking/${id}`)).body
  const until = (id: string, ...wanted: readonly string[]): Promise<unknown> =>
    waitFor(wanted.join(' or '), async () => {
      const now = await state(id)
      return wanted.includes(textAt(now, 'status')) && now
    })
  async function discover(hip: string, who = ASHA): Promise<string> {
    const { status, body } = await call('/linking', { hip, identifiers: [{ type: 'MR', value: MRN }] }, who)
    assert.equal(status, 202, JSON.stringify(body))
    return textAt(body, 'id')
  }
  async function codeOf(hip: string): Promise<string> {
    if (hip === THEIRS) return '000000'
    const text = await waitFor('the code', async () => {
      const { body } = await network.operator(OURS, `/v1/sandbox/text-messages?mobile=${ASHA.mobile}`)
      return Array.isArray(body) && body.length > 0 && textAt(body[0], 'text')
    })
    return /\b\d{4,8}\b/.exec(text)?.[0] ?? 'none'
  }
  const chosen = (found: unknown): readonly object[] =>
    listAt(found, 'found').flatMap((group) =>
      listAt(group, 'careContexts').map((context) => ({
        patientReference: textAt(group, 'referenceNumber'),
        careContextReference: textAt(context, 'referenceNumber'),
        hiType: textAt(group, 'hiType'),
      })),
    )

  test('hospitals are found by a part of their name', async () => {
    const names = async (search: string): Promise<readonly string[]> =>
      listAt((await call(`/hospitals?search=${encodeURIComponent(search)}`)).body, 'items').map((one) =>
        textAt(one, 'name'),
      )
    assert.deepEqual(await names('third'), [partyName('Third party', THEIRS)])
    assert.equal((await names('')).length, 2)
    assert.deepEqual(await names('no such hospital'), [])
    assert.deepEqual(at((await call(`/hospitals/${OURS}`)).body, 'name'), partyName('Facility', OURS))
    assert.equal((await call('/hospitals/IN0000000000')).status, 404)
  })

  for (const [who, hip] of [
    ['our hospital', OURS],
    ['a third party’s', THEIRS],
  ] as const)
    test(`at ${who}: found, chosen, a wrong code, the right one, linked`, async () => {
      const id = await discover(hip)
      const found = await until(id, 'found')
      const stranger = await call(`/linking/${id}/choose`, { chosen: chosen(found) }, RAVI)
      assert.equal(stranger.status, 404)
      const unknown = { ...chosen(found)[0], careContextReference: 'not-found' }
      assert.equal((await call(`/linking/${id}/choose`, { chosen: [unknown] })).status, 400)
      assert.equal((await call(`/linking/${id}/confirm`, { code: '111111' })).status, 409)
      assert.equal((await call(`/linking/${id}/choose`, { chosen: chosen(found) })).status, 202)
      const offered = await until(id, 'offered')
      assert.equal(textAt(offered, 'link.communicationMedium'), 'MOBILE')
      const code = await codeOf(hip)
      assert.equal(
        (await call(`/linking/${id}/confirm`, { code: code === '111111' ? '222222' : '111111' })).status,
        202,
      )
      const wrong = await waitFor('the wrong code to be told', async () => {
        const now = await state(id)
        return at(now, 'lastError.code') !== undefined && now
      })
      assert.equal(textAt(wrong, 'status'), 'offered')
      assert.equal((await call(`/linking/${id}/confirm`, { code })).status, 202)
      await until(id, 'linked')
      const { body } = await call('/links')
      const own = listAt(body, 'items').find((one) => at(one, 'hip.id') === hip)
      assert.equal(listAt(own, 'contexts').length, chosen(found).length)
      assert.equal(JSON.stringify(await state(id)).includes(code), false)
    })

  test('what is linked comes by the page, each care context once, and the list of hospitals says which are linked', async () => {
    const whole = await call('/links')
    const named = (body: unknown): readonly string[] =>
      listAt(body, 'items').flatMap((item) =>
        listAt(item, 'contexts').map(
          (context) =>
            `${textAt(item, 'hip.id')} ${textAt(context, 'careContextReference')} ${textAt(context, 'hiType')}`,
        ),
      )
    assert.ok(named(whole.body).length >= 3)
    assert.equal(at(whole.body, 'next'), undefined)
    const paged: string[] = []
    for (let after: unknown = ''; typeof after === 'string'; ) {
      const words = new URLSearchParams({ limit: '1', ...(after === '' ? {} : { after }) })
      const { body } = await call(`/links?${words.toString()}`)
      assert.equal(named(body).length, 1)
      paged.push(...named(body))
      after = at(body, 'next')
    }
    assert.deepEqual(paged, named(whole.body))
    for (const after of ['x', Buffer.from('["IN1","yesterday"]').toString('base64url')])
      assert.equal((await call(`/links?after=${after}`)).status, 400)
    const linked = async (who = ASHA): Promise<ReadonlySet<string>> =>
      new Set(
        listAt((await call('/hospitals', undefined, who)).body, 'items')
          .filter((one) => at(one, 'isLinked') === true)
          .map((one) => textAt(one, 'id')),
      )
    assert.deepEqual(await linked(), new Set([OURS, THEIRS]))
    assert.deepEqual(await linked(RAVI), new Set())
  })

  test('a hospital that has nothing, and one that does not answer', async () => {
    const ravis = await discover(OURS, RAVI)
    const failed = await waitFor('nothing found', async () => {
      const { body } = await call(`/linking/${ravis}`, undefined, RAVI)
      return textAt(body, 'status') === 'failed' && body
    })
    assert.equal(textAt(failed, 'step'), 'discover')
    await hospital.bridge.stop()
    const lost = await discover(THEIRS)
    const { db } = network.exchange.running.machine
    const due = new Date(Date.now() - 1_000)
    await db
      .updateTable('linking_transaction')
      .set({ answer_by: due })
      .where('bucket', '>=', 0)
      .where('id', '=', lost)
      .execute()
    await db
      .updateTable('job')
      .set({ run_at: due })
      .where('kind', '=', 'linking.answer-due')
      .where('status', '=', 'waiting')
      .execute()
    network.exchange.running.machine.wake()
    assert.equal(textAt(await until(lost, 'failed'), 'step'), 'discover')
  })

  test('her profile at the counter brings a number in the queue', async () => {
    const { status, body } = await call('/shares', { hip: OURS, counter: 'counter-1' })
    assert.equal(status, 202, JSON.stringify(body))
    const share = await waitFor('the number', async () => {
      const items = listAt((await call('/shares')).body, 'items')
      const own = items.find((one) => at(one, 'id') === textAt(body, 'id'))
      return at(own, 'status') === 'accepted' && own
    })
    assert.ok(textAt(share, 'tokenNumber') !== '')
    assert.equal(textAt(share, 'hip.name'), partyName('Facility', OURS))
    assert.deepEqual(at((await call('/shares', undefined, RAVI)).body, 'items'), [])
    assert.equal((await call('/shares', { hip: 'IN0000000000', counter: '1' })).status, 404)
  })
})
