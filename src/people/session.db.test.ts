import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ASHA, type LinkingExchange, MEERA, OPERATOR, RAVI, startLinkingExchange } from '../../test/linking-exchange.ts'
import { record } from '../audit/record.ts'
import { webOriginsOf } from '../http/web-origin.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { dependantsOf, enrolPatient, setPatientStatus } from './commands.ts'
import type { Profile } from './patient.ts'
import { endPatientSession, patientOfSession } from './patient-session.ts'
import { deviceOf } from './session.ts'
import { endSessionsOf, isSessionLive, listSessions, openSession, readSession } from './session-commands.ts'

const WEB = { party: 'sbx', origins: webOriginsOf('http://127.0.0.1:4000') }
const PAGE = 'http://localhost:4000'

let exchange: LinkingExchange
describe('people/session', () => {
  before(async () => {
    exchange = await startLinkingExchange()
  })
  after(() => exchange.close())

  const open = (person: AbhaAddress = ASHA.abhaAddress) =>
    exchange.inTx(async (tx) => {
      const recorded = await record(tx, {
        type: 'people.signed-in',
        actor: { kind: 'patient', id: person },
        patient: person,
      })
      return openSession(tx, WEB, recorded, { kind: 'patient', person, how: 'otp', userAgent: undefined })
    })
  const cookieIn = (setCookie: string): string => setCookie.split(';')[0] ?? ''
  const call = (method: string, headers: Record<string, string | undefined>) =>
    exchange.inTx((tx) => patientOfSession(tx, WEB, { method, headers }))
  const codeOf = (value: unknown) => (isRefusal(value) ? value.code : 'ok')

  test('a cookie is the person it was made for; without one nobody is there, with a wrong one nobody is signed in', async () => {
    const { cookie, id } = await open()
    assert.match(cookie, /^amanat_me_sbx=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
    assert.deepEqual(await call('GET', { cookie: `other=1; ${cookieIn(cookie)}` }), {
      kind: 'patient',
      patient: ASHA.abhaAddress,
      session: id,
    })
    assert.equal(await call('GET', { cookie: 'other=1' }), undefined)
    assert.equal(codeOf(await call('GET', { cookie: `amanat_me_sbx=${'x'.repeat(43)}` })), 'auth/no-session')
    // Twice the same name is a sign of somebody who planted one.
    assert.equal(await call('GET', { cookie: `amanat_me_sbx=planted; ${cookieIn(cookie)}` }), undefined)
    const asStaff = await exchange.inTx((tx) =>
      readSession(tx, WEB, 'staff', {
        method: 'GET',
        headers: { cookie: cookieIn(cookie).replace('amanat_me_', 'amanat_desk_') },
      }),
    )
    assert.equal(codeOf(asStaff), 'auth/no-session')
  })

  test('over TLS the cookie never leaves without it', async () => {
    const web = { party: 'sbx', origins: webOriginsOf('https://exchange.example.org') }
    assert.deepEqual(web.origins, ['https://exchange.example.org'])
    const { cookie } = await exchange.inTx(async (tx) => {
      const recorded = await record(tx, { type: 'people.signed-in', actor: OPERATOR })
      return openSession(tx, web, recorded, { kind: 'patient', person: 'x@sbx', how: 'otp', userAgent: undefined })
    })
    assert.match(cookie, /^__Host-amanat_me_sbx=.*; Path=\/; .*; SameSite=Strict; Secure$/)
    assert.doesNotMatch(cookie, /Domain/i)
  })

  test('what changes something must come from a page of ours and say the word of its session', async () => {
    const { cookie, csrf } = await open()
    const other = await open(RAVI.abhaAddress)
    const good = { cookie: cookieIn(cookie), origin: PAGE, 'x-csrf': csrf }
    assert.equal(codeOf(await call('POST', good)), 'ok')
    assert.equal(codeOf(await call('DELETE', { ...good, origin: 'http://127.0.0.1:4000' })), 'ok')
    const bad = [
      { ...good, origin: undefined },
      { ...good, origin: 'http://localhost:4001' },
      { ...good, origin: 'https://localhost:4000' },
      { ...good, origin: 'null' },
      { ...good, 'x-csrf': undefined },
      { ...good, 'x-csrf': '' },
      { ...good, 'x-csrf': other.csrf },
      { ...good, 'x-csrf': `${csrf}x` },
    ]
    for (const headers of bad) {
      assert.equal(codeOf(await call('POST', headers)), 'auth/cross-site', JSON.stringify(headers))
      assert.equal(codeOf(await call('GET', headers)), 'ok')
    }
  })

  test('a guardian acts for her child by name, for nobody else, and not once the child has grown up', async () => {
    const { cookie, id } = await open()
    const as = (named: string) => call('GET', { cookie: cookieIn(cookie), 'x-acting-for': named })
    assert.deepEqual(await as(MEERA.abhaAddress), {
      kind: 'patient',
      patient: MEERA.abhaAddress,
      guardian: ASHA.abhaAddress,
      session: id,
    })
    assert.deepEqual(await as(ASHA.abhaAddress), { kind: 'patient', patient: ASHA.abhaAddress, session: id })
    for (const stranger of [RAVI.abhaAddress, 'nobody@sbx', 'no address'])
      assert.equal(codeOf(await as(stranger)), 'people/not-guardian')
    const children = () => exchange.inTx((tx) => dependantsOf(tx, exchange.needs, ASHA.abhaAddress))
    assert.deepEqual(
      (await children()).map(({ name }) => name),
      ['Meera Rao'],
    )
    assert.deepEqual(await exchange.inTx((tx) => dependantsOf(tx, exchange.needs, RAVI.abhaAddress)), [])

    const before = exchange.clock.now()
    exchange.clock.set(new Date('2033-01-31T00:00:00.000+05:30'))
    const later = await open()
    const grown = await call('GET', { cookie: cookieIn(later.cookie), 'x-acting-for': MEERA.abhaAddress })
    assert.equal(codeOf(grown), 'people/not-guardian')
    assert.deepEqual(await children(), [])
    exchange.clock.set(before)
  })

  test('a guardian who was appointed for an adult acts at any age, for as long as the account says so', async () => {
    const dev: Profile = {
      ...RAVI,
      abhaAddress: 'dev.kumar@sbx' as AbhaAddress,
      abhaNumber: '91000000000008' as AbhaNumber,
      name: 'Dev Kumar',
      birthDate: '1970-01-01',
      guardian: RAVI.abhaAddress,
      guardianBasis: 'appointed',
      guardianAppointment: 'District Court Pune, 112/2024, 3 June 2024',
    }
    await exchange.inTx((tx) => enrolPatient(tx, exchange.needs, { profile: dev, actor: OPERATOR }))
    const { cookie, id } = await open(RAVI.abhaAddress)
    const headers = { cookie: cookieIn(cookie), 'x-acting-for': dev.abhaAddress }
    const acting = { kind: 'patient', patient: dev.abhaAddress, guardian: RAVI.abhaAddress, session: id }
    assert.deepEqual(await call('GET', headers), acting)
    const found = await exchange.inTx((tx) => dependantsOf(tx, exchange.needs, RAVI.abhaAddress))
    assert.deepEqual(
      found.map(({ name, guardianBasis }) => [name, guardianBasis]),
      [['Dev Kumar', 'appointed']],
    )
    // The guardian's own account sleeps: nobody acts for Dev meanwhile.
    const status = (patient: AbhaAddress, to: 'active' | 'deactivated') =>
      exchange.inTx((tx) => setPatientStatus(tx, { patient, status: to, actor: OPERATOR }))
    await status(RAVI.abhaAddress, 'deactivated')
    assert.equal(codeOf(await call('GET', headers)), 'people/not-guardian')
    await status(RAVI.abhaAddress, 'active')
    assert.equal(codeOf(await call('GET', headers)), 'auth/no-session')
    await status(dev.abhaAddress, 'deactivated')
    const anew = { ...headers, cookie: cookieIn((await open(RAVI.abhaAddress)).cookie) }
    assert.equal(codeOf(await call('GET', anew)), 'people/deactivated')
    assert.deepEqual(await exchange.inTx((tx) => dependantsOf(tx, exchange.needs, RAVI.abhaAddress)), [])
  })

  test('a session ends by itself, when it is not used, when it is ended from elsewhere, and with the account', async () => {
    const status = (to: 'active' | 'deactivated') =>
      exchange.inTx((tx) => setPatientStatus(tx, { patient: RAVI.abhaAddress, status: to, actor: OPERATOR }))
    const start = exchange.clock.now()
    const asleep = { cookie: cookieIn((await open(RAVI.abhaAddress)).cookie) }
    await status('deactivated')
    assert.equal(codeOf(await call('GET', asleep)), 'people/deactivated')
    await status('active')
    assert.equal(codeOf(await call('GET', asleep)), 'auth/no-session')
    const headers = { cookie: cookieIn((await open(RAVI.abhaAddress)).cookie) }
    for (let used = 0; used < 11; used++) {
      exchange.clock.advance(LIMITS.patientWebSessionIdleMs - 1)
      assert.equal(codeOf(await call('GET', headers)), 'ok')
    }
    exchange.clock.advance(LIMITS.patientWebSessionIdleMs)
    assert.equal(codeOf(await call('GET', headers)), 'auth/no-session')

    const watched = await open(RAVI.abhaAddress)
    exchange.clock.advance(LIMITS.patientWebSessionIdleMs - 1)
    const watching = { method: 'GET', headers: { cookie: cookieIn(watched.cookie) }, live: () => 'x' }
    assert.equal(codeOf(await exchange.inTx((tx) => patientOfSession(tx, WEB, watching))), 'ok')
    exchange.clock.advance(1)
    assert.equal(codeOf(await exchange.inTx((tx) => patientOfSession(tx, WEB, watching))), 'auth/no-session')

    const idle = await open(RAVI.abhaAddress)
    exchange.clock.advance(LIMITS.patientWebSessionIdleMs)
    assert.equal(codeOf(await call('GET', { cookie: cookieIn(idle.cookie) })), 'auth/no-session')

    const [phone, computer] = [await open(RAVI.abhaAddress), await open(RAVI.abhaAddress)]
    const list = () => exchange.inTx((tx) => listSessions(tx, 'patient', RAVI.abhaAddress))
    assert.deepEqual((await list()).map(({ id }) => id).sort(), [phone.id, computer.id].sort())
    const end = (person: AbhaAddress, id: string) => exchange.inTx((tx) => endPatientSession(tx, person, id))
    assert.equal(codeOf(await end(ASHA.abhaAddress, phone.id)), 'request/not-found')
    assert.equal(codeOf(await end(RAVI.abhaAddress, 'no id')), 'request/not-found')
    assert.equal(await end(RAVI.abhaAddress, phone.id), undefined)
    assert.equal(codeOf(await end(RAVI.abhaAddress, phone.id)), 'request/not-found')
    assert.equal(codeOf(await call('GET', { cookie: cookieIn(phone.cookie) })), 'auth/no-session')
    assert.equal(codeOf(await call('GET', { cookie: cookieIn(computer.cookie) })), 'ok')

    const tablet = await open(RAVI.abhaAddress)
    await exchange.inTx(async (tx) => {
      const recorded = await record(tx, { type: 'people.signed-out', actor: OPERATOR, patient: RAVI.abhaAddress })
      await endSessionsOf(tx, recorded, { kind: 'patient', person: RAVI.abhaAddress, except: tablet.id })
    })
    assert.equal(await exchange.inTx((tx) => isSessionLive(tx, 'patient', computer.id)), false)
    assert.equal(await exchange.inTx((tx) => isSessionLive(tx, 'patient', tablet.id)), true)
    exchange.clock.set(start)
  })

  test('a device is named by browser and system, and by nothing else that the browser tells', () => {
    const android =
      'Mozilla/5.0 (Linux; Android 13; RMX3630) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36'
    assert.equal(deviceOf(android), 'Chrome, Android')
    assert.equal(
      deviceOf('Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1'),
      'Safari, iOS',
    )
    assert.equal(deviceOf('<script>'), '')
    assert.equal(deviceOf(undefined), '')
  })
})
