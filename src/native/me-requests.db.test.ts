import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  HOSPITAL,
  LAB,
  link,
  RAVI,
  type Reply,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, VISITS } from '../../test/consent-steps.ts'
import { codeOf, meSteps } from '../../test/me-steps.ts'
import { consentInit } from '../abdm/consent-messages.ts'
import { proposalOf } from '../abdm/exchange-consent-routes.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import { askConsent, denyConsent } from '../consent/commands.ts'
import { sweepExpired } from '../consent/jobs.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { tieAll } from '../keys/tie-existing.ts'
import { addLinks } from '../linking/link-commands.ts'
import { saveServices } from '../partners/commands.ts'
import { setPatientStatus } from '../people/commands.ts'

let exchange: TestExchange
const { requested, ask, approve, item } = consentSteps(() => exchange)
const me = meSteps(() => exchange)
describe('native/me-requests', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const at = (reply: Reply, name: string): Record<string, unknown> => reply.body[name] as Record<string, unknown>
  const statusOf = async (id: string): Promise<unknown> => (await me.get(`requests/${id}`)).body['status']
  const events = async (id: string) =>
    (await exchange.inTx((tx) => receiptsAbout(tx, ASHA, { limit: 100 }))).flatMap((each) =>
      'event' in each && each.event.subject === id ? [each.event] : [],
    )

  test('the inbox has a row for each request: who asks, in the words of the register and of the request', async () => {
    const id = await requested()
    const { status, body } = await me.get('requests')
    assert.equal(status, 200)
    const row = (body['items'] as Record<string, unknown>[]).find((each) => each['id'] === id)
    assert.deepEqual(row?.['asker'], {
      id: 'IN2710000021',
      name: 'Lakeview Clinic',
      kinds: [],
      isGovernment: false,
      isRegistered: true,
      standing: 'confirmed',
      person: { name: 'Dr. Meera Iyer', registration: 'KA-1234', register: 'https://www.mciindia.org' },
    })
    assert.equal(row?.['purpose'], 'CAREMGT')
    assert.deepEqual(row?.['hiTypes'], ['OPConsultation', 'Prescription', 'DiagnosticReport'])
    assert.equal((await me.get('requests', RAVI)).body['size'], 0)
    const before = (await me.get('requests?status=decided')).body['size'] as number
    assert.equal((await me.post(`requests/${id}/deny`)).status, 200)
    assert.equal((await me.get('requests?status=decided')).body['size'], before + 1)
    assert.equal((await me.get('requests?status=all')).status, 400)
  })

  test('one request shows what exists: counts by kind, providers down to visits, days where names tell them', async () => {
    await exchange.inTx(async (tx) => {
      const dated = ['MRN-1', HOSPITAL, 'OPConsultation'] as const
      const contexts = [
        ['dated-in', 'Visit of 3 March 2025'],
        ['dated-out', 'Visit of 3 March 2019'],
      ] as const
      await addLinks(tx, {
        patient: ASHA,
        hip: HOSPITAL,
        via: 'facility',
        contexts: contexts.map(([careContextReference, display]) => ({
          patientReference: dated[0],
          careContextReference,
          hiType: dated[2],
          patientDisplay: 'Asha',
          display,
        })),
      })
    })
    const id = await requested()
    const { body } = await me.get(`requests/${id}`)
    // visit-1, visit-2 (days unknown) and the one of 2025; 2019 is before the range.
    assert.deepEqual(body['counts'], { OPConsultation: 3, Prescription: 1, DiagnosticReport: 1 })
    const providers = body['providers'] as { id: string; name: string; contexts: Record<string, unknown>[] }[]
    assert.deepEqual(providers.map(({ id: hip }) => hip).toSorted(), [HOSPITAL, LAB])
    const contexts = providers.find(({ id: hip }) => hip === HOSPITAL)?.contexts ?? []
    assert.deepEqual(
      contexts.map((each) => [each['careContextReference'], each['day'], each['isInRange']]),
      [
        ['dated-in', '2025-03-03', true],
        ['dated-out', '2019-03-03', false],
        ['visit-1', undefined, true],
        ['visit-2', undefined, true],
      ],
    )
    assert.deepEqual(contexts.find((each) => each['careContextReference'] === 'visit-1')?.['hiTypes'], [
      'OPConsultation',
      'Prescription',
    ])
    const narrow = await requested(ask({ hip: { id: LAB }, hiTypes: ['DiagnosticReport'] }))
    const one = (await me.get(`requests/${narrow}`)).body
    assert.deepEqual(one['counts'], { DiagnosticReport: 1 })
    assert.equal((one['providers'] as unknown[]).length, 1)
    assert.equal(codeOf(await me.get(`requests/${id}`, RAVI)), 'consent/unknown-request')
    assert.equal((await me.get('requests/nothing')).status, 404)
  })

  test('the notice is shown in the language that was asked for, kept word for word, and its hash stands in the log', async () => {
    const id = await requested()
    const shown = await me.post(`requests/${id}/notice`, { language: 'en' })
    assert.equal(shown.status, 201)
    const paragraphs = shown.body['paragraphs'] as { slot: string; items?: string[]; text: string[] }[]
    assert.equal(paragraphs.find(({ slot }) => slot === 'data')?.items?.length, 3)
    assert.match(JSON.stringify(paragraphs), /dpo@exchange\.example/)
    assert.match(JSON.stringify(paragraphs), /https:\/\/exchange\.example\/me\/sharing/)
    const [event] = (await events(id)).filter(({ type }) => type === 'notice.shown')
    assert.equal((event as { sha256?: string }).sha256, shown.body['sha256'])
    const again = await me.post(`requests/${id}/notice`, { language: 'sat' })
    assert.equal(again.body['language'], 'sat')
    assert.notEqual(again.body['id'], shown.body['id'])
    assert.equal((await me.post(`requests/${id}/notice`, { language: 'fr' })).status, 400)
    assert.equal((await me.post(`requests/${id}/notice`, { language: 'en' }, {}, RAVI)).status, 404)
  })

  test('allowing needs the notice of this request, shown to this person, and a proof for this request', async () => {
    const id = await requested()
    const other = await requested()
    const good = await me.allowing(id, [me.hospital()])
    const refused = async (change: object, headers: Record<string, string> = {}): Promise<unknown> => {
      const reply = await me.post(`requests/${id}/allow`, { ...good, ...change }, headers)
      assert.ok(reply.status >= 400, JSON.stringify(reply))
      assert.equal(await statusOf(id), 'REQUESTED')
      return codeOf(reply)
    }
    assert.equal(await refused({ notice: randomUUID() }), 'notices/not-shown')
    assert.equal(await refused({ notice: await me.noticed(other) }), 'notices/not-shown')
    assert.equal(await refused({ notice: await me.noticed(id, { 'x-guardian': RAVI }) }), 'notices/not-shown')
    assert.equal(await refused({}, { 'x-guardian': RAVI }), 'notices/not-shown')
    const stepUps = [
      randomUUID(),
      await me.proved('consent.grant', other),
      await me.proved('policy.save', id),
      await me.proved('consent.grant', id, { session: randomUUID() }),
      await me.proved('consent.grant', id, { status: 'waiting' }),
      await me.proved('consent.grant', id, { status: 'spent' }),
      await me.proved('consent.grant', id, { expires_at: exchange.clock.now() }),
    ]
    for (const stepUp of stepUps) assert.match(String(await refused({ stepUp })), /^auth\//)
    assert.equal((await me.post(`requests/${id}/allow`, good)).status, 200)
  })

  test('what is refused spends no proof: it is mended, and allowed with the same one', async () => {
    const id = await requested()
    const body = await me.allowing(id, [me.hospital({ hiTypes: ['Invoice'] })])
    assert.equal(codeOf(await me.post(`requests/${id}/allow`, body)), 'consent/wider-types')
    const mended = await me.post(`requests/${id}/allow`, { ...body, consents: [me.hospital()] })
    assert.equal(mended.status, 200, JSON.stringify(mended.body))
  })

  test('what was allowed is shown, with the notice in the evidence; the hospital and the clinic are told', async () => {
    const id = await requested()
    await exchange.takeSent()
    const reply = await me.allow(id, [me.hospital(), me.laboratory()])
    assert.equal(reply.status, 200)
    assert.equal(reply.body['status'], 'GRANTED')
    const decided = at(reply, 'decided')
    assert.equal(decided['outcome'], 'GRANTED')
    assert.equal((decided['consents'] as unknown[]).length, 2)
    const granted = (await events(id)).find(({ type }) => type === 'consent.granted') as
      | { notice?: { id: string; sha256: string } }
      | undefined
    assert.equal(granted?.notice?.id, decided['notice'])
    assert.match(granted?.notice?.sha256 ?? '', /^[0-9a-f]{64}$/)
    const paths = (await exchange.takeSent()).map(({ path }) => path)
    assert.equal(paths.filter((path) => path.endsWith('hip/notify')).length, 2)
    assert.equal(paths.filter((path) => path.endsWith('hiu/consent/request/notify')).length, 1)
    const next = await requested()
    const others = (await me.get(`requests/${next}`)).body['others'] as { request: string }[]
    assert.equal(others.filter(({ request }) => request === id).length, 2)
  })

  test('who decided, and after which notice, is known however many decisions came later', async () => {
    const id = await requested()
    const decided = at(await me.allow(id, [me.hospital()]), 'decided')
    assert.equal(typeof decided['event'], 'string')
    const actor = { kind: 'patient', id: ASHA } as const
    for (let i = 0; i < 101; i++) {
      exchange.clock.advance(1)
      const later = (await requested()) as Id<'consent-request'>
      must(await exchange.inTx((tx) => denyConsent(tx, { patient: ASHA, request: later, reason: 'no', actor })))
    }
    const shown = at(await me.get(`requests/${id}`), 'decided')
    assert.deepEqual([shown['event'], shown['notice']], [decided['event'], decided['notice']])
  })

  test('of who nobody has confirmed the inbox does not say that it is registered', async () => {
    const unconfirmed = 'IN2710000098' as FacilityId
    const services = [{ id: unconfirmed, name: 'AIIMS New Delhi', roles: ['hiu' as const], isActive: true }]
    const order = { clientId: 'bridge-clinic', services, actor: { kind: 'system', id: 'bridge-clinic' } } as const
    must(await exchange.inTx((tx) => saveServices(tx, { ...order, ownWord: 'trial' })))
    const { consent } = ask()
    const proposal = proposalOf(consentInit.parse({ consent: { ...consent, hiu: { id: unconfirmed } } }).consent)
    const id = must(
      await exchange.inTx((tx) => askConsent(tx, exchange.needs, { proposal, requestId: randomUUID() })),
    ).id
    const asker = at(await me.get(`requests/${id}`), 'asker')
    assert.deepEqual([asker['isRegistered'], asker['standing']], [false, 'unconfirmed'])
    await exchange.takeSent()
  })

  test('a guardian decides for a child: the record says who', async () => {
    const id = await requested()
    const reply = await me.allow(id, [me.hospital()], { 'x-guardian': RAVI })
    assert.equal(reply.status, 200)
    assert.equal(at(reply, 'decided')['guardian'], RAVI)
    const types = (await events(id)).filter(({ type }) => type === 'notice.shown' || type === 'consent.granted')
    assert.deepEqual(
      types.map(({ actor }) => (actor.kind === 'patient' ? actor.guardian : undefined)),
      [RAVI, RAVI],
    )
  })

  test('a denial needs neither notice nor proof, and its reason may be left out', async () => {
    const silent = await requested()
    const denied = await me.post(`requests/${silent}/deny`)
    assert.equal(denied.status, 200)
    assert.equal(at(denied, 'decided')['reason'], undefined)
    const said = await requested()
    const reply = await me.post(`requests/${said}/deny`, { reason: 'I do not know them.' })
    assert.equal(at(reply, 'decided')['reason'], 'I do not know them.')
    assert.equal((await me.post(`requests/${said}/deny`, { reason: 'a\u0000b' })).status, 400)
  })

  test('a double tap, and an answer that was lost on the way: the same key has its effect once and the same answer', async () => {
    const id = await requested()
    const body = await me.allowing(id, [me.hospital()])
    const key = { 'idempotency-key': randomUUID() }
    await exchange.takeSent()
    const replies = await Promise.all(Array.from({ length: 5 }, () => me.post(`requests/${id}/allow`, body, key)))
    assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200])
    for (const { body: answer } of replies) assert.deepEqual(answer, replies[0]?.body)
    // Applied, answer lost: the app repeats it much later.
    exchange.clock.advance(600_000)
    assert.equal((await me.post(`requests/${id}/allow`, body, key)).status, 200)
    assert.equal((await events(id)).filter(({ type }) => type === 'consent.granted').length, 1)
    assert.equal((await exchange.takeSent()).filter(({ path }) => path.endsWith('hip/notify')).length, 1)
  })

  test('two devices at once: one decides, the other is told what was decided, and when', async () => {
    for (let round = 0; round < 4; round++) {
      const id = await requested()
      const [first, second] = [await me.allowing(id, [me.hospital()]), await me.allowing(id, [me.hospital()])]
      const replies = await Promise.all([
        me.post(`requests/${id}/allow`, first),
        me.post(`requests/${id}/allow`, second),
        me.post(`requests/${id}/deny`, { reason: '' }),
      ])
      const [won] = replies.filter(({ status }) => status === 200)
      const lost = replies.filter(({ status }) => status !== 200)
      assert.equal(lost.length, 2, JSON.stringify(replies))
      for (const { status, body } of lost) {
        assert.equal(status, 409)
        assert.equal(codeOf({ body }), 'consent/already-decided')
        assert.match(String(body['detail']), won?.body['status'] === 'DENIED' ? /denied/ : /allowed/)
        assert.match(String(body['detail']), /2026-11-22T/)
      }
      assert.equal(await statusOf(id), won?.body['status'])
    }
  })

  test('decided elsewhere while it was read: by another app, by its end, by a stop that followed', async () => {
    const elsewhere = await requested()
    const body = await me.allowing(elsewhere, [me.hospital()])
    assert.equal((await approve(elsewhere, [item()])).status, 202)
    assert.equal(codeOf(await me.post(`requests/${elsewhere}/allow`, body)), 'consent/already-decided')
    assert.equal(codeOf(await me.post(`requests/${elsewhere}/notice`, { language: 'en' })), 'consent/already-decided')
    const consents = at(await me.get(`requests/${elsewhere}`), 'decided')['consents'] as { id: string }[]
    await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents: consents.map(({ id }) => id) })
    assert.match(String((await me.post(`requests/${elsewhere}/deny`)).body['detail']), /allowed, and stopped/)
  })

  test('its time ended while it was read: nothing is shared, whichever of the sweep and the decision comes first', async () => {
    for (const sweepFirst of [true, false]) {
      const id = await requested()
      const body = await me.allowing(id, [me.hospital()])
      exchange.clock.advance(8 * 86_400_000)
      const stepUp = await me.proved('consent.grant', id)
      assert.equal(await statusOf(id), 'EXPIRED', 'shown as over at once')
      if (sweepFirst) await sweepExpired(exchange.machine)
      const reply = await me.post(`requests/${id}/allow`, { ...body, stepUp })
      assert.equal(reply.status, 410)
      assert.equal(codeOf(reply), 'consent/request-expired')
      assert.equal((await me.post(`requests/${id}/deny`)).status, 410)
      const decided = at(await me.get(`requests/${id}`), 'decided')
      assert.deepEqual(decided['consents'], [])
    }
  })

  test('links that changed, providers and askers that left meanwhile: refused by name, and the request still waits', async () => {
    const id = await requested()
    const body = await me.allowing(id, [
      me.hospital({ careContexts: [{ ...VISITS[0], careContextReference: 'gone' }] }),
    ])
    assert.equal(codeOf(await me.post(`requests/${id}/allow`, body)), 'consent/unknown-context')
    const setActive = (facility: string, active: boolean) =>
      exchange.inTx(async (tx) => {
        await tx.db
          .updateTable('facility')
          .set({ status: active ? 'active' : 'inactive', tie: '' })
          .where('id', '=', facility)
          .execute()
        await tieAll(tx.db)
      })
    const good = { ...body, consents: [me.hospital()] }
    await setActive(HOSPITAL, false)
    assert.equal(codeOf(await me.post(`requests/${id}/allow`, good)), 'consent/unknown-hip')
    await setActive(HOSPITAL, true)
    await setActive('IN2710000021', false)
    assert.equal(codeOf(await me.post(`requests/${id}/allow`, good)), 'consent/unknown-hiu')
    await setActive('IN2710000021', true)
    assert.equal((await me.post(`requests/${id}/allow`, good)).status, 200)
  })

  test('a deactivated patient allows nothing', async () => {
    const id = await requested()
    const body = await me.allowing(id, [me.hospital()])
    const set = (status: 'active' | 'deactivated') =>
      exchange.inTx((tx) => setPatientStatus(tx, { patient: ASHA, status, actor: { kind: 'operator', id: 'test' } }))
    await set('deactivated')
    assert.equal(codeOf(await me.post(`requests/${id}/allow`, body)), 'people/deactivated')
    await set('active')
    assert.equal((await me.post(`requests/${id}/allow`, body)).status, 200)
  })

  test('a visit that was linked while she read can be allowed too', async () => {
    const id = await requested()
    await exchange.inTx((tx) => link(tx, ASHA, HOSPITAL, 'MRN-1', ['late'], 'OPConsultation'))
    const careContexts = [VISITS[0], { patientReference: 'MRN-1', careContextReference: 'late' }]
    assert.equal((await me.allow(id, [me.hospital({ careContexts })])).status, 200)
  })
})
