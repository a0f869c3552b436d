import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import type { Browser, Page } from 'playwright-core'
import { Registry } from 'prom-client'
import { abdmRules } from '../../src/abdm/rules.ts'
import { transact } from '../../src/db/tx.ts'
import { makeServer, nativeRules } from '../../src/http/server.ts'
import { type FacilityId, parseFacilityId } from '../../src/kernel/id.ts'
import { must } from '../../src/kernel/refusal.ts'
import { registerBridge } from '../../src/partners/commands.ts'
import { mayDo } from '../../src/people/rules.ts'
import { frontPageRoutes } from '../../src/sandbox/front-page.ts'
import { WORDS } from '../../src/sandbox/front-page-view.ts'
import { LANGUAGE_FORMS, LANGUAGES } from '../../src/sandbox/front-page-words.ts'
import type { PartyState } from '../../src/sandbox/watch.ts'
import { openTestDatabase, type TestDatabase } from '../database.ts'
import { makeTestMachine } from '../machine.ts'
import { waitFor } from '../wait.ts'
import { startBrowser } from './browser.ts'

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PICTURES = path.join(import.meta.dirname, '..', '..', 'docs', 'pictures')
/** `AMANAT_PICTURES=1 npm test -- test/browser/front-page.test.ts` draws them anew. */
const wantsPictures = process.env['AMANAT_PICTURES'] === '1'
const SIZES = { desktop: { width: 1280, height: 1290 }, phone: { width: 390, height: 844 } } as const
const FACILITIES = [
  ['IN2710000011', 'Tarangini Hospital, Pune', 'Hospital', 'up'],
  ['IN2910000022', 'Vanashree Medical Centre, Bengaluru', 'Hospital', 'up'],
  ['IN2710000033', 'Pratibimb Diagnostics, Pune', 'Laboratory', 'up'],
  ['IN2710000044', 'Aushadhika Pharmacy, Pune', 'Pharmacy', 'up'],
  ['IN2710000055', 'Chhatraksha Health Insurance, Mumbai', 'Insurance', 'up'],
] as const

let database: TestDatabase
let app: FastifyInstance
let browser: Browser
let url: string
const states = new Map<string, PartyState>()

describe('browser/front-page', () => {
  before(async () => {
    database = await openTestDatabase()
    const machine = makeTestMachine(database)
    const watch = { states: () => states }
    const nobody = async () => ({ kind: 'anonymous' }) as const
    app = makeServer({
      machine,
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      routes: frontPageRoutes({
        exchange: { id: 'sbx', name: 'Amanat Exchange' },
        publicUrl: 'http://127.0.0.1:4000',
        ownLog: { witnesses: [1, 2] },
        watch,
        doors: { console: true, desks: FACILITIES.map(([id]) => id) },
      }),
      dialects: { native: nativeRules, abdm: abdmRules({ cmId: 'sbx' }) },
      authenticate: {
        none: nobody,
        bridge: nobody,
        patient: nobody,
        exchange: nobody,
        operator: nobody,
        staff: nobody,
        console: nobody,
        partner: nobody,
      },
      mayDo,
      ready: async () => [],
    })
    for (const [i, [id, name, type]] of FACILITIES.entries()) {
      const service = {
        id: parseFacilityId(id) as FacilityId,
        name,
        roles: ['hip', 'hiu'] as const,
        isActive: true,
        facilityTypes: [type],
      }
      const bridge = {
        clientId: id,
        name,
        url: `http://127.0.0.1:${4001 + i}`,
        services: [service],
        actor: { kind: 'operator', id: 'test' } as const,
      }
      must(await transact(machine, (tx) => registerBridge(tx, bridge)))
    }
    await fill()
    url = await app.listen({ host: '127.0.0.1', port: 0 })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await app?.close()
    await database?.close()
  })

  /** Rows as after an afternoon of trying; only their number and status is shown. */
  async function fill(): Promise<void> {
    const run = (text: string, values: readonly unknown[] = []) => database.pool.query(text, [...values])
    await run(`insert into patient select n, 'p' || n, '\\x00', 'active', now(), now() from generate_series(0, 30) n`)
    await run(
      `insert into care_context select n % 31, 'p' || n % 31, 'h', 'pt1.r', 'pt1.c' || n, 'Prescription', '\\x00', now(), now() from generate_series(1, 1284) n`,
    )
    const requests = { REQUESTED: 2, GRANTED: 14, DENIED: 1, REVOKED: 3, EXPIRED: 1 }
    for (const [status, count] of Object.entries(requests))
      await run(
        `insert into consent_request (bucket, id, patient, hiu, status, asked, created_at, decide_by, changed_at) select 1, gen_random_uuid(), 'p1', 'h', $1, '{}', now(), now(), now() from generate_series(1, $2)`,
        [status, count],
      )
    for (const [status, count] of Object.entries({ TRANSFERRED: 22, ACKNOWLEDGED: 1, FAILED: 1 }))
      await run(
        `insert into data_request (bucket, id, consent, patient, hip, hiu, date_from, date_to, asked_at, hiu_request_id, hip_status, hip_at, hip_responses, hiu_responses) select 1, gen_random_uuid(), gen_random_uuid(), 'p1', 'h', 'h', now(), now(), now(), '', $1, now(), '[]', '[]' from generate_series(1, $2)`,
        [status, count],
      )
    await run(`insert into log_checkpoint values (3417, '\\x00', 'note', '2026-11-22T06:29:56Z')`)
    await run(`insert into log_cosignature select 3417, w, '', now() from unnest(array['a', 'b']) w`)
  }

  function allStates(state: PartyState, ...first: readonly PartyState[]): void {
    states.clear()
    for (const [i, [id]] of FACILITIES.entries()) states.set(id, first[i] ?? state)
  }

  type Watched = { readonly page: Page; readonly faults: string[] }

  async function openPage(options: Parameters<Browser['newContext']>[0], place = '/'): Promise<Watched> {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    const page = await context.newPage()
    const faults: string[] = []
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('request', (request) => request.url().startsWith(`${url}/`) || faults.push(`a request to ${request.url()}`))
    page.on(
      'response',
      (response) => response.status() < 400 || faults.push(`${response.status()} for ${response.url()}`),
    )
    await page.goto(`${url}${place}`)
    // Not only declared: a page whose fonts are missing would show boxes in place of Indic letters.
    await page.evaluate(() => document.fonts.ready.then(() => undefined))
    return { page, faults }
  }

  const takePicture = (page: Page, name: string, fullPage: boolean): Promise<unknown> =>
    page.screenshot({ path: path.join(PICTURES, `front-page-${name}.png`), fullPage })

  const isWiderThanWindow = (page: Page): Promise<boolean> =>
    page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)

  async function axeFaults(page: Page): Promise<readonly string[]> {
    await page.evaluate(AXE)
    return page.evaluate(async () => {
      type Axe = {
        run: (options: object) => Promise<{
          violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[]
        }>
      }
      const { axe } = globalThis as unknown as { axe: Axe }
      const { violations } = await axe.run({ resultTypes: ['violations'] })
      return violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join(' | ')}`,
      )
    })
  }

  const FONTS = { en: 'Noto Sans', hi: 'Noto Sans Devanagari', ur: 'Noto Nastaliq Urdu' } as const

  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const language of LANGUAGES) {
      test(`the front page is sound: ${size}, ${language}, light and dark`, async () => {
        allStates('up')
        const { page, faults } = await openPage(
          { viewport, deviceScaleFactor: wantsPictures ? 1.5 : 1 },
          `/?lang=${language}`,
        )
        assert.equal(await page.locator('html').getAttribute('lang'), language)
        assert.equal(await page.locator('html').getAttribute('dir'), LANGUAGE_FORMS[language].dir)
        assert.equal(await page.locator('h1').innerText(), WORDS[language].allUp)
        assert.equal(await page.evaluate((font) => document.fonts.check(`600 16px "${font}"`), FONTS[language]), true)
        assert.equal(await isWiderThanWindow(page), false)
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          assert.deepEqual(await axeFaults(page), [])
          if (wantsPictures) await takePicture(page, `${language}-${size}-${colorScheme}`, size === 'phone')
        }
        assert.deepEqual(faults, [])
        await page.context().close()
      })
    }
  }

  test('trouble shows in words and colour, readable on the narrowest phone and without script', async () => {
    allStates('up', 'down', 'not-ready', 'silent', 'unknown')
    for (const language of LANGUAGES) {
      const { page, faults } = await openPage(
        { viewport: { width: 320, height: 640 }, javaScriptEnabled: false },
        `/?lang=${language}`,
      )
      const words = WORDS[language]
      assert.equal(await page.locator('h1').innerText(), words.notReady('2', '6'))
      assert.deepEqual(await page.locator('.state').allInnerTexts(), [
        words.states.up,
        words.states.down,
        words.states['not-ready'],
        words.states.silent,
        words.states.unknown,
        words.states.up,
      ])
      assert.ok(await page.getByText(words.silentText).isVisible())
      assert.ok(await page.locator('noscript p').isVisible())
      assert.equal(await isWiderThanWindow(page), false)
      assert.deepEqual(faults, [])
      if (wantsPictures) await takePicture(page, `${language}-narrow-trouble`, true)
      await page.context().close()
    }
    const { page } = await openPage({ colorScheme: 'dark' })
    assert.deepEqual(await axeFaults(page), [])
    await page.context().close()
  })

  test('the language follows the browser, then the link; the keyboard reaches the content first', async () => {
    const { page } = await openPage({ locale: 'ur-PK' })
    assert.equal(await page.locator('html').getAttribute('lang'), 'ur')
    await page.getByRole('link', { name: 'हिन्दी' }).click()
    await page.waitForURL('**/?lang=hi')
    assert.equal(await page.locator('html').getAttribute('lang'), 'hi')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), WORDS.hi.skip)
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
    await page.context().close()
  })

  test('numbers change in place; when the exchange is gone the page says so and comes back', async () => {
    allStates('up')
    const { page } = await openPage(
      { viewport: SIZES.desktop, permissions: ['clipboard-read', 'clipboard-write'] },
      '/?lang=en',
    )
    const copy = page.getByRole('button', { name: 'Copy: npm run story' })
    await copy.click()
    const isCopied = () => page.evaluate(async () => (await navigator.clipboard.readText()) === 'npm run story')
    await waitFor('the command to be copied', isCopied)
    assert.equal(await page.locator('#patients').innerText(), '31')
    await database.pool.query(`insert into patient values (200, 'one.more@sbx', '\\x00', 'active', now(), now())`)
    allStates('up', 'down')
    await page.locator('#patients', { hasText: '32' }).waitFor()
    await page.locator('h1', { hasText: '1 of 6 members is not ready' }).waitFor()
    assert.ok(await copy.evaluate((button) => button === document.activeElement), 'focus stays where it was')
    const lookAgain = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await page.route('**/*', (route) => route.abort())
    await lookAgain()
    await page.getByText(WORDS.en.lost).waitFor()
    await page.unroute('**/*')
    await lookAgain()
    await page.getByText(WORDS.en.lost).waitFor({ state: 'hidden' })
    await page.context().close()
  })
})
