import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  APP,
  ASHA,
  HOSPITAL,
  type LinkingExchange,
  LOCKER,
  OPERATOR,
  OTHER_HOSPITAL,
  RAVI,
  type Reply,
  startLinkingExchange,
} from '../../test/linking-exchange.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { addLinks } from '../linking/link-commands.ts'
import { subscriptionPage } from '../linking/subscription-commands.ts'
import { setPatientStatus } from '../people/commands.ts'
import { exchangeSender } from './exchange-sender.ts'
import { subscriptionEventUndelivered } from './exchange-subscription-reactions.ts'
import type { Outgoing } from './send.ts'
import { subscriptionEvent, subscriptionNotify, subscriptionOnInit } from './subscription-messages.ts'

let exchange: LinkingExchange
describe('abdm/exchange-subscription', () => {
  before(async () => {
    exchange = await startLinkingExchange()
  })
  after(() => exchange.close())

  const BASE = '/subscription-requests/v3'
  const DAY_MS = 86_400_000
  const inDays = (days: number) => new Date(exchange.clock.now().getTime() + days * DAY_MS).toISOString()
  const errorCode = (reply: Reply) => (reply.body['error'] as { code: string } | undefined)?.code
  const period = () => ({ from: inDays(-1), to: inDays(365) })

  async function only(): Promise<Outgoing> {
    const sent = await exchange.takeSent()
    assert.equal(sent.length, 1, sent.map(({ path }) => path).join(', '))
    return sent[0] as Outgoing
  }

  const init = (change: object = {}, bridge: 'bridge-app' | 'bridge-other' = 'bridge-app') =>
    exchange.asBridge(bridge, `${BASE}/init`, {
      subscription: {
        purpose: { text: '', code: 'CAREMGT' },
        patient: { id: ASHA.abhaAddress },
        hiu: { id: APP, name: 'App', type: 'HIU' },
        hips: [],
        categories: ['LINK', 'DATA'],
        period: period(),
        ...change,
      },
    })
  async function requested(change: object = {}): Promise<string> {
    assert.equal((await init(change)).status, 202)
    const message = await only()
    assert.equal(message.path, '/api/v3/hiu/hiecm/subscription-requests/on-init')
    return subscriptionOnInit.parse(message.body).subscriptionRequest?.id ?? ''
  }
  const patient = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object, who = ASHA.abhaAddress) =>
    exchange.asPatient(who, method, `${BASE}${path}`, body)
  const source = (change: object = {}) => ({
    hiTypes: ['Prescription'],
    purpose: { text: '', code: 'CAREMGT' },
    categories: ['LINK', 'DATA'],
    period: period(),
    ...change,
  })
  const approve = (id: string, change: object = {}, who = ASHA.abhaAddress) =>
    patient(
      'POST',
      `/${id}/approve`,
      { isApplicableForAllHIPs: true, includedSources: [source()], excludedSources: [], ...change },
      who,
    )
  async function granted(change: object = {}): Promise<string> {
    const id = await requested()
    assert.equal((await approve(id, change)).status, 202)
    await exchange.takeSent()
    return id
  }
  const linkNew = (hip: typeof HOSPITAL, reference: string, hiTypes: readonly HiType[]) =>
    exchange.inTx((tx) =>
      addLinks(tx, {
        patient: ASHA.abhaAddress,
        hip,
        via: 'facility',
        contexts: hiTypes.map((hiType) => ({
          patientReference: 'MRN-1',
          careContextReference: reference,
          hiType,
          patientDisplay: 'A',
          display: 'Visit',
        })),
      }),
    )
  const stop = (id: string) => patient('POST', `/disable/${id}`)

  test('asked, granted, told of new links and data, acknowledged', async () => {
    const id = await requested()
    assert.equal((await approve(id)).status, 202)
    const decision = await only()
    assert.equal(decision.path, '/api/v3/hiu/subscription-requests/hiu/notify')
    const { notification } = subscriptionNotify.parse(decision.body)
    assert.deepEqual(
      [notification.status, notification.subscriptionRequestId, notification.subscription?.id],
      ['GRANTED', id, id],
    )
    const heard = () =>
      exchange.asBridge('bridge-app', `${BASE}/hiu/on-notify`, {
        acknowledgement: { status: 'OK', subscriptionRequestId: id },
        response: { requestId: decision.requestId },
      })
    assert.deepEqual([(await heard()).status, (await heard()).status], [202, 202])

    await linkNew(HOSPITAL, 'visit-1', ['Prescription', 'OPConsultation'])
    const news = await only()
    assert.equal(news.path, '/api/v3/hiu/subscription/notify')
    assert.deepEqual(news.headers, { 'X-HIU-ID': APP })
    const { event } = subscriptionEvent.parse(news.body)
    assert.deepEqual([event.category, event.subscriptionId, event.content.hip.id], ['LINK', id, HOSPITAL])
    assert.deepEqual(event.content.contexts, [
      { careContexts: [{ patientReference: 'MRN-1', careContextReference: 'visit-1' }], hiType: 'Prescription' },
    ])
    const ack = (bridge: 'bridge-app' | 'bridge-other', eventId = event.id) =>
      exchange.asBridge(bridge, `${BASE}/hiu/care-context/on-notify`, {
        acknowledgement: { status: 'OK', eventId },
        response: { requestId: news.requestId },
      })
    const foreign = await ack('bridge-other')
    const unknown = await ack('bridge-other', id)
    assert.deepEqual([foreign.status, errorCode(foreign), foreign.body], [unknown.status, 'ABDM-1099', unknown.body])
    assert.equal((await ack('bridge-app')).status, 202)
    assert.equal((await ack('bridge-app')).status, 202)
    const types = await exchange.eventTypes()
    assert.equal(types.filter((type) => type === 'linking.event-heard').length, 1)
    assert.equal(types.filter((type) => type === 'linking.subscription-heard').length, 1)

    await exchange.asBridge('bridge-hospital', '/hip/v3/link/context/notify', {
      notification: {
        patient: { id: ASHA.abhaAddress },
        careContext: { patientReference: 'MRN-1', careContextReference: 'visit-1' },
        hiTypes: ['Prescription'],
        date: inDays(0),
        hip: { id: HOSPITAL },
      },
    })
    const sent = await exchange.takeSent()
    const data = sent.find(({ path }) => path === '/api/v3/hiu/subscription/notify')
    assert.equal(subscriptionEvent.parse(data?.body).event.category, 'DATA')

    await stop(id)
    await exchange.takeSent()
  })

  test('what the patient left out, switched off or narrowed is not told', async () => {
    const id = await granted({ excludedSources: [source({ hip: { id: OTHER_HOSPITAL } })] })
    await linkNew(OTHER_HOSPITAL, 'visit-2', ['Prescription'])
    assert.deepEqual(await exchange.takeSent(), [])
    const edit = (change: object, who = ASHA.abhaAddress) =>
      patient(
        'PUT',
        `/patients/${id}`,
        {
          hiuId: APP,
          subscriptionEditAndApprovalRequest: {
            isApplicableForAllHIPs: false,
            includedSources: [source({ hip: { id: OTHER_HOSPITAL }, hiTypes: ['Invoice'] })],
            ...change,
          },
        },
        who,
      )
    assert.equal((await edit({}, RAVI.abhaAddress)).status, 404)
    assert.equal((await edit({})).status, 202)
    assert.equal(subscriptionNotify.parse((await only()).body).notification.subscription?.sources.length, 1)
    await linkNew(OTHER_HOSPITAL, 'visit-3', ['Prescription'])
    assert.deepEqual(await exchange.takeSent(), [])
    await linkNew(OTHER_HOSPITAL, 'visit-4', ['Invoice'])
    assert.equal((await exchange.takeSent()).length, 1)
    assert.equal((await stop(id)).status, 202)
    assert.equal(subscriptionNotify.parse((await only()).body).notification.status, 'REVOKED')
    assert.equal((await stop(id)).status, 202)
    await linkNew(OTHER_HOSPITAL, 'visit-5', ['Invoice'])
    assert.deepEqual(await exchange.takeSent(), [])
    assert.equal((await patient('POST', `/enable/${id}`)).status, 202)
    await exchange.takeSent()
    exchange.clock.advance(400 * DAY_MS)
    await linkNew(OTHER_HOSPITAL, 'visit-6', ['Invoice'])
    assert.deepEqual(await exchange.takeSent(), [])
    await stop(id)
    await exchange.takeSent()
  })

  test('a denial is told with its reason; what was decided cannot be decided again, nor by another', async () => {
    const id = await requested()
    assert.equal((await approve(id, {}, RAVI.abhaAddress)).status, 404)
    const stranger = await approve('018f0000-0000-7000-8000-000000000001', {}, RAVI.abhaAddress)
    assert.equal(stranger.status, 404)
    assert.equal((await patient('POST', `/enable/${id}`)).status, 409)
    assert.equal((await patient('POST', `/${id}/deny`, { reason: 'Not now' })).status, 202)
    const { notification } = subscriptionNotify.parse((await only()).body)
    assert.deepEqual(
      [notification.status, notification.reason, notification.subscription],
      ['DENIED', 'Not now', undefined],
    )
    assert.equal(errorCode(await approve(id)), 'ABDM-1080')
    assert.equal(errorCode(await patient('POST', `/${id}/deny`, {})), 'ABDM-1080')
    assert.equal(errorCode(await patient('POST', `/enable/${id}`)), 'ABDM-1145')
    const one = await patient('GET', `/request/${id}`)
    assert.deepEqual([one.body['status'], one.body['reason']], ['DENIED', 'Not now'])
    assert.equal((await patient('GET', `/${id}`, undefined, RAVI.abhaAddress)).status, 404)
    const denied = await patient('GET', '/requests?status=DENIED&limit=10&offset=0')
    assert.deepEqual(
      (denied.body['requests'] as { id: string }[]).map((each) => each.id),
      [id],
    )
    assert.equal((await patient('GET', '/requests?status=SOMETHING')).status, 400)
  })

  test('requests that cannot be are refused in the callback, a stranger’s at once', async () => {
    const codeOf = async (change: object) => {
      await init(change)
      return subscriptionOnInit.parse((await only()).body).error?.code
    }
    assert.equal(await codeOf({ patient: { id: 'nobody@sbx' } }), 'ABDM-1012')
    assert.equal(await codeOf({ purpose: { code: 'MARKETING' } }), 'ABDM-1047')
    assert.equal(await codeOf({ hips: [{ id: 'IN0000000000' }] }), 'ABDM-1035')
    assert.equal(await codeOf({ period: { from: inDays(-9), to: inDays(-1) } }), 'ABDM-1063')
    assert.equal((await init({ categories: [] })).status, 400)
    assert.equal((await init({ period: { from: inDays(2), to: inDays(1) } })).status, 400)
    assert.equal((await init({}, 'bridge-other')).status, 403)
    const id = await requested({ hips: [{ id: HOSPITAL }], categories: ['LINK'] })
    assert.equal(
      errorCode(
        await approve(id, {
          isApplicableForAllHIPs: false,
          includedSources: [source({ hip: { id: OTHER_HOSPITAL }, categories: ['LINK'] })],
        }),
      ),
      'ABDM-1146',
    )
    assert.equal(errorCode(await approve(id)), 'ABDM-1146')
  })

  test('thirty requests at once: a few wait for the patient, the others are refused; one that is decided or over makes room', async () => {
    await exchange.takeSent()
    const ask = { patient: { id: RAVI.abhaAddress } }
    const replies = await Promise.all(Array.from({ length: 30 }, () => init(ask)))
    assert.ok(replies.every(({ status }) => status === 202))
    const answers = (await exchange.takeSent()).map(({ body }) => subscriptionOnInit.parse(body))
    const taken = answers.flatMap(({ subscriptionRequest }) => subscriptionRequest?.id ?? [])
    assert.equal(taken.length, LIMITS.requestsWaitingMax)
    const refused = answers.flatMap(({ error }) => error?.code ?? [])
    assert.deepEqual([refused.length, new Set(refused)], [30 - LIMITS.requestsWaitingMax, new Set(['ABDM-1022'])])
    // She decides one; there is room for one. What she granted stands before what others ask, however new that is.
    assert.equal((await approve(taken[0] ?? '', {}, RAVI.abhaAddress)).status, 202)
    const first = await exchange.inTx((tx) => subscriptionPage(tx, RAVI.abhaAddress, { limit: 2, offset: 0 }))
    assert.deepEqual([first.items.map(({ status }) => status), first.size], [['granted', 'requested'], 10])
    const last = await exchange.inTx((tx) => subscriptionPage(tx, RAVI.abhaAddress, { limit: 25, offset: 2 }))
    const all = [...first.items, ...last.items].map(({ id }) => id)
    assert.deepEqual(all.toSorted(), taken.toSorted())
    await exchange.takeSent()
    await requested({ ...ask, period: { from: inDays(-1), to: inDays(1) } })
    await init(ask)
    assert.equal(subscriptionOnInit.parse((await only()).body).error?.code, 'ABDM-1022')
    exchange.clock.advance(2 * DAY_MS)
    await init(ask)
    const [ended, made] = await exchange.takeSent()
    assert.equal(subscriptionNotify.parse(ended?.body).notification.status, 'DENIED')
    assert.ok(subscriptionOnInit.parse(made?.body).subscriptionRequest?.id)
  })

  test('an event that could not be delivered is marked lost, and may still be acknowledged', async () => {
    const id = await granted()
    await linkNew(HOSPITAL, 'visit-7', ['Prescription'])
    const { event } = subscriptionEvent.parse((await only()).body)
    await exchange.inTx((tx) => subscriptionEventUndelivered(tx, event.id, { message: 'down' }))
    await exchange.inTx((tx) => subscriptionEventUndelivered(tx, event.id, { message: 'down' }))
    assert.equal((await exchange.eventTypes()).filter((type) => type === 'linking.event-lost').length, 1)
    const late = await exchange.asBridge('bridge-app', `${BASE}/hiu/care-context/on-notify`, {
      acknowledgement: { status: 'OK', eventId: event.id },
      response: { requestId: 'x' },
    })
    assert.equal(late.status, 202)
    await stop(id)
    await exchange.takeSent()
  })

  test('an account that sleeps makes no news: nothing is noted or linked, what waited is not sent; awake it is told again', async () => {
    const id = await granted()
    await linkNew(HOSPITAL, 'visit-8', ['Prescription'])
    const waited = await only()
    const notify = () =>
      exchange.asBridge('bridge-hospital', '/hip/v3/link/context/notify', {
        notification: {
          patient: { id: ASHA.abhaAddress },
          careContext: { patientReference: 'MRN-1', careContextReference: 'visit-8' },
          hiTypes: ['Prescription'],
          date: exchange.clock.now().toISOString(),
          hip: { id: HOSPITAL },
        },
      })
    const turn = (status: 'active' | 'deactivated') =>
      exchange.inTx((tx) => setPatientStatus(tx, { patient: ASHA.abhaAddress, status, actor: OPERATOR }))
    const sender = exchangeSender(exchange.needs)
    assert.ok('url' in (await sender.address(exchange.machine, waited)))
    await turn('deactivated')
    await exchange.takeSent()
    const noted = async () => (await exchange.eventTypes()).filter((type) => /^linking\.(contexts?|event)-/.test(type))
    const before = await noted()
    await notify()
    const { path, body } = await only()
    assert.equal(path, '/api/v3/links/context/on-notify')
    assert.match(JSON.stringify(body), /"status":"ERRORED".*ABDM-1407/)
    assert.ok(isRefusal(await linkNew(HOSPITAL, 'visit-9', ['Prescription'])))
    assert.deepEqual(await noted(), before)
    assert.deepEqual(await sender.address(exchange.machine, waited), {
      unreachable: 'the account sleeps, or the subscription ended',
      final: true,
    })
    await turn('active')
    await exchange.takeSent()
    await notify()
    const told = (await exchange.takeSent()).map((message) => message.path)
    assert.deepEqual(told.sort(), ['/api/v3/hiu/subscription/notify', '/api/v3/links/context/on-notify'])
    await stop(id)
    await exchange.takeSent()
    assert.ok('unreachable' in (await sender.address(exchange.machine, waited)), 'nor after she stopped it')
  })

  test('a health locker is set up in one step, with automatic consent, or not at all', async () => {
    const setUp = (locker: string, body: object) =>
      exchange.asPatient(ASHA.abhaAddress, 'POST', `${BASE}/setup-locker`, body, { 'x-locker-id': locker })
    assert.equal((await setUp('', {})).status, 400)
    assert.equal(errorCode(await setUp(APP, {})), 'ABDM-1151')
    const broken = await setUp(LOCKER, { autoApproval: { isApplicableForAllHIPs: false, includedSources: [] } })
    assert.equal(broken.status, 400)
    assert.deepEqual((await patient('GET', '/patients/lockers')).body, [])
    const reply = await setUp(LOCKER, { autoApproval: { isApplicableForAllHIPs: true, includedSources: [] } })
    assert.equal(reply.status, 202)
    assert.match(String(reply.body['consentAutoApprovalId']), /^[0-9a-f-]{36}$/)
    const lockers = (await patient('GET', '/patients/lockers')).body as unknown as {
      lockerId: string
      active: boolean
    }[]
    assert.deepEqual(
      lockers.map((each) => [each.lockerId, each.active]),
      [[LOCKER, true]],
    )
    const one = await patient('GET', `/patients/lockers/${LOCKER}`)
    assert.deepEqual((one.body['autoApprovals'] as object[]).length, 1)
    assert.equal((await patient('GET', `/patients/lockers/${LOCKER}`, undefined, RAVI.abhaAddress)).status, 404)
  })
})
