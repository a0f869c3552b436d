import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INDEX_KEY,
  link,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { bodyOf, consentSteps, DAY_MS, only } from '../../test/consent-steps.ts'
import { at, textAt } from '../../test/json-path.ts'
import { workOffJobs } from '../../test/work-off.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import { record } from '../audit/record.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { tieAll } from '../keys/tie-existing.ts'
import { TEXT_MESSAGE_JOB } from '../linking/link-commands.ts'
import { enrolPatient } from '../people/commands.ts'
import { textMessageHandler } from '../sandbox/text-messages.ts'
import { TELL_EMERGENCIES_JOB } from './emergency-text-commands.ts'
import type { EmergencyToldEvent, PatientNotToldEvent } from './events.ts'
import { requestTextJobs } from './jobs.ts'
import { noteTextUndelivered } from './request-text-commands.ts'

const KIRAN = 'kiran.rao@sbx' as AbhaAddress
const ON_INIT = '/api/v3/hiu/consent/request/on-init'
const EMERGENCY = {
  reason: 'unconscious',
  words: 'Brought in after a road accident, not responding.',
  person: { name: 'Dr. Meera Iyer', role: 'doctor' },
} as const

describe('consent/emergency-told', () => {
  let exchange: TestExchange
  const steps = consentSteps(() => exchange)
  before(async () => {
    exchange = await startTestExchange()
    const { db } = exchange.machine
    await db
      .updateTable('facility')
      .set({ facility_types: ['Hospital'], tie: '' })
      .where('id', '=', CLINIC)
      .execute()
    await tieAll(db)
    await exchange.inTx(async (tx) => {
      const profile = {
        abhaAddress: KIRAN,
        abhaNumber: '91000000000009' as AbhaNumber,
        name: 'Kiran Rao',
        gender: 'F' as const,
        birthDate: '2008-12-31',
        // The parent's.
        mobile: '9000000000',
        language: 'en',
        guardian: ASHA,
        guardianBasis: 'parent' as const,
      }
      const actor = { kind: 'operator', id: 'test' } as const
      must(await enrolPatient(tx, { indexKey: INDEX_KEY }, { profile, actor }))
      await link(tx, KIRAN, HOSPITAL, 'MRN-7', ['visit-7'], 'OPConsultation')
    })
  })
  after(() => exchange.close())

  const open = async (patient: AbhaAddress): Promise<Record<string, unknown>> => {
    const { consent, ...rest } = steps.ask({ hiu: { id: CLINIC } })
    const body = { ...rest, consent: { ...consent, patient: { id: patient } }, emergency: EMERGENCY }
    assert.equal((await exchange.asBridge('bridge-clinic', '/v1/emergencies', body)).status, 202)
    const answer = only(await exchange.takeSent(), ON_INIT)
    assert.equal(answer.lasting, true, 'until the hospital hears of it nobody may have told her')
    return bodyOf(answer)
  }
  const texts = () =>
    exchange.machine.db
      .selectFrom('job')
      .select('id')
      .where('kind', '=', TEXT_MESSAGE_JOB)
      .where('status', '=', 'waiting')
      .execute()
  /** The gateway answers every text message with this status. */
  const deliver = (status: number) => {
    const outbound = { call: async () => ({ kind: 'answered', status, headers: {}, body: '', tookMs: 1 }) }
    const way = { kind: 'webhook', url: 'https://texts.example', outbound } as never
    const handler = textMessageHandler(way, (tx, about) => noteTextUndelivered(tx, exchange.needs, about))
    return workOffJobs(exchange.machine, [[TEXT_MESSAGE_JOB, handler]])
  }
  const notTold = async (patient: AbhaAddress) => {
    const types = ['consent.patient-not-told']
    const receipts = await exchange.inTx((tx) => receiptsAbout(tx, patient, { types, limit: 50 }))
    return receipts
      .flatMap((one) => ('changed' in one ? [] : [one.event as PatientNotToldEvent]))
      .map(({ kind, because }) => `${kind} ${because}`)
  }

  test('to an emergency that it took the exchange says that it told; when the text is given up, that it did not', async () => {
    const answer = await open(ASHA)
    assert.ok(answer['consentRequest'])
    assert.deepEqual([answer['patientTold'], 'onlyOnPaper' in answer], [true, false])
    await deliver(200)
    assert.deepEqual([await exchange.takeSent(), await notTold(ASHA)], [[], []])
    const second = await open(ASHA)
    await deliver(400)
    const [later, ...more] = await exchange.takeSent()
    assert.ok(later)
    assert.deepEqual(more, [])
    const { consentRequest, response } = second
    assert.deepEqual(bodyOf(later), { consentRequest, response, patientTold: false })
    assert.deepEqual(await notTold(ASHA), ['emergency undelivered'])
  })

  test('so it does to one that it refused, and of several that are told together', async () => {
    for (let i = 2; i < LIMITS.emergenciesPerPatientDayMax; i++) await open(ASHA)
    await deliver(200)
    const refused = await open(ASHA)
    assert.ok(refused['error'])
    assert.equal(refused['patientTold'], true)
    const another = await open(ASHA)
    // What another hospital does all day hides nothing of it.
    const told = { type: 'consent.patient-told', kind: 'emergency', actor: { kind: 'exchange', id: 'test' } } as const
    await exchange.inTx(async (tx) => {
      for (let i = 0; i <= LIMITS.pageSizeMax; i++)
        await record(tx, { ...told, patient: ASHA, hiu: HOSPITAL, subject: String(i) } satisfies EmergencyToldEvent)
    })
    exchange.clock.advance(LIMITS.emergencyTextEveryMs)
    // Nothing else is planned while this one waits: a key service that is away for hours must not be its end.
    const planned = exchange.machine.db.updateTable('job').where('kind', '=', TELL_EMERGENCIES_JOB)
    await planned.set({ attempts: 3 * LIMITS.jobAttemptsMax }).execute()
    const broken = {
      get exchange(): never {
        throw new Error('the key service is away')
      },
    }
    await workOffJobs(exchange.machine, requestTextJobs(broken))
    exchange.clock.advance(LIMITS.jobRetryDelayMsMax)
    await workOffJobs(exchange.machine, requestTextJobs(exchange.needs))
    await deliver(400)
    const again = (await exchange.takeSent()).map(bodyOf)
    for (const body of again) assert.ok(at(body, 'patientTold') === false && body['error'])
    const asked = (bodies: readonly object[]) => bodies.map((body) => textAt(body, 'response.requestId')).toSorted()
    assert.deepEqual(asked(again), asked([refused, another]), 'each that was held')
    assert.equal((await notTold(ASHA)).filter((one) => one === 'emergencies undelivered').length, 1)
  })

  test('an answer to an ordinary request has no field beyond ABDM, whether its text goes out or not', async () => {
    await steps.init()
    const answer = bodyOf(only(await exchange.takeSent(), ON_INIT))
    assert.deepEqual(Object.keys(answer).toSorted(), ['consentRequest', 'response'])
    await workOffJobs(exchange.machine, requestTextJobs(exchange.needs))
    await deliver(400)
    assert.deepEqual(await exchange.takeSent(), [])
    assert.ok((await notTold(ASHA)).includes('waiting undelivered'))
  })

  test('of a grown-up whose number is still her parent’s the hospital hears that nobody told her', async () => {
    const child = await open(KIRAN)
    assert.equal(child['patientTold'], true, 'her parent hears')
    await deliver(200)
    exchange.clock.advance(60 * DAY_MS)
    const grown = await open(KIRAN)
    assert.ok(grown['consentRequest'])
    assert.deepEqual([grown['patientTold'], grown['onlyOnPaper']], [false, true])
    assert.deepEqual([await texts(), await notTold(KIRAN)], [[], ['emergency nobody-hears']])
    for (let i = 1; i < LIMITS.emergenciesPerPatientDayMax; i++) await open(KIRAN)
    const refused = await open(KIRAN)
    assert.ok(refused['error'])
    assert.deepEqual([refused['patientTold'], refused['onlyOnPaper']], [false, true])
    assert.deepEqual(await texts(), [])
  })
})
