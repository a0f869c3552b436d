import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ASHA, MEERA, OPERATOR, RAVI } from '../../test/linking-exchange.ts'
import { codeIn, PAGE, type Seen, type SignInExchange, startSignInExchange } from '../../test/sign-in-exchange.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { setPatientStatus } from '../people/commands.ts'
import { sweepProofs } from '../people/jobs.ts'

let exchange: SignInExchange
describe('native/me-sign-in', () => {
  before(async () => {
    exchange = await startSignInExchange()
  })
  after(() => exchange.close())
  // Limits count by the hour: each test has one of its own.
  beforeEach(() => exchange.clock.advance(2 * 3_600_000))

  const problemOf = ({ body }: Seen): string => String(body['type']).replace('urn:amanat:problem:', '')
  const ask = (abhaAddress: string) => exchange.browser().call('POST', '/v1/sign-in', { abhaAddress })
  const give = (id: unknown, code: string, headers = {}) =>
    exchange.browser().call('POST', `/v1/sign-in/${String(id)}`, { code }, headers)
  const eventsOf = async (type: string) => (await exchange.eventTypes()).filter((one) => one === type).length

  test('a code goes to the phone that we know; typed, with or without blanks, it opens a session; and once only', async () => {
    const asked = await ask(' Asha.Rao@SBX ')
    assert.equal(asked.status, 202)
    const texts = await exchange.takeTexts()
    assert.deepEqual(
      texts.map(({ mobile }) => mobile),
      [ASHA.mobile],
    )
    const code = codeIn(texts[0]?.text)
    assert.match(texts[0]?.text ?? '', /^\d{6} हा Test exchange मध्ये साइन इन करण्याचा तुमचा कोड आहे\. .*कोणालाही सांगू नका/)
    const rows = await exchange.machine.db.selectFrom('sign_in_code').selectAll().execute()
    assert.ok(!JSON.stringify(rows).includes(code), 'the code is not stored')
    const opened = await give(asked.body['id'], `${code.slice(0, 3)} ${code.slice(3)}`)
    assert.equal(opened.status, 200, JSON.stringify(opened.body))
    assert.match(opened.headers['set-cookie'] ?? '', /HttpOnly; SameSite=Strict/)
    assert.equal(problemOf(await give(asked.body['id'], code)), 'people/code-spent')
    assert.equal(await eventsOf('people.signed-in'), 1)
  })

  test('who typed the address of a child reads in the language of the guardian what to do', async () => {
    await ask(MEERA.abhaAddress)
    assert.deepEqual(await exchange.takeTexts(), [
      {
        mobile: MEERA.mobile,
        text: 'कोणीतरी एका मुलाच्या ABHA पत्त्याने Test exchange मध्ये साइन इन करू पाहिले. पालकाच्या ABHA पत्त्याने साइन इन करा आणि तिथे मुलाला निवडा.',
      },
    ])
  })

  test('who is unknown, deactivated or a child is answered the same, and gets no code', async () => {
    const setRavi = (status: 'active' | 'deactivated') =>
      exchange.inTx((tx) => setPatientStatus(tx, { patient: RAVI.abhaAddress, status, actor: OPERATOR }))
    await setRavi('deactivated')
    const shape = ({ status, body, headers }: Seen) => ({
      status,
      keys: Object.keys(body),
      type: headers['content-type'],
    })
    const expected = shape(await ask(ASHA.abhaAddress))
    await exchange.takeTexts()
    for (const address of ['nobody.here@sbx', RAVI.abhaAddress, MEERA.abhaAddress]) {
      const asked = await ask(address)
      assert.deepEqual(shape(asked), expected, address)
      const texts = await exchange.takeTexts()
      assert.ok(texts.every(({ text }) => codeIn(text) === ''))
      assert.equal(texts.length, address === MEERA.abhaAddress ? 1 : 0)
      const wrong = await give(asked.body['id'], '000000')
      assert.equal(problemOf(wrong), 'people/wrong-code')
      assert.equal(wrong.body['detail'], 'The code is wrong. Tries left: 4.')
    }
    await setRavi('active')
    const bad = await ask('not an address')
    assert.deepEqual([bad.status, problemOf(bad), bad.body['field']], [400, 'request/invalid-field', 'abhaAddress'])
  })

  test('the same queries answer for an address with and without account: asking, and giving a wrong code', async () => {
    const ids: unknown[] = []
    const asking = (address: string) => exchange.queriesOf(async () => ids.push((await ask(address)).body['id']))
    const known = await asking(ASHA.abhaAddress)
    assert.ok(known.length >= 4)
    assert.deepEqual(await asking('nobody.there@sbx'), known)
    await exchange.takeTexts()
    const wrong = (id: unknown) => exchange.queriesOf(() => give(id, 'xxxxxx'))
    assert.deepEqual(await wrong(ids[0]), await wrong(ids[1]))
    await exchange.takeTexts()
  })

  test('five wrong codes end it; each is recorded for the patient; an expired one says so', async () => {
    const failed = await eventsOf('people.sign-in-failed')
    const asked = await ask(ASHA.abhaAddress)
    const code = codeIn((await exchange.takeTexts())[0]?.text)
    const wrong = code === '111111' ? '222222' : '111111'
    for (let left = LIMITS.signInCodeTriesMax - 1; left > 0; left--) {
      const seen = await give(asked.body['id'], wrong)
      assert.deepEqual([seen.status, seen.body['detail']], [422, `The code is wrong. Tries left: ${left}.`])
    }
    assert.equal(problemOf(await give(asked.body['id'], wrong)), 'people/code-spent')
    assert.equal(problemOf(await give(asked.body['id'], code)), 'people/code-spent')
    await exchange.takeTexts()
    assert.equal((await eventsOf('people.sign-in-failed')) - failed, LIMITS.signInCodeTriesMax)

    const again = await ask(ASHA.abhaAddress)
    const late = codeIn((await exchange.takeTexts())[0]?.text)
    exchange.clock.advance(LIMITS.signInCodeMs)
    assert.equal(problemOf(await give(again.body['id'], late)), 'people/code-expired')
    assert.equal(problemOf(await give('3f1c2f6e-1d8e-4c39-9a51-0d6f5d0a7c00', late)), 'people/unknown-sign-in')
    assert.equal(problemOf(await give('no-id', late)), 'people/unknown-sign-in')
  })

  test('a code of one sign-in is worth nothing in another, and none before the phone has it', async () => {
    const first = await ask(ASHA.abhaAddress)
    const code = codeIn((await exchange.takeTexts())[0]?.text)
    const second = await ask(ASHA.abhaAddress)
    assert.equal(problemOf(await give(second.body['id'], code)), 'people/wrong-code')
    assert.equal((await give(first.body['id'], code)).status, 200)
    await exchange.takeTexts()
  })

  test('codes are asked for twice a minute and eight times an hour, known or not, also at the same moment', async () => {
    for (const address of [RAVI.abhaAddress, 'nobody.else@sbx'] as AbhaAddress[]) {
      const together = await Promise.all([ask(address), ask(address), ask(address), ask(address)])
      assert.deepEqual(
        together.map(({ status }) => status).sort((a, b) => a - b),
        [202, 202, 429, 429],
      )
      const refused = together.find(({ status }) => status === 429)
      assert.equal(refused?.headers['retry-after'], '60')
      for (let minute = 0; minute < 3; minute++) {
        exchange.clock.advance(60_000)
        await ask(address)
        await ask(address)
      }
      exchange.clock.advance(60_000)
      const last = await ask(address)
      assert.deepEqual([last.status, last.headers['retry-after']], [429, '3600'])
    }
    await exchange.takeTexts()
  })

  test('a page elsewhere signs nobody in', async () => {
    const other = exchange.browser('https://elsewhere.example')
    assert.equal(
      problemOf(await other.call('POST', '/v1/sign-in', { abhaAddress: ASHA.abhaAddress })),
      'auth/cross-site',
    )
    assert.equal(problemOf(await other.call('POST', '/v1/sign-in/passkey')), 'auth/cross-site')
  })

  test('the session says who is there and for whom she may act; signing out ends it at once', async () => {
    const browser = exchange.browser()
    assert.equal(problemOf(await browser.call('GET', '/v1/session')), 'auth/no-session')
    await browser.signIn(ASHA.abhaAddress)
    const { body } = await browser.call('GET', '/v1/session')
    assert.deepEqual([body['kind'], body['how'], body['passkeys']], ['patient', 'otp', 0])
    assert.deepEqual(body['patient'], {
      abhaAddress: ASHA.abhaAddress,
      abhaNumber: ASHA.abhaNumber,
      name: 'Asha Rao',
      gender: 'F',
      birthDate: ASHA.birthDate,
      language: 'mr',
    })
    const meera = { abhaAddress: MEERA.abhaAddress, name: 'Meera Rao', birthDate: MEERA.birthDate, basis: 'parent' }
    assert.deepEqual(body['dependants'], [meera])
    const acting = await browser.call('GET', '/v1/session', undefined, { 'x-acting-for': MEERA.abhaAddress })
    assert.deepEqual((acting.body['patient'] as { name: string }).name, 'Asha Rao')
    assert.equal(
      problemOf(await browser.call('DELETE', '/v1/session', undefined, { 'x-csrf': 'x' })),
      'auth/cross-site',
    )
    const cookie = browser.cookie()
    const out = await browser.call('DELETE', '/v1/session')
    assert.deepEqual([out.status, /Max-Age=0/.test(out.headers['set-cookie'] ?? '')], [204, true])
    assert.equal(problemOf(await browser.call('GET', '/v1/session', undefined, { cookie })), 'auth/no-session')
  })

  test('she sees her devices and signs one out from another', async () => {
    const [phone, computer, stranger] = [exchange.browser(), exchange.browser(), exchange.browser()]
    await phone.signIn(ASHA.abhaAddress)
    exchange.clock.advance(60_000)
    await computer.signIn(ASHA.abhaAddress)
    await stranger.signIn(RAVI.abhaAddress)
    const rows = (await phone.call('GET', '/v1/me/sessions')).body as unknown as { id: string; isThis: boolean }[]
    assert.deepEqual([rows.length, rows.filter(({ isThis }) => isThis).length], [2, 1])
    const other = rows.find(({ isThis }) => !isThis)?.id ?? ''
    assert.equal((await stranger.call('DELETE', `/v1/me/sessions/${other}`)).status, 404)
    assert.equal((await phone.call('DELETE', `/v1/me/sessions/${other}`)).status, 204)
    assert.equal((await computer.call('GET', '/v1/session')).status, 401)
    assert.equal((await phone.call('GET', '/v1/session')).status, 200)
  })

  test('the language is hers to choose, from those there are', async () => {
    const browser = exchange.browser()
    await browser.signIn(ASHA.abhaAddress)
    assert.equal((await browser.call('PUT', '/v1/me/language', { language: 'ur' })).status, 204)
    const { body } = await browser.call('GET', '/v1/session')
    assert.equal((body['patient'] as { language: string }).language, 'ur')
    assert.equal((await browser.call('PUT', '/v1/me/language', { language: 'xx' })).status, 400)
    assert.equal((await browser.call('PUT', '/v1/me/language', { language: 'ur' })).status, 204)
    assert.equal(await eventsOf('people.language-changed'), 1)
    assert.equal((await browser.call('PUT', '/v1/me/language', { language: 'mr' })).status, 204)
  })

  test('what is over is forgotten', async () => {
    await exchange.browser(PAGE).signIn(RAVI.abhaAddress)
    exchange.clock.advance(3 * 86_400_000)
    await exchange.inTx(sweepProofs)
    for (const table of ['web_session', 'sign_in_code'] as const) {
      const left = await exchange.machine.db.selectFrom(table).select('id').execute()
      assert.deepEqual(left, [], table)
    }
  })
})
