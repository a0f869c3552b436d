import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { ConsolePage } from '../console-page.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { TestNetwork } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA } from '../people.ts'
import { waitFor } from '../wait.ts'

const HOSPITAL = 'IN2710000011'
const CLINIC = 'IN2910000022'
const INIT = '/consent/v3/request/init'
const ON_INIT = '/api/v3/hiu/consent/request/on-init'
const NOTIFY = '/api/v3/consent/request/hip/notify'
const PUSH = /^\/api\/v3\/hiu\/data\//

describe('the sandbox console sees and steers all parties', () => {
  let network: TestNetwork
  let page: ConsolePage
  let hospital: FacilityDesk
  let clinic: FacilityDesk
  let asha: PatientApp

  before(async () => {
    network = await TestNetwork.start({ facilities: [HOSPITAL, CLINIC] })
    await network.enrol(ASHA)
    page = await ConsolePage.open(network)
    hospital = new FacilityDesk(network, HOSPITAL)
    clinic = new FacilityDesk(network, CLINIC)
    asha = await PatientApp.open(network, ASHA.abhaAddress)
    await hospital.addPatient('MRN-1', ASHA)
    await hospital.addDocument('MRN-1', 'visit-1', sampleDocument('OPConsultation'))
    await hospital.link('MRN-1', 1)
  })
  after(() => network.stop())
  afterEach(() => page.mend())

  const ask = () => clinic.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'] })
  /** Lets the waits of retries pass while something is waited for. */
  const hurrying = <T>(what: string, condition: () => Promise<T | undefined | false>): Promise<T> =>
    waitFor(what, async () => {
      for (const id of ['sbx', HOSPITAL, CLINIC]) await page.call('POST', `/parties/${id}/hurry`, {}, 202)
      return condition()
    })
  /** Every try to send the message with this id, oldest first, once one of them was taken and `isTold`. */
  const triesOf = (id: string, isTold: (first: unknown) => boolean = () => true): Promise<readonly unknown[]> =>
    waitFor('all tries', async () => {
      const tries = (await page.messages(INIT)).filter((one) => at(one, 'requestId') === id)
      return at(tries.at(-1), 'status') === 202 && isTold(tries[0]) && tries
    })
  /** The callbacks that answer the message with this id, each once however often it was tried. */
  const answersTo = async (id: string): Promise<ReadonlySet<unknown>> =>
    new Set(
      (await page.messages(ON_INIT))
        .filter((one) => listAt(one, 'ids').includes(id))
        .map((one) => at(one, 'requestId')),
    )
  const askedTo = (message: unknown): readonly unknown[] => [at(message, 'from'), at(message, 'to')]

  test('every message shows once, with both sides, headers, bodies and answers; tokens are cut', async () => {
    const { own, request } = await ask()
    await asha.grant(request, HOSPITAL)
    await clinic.transferred(own)
    for (const [path, from, to] of [
      [INIT, CLINIC, 'sbx'],
      [ON_INIT, 'sbx', CLINIC],
      [NOTIFY, 'sbx', HOSPITAL],
      [PUSH, HOSPITAL, CLINIC],
    ] as const) {
      const found = await waitFor(`both sides of ${path}`, async () => {
        // A try that a busy party turned away is one of its own.
        const taken = (await page.messages(path)).filter((one) => at(one, 'status') !== 503)
        const [first, ...others] = taken.toReversed()
        assert.deepEqual(others, [], `${path} shows more than once`)
        return at(first, 'sent') !== undefined && at(first, 'received') !== undefined && first
      })
      assert.deepEqual(askedTo(found), [from, to])
      for (const side of ['sent', 'received']) {
        const place = `/parties/${textAt(found, `${side}.party`)}/messages/${textAt(found, `${side}.message`)}`
        const detail = await page.call('GET', place)
        assert.equal(textAt(detail, 'content.headers.content-type'), 'application/json')
        assert.ok(textAt(detail, 'content.body').startsWith('{'))
        const token = at(detail, 'content.headers.authorization')
        if (path !== PUSH) assert.match(String(token), /^Bearer eyJ.{5}… \(\d+ characters\)$/)
        else assert.match(textAt(detail, 'content.body'), /"content":"[^"]{80}… \(\d+ characters\)"/)
      }
    }
    const sessions = await page.messages('/gateway/v3/sessions')
    assert.deepEqual(new Set(sessions.map((one) => at(one, 'from'))), new Set([HOSPITAL, CLINIC]))
    const [session] = sessions
    const detail = await page.call('GET', `/parties/sbx/messages/${textAt(session, 'received.message')}`)
    assert.match(textAt(detail, 'content.body'), /"clientSecret":".{8}… \(\d+ characters\)"/)
    assert.match(textAt(detail, 'content.answer'), /"accessToken":"eyJ.{5}… \(\d+ characters\)"/)
  })

  test('down: the exchange keeps trying and the request arrives when the party is back', async () => {
    await page.break(CLINIC, { kind: 'down', path: '/on-init' })
    const asking = ask()
    // Not hurried: the tries would be used up before the console has seen two of them.
    const isVain = async () => {
      const vain = (await page.messages(ON_INIT)).filter((one) => at(one, 'error') !== undefined)
      return vain.length >= 2 && vain
    }
    const tries = await waitFor('two vain tries', isVain)
    assert.equal(new Set(tries.map((one) => at(one, 'requestId'))).size, 1, 'one REQUEST-ID')
    assert.ok(
      tries.every((one) => at(one, 'received') === undefined),
      'nothing came in',
    )
    const [fault] = await page.faults(CLINIC)
    assert.ok(Number(at(fault, 'struck')) >= 2)
    await page.mend()
    assert.deepEqual(await page.faults(CLINIC), [])
    const { request } = await hurrying('the request', () => Promise.race([asking, pause()]))
    assert.ok(request)
  })

  test('error: 503 twice, then it ends by itself', async () => {
    await page.break('sbx', { kind: 'error', path: INIT, times: 2 })
    const asking = ask()
    const { own } = await hurrying('the request', () => Promise.race([asking, pause()]))
    assert.deepEqual(
      (await triesOf(own)).map((one) => at(one, 'status')),
      [503, 503, 202],
    )
    assert.deepEqual(await page.faults('sbx'), [])
  })

  test('garbage: the exchange acts but its answer is unreadable; the repetition has no second effect', async () => {
    const requests = async (): Promise<number> =>
      listAt((await asha.call('/api/hiecm/consent/v3/request?limit=100&offset=0')).body, 'requests').length
    const before = await requests()
    await page.break('sbx', { kind: 'garbage', path: INIT, times: 1 })
    const asking = ask()
    const { own } = await hurrying('the request', () => Promise.race([asking, pause()]))
    const [first, second] = await triesOf(own, (one) => at(one, 'answered') !== undefined)
    assert.deepEqual([at(first, 'status'), at(first, 'answered'), at(second, 'status')], [502, 202, 202])
    assert.equal(await requests(), before + 1)
  })

  test('slow: the sender gives up waiting, the receiver acted all the same', async () => {
    await page.break(CLINIC, { kind: 'slow', path: '/on-init', times: 1, delayMs: 11_000 })
    const { request } = await ask()
    assert.ok(request)
    const late = await waitFor('both sides of the late one', async () =>
      (await page.messages(ON_INIT)).find(
        (one) => at(one, 'error') === 'no answer in time' && at(one, 'answered') !== undefined,
      ),
    )
    assert.equal(at(late, 'answered'), 202)
  })

  test('damage: a pushed document that was changed on its way is not taken for the record', async () => {
    const { own, request } = await ask()
    await page.break(CLINIC, { kind: 'damage', times: 1 })
    await asha.grant(request, HOSPITAL)
    const ended = await clinic.transferred(own)
    assert.deepEqual([at(ended, 'pages.0.status'), at(ended, 'careContexts.0.status')], ['failed', 'errored'])
  })

  test('replay: the same message has its effect once; as new it is another one', async () => {
    const { own } = await ask()
    const [original] = await triesOf(own, (one) => at(one, 'sent.message') !== undefined)
    const message = textAt(original, 'sent.message')
    const replay = async (as: 'same' | 'new'): Promise<unknown> => {
      const asked = await page.call('POST', `/parties/${CLINIC}/replays`, { message, as }, 202)
      return waitFor('the replay', async () =>
        (await page.messages(INIT)).find((one) => at(one, 'job') === at(asked, 'job')),
      )
    }
    await waitFor('the answer to the first one', async () => (await answersTo(own)).size > 0)
    const same = await replay('same')
    assert.deepEqual(
      [at(same, 'requestId'), at(same, 'replayOf'), at(same, 'status')],
      [at(original, 'requestId'), message, 202],
    )
    const fresh = await replay('new')
    assert.notEqual(at(fresh, 'requestId'), at(original, 'requestId'))
    const answersToFresh = () => answersTo(textAt(fresh, 'requestId'))
    await waitFor('the answer to the new one', async () => (await answersToFresh()).size > 0)
    await page.atRest()
    assert.equal((await answersTo(own)).size, 1, 'the same message was not answered a second time')
    assert.equal((await answersToFresh()).size, 1)
  })

  test('what cannot be sent again says so', async () => {
    const [session] = await page.messages('/gateway/v3/sessions')
    const refused = { message: textAt(session, 'received.message'), as: 'same' }
    const problem = await page.call('POST', '/parties/sbx/replays', refused, 409)
    assert.equal(textAt(problem, 'type'), 'urn:amanat:problem:sandbox/not-kept')
    await page.call('POST', '/parties/IN2710000099/replays', refused, 404)
  })

  test('operators are never struck, whatever is broken', async () => {
    await page.break(CLINIC, { kind: 'down' })
    assert.equal((await network.operator(CLINIC, '/v1/jobs')).status, 200)
    assert.equal((await fetch(`${network.party(CLINIC).url}/v1/party`)).status, 200)
    await assert.rejects(fetch(`${network.party(CLINIC).url}/health/ready`))
    await page.mend()
    assert.equal((await fetch(`${network.party(CLINIC).url}/health/ready`)).status, 200)
  })
})

/** A turn of waiting in which nothing has come yet. */
const pause = (): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), 50))
