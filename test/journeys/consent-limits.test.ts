import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sweepExpired } from '../../src/consent/jobs.ts'
import { at, listAt, textAt } from '../json-path.ts'
import type { ThirdParty } from '../network.ts'
import { daysFromNow, LONG_AGO } from '../people.ts'
import { consented, HIP, startWorld, usualAsk, type World } from '../third-party-world.ts'
import { reachMoment, waitFor } from '../wait.ts'

const OTHER_HIU = 'IN2710000077'
const OTHER_HIP = 'IN2710000066'

describe('what nobody else enforces', () => {
  let world: World
  let other: ThirdParty
  before(async () => {
    world = await startWorld()
    other = await world.network.join('care', OTHER_HIU)
    await world.network.join('care', OTHER_HIP)
  })
  after(() => world.stop())

  const code = (body: unknown): string => textAt(body, 'error.code').replace(/:.*$/, '')

  test('a grant wider than the request is refused, and nothing is granted', async () => {
    const context = { patientReference: 'patient-1', careContextReference: 'visit-1' }
    const request = await world.clinic.hiu.askFor(
      usualAsk({
        hip: HIP,
        hiTypes: ['OPConsultation'],
        careContexts: [context],
        frequency: { unit: 'DAY', value: 1, repeats: 1 },
      }),
    )
    const permission = at(await world.asha.request(request), 'permission') as Readonly<Record<string, unknown>>
    const contexts = await world.asha.contexts(HIP)
    const range = permission['dateRange'] as Readonly<Record<string, string>>
    const wider: readonly (readonly [string, string, object, string?])[] = [
      ['HI types', 'ABDM-1058', { hiTypes: ['OPConsultation', 'Prescription'] }],
      [
        'an earlier beginning',
        'ABDM-1063',
        {
          permission: { ...permission, dateRange: { ...range, from: new Date(LONG_AGO.getTime() - 1).toISOString() } },
        },
      ],
      [
        'a later end',
        'ABDM-1063',
        { permission: { ...permission, dateRange: { ...range, to: daysFromNow(0).toISOString() } } },
      ],
      ['a later erasure', 'ABDM-1031', { permission: { ...permission, dataEraseAt: daysFromNow(31).toISOString() } }],
      [
        'a higher frequency',
        'ABDM-1031',
        { permission: { ...permission, frequency: { unit: 'HOUR', value: 1, repeats: 1 } } },
      ],
      [
        'more repeats',
        'ABDM-1031',
        { permission: { ...permission, frequency: { unit: 'DAY', value: 1, repeats: 2 } } },
      ],
      ['another access mode', 'ABDM-1031', { permission: { ...permission, accessMode: 'STORE' } }],
      ['other care contexts', 'ABDM-1057', { careContexts: contexts }],
      [
        'a care context that is not linked',
        'ABDM-1057',
        { careContexts: [{ patientReference: 'patient-1', careContextReference: 'visit-99' }] },
      ],
      ['another provider', 'ABDM-1035', { careContexts: [context] }, OTHER_HIP],
    ]
    for (const [what, expected, change, hip = HIP] of wider) {
      const { status, body } = await world.asha.approve(request, hip, { careContexts: [context], ...change })
      assert.ok(status >= 400 && status < 500, `${what}: ${status}`)
      assert.equal(code(body), expected, `${what}: ${JSON.stringify(body)}`)
    }
    assert.equal(at(await world.asha.request(request), 'status'), 'REQUESTED')
    assert.equal((await world.asha.approve(request, HIP, { careContexts: [context] })).status, 202)
    const again = await world.asha.approve(request, HIP, { careContexts: [context] })
    assert.deepEqual([again.status, code(again.body)], [409, 'ABDM-2406'])
  })

  test("another facility's consent is as if it did not exist", async () => {
    const { id, range } = await consented(world)
    const unknown = randomUUID()
    for (const consent of [id, unknown]) {
      assert.equal(code(await other.hiu.fetchArtefact(consent)), 'ABDM-1112')
      const { answer, transfer } = await other.hiu.request(consent, range)
      assert.equal(code(answer), 'ABDM-1112')
      assert.equal(other.hiu.pagesOf(transfer), 0)
    }
    const [theirs, nobodys] = [await other.hiu.fetchArtefact(id), await other.hiu.fetchArtefact(unknown)]
    assert.deepEqual(at(theirs, 'error'), at(nobodys, 'error'))
    const request = await world.clinic.hiu.askFor(usualAsk())
    assert.equal(code(await other.hiu.status(request)), 'ABDM-1039')
  })

  test('a facility cannot acknowledge, answer or report for another', async () => {
    const { id, range } = await consented(world)
    const { answer, transfer } = await world.clinic.hiu.request(id, range)
    await world.clinic.hiu.documents(transfer)
    const transactionId = textAt(answer, 'hiRequest.transactionId')
    const notification = {
      consentId: id,
      transactionId,
      doneAt: new Date().toISOString(),
      notifier: { type: 'HIU', id: OTHER_HIU },
      statusNotification: { sessionStatus: 'TRANSFERRED', hipId: HIP, statusResponses: [] },
    }
    const report = await other.bridge.call('/data-flow/v3/health-information/notify', { notification })
    assert.equal(report.status, 404, report.text)
    assert.equal(code(JSON.parse(report.text)), 'ABDM-1017')
    const claimed = await other.bridge.call('/data-flow/v3/health-information/notify', {
      notification: { ...notification, notifier: { type: 'HIU', id: world.clinic.bridge.facility } },
    })
    assert.equal(claimed.status, 403)
    const status = await other.bridge.call(
      `/data-flow/v3/health-information/request/status/${transactionId}`,
      undefined,
      { method: 'GET' },
    )
    assert.equal(status.status, 404)
    const answered = await other.bridge.call('/data-flow/v3/health-information/hip/on-request', {
      hiRequest: { transactionId, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId: transactionId },
    })
    assert.equal(answered.status, 404)
  })

  test('a data request must lie in the range, be no more often than granted, and bring a key that is fit', async () => {
    const { id, range } = await consented(world, { frequency: { unit: 'DAY', value: 1, repeats: 2 } })
    const early = new Date(Date.parse(range.from) - 1).toISOString()
    const late = new Date(Date.parse(range.to) + 1).toISOString()
    for (const outside of [
      { ...range, from: early },
      { ...range, to: late },
      { from: early, to: late },
      { from: '2018-01-01T00:00:00.000Z', to: '2018-06-01T00:00:00.000Z' },
    ]) {
      assert.equal(code((await world.clinic.hiu.request(id, outside)).answer), 'ABDM-1063')
    }
    assert.equal(
      code((await world.clinic.hiu.request(id, range, { expiry: new Date(Date.now() - 1000).toISOString() })).answer),
      'ABDM-1006',
    )
    const inverted = await world.clinic.hiu
      .request(id, { from: range.to, to: range.from })
      .catch((error: unknown) => String(error))
    assert.match(typeof inverted === 'string' ? inverted : code(inverted.answer), /1063|1006/)
    for (let i = 0; i < 2; i++)
      assert.equal(
        at((await world.clinic.hiu.request(id, range, { form: i ? 'x509' : 'raw' })).answer, 'error'),
        undefined,
      )
    assert.equal(code((await world.clinic.hiu.request(id, range)).answer), 'ABDM-1022')
  })

  test('before the HIP has acknowledged, no request is taken; afterwards it is', async () => {
    world.hospital.hip.acknowledges = false
    const { id, range } = await consented(world)
    const early = await world.clinic.hiu.request(id, range)
    assert.equal(code(early.answer), 'ABDM-1402')
    world.hospital.hip.acknowledges = true
    const notice = await world.hospital.bridge.callback(
      '/api/v3/consent/request/hip/notify',
      (one) => at(one.body, 'notification.consentId') === id,
    )
    const acknowledgement = {
      acknowledgement: { status: 'ok', consentId: id },
      response: { requestId: String(notice.headers['request-id']) },
    }
    await world.hospital.bridge.insist('/consent/v3/request/hip/on-notify', acknowledgement)
    assert.equal(at((await world.clinic.hiu.request(id, range)).answer, 'error'), undefined)
  })

  test('a consent that ran out is over to the millisecond, and both sides are told', async () => {
    const { id, range } = await reachMoment(async (eraseAt) => {
      const given = await consented(world, { eraseAt })
      assert.equal(at((await world.clinic.hiu.request(given.id, given.range)).answer, 'error'), undefined)
      return given
    })
    assert.equal(code((await world.clinic.hiu.request(id, range)).answer), 'ABDM-1061')
    await sweepExpired(world.network.exchange.running.machine)
    await waitFor(
      'both to be told',
      () =>
        world.hospital.hip.artefacts.get(id)?.status === 'EXPIRED' &&
        world.clinic.hiu.artefacts.get(id)?.status === 'EXPIRED',
    )
    const revoked = await world.asha.revoke(id)
    assert.equal(revoked.status, 409)
    assert.equal(code(revoked.body), 'ABDM-1062')
  })

  test('revoking is all or nothing, and final', async () => {
    const { id, range } = await consented(world)
    assert.equal((await world.asha.revoke(id, randomUUID())).status, 404)
    assert.equal(at((await world.clinic.hiu.request(id, range)).answer, 'error'), undefined)
    assert.equal((await world.asha.revoke(id)).status, 202)
    assert.equal(code((await world.clinic.hiu.request(id, range)).answer), 'ABDM-1062')
    assert.equal((await world.asha.revoke(id)).status, 409)
  })

  test('requests that cannot be are answered on on-init, with codes', async () => {
    const cases = [
      [usualAsk({ patient: 'no.body@sbx' }), 'ABDM-1010'],
      [usualAsk({ hip: 'IN9999999999' }), 'ABDM-1035'],
      [usualAsk({ eraseAt: daysFromNow(-1) }), 'ABDM-1063'],
      [usualAsk({ purpose: 'FUN' }), 'ABDM-1047'],
    ] as const
    for (const [ask, expected] of cases) {
      const body = await world.clinic.hiu.ask(ask)
      assert.equal(code(body), expected, JSON.stringify(body))
      assert.equal(at(body, 'consentRequest'), undefined)
    }
  })

  test('faults of form are answered at once with 400 and a code', async () => {
    const consent = world.clinic.hiu.consentOf(usualAsk()) as Readonly<Record<string, unknown>>
    const faults: readonly (readonly [object, RegExp])[] = [
      [{ ...consent, hiTypes: ['Horoscope'] }, /hiTypes/],
      [{ ...consent, hiTypes: 'OPConsultation' }, /hiTypes/],
      [
        {
          ...consent,
          permission: {
            ...(consent['permission'] as object),
            dateRange: { from: daysFromNow(-1), to: daysFromNow(-5) },
          },
        },
        /dateRange/,
      ],
      [{ ...consent, patient: undefined }, /patient/],
      [
        {
          ...consent,
          permission: { ...(consent['permission'] as object), frequency: { unit: 'FORTNIGHT', value: 1, repeats: 1 } },
        },
        /frequency/,
      ],
    ]
    for (const [wrong, names] of faults) {
      const answer = await world.clinic.bridge.call(
        '/consent/v3/request/init',
        { consent: wrong },
        world.clinic.hiu.asHiu,
      )
      assert.equal(answer.status, 400, `${String(names)} ${answer.text}`)
      const body: unknown = JSON.parse(answer.text)
      assert.match(textAt(body, 'error.code'), /^ABDM-\d{4}$/)
      assert.match(textAt(body, 'error.message'), names)
    }
    const array = await world.clinic.bridge.call('/consent/v3/request/hiu/on-notify', { acknowledgement: 'yes' })
    assert.equal(array.status, 400)
    assert.equal(typeof at(listAt({ all: JSON.parse(array.text) as unknown }, 'all')[0], 'error.code'), 'string')
  })
})
