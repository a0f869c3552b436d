import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { CompiledQuery } from 'kysely'
import { comeBack } from '../come-back.ts'
import { dumpTables, tablesWith } from '../database-dump.ts'
import { at, listAt, textAt } from '../json-path.ts'
import type { Answer } from '../network.ts'
import { acknowledged, consented, HIP, startWorld, usualAsk, type World } from '../third-party-world.ts'
import { waitFor } from '../wait.ts'

const INIT = '/api/hiecm/consent/v3/request/init'
const BODY_BYTES_MAX = 1_048_576

describe('messages that come twice, late, out of order or broken', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.stop())

  const init = () => ({ consent: world.clinic.hiu.consentOf(usualAsk()) })
  const asHiu = () => world.clinic.hiu.asHiu

  /** Sends bytes that no client library would. */
  async function raw(
    bytes: string | Uint8Array<ArrayBuffer>,
    headers: Readonly<Record<string, string>> = {},
    path = INIT,
  ): Promise<Answer> {
    const own = {
      authorization: `Bearer ${await world.clinic.bridge.token()}`,
      'REQUEST-ID': randomUUID(),
      TIMESTAMP: new Date().toISOString(),
      'X-CM-ID': 'sbx',
      'X-HIU-ID': world.clinic.bridge.facility,
      'content-type': 'application/json',
    }
    const answer = await comeBack(`${world.network.exchange.url}${path}`, {
      method: 'POST',
      headers: { ...own, ...headers },
      body: bytes,
    })
    return {
      status: answer.status,
      headers: answer.headers,
      body: JSON.parse((await answer.text()) || 'null') as unknown,
    }
  }

  const requests = async (): Promise<number> =>
    listAt((await world.asha.call('/api/hiecm/consent/v3/request?limit=100&offset=0')).body, 'requests').length

  test('the same message twice has one effect and the same answer', async () => {
    const before = await requests()
    const requestId = randomUUID()
    const body = init()
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => world.clinic.bridge.call('/consent/v3/request/init', body, { ...asHiu(), requestId })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 202, 202],
    )
    await world.clinic.bridge.callback('/api/v3/hiu/consent/request/on-init', requestId)
    await world.clinic.bridge.insist('/consent/v3/request/init', body, { ...asHiu(), requestId })
    assert.equal(await requests(), before + 1)
    const told = world.clinic.bridge.received.filter((one) => at(one.body, 'response.requestId') === requestId)
    assert.equal(told.length, 1)
  })

  test('a REQUEST-ID that comes back with another body is refused', async () => {
    const requestId = randomUUID()
    await world.clinic.bridge.insist('/consent/v3/request/init', init(), { ...asHiu(), requestId })
    const before = await requests()
    const other = { consent: world.clinic.hiu.consentOf(usualAsk({ hiTypes: ['Prescription'] })) }
    const answer = await world.clinic.bridge.call('/consent/v3/request/init', other, { ...asHiu(), requestId })
    assert.ok(answer.status >= 400 && answer.status < 500, answer.text)
    assert.equal(textAt(JSON.parse(answer.text), 'error.code'), 'ABDM-1064')
    assert.equal(await requests(), before)
  })

  test('an acknowledgement twice, and of something never sent, changes nothing', async () => {
    const { id } = await consented(world)
    const notice = await world.hospital.bridge.callback(
      '/api/v3/consent/request/hip/notify',
      (one) => at(one.body, 'notification.consentId') === id,
    )
    const body = (requestId: string, consentId = id) => ({
      acknowledgement: { status: 'OK', consentId },
      response: { requestId },
    })
    await world.hospital.bridge.insist('/consent/v3/request/hip/on-notify', body(String(notice.headers['request-id'])))
    const unknown = await world.hospital.bridge.call(
      '/consent/v3/request/hip/on-notify',
      body(randomUUID(), randomUUID()),
    )
    assert.ok(unknown.status >= 400 && unknown.status < 500, unknown.text)
    const theirs = await world.clinic.bridge.call(
      '/consent/v3/request/hip/on-notify',
      body(String(notice.headers['request-id'])),
    )
    assert.ok(theirs.status >= 400 && theirs.status < 500, theirs.text)
  })

  test('an answer to nothing, and an answer to what was answered, are refused with codes', async () => {
    const { id, range } = await consented(world)
    const { answer, transfer } = await world.clinic.hiu.request(id, range)
    await world.clinic.hiu.documents(transfer)
    const transactionId = textAt(answer, 'hiRequest.transactionId')
    await waitFor('the report of the HIP', async () => {
      const { text } = await world.hospital.bridge.call(
        `/data-flow/v3/health-information/request/status/${transactionId}`,
        undefined,
        { method: 'GET' },
      )
      return at(JSON.parse(text), 'hiRequest.hip.sessionStatus') === 'TRANSFERRED'
    })
    const late = await world.hospital.bridge.call('/data-flow/v3/health-information/hip/on-request', {
      hiRequest: { transactionId, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId: randomUUID() },
    })
    const { text } = await world.hospital.bridge.call(
      `/data-flow/v3/health-information/request/status/${transactionId}`,
      undefined,
      { method: 'GET' },
    )
    assert.equal(
      at(JSON.parse(text), 'hiRequest.hip.sessionStatus'),
      'TRANSFERRED',
      `a late answer (${late.status}) must not undo the report`,
    )
    const nothing = await world.hospital.bridge.call('/data-flow/v3/health-information/hip/on-request', {
      hiRequest: { transactionId: randomUUID(), sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId: randomUUID() },
    })
    assert.deepEqual([nothing.status, at(JSON.parse(nothing.text), 'error.code')], [404, 'ABDM-1017'])
  })

  test('a HIP that reports before it answers is understood', async () => {
    const { id, range } = await consented(world)
    // The HIP is silent by itself; its two messages are sent here in the wrong order.
    world.hospital.bridge.on('/api/v3/hip/health-information/request', () => undefined)
    const { answer } = await world.clinic.hiu.request(id, range)
    const transactionId = textAt(answer, 'hiRequest.transactionId')
    const routed = await world.hospital.bridge.callback(
      '/api/v3/hip/health-information/request',
      (one) => at(one.body, 'transactionId') === transactionId,
    )
    const statusNotification = {
      sessionStatus: 'TRANSFERRED',
      hipId: HIP,
      statusResponses: [{ careContextReference: 'visit-1', hiStatus: 'DELIVERED' }],
    }
    await world.hospital.bridge.insist('/data-flow/v3/health-information/notify', {
      notification: {
        consentId: id,
        transactionId,
        doneAt: new Date().toISOString(),
        notifier: { type: 'HIP', id: HIP },
        statusNotification,
      },
    })
    await world.hospital.bridge.call('/data-flow/v3/health-information/hip/on-request', {
      hiRequest: { transactionId, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId: String(routed.headers['request-id']) },
    })
    const { text } = await world.clinic.bridge.call(
      `/data-flow/v3/health-information/request/status/${transactionId}`,
      undefined,
      { method: 'GET' },
    )
    assert.equal(at(JSON.parse(text), 'hiRequest.hip.sessionStatus'), 'TRANSFERRED')
  })

  test('messages from too long ago or from the future are refused', async () => {
    for (const timestamp of [
      new Date(Date.now() - 3_600_000).toISOString(),
      new Date(Date.now() + 3_600_000).toISOString(),
      'yesterday',
    ]) {
      const answer = await world.clinic.bridge.call('/consent/v3/request/init', init(), { ...asHiu(), timestamp })
      assert.equal(answer.status, 400, timestamp)
      assert.match(textAt(JSON.parse(answer.text), 'error.code'), /^ABDM-(1016|2402)$/)
    }
    const wrong = await world.clinic.bridge.call('/consent/v3/request/init', init(), {
      ...asHiu(),
      requestId: 'not-a-uuid',
    })
    assert.deepEqual([wrong.status, textAt(JSON.parse(wrong.text), 'error.code').slice(0, 5)], [400, 'ABDM-'])
    const elsewhere = await raw(JSON.stringify(init()), { 'X-CM-ID': 'abdm' })
    assert.deepEqual([elsewhere.status, at(elsewhere.body, 'error.code')], [400, 'ABDM-2403'])
  })

  test('bodies that cannot be read are answered in the form of ABDM, and leave nothing behind', async () => {
    const before = await requests()
    const text = JSON.stringify(init())
    const bad: readonly (readonly [
      string,
      string | Uint8Array<ArrayBuffer>,
      number,
      Readonly<Record<string, string>>?,
    ])[] = [
      ['too large', `${text.slice(0, -1)},"filling":"${'x'.repeat(BODY_BYTES_MAX)}"}`, 413],
      ['too deep', `{"consent":${'['.repeat(60)}${']'.repeat(60)}}`, 400],
      ['very deep', `${'['.repeat(100_000)}`, 400],
      ['cut off', text.slice(0, -5), 400],
      ['not JSON', 'consent=yes', 400],
      ['empty', '', 400],
      ['null', 'null', 400],
      ['a list', '[1,2,3]', 400],
      ['not UTF-8', Uint8Array.from([...Buffer.from('{"consent":"'), 0xc3, 0x28, 0xff, ...Buffer.from('"}')]), 400],
      ['another content type', text, 415, { 'content-type': 'text/xml' }],
    ]
    for (const [what, bytes, status, headers] of bad) {
      const answer = await raw(bytes, headers)
      assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer.body)}`)
      assert.match(textAt(answer.body, 'error.code'), /^ABDM-\d{4}$/, what)
      assert.equal(typeof at(answer.body, 'error.message'), 'string', what)
    }
    assert.equal(await requests(), before)
    const nowhere = await raw('{}', {}, '/api/hiecm/consent/v9/nothing')
    assert.deepEqual([nowhere.status, at(nowhere.body, 'error.code')], [404, 'ABDM-1404'])
  })

  test('an unknown field is accepted, and stored nowhere', async () => {
    const mark = `mark-${randomUUID()}`
    const consent = {
      ...(init().consent as object),
      secretNote: mark,
      permission: { ...(at(init(), 'consent.permission') as object), more: { note: mark } },
    }
    const requestId = await world.clinic.bridge.insist('/consent/v3/request/init', { consent, another: mark }, asHiu())
    const answer = await world.clinic.bridge.callback('/api/v3/hiu/consent/request/on-init', requestId)
    const request = textAt(answer.body, 'consentRequest.id')
    const id = await world.asha.grant(request, HIP)
    await acknowledged(world, id)
    const { db } = world.network.exchange.running.machine
    const dump = await dumpTables((text) => db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text)))
    assert.ok(dump.size > 20)
    // A sandbox keeps whole messages for a day, for integrators to read; a real party keeps none.
    assert.deepEqual(tablesWith(dump, mark), ['message_content'])
    const { body } = await world.network.operator('sbx', '/v1/messages?limit=1000')
    assert.ok(JSON.stringify(body).includes(requestId) && !JSON.stringify(body).includes(mark))
  })
})
