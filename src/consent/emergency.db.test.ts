import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INSURER,
  LAB,
  type Reply,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { bodyOf, consentSteps, only } from '../../test/consent-steps.ts'
import { workOffJobs } from '../../test/work-off.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import { LIMITS } from '../kernel/limits.ts'
import { tieAll } from '../keys/tie-existing.ts'
import { changeLanguage } from '../people/commands.ts'
import { existingPatientKey } from '../vault/data-keys.ts'
import { mayOpenInEmergency } from './emergency.ts'
import { nextText } from './emergency-text.ts'
import type { EmergencyRefusedEvent } from './events.ts'
import { requestTextJobs } from './jobs.ts'

let exchange: TestExchange
const steps = consentSteps(() => exchange)
describe('consent/emergency', () => {
  before(async () => {
    exchange = await startTestExchange()
    await kindOf(CLINIC, ['Hospital'])
    await kindOf(INSURER, ['Insurance'])
  })
  after(() => exchange.close())

  async function kindOf(id: string, kinds: string[]): Promise<void> {
    const { db } = exchange.machine
    await db.updateTable('facility').set({ facility_types: kinds, tie: '' }).where('id', '=', id).execute()
    await tieAll(db)
  }

  const EMERGENCY = {
    reason: 'unconscious',
    words: 'Brought in after a road accident, not responding.',
    person: { name: 'Dr. Meera Iyer', role: 'doctor', registration: 'KA-1234' },
  } as const
  const order = (change: object = {}, hiu: string = CLINIC) => ({
    ...steps.ask({ hiu: { id: hiu } }),
    emergency: { ...EMERGENCY, ...change },
  })
  const open = (body: object = order(), bridge: 'bridge-clinic' | 'bridge-insurer' = 'bridge-clinic'): Promise<Reply> =>
    exchange.asBridge(bridge, '/v1/emergencies', body)
  const texts = async () =>
    (
      await exchange.machine.db
        .selectFrom('job')
        .select('payload')
        .where('kind', '=', 'text-message')
        .orderBy('seq')
        .execute()
    ).map(({ payload }) => payload as { readonly mobile: string; readonly text: string })

  const count = (types: readonly string[], type: string) => types.filter((each) => each === type).length

  test('a named person of a hospital opens linked records for minutes; the patient is told at once', async () => {
    const reply = await open()
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    const sent = await exchange.takeSent()
    only(sent, '/api/v3/hiu/consent/request/on-init')
    const grants = sent.filter(({ path }) => path === '/api/v3/consent/request/hip/notify')
    assert.deepEqual(
      grants.map(({ to }) => (to.kind === 'facility' ? to.facility : '')).toSorted(),
      [LAB, HOSPITAL].toSorted(),
    )
    const until = new Date(exchange.clock.now().getTime() + LIMITS.emergencyMs).toISOString()
    for (const grant of grants) {
      const detail = bodyOf(grant)['notification']?.['consentDetail'] as {
        purpose: { code: string }
        permission: { accessMode: string; dataEraseAt: string }
      }
      assert.equal(detail.purpose.code, 'BTG')
      assert.equal(detail.permission.accessMode, 'VIEW')
      assert.equal(detail.permission.dataEraseAt, until)
    }
    const [told, ...more] = await texts()
    assert.deepEqual(more, [])
    assert.match(told?.text ?? '', /Dr\. Meera Iyer of Lakeview Clinic opened the health records of Asha Rao/)
    assert.ok(told?.text.includes('the patient cannot speak or decide'))
    // Her own words for others are not sent to a phone.
    assert.ok(!told?.text.includes('road accident'))
    const types = await exchange.eventTypes()
    assert.ok(types.includes('consent.emergency-opened') && types.includes('consent.granted'))
  })

  test('she is told in her language, and by Indian time', async () => {
    await exchange.takeSent()
    const speak = (language: string) => exchange.inTx((tx) => changeLanguage(tx, ASHA, language))
    await speak('hi')
    await open()
    const told = (await texts()).at(-1)?.text ?? ''
    assert.match(told, /Dr\. Meera Iyer ने Asha Rao के सेहत के रिकॉर्ड आपात स्थिति में बिना पूछे खोले/)
    const until = new Date(exchange.clock.now().getTime() + LIMITS.emergencyMs + 330 * 60_000)
    assert.ok(told.includes(`:${until.toISOString().slice(14, 16)} `), told)
    assert.ok(told.includes('मरीज़ बोल या फ़ैसला नहीं कर सकता'))
    await speak('en')
  })

  test('the patient stops it like any other sharing', async () => {
    await open()
    const sent = await exchange.takeSent()
    const notify = sent.find(({ path }) => path === '/api/v3/hiu/consent/request/notify')
    const consents = ((bodyOf(notify as never)['notification']?.['consentArtefacts'] ?? []) as { id: string }[]).map(
      ({ id }) => id,
    )
    const reply = await exchange.asPatient(ASHA, 'POST', '/consent/v3/revoke', { consents })
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
  })

  test('one that waited until its time was over opens nothing; the patient is told of it all the same', async () => {
    await exchange.takeSent()
    const [before, granted] = [(await texts()).length, count(await exchange.eventTypes(), 'consent.granted')]
    const dataEraseAt = new Date(exchange.clock.now().getTime() - 1_000).toISOString()
    const { consent, ...late } = order()
    const permission = { ...(consent['permission'] as object), dataEraseAt }
    assert.equal((await open({ ...late, consent: { ...consent, permission } })).status, 202)
    const told = only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-init')
    assert.match(JSON.stringify(told.body), /over before the exchange heard of it/)
    assert.equal((await texts()).length, before + 1)
    assert.equal(count(await exchange.eventTypes(), 'consent.granted'), granted)
  })

  test('who meets no emergencies, gives no reason, or does it all day is refused', async () => {
    assert.equal((await open(order({}, INSURER), 'bridge-insurer')).status, 202)
    const told = only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-init')
    assert.equal(told.to.kind === 'facility' && told.to.facility, INSURER)
    assert.match(JSON.stringify(told.body), /cannot open records in an emergency/)
    for (const [change, field] of [
      [{ reason: 'curious' }, 'emergency.reason'],
      [{ words: 'urgent' }, 'emergency.words'],
      [{ person: { name: '', role: 'doctor' } }, 'emergency.person.name'],
    ] as const) {
      const reply = await open(order(change))
      assert.equal(reply.status, 400)
      assert.equal(reply.body['field'], field)
    }
    assert.equal((await open(order({}, CLINIC), 'bridge-insurer')).status, 403)
    for (let i = 0; i < LIMITS.emergenciesPerPatientDayMax; i++) await open()
    // More ordinary requests than a page of a list holds do not make the exchange forget.
    for (let i = 0; i <= LIMITS.pageSizeMax; i++) await steps.init()
    await exchange.takeSent()
    await open()
    const last = only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-init')
    assert.match(JSON.stringify(last.body), /times a day/)
    const written = await exchange.inTx((tx) =>
      receiptsAbout(tx, ASHA, { types: ['consent.emergency-refused'], limit: 10 }),
    )
    // Both in one moment of the test's clock: in which order they come is chance.
    const refused = written.flatMap((one) => ('changed' in one ? [] : [one.event as EmergencyRefusedEvent]))
    const tooMany = refused.filter(({ why }) => why === 'request/too-many')
    assert.ok(tooMany.length > 0, 'it stands in her log')
    for (const { hiu, emergency } of tooMany)
      assert.deepEqual([hiu, emergency.person.name], [CLINIC, EMERGENCY.person.name])
    assert.equal(bodyOf(last)['patientTold'], true)
  })

  test('twenty-five at once open six and send six texts without what a name calls to; the rest is told together, once an hour', async () => {
    exchange.clock.advance(LIMITS.emergencyDayMs)
    const takeTexts = async () => {
      await workOffJobs(exchange.machine, requestTextJobs(exchange.needs))
      const found = await texts()
      await exchange.machine.db.deleteFrom('job').where('kind', '=', 'text-message').execute()
      return found.map(({ text }) => text).filter((text) => text.includes('in an emergency'))
    }
    await takeTexts()
    exchange.clock.advance(LIMITS.emergencyTextEveryMs)
    const opened = async () => count(await exchange.eventTypes(), 'consent.emergency-opened')
    const before = await opened()
    const name = 'Fine of Rs 500: pay now at http://evil.example/pay or call 9123456789'
    const flood = (times: number) =>
      Promise.all(Array.from({ length: times }, () => open(order({ person: { ...EMERGENCY.person, name } }))))
    for (const { status } of await flood(25)) assert.equal(status, 202)
    assert.equal((await opened()) - before, LIMITS.emergenciesPerPatientDayMax)
    const told = await takeTexts()
    assert.equal(told.length, LIMITS.emergenciesPerPatientDayMax + 1)
    assert.ok(!/evil|9123/.test(told.join()))
    assert.equal(told.filter((text) => text.includes('somebody of Lakeview Clinic opened')).length, told.length - 1)
    assert.match(told.at(-1) ?? '', /Lakeview Clinic opened the health records of Asha Rao again .* \(19×\)/)
    await flood(5)
    assert.deepEqual(await takeTexts(), [])
    exchange.clock.advance(LIMITS.emergencyTextEveryMs)
    assert.match((await takeTexts()).join(), /^Test exchange: .* \(5×\)[^×]*$/)
    assert.ok((await exchange.eventTypes()).includes('consent.patient-told'))
  })

  test('of an address that nobody has, or has any more, the exchange says that it told nobody', async () => {
    const nobody = 'nobody.knows@sbx'
    await exchange.takeSent()
    const before = (await texts()).length
    const { consent, ...rest } = order()
    assert.equal((await open({ ...rest, consent: { ...consent, patient: { id: nobody } } })).status, 202)
    const answer = bodyOf(only(await exchange.takeSent(), '/api/v3/hiu/consent/request/on-init'))
    assert.match(JSON.stringify(answer['error']), /No patient has this ABHA address here/)
    assert.equal(answer['patientTold'], false)
    assert.equal((await texts()).length, before)
    assert.equal(await exchange.inTx((tx) => existingPatientKey(tx, nobody)), undefined, 'no key for an address alone')
  })

  test('a new day has its own texts, and what was held from the day before is still told', () => {
    const at = (ms: number) => new Date(Date.parse('2026-11-22T06:30:00Z') + ms)
    const full = { dayBegan: at(0), sent: LIMITS.emergenciesPerPatientDayMax, held: 0 }
    const one = nextText(full, at(1))
    assert.deepEqual(one, { how: 'together', at: at(1), isPlanned: false, texts: { ...full, held: 1 } })
    const two = nextText({ ...one.texts, togetherAt: at(0) }, at(2))
    assert.ok(two.how === 'together' && two.isPlanned)
    assert.deepEqual(two.at, at(LIMITS.emergencyTextEveryMs))
    const tomorrow = nextText(two.texts, at(LIMITS.emergencyDayMs))
    assert.equal(tomorrow.how, 'alone')
    assert.deepEqual([tomorrow.texts.sent, tomorrow.texts.held], [1, 2])
  })

  test('a facility of unknown kind may not; words of kinds are found whatever their case', () => {
    const may = (...facilityTypes: string[]) => mayOpenInEmergency({ id: CLINIC, facilityTypes })
    assert.deepEqual([may(), may('Pharmacy'), may('Diagnostic Laboratory')], [false, false, false])
    for (const other of ['Hospital cash insurer', 'Clinical laboratory', 'Ambulance chaser', 'Polyclinics of fortune'])
      assert.equal(may(other), false, other)
    assert.deepEqual([may('HOSPITAL'), may('Clinic/ Dispensary'), may('Primary Health Centre')], [true, true, true])
  })
})
