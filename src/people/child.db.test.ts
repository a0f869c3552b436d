import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ASHA, MEERA, OPERATOR } from '../../test/linking-exchange.ts'
import { codeIn, type Seen, type SignInExchange, startSignInExchange } from '../../test/sign-in-exchange.ts'
import { record } from '../audit/record.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { signToken } from '../vault/token.ts'
import {
  checkActing,
  hasSomebodyWhoDecides,
  issuePatientToken,
  setPatientStatus,
  verifyPatientToken,
} from './commands.ts'
import { changeMobile } from './mobile-commands.ts'
import type { PatientEvent, Profile } from './patient.ts'
import { openPatientSession } from './sign-in-commands.ts'
import { insertPatient } from './store.ts'

/** Of a database from before a guardian was demanded. */
const ALONE: Profile = {
  abhaAddress: 'old.child@sbx' as AbhaAddress,
  abhaNumber: '91000000000077' as AbhaNumber,
  name: 'Old Child',
  gender: 'F',
  birthDate: '2015-06-01',
  mobile: '7000000077',
  language: 'en',
}
const ASKED = 'urn:amanat:problem:'
const WEB = { party: 'sbx', origins: ['http://localhost:4000'] }

let exchange: SignInExchange
describe('people/child', () => {
  before(async () => {
    exchange = await startSignInExchange()
    await exchange.inTx(async (tx) => {
      const event = { type: 'people.enrolled', actor: OPERATOR, patient: ALONE.abhaAddress } as const
      await insertPatient(tx, await record<PatientEvent>(tx, event), ALONE)
    })
  })
  after(() => exchange.close())
  beforeEach(() => exchange.clock.advance(2 * 3_600_000))

  const codeOf = (value: unknown) => (isRefusal(value) ? value.code : 'ok')
  const problemOf = ({ body }: Seen): string => String(body['type']).replace(ASKED, '')
  const acting = (patient: AbhaAddress, guardian?: AbhaAddress) =>
    exchange.inTx((tx) => checkActing(tx, { patient, ...(guardian === undefined ? {} : { guardian }) }))
  const decided = (patient: AbhaAddress) => exchange.inTx((tx) => hasSomebodyWhoDecides(tx, patient))

  test('a child for whom nobody decides gets no code, no token, no session, and hears why', async () => {
    const { abhaAddress } = ALONE
    const asked = await exchange.browser().call('POST', '/v1/sign-in', { abhaAddress })
    assert.equal(asked.status, 202)
    const [text, ...more] = await exchange.takeTexts()
    assert.deepEqual([text?.mobile, codeIn(text?.text), more.length], [ALONE.mobile, '', 0])
    assert.match(text?.text ?? '', /Have one named where the child was registered/)

    const { needs, inTx, clock } = exchange
    const issued = await inTx((tx) => issuePatientToken(tx, needs, { patient: abhaAddress, actor: OPERATOR }))
    assert.equal(codeOf(issued), 'people/needs-guardian')
    const life = { issuer: 'sbx', audience: 'amanat:patient', now: clock.now(), lifeMs: 60_000 } as const
    const token = await signToken(needs.signingKey, { ...life, claims: { sub: abhaAddress } })
    assert.equal(codeOf(await inTx((tx) => verifyPatientToken(tx, needs, token))), 'people/needs-guardian')
  })

  test('a session that a child still has from before reads and decides nothing', async () => {
    const input = { person: ALONE.abhaAddress, how: 'otp', userAgent: undefined } as const
    const { cookie } = await exchange.inTx((tx) => openPatientSession(tx, WEB, input))
    const seen = await exchange.browser().call('GET', '/v1/session', undefined, { cookie: cookie.split(';')[0] })
    assert.deepEqual([seen.status, problemOf(seen)], [403, 'people/needs-guardian'])
    assert.match(String(seen.body['title']), /a parent or guardian .* decides.* where the account was registered/i)
  })

  test('a child that has a guardian does not decide alone either', async () => {
    assert.equal(codeOf(await acting(MEERA.abhaAddress)), 'people/needs-guardian')
    assert.equal(codeOf(await acting(MEERA.abhaAddress, ASHA.abhaAddress)), 'ok')
    const { needs, inTx } = exchange
    const issued = await inTx((tx) => issuePatientToken(tx, needs, { patient: MEERA.abhaAddress, actor: OPERATOR }))
    assert.equal(codeOf(issued), 'people/needs-guardian')
  })

  test('what was allowed beforehand is used in the name of a child only while somebody decides for it', async () => {
    const status = (to: 'active' | 'deactivated') =>
      exchange.inTx(async (tx) =>
        must(await setPatientStatus(tx, { patient: ASHA.abhaAddress, status: to, actor: OPERATOR })),
      )
    assert.deepEqual([await decided(MEERA.abhaAddress), await decided(ALONE.abhaAddress)], [true, false])
    await status('deactivated')
    assert.deepEqual([await decided(MEERA.abhaAddress), await decided(ASHA.abhaAddress)], [false, false])
    await exchange.browser().call('POST', '/v1/sign-in', { abhaAddress: MEERA.abhaAddress })
    const [text] = await exchange.takeTexts()
    assert.match(text?.text ?? '', /मुलाची नोंदणी जिथे झाली/)
    await status('active')
    assert.equal(await decided(MEERA.abhaAddress), true)
  })

  test('who comes of age decides from midnight in India on, with a number of her own: the parent’s phone gets no code', async () => {
    const { needs, inTx, clock } = exchange
    const before = clock.now()
    const { abhaAddress } = MEERA
    const change = (mobile: string) =>
      inTx((tx) => changeMobile(tx, needs, { patient: abhaAddress, mobile, actor: OPERATOR }))
    const askedOf = async () => {
      const asked = await exchange.browser().call('POST', '/v1/sign-in', { abhaAddress })
      assert.equal(asked.status, 202)
      const [text] = await exchange.takeTexts()
      return { text, id: asked.body['id'] }
    }
    clock.set(new Date('2033-01-30T23:59:59.999+05:30'))
    assert.equal(codeOf(await acting(abhaAddress, ASHA.abhaAddress)), 'ok')
    clock.set(new Date('2033-01-31T00:00:00.000+05:30'))
    assert.equal(codeOf(await acting(abhaAddress, ASHA.abhaAddress)), 'people/not-guardian')
    assert.equal(codeOf(await acting(abhaAddress)), 'ok')

    const { text } = await askedOf()
    assert.deepEqual([text?.mobile, codeIn(text?.text)], [MEERA.mobile, ''])
    assert.match(text?.text ?? '', /^आता सज्ञान झालेल्या व्यक्तीच्या नावाने/)
    assert.equal(codeOf(await change(ASHA.mobile)), 'people/guardians-number')
    assert.equal(await change('7123456789'), undefined)
    assert.equal((await exchange.takeTexts()).length, 2, 'both numbers are told')
    clock.advance(2 * 3_600_000)
    const own = await askedOf()
    assert.equal(own.text?.mobile, '7123456789')
    const answer = { code: codeIn(own.text?.text) }
    assert.equal((await exchange.browser().call('POST', `/v1/sign-in/${String(own.id)}`, answer)).status, 200)
    clock.set(before)
  })

  test('a code that was sent to the phone of her childhood, and a proof by code there, do not do either', async () => {
    const { needs, inTx, clock } = exchange
    const before = clock.now()
    const { abhaAddress, mobile } = ALONE
    clock.set(new Date('2033-06-01T00:00:00.000+05:30'))
    const session = must(
      await inTx((tx) => openPatientSession(tx, WEB, { person: abhaAddress, how: 'passkey', userAgent: undefined })),
    )
    const browser = exchange.browser()
    const cookie = session.cookie.split(';')[0]
    const headers = { cookie, 'x-csrf': session.csrf }
    assert.equal((await browser.call('GET', '/v1/session', undefined, headers)).status, 200)
    const proof = await browser.call('POST', '/v1/me/step-up', { act: 'passkey.add', subject: abhaAddress }, headers)
    assert.deepEqual([proof.status, problemOf(proof)], [403, 'people/number-not-hers'])
    // The same number, which an operator now saw to be her own.
    assert.equal(
      await inTx((tx) => changeMobile(tx, needs, { patient: abhaAddress, mobile, actor: OPERATOR })),
      undefined,
    )
    await exchange.takeTexts()
    await exchange.browser().call('POST', '/v1/sign-in', { abhaAddress })
    assert.notEqual(codeIn((await exchange.takeTexts())[0]?.text), '')
    clock.set(before)
  })
})
