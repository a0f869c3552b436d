import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { ensureWeb } from '../../src/http/web-build.ts'
import { addWebFiles } from '../../src/http/web-files.ts'
import english from '../../web/verify/words/en/common.json' with { type: 'json' }
import urdu from '../../web/verify/words/ur/common.json' with { type: 'json' }
import { makeLog, makeReceipt, vkey, witnessVkey } from '../made-log.ts'
import { startBrowser } from './browser.ts'

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What the page may do at a party: nothing but itself. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'",
}
const POLICY = `log ${vkey}\nwitness university ${witnessVkey}\nquorum university\n`
const PICTURES = process.env['AMANAT_LOOK']

let app: FastifyInstance
let browser: Browser
let url: string
describe('browser/verify', () => {
  before(async () => {
    await ensureWeb(() => undefined)
    app = Fastify()
    addWebFiles(app, [{ path: '/verify', name: 'verify' }], HEADERS)
    url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/verify`
    browser = await startBrowser()
  })
  after(async () => {
    await browser.close()
    await app.close()
  })

  async function visit(
    language: 'en' | 'ur',
    viewport: { width: number; height: number },
  ): Promise<[BrowserContext, Page]> {
    const context = await browser.newContext({
      viewport,
      locale: language,
      timezoneId: 'Asia/Kolkata',
      // Colours that are still on their way would be measured as too pale.
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(String(error)))
    // A weight of a font that was not needed before may be missing; nothing else is asked for.
    page.on('requestfailed', (request) => {
      if (request.resourceType() !== 'font') faults.push(request.url())
    })
    await page.goto(url)
    await page.getByRole('heading', { level: 1 }).waitFor()
    // From here on there is no line: everything is checked in the page.
    await context.setOffline(true)
    context.on('close', () => assert.deepEqual(faults, []))
    return [context, page]
  }

  async function insistOnAccessible(page: Page, name: string): Promise<void> {
    const result = (await page.evaluate(
      `${AXE}\naxe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] })`,
    )) as {
      violations: { id: string; nodes: { html: string }[] }[]
    }
    assert.deepEqual(
      result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
      [],
      name,
    )
    const isTooWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth + 1')
    assert.equal(isTooWide, false, `${name} is wider than the screen`)
    if (PICTURES !== undefined) await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true })
  }

  test('a receipt is checked without a line: pasted, with a policy, and forged', async () => {
    const receipt = await makeReceipt(await makeLog(70), 12)
    const [context, page] = await visit('en', { width: 390, height: 844 })
    await page.getByLabel(english['verify.receipt'], { exact: true }).fill(JSON.stringify(receipt))
    await page.getByRole('button', { name: english['verify.check'] }).click()
    await page.getByText(english['verify.holds'], { exact: true }).waitFor()
    await page.getByText('log.example/a', { exact: true }).waitFor()
    await page.getByText('Entry 12 of a log of 70 entries').waitFor()
    await page.getByText(english['verify.not-keys']).waitFor()
    await insistOnAccessible(page, 'verify-en-phone')

    await page.getByText(english['verify.keys'], { exact: true }).click()
    await page.getByLabel(english['verify.policy']).fill(POLICY)
    await page.getByRole('button', { name: english['verify.check'] }).click()
    await page.getByText('as many witnesses cosigned it as your policy asks: university').waitFor()
    assert.equal(await page.getByText(english['verify.not-keys']).count(), 0)

    const forged = JSON.stringify({ ...receipt, event: { type: 'test.other' } })
    await page.getByLabel(english['verify.receipt'], { exact: true }).fill(forged)
    await page.getByRole('button', { name: english['verify.check'] }).click()
    await page.getByRole('alert').getByText(english['verify.forged'], { exact: true }).waitFor()
    await insistOnAccessible(page, 'verify-forged-en-phone')
    await context.close()
  })

  test('in Urdu: a chosen file', async () => {
    const receipt = await makeReceipt(await makeLog(70), 0)
    const [context, page] = await visit('ur', { width: 1280, height: 800 })
    assert.equal(await page.evaluate('document.documentElement.dir'), 'rtl')
    const file = { name: 'receipt.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(receipt)) }
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByText(urdu['verify.holds'], { exact: true }).waitFor()
    await insistOnAccessible(page, 'verify-ur-desktop')
    await page.locator('input[type=file]').setInputFiles({ ...file, buffer: Buffer.from('rubbish') })
    await page.getByRole('alert').getByText(urdu['verify.malformed'], { exact: true }).waitFor()
    await context.close()
  })
})
