import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { exchangeRoutes } from '../src/app-exchange.ts'
import type { Route } from '../src/http/route.ts'
import { frontPageRoutes } from '../src/sandbox/front-page.ts'
import { comeBack } from './come-back.ts'
import { textAt, textsAt } from './json-path.ts'
import { TestNetwork } from './network.ts'
import { ASHA } from './people.ts'
import { validBody } from './valid-body.ts'
import { waitFor } from './wait.ts'

// Route tables only close over their needs; nothing of them is called here.
const none = { sandbox: true } as never
const routes = [...exchangeRoutes(none), ...frontPageRoutes(none)]
const nameOf = (route: Route): string => `${route.method} ${route.path}`
const ID = '3f1c2f6e-1d8e-4c39-9a51-0d6f5d0a7c00'

describe('the cookie of the patient app, at every route of the exchange', () => {
  let network: TestNetwork
  let page: string
  let cookie: string
  let csrf: string

  before(async () => {
    network = await TestNetwork.start()
    await network.enrol(ASHA)
    page = network.exchange.url.replace('127.0.0.1', 'localhost')
    await signIn()
  })
  after(() => network.stop())

  const send = (at: string, method: string, headers: Readonly<Record<string, string>>, body?: unknown) =>
    comeBack(`${network.exchange.url}${at}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })

  async function signIn(): Promise<void> {
    const asked = await send('/v1/sign-in', 'POST', { origin: page }, { abhaAddress: ASHA.abhaAddress })
    const id = textAt(await asked.json(), 'id')
    const code = await waitFor('the code', async () => {
      const { body } = await network.operator('sbx', `/v1/sandbox/text-messages?mobile=${ASHA.mobile}`)
      return /\b\d{6}\b/.exec((body as { text: string }[])[0]?.text ?? '')?.[0]
    })
    const opened = await send(`/v1/sign-in/${id}`, 'POST', { origin: page }, { code })
    assert.equal(opened.status, 200)
    cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
    csrf = textAt(await opened.json(), 'csrf')
  }

  async function call(route: Route, headers: Readonly<Record<string, string>>) {
    const abdm =
      route.dialect === 'abdm'
        ? { 'REQUEST-ID': crypto.randomUUID(), TIMESTAMP: new Date().toISOString(), 'X-CM-ID': 'sbx' }
        : {}
    const body = route.body === undefined ? undefined : (validBody(route.body) ?? {})
    const at = route.path.replaceAll(/:\w+|\*/g, ID)
    const answer = await send(
      at,
      route.method,
      { cookie, ...abdm, ...headers },
      route.method === 'GET' ? undefined : body,
    )
    // A live route answers for as long as the session lives.
    const text = route.live === undefined ? await answer.text() : ''
    if (route.live !== undefined) await answer.body?.cancel()
    return { status: answer.status, told: `${nameOf(route)}: ${answer.status} ${text.slice(0, 200)}`, text }
  }
  // Ending the session is tried last.
  const ends = (route: Route): boolean => route.method === 'DELETE' && route.path === '/v1/session'

  test('opens what a patient may, and nothing else', async () => {
    for (const route of routes) {
      if (ends(route)) continue
      const seen = await call(route, { origin: page, 'x-csrf': csrf })
      assert.ok(seen.status < 500 || seen.status === 503, seen.told)
      if (route.auth === 'patient') assert.notEqual(seen.status, 401, seen.told)
      else if (route.auth !== 'none') assert.equal(seen.status, 401, seen.told)
    }
  })

  test('changes nothing from a page elsewhere, nor without the word of the session', async () => {
    const elsewhere: readonly Readonly<Record<string, string>>[] = [
      {},
      { origin: page },
      { 'x-csrf': csrf },
      { origin: 'https://elsewhere.example', 'x-csrf': csrf },
      { origin: page.replace(/\d+$/, '1'), 'x-csrf': csrf },
      { origin: page, 'x-csrf': `${csrf}=` },
    ]
    for (const route of routes.filter(({ auth, method }) => auth === 'patient' && method !== 'GET'))
      for (const headers of elsewhere) {
        const seen = await call(route, headers)
        assert.equal(seen.status, 403, `${seen.told} with ${Object.keys(headers).join(', ')}`)
        if (route.dialect === 'native') assert.match(seen.text, /auth\/cross-site/)
      }
  })

  test('decides nothing on ABDM’s paths, which know no proof anew', async () => {
    const deciding = routes.filter(
      ({ auth, dialect, method }) => auth === 'patient' && dialect === 'abdm' && method !== 'GET',
    )
    assert.ok(deciding.some(({ path }) => path.endsWith('/approve')))
    for (const route of deciding) {
      const seen = await call(route, { origin: page, 'x-csrf': csrf })
      assert.equal(seen.status, 403, seen.told)
    }
  })

  test('a guardian appointed for an adult is enrolled with the order, not without', async () => {
    const dev = { ...ASHA, abhaAddress: 'dev.rao@sbx', abhaNumber: '91000000000077', guardian: ASHA.abhaAddress }
    const without = await network.operator('sbx', '/v1/patients', { ...dev, guardianBasis: 'appointed' })
    assert.deepEqual([without.status, textAt(without.body, 'field')], [400, 'guardianAppointment'])
    const guardianAppointment = 'District Court Pune, 112/2024'
    const enrolled = await network.operator('sbx', '/v1/patients', {
      ...dev,
      guardianBasis: 'appointed',
      guardianAppointment,
    })
    assert.equal(enrolled.status, 201)
    const session = await (await send('/v1/session', 'GET', { cookie })).json()
    assert.deepEqual(textsAt(session, 'dependants', 'basis'), ['appointed'])
    const acting = await send('/v1/me', 'GET', { cookie, 'x-acting-for': dev.abhaAddress })
    assert.equal(textAt(await acting.json(), 'guardianAppointment'), guardianAppointment)
  })

  test('is worth nothing once signed out', async () => {
    const out = await send('/v1/session', 'DELETE', { cookie, origin: page, 'x-csrf': csrf })
    assert.equal(out.status, 204)
    const seen = await send('/v1/session', 'GET', { cookie })
    assert.equal(seen.status, 401)
  })
})
