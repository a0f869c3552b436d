import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { makeTestPasskey, type TestPasskey } from '../../test/authenticator.ts'
import { ASHA, MEERA, OPERATOR, RAVI } from '../../test/linking-exchange.ts'
import {
  codeIn,
  PAGE,
  type Seen,
  type SignInExchange,
  startSignInExchange,
  type TestBrowser,
} from '../../test/sign-in-exchange.ts'
import type { PatientCaller } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import type { StepUpAct } from '../kernel/step-up-act.ts'
import { setPatientStatus } from '../people/commands.ts'
import { sweepProofs } from '../people/jobs.ts'
import { listPasskeys, startPasskeySignIn } from '../people/passkey-commands.ts'
import { spendStepUp } from '../people/step-up-commands.ts'

let exchange: SignInExchange
describe('native/me-proof', () => {
  before(async () => {
    exchange = await startSignInExchange()
  })
  after(() => exchange.close())
  beforeEach(() => exchange.clock.advance(2 * 3_600_000))

  const problemOf = ({ body }: Seen): string => String(body['type']).replace('urn:amanat:problem:', '')
  const optionsOf = ({ body }: Seen) =>
    body['options'] as { challenge: string; user: { id: string }; rp: { id: string } }

  async function signedIn(person: string = ASHA.abhaAddress): Promise<TestBrowser> {
    const browser = exchange.browser()
    assert.equal((await browser.signIn(person)).status, 200)
    return browser
  }

  async function withPasskey(browser: TestBrowser): Promise<TestPasskey> {
    const asked = await browser.call('POST', '/v1/me/passkeys/options', {})
    assert.equal(asked.status, 200, JSON.stringify(asked.body))
    const passkey = makeTestPasskey({ origin: PAGE })
    const attestation = passkey.attest(optionsOf(asked), {})
    const body = { challenge: asked.body['id'], name: 'My phone', attestation }
    const added = await browser.call('POST', '/v1/me/passkeys', body)
    assert.equal(added.status, 201, JSON.stringify(added.body))
    return passkey
  }

  async function signInBy(
    passkey: TestPasskey,
    change: Parameters<TestPasskey['assert']>[1] = {},
    browser = exchange.browser(),
  ) {
    const asked = await browser.call('POST', '/v1/sign-in/passkey')
    const assertion = passkey.assert(optionsOf(asked), change)
    const at = `/v1/sign-in/passkey/${String(asked.body['id'])}`
    return { seen: await browser.call('POST', at, { assertion }), browser, at, assertion }
  }

  test('a passkey signs in without an address; its answer is good once, on the page that asked, verified by its owner', async () => {
    const owner = await signedIn()
    const passkey = await withPasskey(owner)
    const texts = await exchange.takeTexts()
    assert.match(texts.at(-1)?.text ?? '', /^Test exchange वरील तुमच्या खात्यात एक पासकी जोडली गेली/)

    const good = await signInBy(passkey)
    assert.equal(good.seen.status, 200, JSON.stringify(good.seen.body))
    const { body } = await good.browser.call('GET', '/v1/session')
    assert.deepEqual(
      [(body['patient'] as { name: string }).name, body['how'], body['passkeys']],
      ['Asha Rao', 'passkey', 1],
    )

    const replayed = await exchange.browser().call('POST', good.at, { assertion: good.assertion })
    assert.equal(problemOf(replayed), 'people/passkey-refused', 'its counter is behind')
    const asked = await exchange.browser().call('POST', '/v1/sign-in/passkey')
    const old = await exchange
      .browser()
      .call('POST', `/v1/sign-in/passkey/${String(asked.body['id'])}`, { assertion: good.assertion })
    assert.equal(problemOf(old), 'people/passkey-refused')

    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    for (const change of [
      { origin: 'https://elsewhere.example' },
      { rpId: 'elsewhere.example' },
      { isVerified: false },
      { key: stranger },
      { userHandle: '' },
      { userHandle: Buffer.alloc(32, 9).toString('base64url') },
      { counter: 0 },
    ])
      assert.equal(
        problemOf((await signInBy(passkey, change)).seen),
        'people/passkey-refused',
        JSON.stringify(Object.keys(change)),
      )
    assert.equal(problemOf((await signInBy(makeTestPasskey({ origin: PAGE }))).seen), 'people/passkey-refused')

    const asking = exchange.browser()
    const late = await asking.call('POST', '/v1/sign-in/passkey')
    exchange.clock.advance(LIMITS.passkeyChallengeMs)
    const assertion = passkey.assert(optionsOf(late))
    const seen = await asking.call('POST', `/v1/sign-in/passkey/${String(late.body['id'])}`, { assertion })
    assert.equal(problemOf(seen), 'people/unknown-sign-in')

    await exchange.inTx((tx) =>
      setPatientStatus(tx, { patient: ASHA.abhaAddress, status: 'deactivated', actor: OPERATOR }),
    )
    assert.equal(problemOf((await signInBy(passkey)).seen), 'people/passkey-refused')
    await exchange.inTx((tx) => setPatientStatus(tx, { patient: ASHA.abhaAddress, status: 'active', actor: OPERATOR }))
    assert.equal(problemOf((await signInBy(passkey)).seen), 'people/passkey-refused', 'it is from before')
  })

  test('a passkey that does not count is answered for once, too; and not what was asked for something else', async () => {
    const owner = await signedIn()
    const passkey = await withPasskey(owner)
    const good = await signInBy(passkey, { counter: 0 })
    assert.equal(good.seen.status, 200, JSON.stringify(good.seen.body))
    const replayed = await exchange.browser().call('POST', good.at, { assertion: good.assertion })
    assert.equal(problemOf(replayed), 'people/unknown-sign-in')

    const adding = await owner.call('POST', '/v1/me/passkeys/options', {})
    const at = `/v1/sign-in/passkey/${String(adding.body['id'])}`
    const assertion = passkey.assert(optionsOf(adding), { counter: 0 })
    assert.equal(problemOf(await exchange.browser().call('POST', at, { assertion })), 'people/passkey-refused')
  })

  test('a stranger who starts sign-ins without end keeps nobody from signing in or adding a passkey, and leaves no rows', async () => {
    const owner = await signedIn()
    const place = { origin: PAGE, rpId: new URL(PAGE).hostname }
    await exchange.inTx(async (tx) => {
      for (let i = 0; i < 1_500; i++) must(await startPasskeySignIn(tx, exchange.needs, place))
    })
    const passkey = await withPasskey(owner)
    assert.equal((await signInBy(passkey)).seen.status, 200)
    const rows = await exchange.machine.db.selectFrom('used_passkey_challenge').select('id').execute()
    assert.ok(rows.length < 100, 'only what was answered')
    exchange.clock.advance(LIMITS.passkeyChallengeMs + 1)
    await exchange.inTx((tx) => sweepProofs(tx))
    assert.deepEqual(await exchange.machine.db.selectFrom('used_passkey_challenge').select('id').execute(), [])
  })

  test('a page that is opened by address has no passkeys, and says so', async () => {
    const byAddress = exchange.browser('http://127.0.0.1:4000')
    assert.equal(problemOf(await byAddress.call('POST', '/v1/sign-in/passkey')), 'people/passkeys-unavailable')
    const session = await byAddress.signIn(RAVI.abhaAddress)
    assert.equal(session.status, 200)
    assert.equal(problemOf(await byAddress.call('POST', '/v1/me/passkeys/options', {})), 'people/passkeys-unavailable')
    const stepUp = await byAddress.call('POST', '/v1/me/step-up', { act: 'policy.save', subject: 'x' })
    assert.deepEqual(stepUp.body['methods'], ['code'])
  })

  test('a passkey is added by who signed in just now or proves anew who she is, in the session that asked', async () => {
    const browser = await signedIn(RAVI.abhaAddress)
    const asked = await browser.call('POST', '/v1/me/passkeys/options', {})
    const passkey = makeTestPasskey({ origin: PAGE })
    const attestation = passkey.attest(optionsOf(asked), {})
    const add = (from: TestBrowser, more: object = {}) =>
      from.call('POST', '/v1/me/passkeys', { challenge: asked.body['id'], name: 'Key', attestation, ...more })
    const other = await signedIn(RAVI.abhaAddress)
    assert.equal(problemOf(await add(other)), 'people/passkey-refused')
    assert.equal((await add(browser)).status, 201, 'the try from elsewhere did not spend it')
    const second = makeTestPasskey({ origin: PAGE }).attest(optionsOf(asked), {})
    assert.equal(problemOf(await add(browser, { attestation: second })), 'people/passkey-refused', 'good once')

    exchange.clock.advance(LIMITS.stepUpMs)
    assert.equal(problemOf(await browser.call('POST', '/v1/me/passkeys/options', {})), 'auth/step-up-needed')
    await exchange.takeTexts()
    const stepUp = await browser.call('POST', '/v1/me/step-up', { act: 'passkey.add', subject: RAVI.abhaAddress })
    const at = `/v1/me/step-up/${String(stepUp.body['id'])}`
    assert.deepEqual([stepUp.body['methods'], stepUp.body['sentTo']], [['passkey', 'code'], undefined])
    assert.deepEqual((await browser.call('POST', `${at}/code`)).body, { sentTo: '••••9999' })
    const code = codeIn((await exchange.takeTexts())[0]?.text)
    assert.equal((await browser.call('POST', at, { code })).status, 204)
    const options = { stepUp: stepUp.body['id'] }
    const again = await browser.call('POST', '/v1/me/passkeys/options', options)
    assert.equal(again.status, 200, JSON.stringify(again.body))
    assert.equal((again.body['options'] as { excludeCredentials: object[] }).excludeCredentials.length, 1)
    assert.equal(problemOf(await browser.call('POST', '/v1/me/passkeys/options', options)), 'auth/step-up-needed')

    for (const broken of [
      { isVerified: false },
      { origin: 'https://elsewhere.example' },
      { rpId: 'elsewhere.example' },
    ]) {
      const fresh = await signedIn(RAVI.abhaAddress)
      exchange.clock.advance(61_000)
      const options = await fresh.call('POST', '/v1/me/passkeys/options', {})
      const bad = makeTestPasskey({ origin: PAGE }).attest(optionsOf(options), broken)
      const seen = await add(fresh, { challenge: options.body['id'], attestation: bad })
      assert.equal(problemOf(seen), 'people/passkey-refused', JSON.stringify(broken))
    }
  })

  test('passkeys are listed, renamed and removed by their owner alone; a removed one lets nobody in', async () => {
    const browser = await signedIn()
    const passkey = await withPasskey(browser)
    const at = `/v1/me/passkeys/${passkey.id}`
    const stranger = await signedIn(RAVI.abhaAddress)
    assert.equal((await stranger.call('PATCH', at, { name: 'Mine' })).status, 404)
    assert.equal((await stranger.call('DELETE', at)).status, 404)
    assert.equal((await browser.call('PATCH', at, { name: '  Blue phone ' })).status, 204)
    const list = (await browser.call('GET', '/v1/me/passkeys')).body as unknown as { id: string; name: string }[]
    assert.equal(list.find(({ id }) => id === passkey.id)?.name, 'Blue phone')
    assert.equal((await browser.call('DELETE', at)).status, 204)
    assert.equal((await browser.call('DELETE', at)).status, 404)
    assert.equal(problemOf((await signInBy(passkey)).seen), 'people/passkey-refused')
  })

  /** The caller as the protected command sees it. */
  async function callerOf(browser: TestBrowser, more: Partial<PatientCaller> = {}): Promise<PatientCaller> {
    const rows = (await browser.call('GET', '/v1/me/sessions')).body as unknown as { id: string; isThis: boolean }[]
    const session = rows.find(({ isThis }) => isThis)?.id as Id<'web-session'>
    return { kind: 'patient', patient: ASHA.abhaAddress, session, ...more }
  }
  const spend = (caller: PatientCaller, id: unknown, act: StepUpAct, subject: string) =>
    exchange
      .inTx((tx) => spendStepUp(tx, caller, { id: String(id), act, subject }))
      .then((fault) => fault?.code ?? 'ok')

  test('a proof is good once, for its act on its subject, in its session, for five minutes', async () => {
    const browser = await signedIn(RAVI.abhaAddress)
    const caller = await callerOf(browser, { patient: RAVI.abhaAddress })
    const begin = async (subject: string) => {
      const started = await browser.call('POST', '/v1/me/step-up', { act: 'policy.save', subject })
      if (!('sentTo' in started.body)) await browser.call('POST', `/v1/me/step-up/${String(started.body['id'])}/code`)
      return { id: started.body['id'], code: codeIn((await exchange.takeTexts()).at(-1)?.text) }
    }
    const { id, code } = await begin('policy-1')
    assert.equal(await spend(caller, id, 'policy.save', 'policy-1'), 'auth/step-up-needed', 'not proved yet')
    const wrong = await browser.call('POST', `/v1/me/step-up/${String(id)}`, {
      code: code === '111111' ? '222222' : '111111',
    })
    assert.deepEqual([problemOf(wrong), wrong.status], ['people/wrong-code', 422])
    const other = await signedIn(RAVI.abhaAddress)
    assert.equal((await other.call('POST', `/v1/me/step-up/${String(id)}`, { code })).status, 404)
    assert.equal((await browser.call('POST', `/v1/me/step-up/${String(id)}`, { code })).status, 204)
    assert.equal(problemOf(await browser.call('POST', `/v1/me/step-up/${String(id)}`, { code })), 'people/code-spent')
    const otherCaller = await callerOf(other, { patient: RAVI.abhaAddress })
    assert.equal(await spend(otherCaller, id, 'policy.save', 'policy-1'), 'auth/step-up-needed')
    assert.equal(await spend(caller, id, 'consent.grant', 'policy-1'), 'auth/step-up-needed')
    assert.equal(await spend(caller, id, 'policy.save', 'policy-2'), 'auth/step-up-needed')
    assert.equal(await spend(caller, 'no id', 'policy.save', 'policy-1'), 'auth/step-up-needed')
    const twice = await Promise.all([1, 2].map(() => spend(caller, id, 'policy.save', 'policy-1')))
    assert.deepEqual(twice.sort(), ['auth/step-up-needed', 'ok'])

    const late = await begin('policy-3')
    assert.equal((await browser.call('POST', `/v1/me/step-up/${String(late.id)}`, { code: late.code })).status, 204)
    exchange.clock.advance(LIMITS.stepUpMs)
    assert.equal(await spend(caller, late.id, 'policy.save', 'policy-3'), 'auth/step-up-needed')

    const guessed = await begin('policy-4')
    for (let tries = 1; tries < LIMITS.signInCodeTriesMax; tries++)
      await browser.call('POST', `/v1/me/step-up/${String(guessed.id)}`, { code: 'abcdef' })
    const last = await browser.call('POST', `/v1/me/step-up/${String(guessed.id)}`, { code: 'abcdef' })
    assert.equal(problemOf(last), 'people/code-spent')
    const right = await browser.call('POST', `/v1/me/step-up/${String(guessed.id)}`, { code: guessed.code })
    assert.equal(problemOf(right), 'people/code-spent')
    // An app that holds a token asks its own proof, as on ABDM's paths.
    assert.equal(await spend({ kind: 'patient', patient: ASHA.abhaAddress }, 'none', 'consent.grant', 'x'), 'ok')
  })

  test('a passkey proves it without a code; that of somebody else, or an answer given before, does not', async () => {
    const browser = await signedIn()
    const passkey = await withPasskey(browser)
    const stranger = await signedIn(RAVI.abhaAddress)
    const notHers = await withPasskey(stranger)
    const start = async () => {
      const started = await browser.call('POST', '/v1/me/step-up', { act: 'consent.grant', subject: 'request-1' })
      const options = started.body['passkey'] as { challenge: string; allowCredentials: { id: string }[] }
      assert.ok(options.allowCredentials.some(({ id }) => id === passkey.id))
      return { at: `/v1/me/step-up/${String(started.body['id'])}`, id: started.body['id'], options }
    }
    const { at, id, options } = await start()
    assert.equal(problemOf(await browser.call('POST', at, { assertion: notHers.assert(options) })), 'people/wrong-code')
    assert.equal(problemOf(await browser.call('POST', at, { code: '123456' })), 'people/wrong-code', 'no code was sent')
    const assertion = passkey.assert(options)
    assert.equal((await browser.call('POST', at, { assertion })).status, 204)
    assert.equal(await spend(await callerOf(browser), id, 'consent.grant', 'request-1'), 'ok')
    const next = await start()
    assert.equal(problemOf(await browser.call('POST', next.at, { assertion })), 'people/wrong-code')
  })

  test('a guardian proves who she is herself, also where she acts for her child', async () => {
    const browser = await signedIn()
    await exchange.takeTexts()
    const acting = { 'x-acting-for': MEERA.abhaAddress }
    const body = { act: 'consent.grant', subject: 'request-2' }
    const started = await browser.call('POST', '/v1/me/step-up', body, acting)
    await browser.call('POST', `/v1/me/step-up/${String(started.body['id'])}/code`, undefined, acting)
    const [text] = await exchange.takeTexts()
    assert.equal(text?.mobile, ASHA.mobile)
    const proof = { code: codeIn(text?.text) }
    assert.equal(
      (await browser.call('POST', `/v1/me/step-up/${String(started.body['id'])}`, proof, acting)).status,
      204,
    )
    const caller = await callerOf(browser, { patient: MEERA.abhaAddress, guardian: ASHA.abhaAddress })
    assert.equal(await spend(caller, started.body['id'], 'consent.grant', 'request-2'), 'ok')
  })

  test('proofs are limited', async () => {
    const browser = await signedIn(RAVI.abhaAddress)
    const start = () => browser.call('POST', '/v1/me/step-up', { act: 'policy.save', subject: 'x' })
    for (let asked = 0; asked < LIMITS.stepUpsPerMinuteMax; asked++) assert.equal((await start()).status, 201)
    const last = await start()
    assert.deepEqual([last.status, last.headers['retry-after']], [429, '60'])
  })

  test('ten passkeys a person, however many were asked for before the first was added', async () => {
    const browser = await signedIn(RAVI.abhaAddress)
    const before = (await exchange.inTx((tx) => listPasskeys(tx, { kind: 'patient', person: RAVI.abhaAddress }))).length
    const asked: Seen[] = []
    for (let i = before; i <= LIMITS.passkeysPerPersonMax; i++)
      asked.push(await browser.call('POST', '/v1/me/passkeys/options', {}))
    const statuses: number[] = []
    for (const each of asked) {
      const attestation = makeTestPasskey({ origin: PAGE }).attest(optionsOf(each), {})
      const body = { challenge: each.body['id'], name: 'Key', attestation }
      statuses.push((await browser.call('POST', '/v1/me/passkeys', body)).status)
    }
    assert.deepEqual(
      statuses.map((status) => status === 201),
      [...asked.slice(1).map(() => true), false],
    )
  })
})
