import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ASHA, CLINIC, INSURER, RAVI, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { consentSteps } from '../../test/consent-steps.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { verifyReceipt } from '../audit/verify.ts'
import { artefactById } from '../consent/readers.ts'
import { transact } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { readSharingFacts } from '../rights/facts.ts'
import { consentOf } from '../rights/sharing.ts'

let exchange: TestExchange
const steps = consentSteps(() => exchange)
describe('native/routes', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const asClinic = { 'x-hiu-id': CLINIC }
  const look = (consentId: string, change: object = {}) => ({
    consentId,
    at: exchange.clock.now().toISOString(),
    person: { name: 'Dr. Meera Iyer', role: 'physician' },
    purpose: 'CAREMGT',
    what: [{ hiType: 'OPConsultation', careContextReference: 'visit-1' }],
    ...change,
  })
  const erasure = (consentId: string) => ({
    consentId,
    erasedAt: exchange.clock.now().toISOString(),
    reason: 'REVOKED',
    documents: 1,
    sha256: ['a'.repeat(64)],
  })
  const retention = (consentId: string) => ({
    consentId,
    until: '2029-11-22T06:30:00.000Z',
    reason: 'clinical-records',
    law: 'Indian Medical Council (Professional Conduct, Etiquette and Ethics) Regulations 2002, reg. 1.3.1',
  })
  type Event = {
    readonly id: string
    readonly event: { readonly actor: { readonly person?: object }; readonly type: string; readonly asFile?: boolean }
  }
  const looksOf = async (patient: typeof ASHA) =>
    (await exchange.asPatient(patient, 'GET', '/v1/me/looks')).body as unknown as readonly Event[]

  test('the patient sees by name who looked, with a receipt that holds offline; nobody else sees it', async () => {
    const { consents } = await steps.granted()
    const taken = { ...look(consents[0] ?? ''), asFile: true }
    for (const body of [taken, look(consents[0] ?? '')])
      assert.equal((await exchange.asBridge('bridge-clinic', '/v1/accesses', body, asClinic)).status, 202)
    const looks = await looksOf(ASHA)
    const [seen] = looks
    // Both of one moment: in any order.
    assert.equal(looks.filter(({ event }) => event.asFile === true).length, 1)
    assert.equal(looks.length, 2)
    assert.deepEqual(seen?.event.actor.person, { name: 'Dr. Meera Iyer', role: 'physician' })
    assert.deepEqual(await looksOf(RAVI), [])
    const early = await exchange.asPatient(ASHA, 'GET', `/v1/me/receipts/${seen?.id}`)
    assert.equal(early.status, 503)
    await sequenceNow(exchange.machine, exchange.ownLog.signer)
    const receipt = await exchange.asPatient(ASHA, 'GET', `/v1/me/receipts/${seen?.id}`)
    assert.equal(receipt.status, 200)
    assert.ok(!isRefusal(verifyReceipt(JSON.stringify(receipt.body), {})))
    assert.ok(isRefusal(verifyReceipt(JSON.stringify(receipt.body).replace('Meera', 'Mira'), {})))
    assert.equal((await exchange.asPatient(RAVI, 'GET', `/v1/me/receipts/${seen?.id}`)).status, 404)
  })

  test('another facility’s consent answers as one that does not exist', async () => {
    const { consents } = await steps.granted()
    const nowhere = '01a20000-0000-7000-8000-000000000001'
    const asInsurer = { 'x-hiu-id': INSURER }
    for (const [path, body] of [
      ['/v1/accesses', look],
      ['/v1/retentions', retention],
      ['/v1/erasures', erasure],
    ] as const) {
      const other = await exchange.asBridge('bridge-insurer', path, body(consents[0] ?? ''), asInsurer)
      const absent = await exchange.asBridge('bridge-insurer', path, body(nowhere), asInsurer)
      assert.equal(other.status, 404)
      const { trace: _one, ...first } = other.body
      const { trace: _two, ...second } = absent.body
      assert.deepEqual(first, second)
      assert.equal((await exchange.asBridge('bridge-insurer', path, body(consents[0] ?? ''), asClinic)).status, 403)
    }
  })

  test('malformed reports name the field', async () => {
    const { consents } = await steps.granted()
    const cases: readonly [object, string][] = [
      [look('not-a-uuid'), 'consentId'],
      [look(consents[0] ?? '', { what: [] }), 'what'],
      [look(consents[0] ?? '', { person: { name: '', role: 'x' } }), 'person.name'],
      [look(consents[0] ?? '', { at: 'yesterday' }), 'at'],
    ]
    for (const [body, field] of cases) {
      const reply = await exchange.asBridge('bridge-clinic', '/v1/accesses', body, asClinic)
      assert.equal(reply.status, 400)
      assert.equal(reply.body['field'], field)
    }
  })

  test('an erasure is attested once the consent has ended, once, and the patient sees it', async () => {
    const { consents } = await steps.granted()
    const consent = consents[0] ?? ''
    assert.equal((await exchange.asBridge('bridge-clinic', '/v1/erasures', erasure(consent), asClinic)).status, 409)
    await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [consent] })
    for (const _try of [1, 2]) {
      assert.equal((await exchange.asBridge('bridge-clinic', '/v1/erasures', erasure(consent), asClinic)).status, 202)
    }
    const sharing = (await exchange.asPatient(ASHA, 'GET', '/v1/me/sharing')).body as unknown as {
      items: { id: string; erasedAt?: string }[]
    }
    assert.ok(sharing.items.find(({ id }) => id === consent)?.erasedAt)
    const events = (await exchange.asPatient(ASHA, 'GET', '/v1/me/events?limit=100'))
      .body as unknown as readonly Event[]
    assert.equal(events.filter(({ event }) => event.type === 'consent.data-erased').length, 1)
  })

  test('a receiver that must keep its copy says until when and why; the patient sees it until the copy is erased', async () => {
    const { consents } = await steps.granted()
    const consent = consents[0] ?? ''
    const tell = (path: string, body: object) => exchange.asBridge('bridge-clinic', path, body, asClinic)
    assert.equal((await tell('/v1/retentions', retention(consent))).status, 409, 'the consent still lives')
    await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: [consent] })
    for (const _try of [1, 2]) assert.equal((await tell('/v1/retentions', retention(consent))).status, 202)
    const kept = async (): Promise<unknown> => {
      const artefact = await transact(exchange.machine, (tx) => artefactById(tx, consent as Id<'artefact'>))
      assert.ok(artefact)
      const facts = await transact(exchange.machine, (tx) => readSharingFacts(tx, ASHA))
      const { keptUntil, keptFor } = consentOf(facts, artefact)
      return [keptUntil, keptFor]
    }
    assert.deepEqual(await kept(), ['2029-11-22T06:30:00.000Z', 'clinical-records'])
    const events = (await exchange.asPatient(ASHA, 'GET', '/v1/me/events?limit=100'))
      .body as unknown as readonly Event[]
    assert.equal(events.filter(({ event }) => event.type === 'consent.data-kept').length, 1)
    assert.equal((await tell('/v1/erasures', erasure(consent))).status, 202)
    assert.deepEqual(await kept(), [undefined, undefined])
  })
})
