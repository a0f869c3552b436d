import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  RAVI,
  startTestExchange,
  strangerId,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, DAY_MS } from '../../test/consent-steps.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type Id, makeId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlaceInParts } from '../kernel/list-place.ts'
import { tieAll } from '../keys/tie-existing.ts'
import type { MyLooks, MyOpenings } from '../native/me-look-routes.ts'
import { questionUndelivered, receivedQuestions, receiveQuestion, replyToQuestion } from './commands.ts'
import type { LookView, QuestionView, ReceiverView } from './views.ts'

let exchange: TestExchange
const steps = consentSteps(() => exchange)
describe('rights/questions', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const get = async <T>(path: string, who = ASHA): Promise<T> =>
    (await exchange.asPatient(who, 'GET', path)).body as unknown as T

  async function look(consentId: string, change: object = {}): Promise<LookView> {
    // Events of one millisecond have no order.
    exchange.clock.advance(1)
    const body = {
      consentId,
      at: exchange.clock.now().toISOString(),
      person: { name: 'Dr. Meera Iyer', role: 'physician' },
      purpose: 'CAREMGT',
      what: [{ hiType: 'OPConsultation', careContextReference: 'visit-1' }],
      ...change,
    }
    const reply = await exchange.asBridge('bridge-clinic', '/v1/accesses', body, { 'x-hiu-id': CLINIC })
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    const [newest] = await get<MyLooks>('/v1/me/looks?limit=1')
    assert.ok(newest && !('changed' in newest))
    return newest
  }
  const ask = (event: string, text = 'Why did you look?', who = ASHA) =>
    exchange.asPatient(who, 'POST', `/v1/me/looks/${event}/question`, { text })
  const answer = (body: object, bridge: 'bridge-clinic' | 'bridge-insurer' = 'bridge-clinic') =>
    exchange.asBridge(bridge, '/v1/answers', body)
  const question = async (id: unknown): Promise<QuestionView | undefined> =>
    (await get<readonly QuestionView[]>('/v1/me/questions')).find((one) => one.id === id)

  test('a usual look says under which consent; unusual ones say why they stand out, and come first in their own list', async () => {
    const { consents } = await steps.granted()
    const usual = await look(consents[0] ?? '')
    assert.deepEqual([usual.basis, usual.unusual, usual.consent?.status], ['consent', [], 'live'])
    assert.equal(usual.facility.name, 'Lakeview Clinic')
    const other = await look(consents[0] ?? '', { purpose: 'PUBHLTH' })
    assert.deepEqual(other.unusual, ['other-purpose'])
    const emergency = await look(consents[0] ?? '', { purpose: 'BTG' })
    assert.ok(emergency.unusual.includes('emergency'))
    const joined = await look(consents[0] ?? '', { attending: true, joined: true })
    assert.deepEqual(joined.unusual, ['joined'])
    const alone = await look(consents[0] ?? '', { attending: false })
    assert.deepEqual(alone.unusual, ['no-visit'])
    await exchange.asPatient(ASHA, 'POST', `/v1/me/sharing/${consents[0]}/stop`, {})
    exchange.clock.advance(60_000)
    const late = await look(consents[0] ?? '')
    assert.deepEqual([late.unusual, late.consent?.status], [['no-consent'], 'stopped'])
    const unusual = await get<readonly LookView[]>('/v1/me/looks/unusual')
    assert.deepEqual(
      unusual.map(({ id }) => id),
      [late.id, alone.id, joined.id, emergency.id, other.id],
    )
    const all = await get<MyLooks>('/v1/me/looks?limit=3')
    const rest = await get<MyLooks>(`/v1/me/looks?limit=3&before=${all[2]?.id}`)
    assert.deepEqual(
      [...all, ...rest].map(({ id }) => id),
      [late.id, alone.id, joined.id, emergency.id, other.id, usual.id],
    )
    assert.deepEqual(await get('/v1/me/looks/unusual', RAVI), [])
  })

  test('who opened her page without a record stands in a list of its own, with a receipt, and can be asked about', async () => {
    const before = await get<MyLooks>('/v1/me/looks')
    const report = {
      patient: ASHA,
      basis: 'page',
      at: exchange.clock.now().toISOString(),
      person: { name: 'Sunil Rao', role: 'front-desk' },
    }
    const send = (body: object) => exchange.asBridge('bridge-hip', '/v1/accesses', body, { 'x-hiu-id': HOSPITAL })
    for (const wrong of [
      { ...report, purpose: 'CAREMGT' },
      { ...report, what: [{ hiType: 'Prescription', careContextReference: 'visit-1' }] },
      { ...report, basis: 'own-care' },
      { ...report, basis: 'own-care', purpose: 'CAREMGT' },
    ])
      assert.equal((await send(wrong)).status, 400, JSON.stringify(wrong))
    assert.equal((await send(report)).status, 202)
    exchange.clock.advance(1)
    assert.equal((await send({ ...report, person: { name: 'Rosy Mathew', role: 'nurse' } })).status, 202)
    assert.deepEqual(await get<MyLooks>('/v1/me/looks'), before, 'it buries no look')
    const openings = await get<MyOpenings>('/v1/me/looks/openings?limit=1')
    const [newest] = openings
    assert.ok(newest && !('changed' in newest) && openings.length === 1)
    assert.deepEqual(
      [newest.event.actor.person?.name, newest.facility.id, 'what' in newest.event],
      ['Rosy Mathew', HOSPITAL, false],
    )
    const [older, ...more] = await get<MyOpenings>(`/v1/me/looks/openings?before=${newest.id}`)
    assert.deepEqual(more, [])
    assert.ok(older && !('changed' in older))
    assert.equal(older.event.actor.person?.name, 'Sunil Rao')
    assert.deepEqual(await get('/v1/me/looks/openings', RAVI), [])
    await exchange.takeSent()
    assert.equal((await ask(newest.id)).status, 201)
    const [sent] = await exchange.takeSent()
    assert.ok(sent)
    assert.deepEqual((sent.body as { look: object }).look, {
      at: newest.event.at,
      person: 'Rosy Mathew',
      role: 'nurse',
      purpose: '',
    })
  })

  test('a question goes to the facility with a number and a date, is confirmed, and its answer comes back', async () => {
    const { consents } = await steps.granted()
    const seen = await look(consents[0] ?? '')
    await exchange.takeSent()
    const asked = await ask(seen.id)
    assert.equal(asked.status, 201, JSON.stringify(asked.body))
    assert.match(String(asked.body['number']), /^Q-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    const dueMs = Date.parse(String(asked.body['dueAt'])) - exchange.clock.now().getTime()
    assert.ok(dueMs > 0 && dueMs <= 90 * DAY_MS, 'at most 90 days (DPDP r.14(3))')
    const [sent] = await exchange.takeSent()
    assert.equal(sent?.path, '/v1/questions')
    assert.deepEqual(sent.to, { kind: 'facility', facility: CLINIC })
    assert.equal((sent.body as { look: { person: string } }).look.person, 'Dr. Meera Iyer')
    const { id } = asked.body
    const again = await ask(seen.id, 'And again?')
    assert.equal(again.body['id'], id, 'one open question about one look')
    assert.equal((await exchange.takeSent()).length, 0)
    const [shown] = await get<MyLooks>('/v1/me/looks?limit=1')
    assert.equal(shown && 'question' in shown ? shown.question?.status : undefined, 'asked')

    assert.equal((await answer({ question: id, status: 'received' }, 'bridge-insurer')).status, 404)
    assert.equal((await answer({ question: id, status: 'received' })).status, 202)
    assert.equal((await question(id))?.status, 'delivered')
    const text = 'She was on duty that night.'
    assert.equal((await answer({ question: id, status: 'answered', text, by: 'A. Bose, DPO' })).status, 202)
    assert.equal((await answer({ question: id, status: 'answered', text: 'Other', by: 'X' })).status, 202)
    assert.equal((await answer({ question: id, status: 'received' })).status, 202, 'late is fine')
    const answered = await question(id)
    assert.equal(answered?.status, 'answered')
    assert.deepEqual([answered.answer?.text, answered.answer?.by], [text, 'A. Bose, DPO'], 'the first answer stands')
    assert.equal(
      (await ask(seen.id, 'I do not believe it.')).body['status'],
      'asked',
      'after an answer, she may ask again',
    )
  })

  test('nobody asks about another’s look, nor about what is no look; words have a length', async () => {
    const { consents, request } = await steps.granted()
    const seen = await look(consents[0] ?? '')
    const [granted] = (await get<readonly { id: string; event: { type: string } }[]>('/v1/me/events?limit=100')).filter(
      ({ event }) => event.type === 'consent.granted',
    )
    const nowhere = [strangerId(exchange, ASHA), granted?.id ?? '', request, 'x']
    for (const event of nowhere) assert.equal((await ask(event)).status, 404, event)
    assert.equal((await ask(seen.id, 'Why?', RAVI)).status, 404)
    assert.equal((await ask(seen.id, '   ')).status, 400)
    assert.equal((await ask(seen.id, 'x'.repeat(LIMITS.questionCharsMax + 1))).status, 400)
    assert.deepEqual(await get('/v1/me/questions', RAVI), [])
    const unknown = await answer({ question: strangerId(exchange, ASHA), status: 'received' })
    assert.equal(unknown.status, 404)
  })

  test('a question that cannot be handed over says so; a late confirmation mends it', async () => {
    const { consents } = await steps.granted()
    const { id } = (await ask((await look(consents[0] ?? '')).id)).body
    await exchange.inTx((tx) => questionUndelivered(tx, String(id)))
    assert.equal((await question(id))?.status, 'undelivered')
    await answer({ question: id, status: 'received' })
    assert.equal((await question(id))?.status, 'delivered')
  })

  test('a facility reads them by the page; one that is answered meanwhile hides no other', async () => {
    const receive = (dueInDays: number) =>
      exchange.inTx(async (tx) => {
        const id = makeId<'question'>(tx.now, tx.random, bucketOf(ASHA))
        const look = { at: tx.now.toISOString(), person: 'A', role: 'doctor', purpose: 'CAREMGT' }
        const dueAt = new Date(tx.now.getTime() + dueInDays * DAY_MS)
        const told = { id, patient: ASHA, number: 'Q-1', text: 'Why?', look, dueAt, exchange: 'sbx' }
        await receiveQuestion(tx, told)
        return id
      })
    const ids: Id<'question'>[] = []
    // Two of them are due at the same moment.
    for (const days of [9, 3, 5, 3, 7]) ids.push(await receive(days))
    const page = (after: string | undefined, limit: number) =>
      exchange.inTx((tx) => {
        const place = after === undefined ? undefined : parsePlaceInParts(after, (name) => parseId<'question'>(name))
        return receivedQuestions(tx, { after: place, limit })
      })
    const reply = (id: Id<'question'> | undefined) =>
      exchange.inTx((tx) => {
        assert.ok(id)
        const actor = { kind: 'operator', id: 'test' } as const
        return replyToQuestion(tx, { patient: ASHA, id, text: 'So.', by: 'B', actor })
      })
    const days = ({ questions }: Awaited<ReturnType<typeof page>>) =>
      questions.map(({ dueAt }) => Math.round((dueAt.getTime() - exchange.clock.now().getTime()) / DAY_MS))
    assert.deepEqual(days(await page(undefined, 100)), [3, 3, 5, 7, 9])
    const first = await page(undefined, 2)
    await reply(first.questions[0]?.id)
    await reply(first.questions[1]?.id)
    await reply(ids[2])
    const second = await page(first.next, 2)
    assert.deepEqual(
      [days(first), days(second)],
      [
        [3, 3],
        [7, 9],
      ],
    )
    // Answered ones behind them, the latest first.
    const third = await page(second.next, 2)
    const fourth = await page(third.next, 2)
    assert.deepEqual([days(third), days(fourth), fourth.next], [[5, 3], [3], undefined])
    assert.equal(new Set([third, fourth].flatMap(({ questions }) => questions.map(({ id }) => id))).size, 3)
  })

  test('words of the patient are sealed: the row does not show them', async () => {
    const { consents } = await steps.granted()
    await ask((await look(consents[0] ?? '')).id, 'Was this my neighbour Balan?')
    const rows = await exchange.inTx((tx) =>
      tx.db.selectFrom('question').select('body').where('bucket', '>=', 0).execute(),
    )
    assert.ok(rows.length > 0)
    for (const { body } of rows) assert.ok(!body.toString('latin1').includes('Balan'))
  })

  test('so many questions may wait for an answer, and no more', async () => {
    const { consents } = await steps.granted()
    const statuses: number[] = []
    for (let i = 0; i <= LIMITS.questionsOpenMax; i++)
      statuses.push((await ask((await look(consents[0] ?? '')).id)).status)
    assert.equal(statuses.at(-1), 429)
  })

  test('a look at records that were opened in an emergency says so: she had not allowed it', async () => {
    await exchange.machine.db
      .updateTable('facility')
      .set({ facility_types: ['Hospital'], tie: '' })
      .where('id', '=', CLINIC)
      .execute()
    await tieAll(exchange.machine.db)
    const emergency = {
      reason: 'unconscious',
      words: 'Brought in after a road accident.',
      person: { name: 'Dr. Meera Iyer', role: 'doctor', registration: 'KA-1234' },
    }
    const opened = await exchange.asBridge('bridge-clinic', '/v1/emergencies', { ...steps.ask(), emergency })
    assert.equal(opened.status, 202, JSON.stringify(opened.body))
    const { items, receivers } = await get<{ items: { id: string }[]; receivers: readonly ReceiverView[] }>(
      '/v1/me/sharing',
    )
    const request = receivers.flatMap(({ requests }) => requests).find(({ isEmergency }) => isEmergency)
    assert.equal(request?.purpose, 'BTG')
    assert.ok(request.consents.every((consent) => consent.emergency !== undefined))
    const seen = await look(items[0]?.id ?? '', { purpose: 'BTG' })
    assert.deepEqual([seen.basis, seen.unusual, seen.consent?.status], ['emergency', ['emergency'], 'live'])
    const stopped = await exchange.asPatient(ASHA, 'POST', `/v1/me/sharing/${request.id}/stop`, {})
    assert.ok((stopped.body['stopped'] as readonly string[]).length > 0, 'she stops it like any other sharing')
  })
})
