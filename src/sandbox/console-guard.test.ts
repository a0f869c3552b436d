import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Tx } from '../db/tx.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { makeConsole } from './console.ts'
import { consoleCheck, mayServeConsole, ownPageCheck } from './console-guard.ts'

const ORIGIN = 'http://127.0.0.1:4000'
const BY_NAME = 'http://localhost:4000'
const WORD = 'word-of-the-page'
const check = consoleCheck({ origins: [ORIGIN, BY_NAME], word: WORD })

/** `in`, or the code of the refusal. */
async function verdict(method: 'GET' | 'POST' | 'DELETE', headers: Readonly<Record<string, string>>): Promise<string> {
  const caller = await check({} as Tx, headers, { method, dialect: 'native' })
  return isRefusal(caller) ? caller.code : 'in'
}

const own = { host: '127.0.0.1:4000', 'sec-fetch-site': 'same-origin' }
const acting = { ...own, origin: ORIGIN, 'x-csrf': WORD }

test('the page itself is let in: to read without more, to change things with its word', async () => {
  assert.equal(await verdict('GET', own), 'in')
  assert.equal(await verdict('GET', { ...own, host: 'localhost:4000', origin: BY_NAME }), 'in')
  assert.equal(await verdict('POST', acting), 'in')
  assert.equal(await verdict('DELETE', acting), 'in')
})

test('another site is refused, whatever it can set', async () => {
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    for (const site of ['cross-site', 'same-site', 'none'])
      assert.equal(await verdict(method, { ...acting, 'sec-fetch-site': site }), 'auth/cross-site', site)
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:4001', 'http://localhost'])
      assert.equal(await verdict(method, { ...acting, origin }), 'auth/cross-site', origin)
    for (const host of ['evil.example:4000', 'evil.example', '127.0.0.1', ''])
      assert.equal(await verdict(method, { ...acting, host }), 'auth/cross-site', `host ${host}`)
  }
})

test('a program without the headers of a browser is told to use its own door', async () => {
  const { 'sec-fetch-site': _site, ...program } = acting
  assert.equal(await verdict('GET', program), 'auth/missing-token')
  assert.equal(await verdict('POST', program), 'auth/missing-token')
})

test('nothing is changed without the word, with a wrong one, or from nowhere', async () => {
  const { 'x-csrf': _word, ...silent } = acting
  assert.equal(await verdict('POST', silent), 'auth/cross-site')
  assert.equal(await verdict('POST', { ...acting, 'x-csrf': `${WORD}x` }), 'auth/cross-site')
  const { origin: _origin, ...nowhere } = acting
  assert.equal(await verdict('POST', nowhere), 'auth/cross-site')
})

test('the sign-in page of a desk may read who is invented, and no other site, name or program', async () => {
  const page = ownPageCheck({ origins: [ORIGIN, BY_NAME] })
  const read = async (headers: Readonly<Record<string, string>>, method: 'GET' | 'POST' = 'GET') => {
    const caller = await page({} as Tx, headers, { method, dialect: 'native' })
    return isRefusal(caller) ? caller.code : 'in'
  }
  assert.equal(await read(own), 'in')
  assert.equal(await read({ ...own, host: 'localhost:4000' }), 'in')
  for (const site of ['cross-site', 'same-site', 'none'])
    assert.equal(await read({ ...own, 'sec-fetch-site': site }), 'auth/cross-site', site)
  assert.equal(await read({ ...own, host: 'evil.example:4000' }), 'auth/cross-site', 'a name that leads here')
  assert.equal(await read({ ...own, origin: 'http://localhost:4001' }), 'auth/cross-site', 'another port')
  assert.equal(await read({ host: own.host }), 'auth/missing-token')
  assert.equal(await read(own, 'POST'), 'auth/forbidden')
})

test('a console is served in the sandbox only, and to this machine only unless the settings say otherwise', () => {
  const config = {
    sandbox: true,
    console: 'loopback' as const,
    listen: { host: '127.0.0.1' },
    publicUrl: ORIGIN,
  }
  assert.ok(mayServeConsole(config))
  assert.ok(mayServeConsole({ ...config, listen: { host: '::1' }, publicUrl: 'http://[::1]:4000' }))
  assert.ok(!mayServeConsole({ ...config, sandbox: false }))
  assert.ok(!mayServeConsole({ ...config, sandbox: false, console: 'open' }))
  assert.ok(!mayServeConsole({ ...config, listen: { host: '0.0.0.0' } }))
  assert.ok(!mayServeConsole({ ...config, publicUrl: 'https://sandbox.example.org' }), 'behind a proxy')
  assert.ok(mayServeConsole({ ...config, console: 'open', listen: { host: '0.0.0.0' } }))
  const parts = makeConsole({ ...config, sandbox: false, id: 'sbx', name: 'Exchange', sandboxParties: [] }, {} as never)
  assert.equal(parts, undefined)
})
