import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { run } from '../../src/cli.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { temporaryRoot } from '../database.ts'
import { listAt, textAt } from '../json-path.ts'
import { type Answer, callJson, TestNetwork } from '../network.ts'
import { addStaff, codeOfStaff, type StaffHeaders, type StaffLogin, signInStaff } from '../staff.ts'

const FACILITY = 'IN2710000011'
const typeOf = ({ body }: Answer): string => textAt(body, 'type').replace('urn:amanat:problem:', '')

describe('staff of a facility over HTTP', () => {
  let network: TestNetwork
  let administrator: StaffLogin
  let headers: StaffHeaders
  let url: string
  before(async () => {
    network = await TestNetwork.start({ facilities: [FACILITY], changesNoRows: true })
    url = network.party(FACILITY).url
    administrator = await addStaff(network, FACILITY, 'administrator')
    headers = await signInStaff(network, FACILITY, administrator)
  })
  after(() => network.stop())

  const call = (at: string, body?: unknown, as: Readonly<Record<string, string>> = headers): Promise<Answer> =>
    callJson(`${url}${at}`, as, body)

  /** A proof anew by code, for one act on one thing. */
  async function prove(subject: string): Promise<string> {
    const asked = await call('/v1/desk/step-up', { act: 'staff.change', subject })
    assert.equal(asked.status, 201, JSON.stringify(asked.body))
    assert.deepEqual(listAt(asked.body, 'methods'), ['code'])
    const id = textAt(asked.body, 'id')
    const code = await codeOfStaff(network, FACILITY, administrator.login)
    assert.equal((await call(`/v1/desk/step-up/${id}`, { code })).status, 204)
    return id
  }
  const invitation = (login: string, stepUp: string) => ({ login, name: 'Meera Nair', role: 'doctor', stepUp })

  test('passwords of invented staff are for the own sign-in page and the operator, not for whoever asks', async () => {
    const page = (headers: Readonly<Record<string, string>>) => callJson(`${url}/v1/desk/sample-staff`, headers)
    const own = await page({ 'sec-fetch-site': 'same-origin' })
    assert.equal(own.status, 200)
    assert.equal(textAt(listAt({ body: own.body }, 'body')[0], 'login'), administrator.login)
    for (const headers of [
      {},
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site', origin: 'http://localhost:1' },
      { 'sec-fetch-site': 'none' },
    ]) {
      const refused = await page(headers)
      assert.ok(refused.status === 401 || refused.status === 403, `${refused.status} ${JSON.stringify(headers)}`)
      assert.doesNotMatch(JSON.stringify(refused.body), /password|code"/)
    }
    assert.equal((await callJson(`${url}/v1/sandbox/staff`, {})).status, 401)
  })

  test('accounts change only with a proof anew, for this person, once', async () => {
    const unproved = await call('/v1/desk/staff', invitation('meera.nair', randomUUID()))
    assert.deepEqual([unproved.status, typeOf(unproved)], [403, 'auth/step-up-needed'])
    const stepUp = await prove('meera.nair')
    const other = await call('/v1/desk/staff', invitation('somebody.else', stepUp))
    assert.equal(typeOf(other), 'auth/step-up-needed')
    const made = await call('/v1/desk/staff', invitation('meera.nair', stepUp))
    assert.equal(made.status, 201)
    assert.match(textAt(made.body, 'link'), /^http:\/\/localhost:\d+\/desk\/join\/[\w-]{32}$/)
    const again = await call('/v1/desk/staff', invitation('meera.nair', stepUp))
    assert.equal(typeOf(again), 'auth/step-up-needed')
    const id = textAt(made.body, 'staff.id')
    const gone = await call(`/v1/desk/staff/${id}/status`, { status: 'left', stepUp: await prove(id) })
    assert.deepEqual([gone.status, textAt(gone.body, 'status')], [200, 'left'])
    const anew = await call(`/v1/desk/staff/${id}/invitation`, { stepUp: await prove(id) })
    assert.deepEqual([anew.status, typeOf(anew)], [409, 'staff/not-now'])
  })

  test('the administrator cannot take herself away as the last one, and a nurse proves nothing for such acts', async () => {
    const { id } = administrator
    const last = await call(`/v1/desk/staff/${id}/status`, { status: 'suspended', stepUp: await prove(id) })
    assert.deepEqual([last.status, typeOf(last)], [409, 'staff/last-administrator'])
    const nurse = await signInStaff(network, FACILITY, await addStaff(network, FACILITY, 'nurse'))
    const asked = await call('/v1/desk/step-up', { act: 'staff.change', subject: id }, nurse)
    assert.deepEqual([asked.status, typeOf(asked)], [403, 'auth/forbidden'])
    const list = await call('/v1/desk/staff', undefined, nurse)
    assert.deepEqual([list.status, textAt(list.body, 'detail')], [403, 'Your role may not do this: staff.see.'])
  })

  test('a code that signed in does not prove anew as well', async () => {
    const doctor = await addStaff(network, FACILITY, 'doctor')
    const begun = await call('/v1/desk/sign-in', { login: doctor.login, password: doctor.password }, {})
    const code = await codeOfStaff(network, FACILITY, doctor.login)
    const signedIn = await call('/v1/desk/sign-in/code', { ticket: textAt(begun.body, 'ticket'), code }, {})
    const cookie = signedIn.headers.get('set-cookie') ?? ''
    assert.match(cookie, /; HttpOnly; SameSite=Strict/)
    const own = { cookie: cookie.split(';')[0] ?? '', origin: url, 'X-CSRF': textAt(signedIn.body, 'csrf') }
    const asked = await call('/v1/desk/step-up', { act: 'emergency.open', subject: 'p-1' }, own)
    const proved = await call(`/v1/desk/step-up/${textAt(asked.body, 'id')}`, { code }, own)
    assert.deepEqual([proved.status, typeOf(proved)], [422, 'staff/wrong-code'])
    assert.match(textAt(proved.body, 'detail'), /used already/)
  })

  test('who guesses is told how long to wait, alike for a login that nobody has', async () => {
    const { login } = await addStaff(network, FACILITY, 'billing')
    const guess = (guessed: string): Promise<Answer> =>
      call('/v1/desk/sign-in', { login: guessed, password: 'a wrong guess' }, {})
    for (const guessed of [login, 'nobody.here']) {
      for (let i = 0; i <= LIMITS.staffGuessesFree; i++) assert.equal((await guess(guessed)).status, 401)
      // On a busy machine a wait may be over before the next guess comes; the one after it is twice as long.
      let [waitS, slowed] = [1, await guess(guessed)]
      for (; slowed.status === 401 && waitS < 16; slowed = await guess(guessed)) waitS *= 2
      assert.equal(slowed.status, 429)
      const toldS = Number(slowed.headers.get('retry-after'))
      assert.ok(toldS >= 1 && toldS <= waitS, `${toldS} of ${waitS} s`)
    }
  })

  test('a page elsewhere signs nobody in', async () => {
    const { login, password } = administrator
    const foreign = await call('/v1/desk/sign-in', { login, password }, { origin: 'https://elsewhere.example' })
    assert.deepEqual([foreign.status, typeOf(foreign)], [403, 'auth/cross-site'])
  })

  async function commandLine(t: TestContext, words: readonly string[]): Promise<{ code: number; text: string }> {
    const said: string[] = []
    const print = (chunk: unknown): boolean => said.push(String(chunk)) > 0
    const out = t.mock.method(process.stdout, 'write', print)
    const err = t.mock.method(process.stderr, 'write', print)
    try {
      return { code: await run(words), text: said.join('') }
    } finally {
      out.mock.restore()
      err.mock.restore()
    }
  }

  test('amanat staff invite: how the first administrator of a facility comes in', async (t) => {
    const folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-staff-'))
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
    const file = path.join(folder, 'settings.json')
    const { operatorToken, name } = network.party(FACILITY)
    const settings = {
      role: 'facility',
      id: FACILITY,
      name,
      listen: { port: Number(new URL(url).port) },
      publicUrl: url,
      database: { url: 'postgresql://unused@127.0.0.1/unused' },
      keysFolder: '.',
      log: { origin: 'test.example/log' },
      operatorToken,
      textMessages: { kind: 'sandbox' },
      exchange: { baseUrl: url, cmId: 'sbx', clientId: 'c', clientSecret: 's' },
    }
    fs.writeFileSync(file, JSON.stringify(settings))
    const who = ['--config', file, '--login', 'first.one', '--name', 'First One', '--role', 'administrator']
    const invited = await commandLine(t, ['staff', 'invite', ...who])
    assert.equal(invited.code, 0, invited.text)
    const code = /\/desk\/join\/([\w-]{32})/.exec(invited.text)?.[1] ?? ''
    const opened = await call(`/v1/desk/invitations/${code}`, undefined, {})
    assert.deepEqual([opened.status, textAt(opened.body, 'role')], [200, 'administrator'])
    const shared = await callJson(`${url}/v1/desk/invitations/${code}/secret`, {}, {})
    assert.match(textAt(shared.body, 'qr'), /^data:image\/svg\+xml;base64,/)
    const taken = await commandLine(t, ['staff', 'invite', ...who])
    assert.equal(taken.code, 1)
    assert.match(taken.text, /staff\/login-taken/)
    const list = await commandLine(t, ['staff', 'list', '--config', file])
    assert.match(list.text, /first\.one +administrator +invited +First One/)
    const stopped = { ...settings, listen: { port: 1 } }
    fs.writeFileSync(file, JSON.stringify(stopped))
    const silent = await commandLine(t, ['staff', 'list', '--config', file])
    assert.equal(silent.code, 1)
    assert.match(silent.text, /does not answer at .*"amanat serve --config FILE"/)
  })
})
