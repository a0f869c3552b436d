import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { ensureWeb } from '../../src/http/web-build.ts'
import { type Person, TestNetwork } from '../network.ts'
import { waitFor } from '../wait.ts'
import { startBrowser } from './browser.ts'

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PICTURES = path.join(import.meta.dirname, '..', '..', 'docs', 'pictures')
/** `AMANAT_PICTURES=1 npm test -- test/browser/…` draws the manual's pictures anew. */
export const wantsPictures = process.env['AMANAT_PICTURES'] === '1'

/** What comes, comes sooner by far; beside all other tests, on two cores, a page may take its time. */
const PATIENCE_MS = 60_000

export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const
export type Size = keyof typeof SIZES
/** The two languages in which every journey is walked: one of them from right to left. */
export const JOURNEY_LANGUAGES = ['en', 'ur'] as const
export type JourneyLanguage = (typeof JOURNEY_LANGUAGES)[number]

/** On which screens each journey is walked. Where minutes matter, both languages and both sizes are met once; CI and the manual take all. */
export const JOURNEY_SCREENS: readonly (readonly [JourneyLanguage, Size])[] =
  wantsPictures || process.env['CI'] === 'true'
    ? JOURNEY_LANGUAGES.flatMap((language) => (['phone', 'desktop'] as const).map((size) => [language, size] as const))
    : [
        ['en', 'phone'],
        ['ur', 'desktop'],
      ]

export const ASHA: Person = {
  abhaAddress: 'asha.rao@sbx',
  abhaNumber: '91000000000001',
  name: 'Asha Rao',
  gender: 'F',
  birthDate: '1984-03-12',
  mobile: '9000000001',
}

/** A network of real parties with the web apps that they serve, and a real browser. */
export class WebWorld {
  readonly network: TestNetwork
  readonly #browser: Browser

  private constructor(network: TestNetwork, browser: Browser) {
    this.network = network
    this.#browser = browser
  }

  static async start(options: Parameters<typeof TestNetwork.start>[0] = {}): Promise<WebWorld> {
    await ensureWeb(() => undefined)
    const network = await TestNetwork.start(options)
    try {
      return new WebWorld(network, await startBrowser())
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.#browser.close()
    await this.network.stop()
  }

  /** Where people open a party's apps: by name, since a passkey needs one. */
  originOf(party: string): string {
    return this.network.party(party).url.replace('127.0.0.1', 'localhost')
  }

  /** A browser of its own (cookies, storage) in a language and size. */
  async visitor(party: string, options: VisitorOptions = {}): Promise<Visitor> {
    const { language = 'en', size = 'phone', ...context } = options
    const browser = await this.#browser.newContext({
      reducedMotion: 'reduce',
      viewport: SIZES[size],
      locale: `${language}-IN`,
      // The worker fetches the whole app in the background: only the tests of the worker wait for that.
      serviceWorkers: 'block',
      timezoneId: 'Asia/Kolkata',
      // Sharp on a phone's small page; a whole desktop is sharp enough as it is, and the file stays small.
      deviceScaleFactor: wantsPictures && size === 'phone' ? 1.5 : 1,
      ...context,
    })
    browser.setDefaultTimeout(PATIENCE_MS)
    return new Visitor(browser, await browser.newPage(), this.originOf(party))
  }

  /** The newest text message that a party sent to a mobile, as its sandbox shows it. */
  async newestText(party: string, mobile: string): Promise<string> {
    return waitFor(`a text message to ${mobile}`, async () => {
      const { body } = await this.network.operator(party, `/v1/sandbox/text-messages?mobile=${mobile}`)
      return (body as readonly { readonly text: string }[])[0]?.text
    })
  }
}

type VisitorOptions = { readonly language?: JourneyLanguage | 'hi'; readonly size?: Size } & BrowserContextOptions

/** One person at one browser. Everything that a page should never do is collected in `faults`. */
export class Visitor {
  readonly context: BrowserContext
  readonly page: Page
  readonly faults: string[] = []
  readonly #origin: string

  constructor(context: BrowserContext, page: Page, origin: string) {
    this.context = context
    this.page = page
    this.#origin = origin
    page.on('console', (message) => {
      // A refusal that the page handles is still written there by the browser.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.faults.push(message.text())
    })
    page.on('pageerror', (error) => this.faults.push(error.message))
    page.on('request', (request) => {
      const isOwn = request.url().startsWith(`${origin}/`) || /^(blob|data):/.test(request.url())
      if (!isOwn) this.faults.push(`a request to ${request.url()}`)
    })
    page.on('response', (response) => {
      // A machine that does ten other things turns callers away for a moment; the page comes back by itself.
      const isTurnedAway = response.status() === 503 && response.headers()['retry-after'] !== undefined
      if (response.status() >= 500 && !isTurnedAway) this.faults.push(`${response.status()} for ${response.url()}`)
    })
  }

  async open(at: string): Promise<void> {
    await this.goto(at)
    await this.settle()
  }

  async goto(at: string): Promise<void> {
    await this.page.goto(`${this.#origin}${at}`)
  }

  /** Waits until the page has its words and its fonts. */
  async settle(): Promise<void> {
    await this.page.locator('h1').first().waitFor()
    await this.page.evaluate(() => document.fonts.ready.then(() => undefined))
  }

  /** The page is sound: nothing it should not do, no wider than the window, no violation of WCAG 2.2 AA. */
  async assertSound(): Promise<void> {
    assert.deepEqual(this.faults, [])
    const excess = await excessWidth(this.page)
    assert.ok(excess <= 0, `${this.page.url()} is ${excess} px wider than the window`)
    assert.deepEqual(await axeFaults(this.page), [])
  }

  /** A picture for the manual, only when pictures are wanted. */
  async picture(name: string, fullPage = false): Promise<void> {
    if (!wantsPictures) return
    await this.settle()
    const draw = () => this.page.screenshot({ path: path.join(PICTURES, `${name}.png`) })
    await (fullPage ? inTallWindow(this.page, draw) : draw())
  }

  async close(): Promise<void> {
    await this.context.close()
  }
}

const LOOKS_MAX = 5

/**
 * In a window as tall as the page: what a bar at the edge of the window covers is a matter of scrolling, no fault. A fault is what two looks
 * one after the other find: a page that takes its new colours, or grows by news, at the very moment of a look is looked at again.
 */
async function axeFaults(page: Page): Promise<readonly string[]> {
  let last: readonly string[] = []
  for (let look = 1; ; look++) {
    await atRest(page)
    const [faults, hasGrown] = await inTallWindow(page, async () => {
      const found = await axeFaultsNow(page)
      return [found, await page.evaluate(() => document.documentElement.scrollHeight > innerHeight)] as const
    })
    const isSure = faults.length === 0 || faults.join('\n') === last.join('\n')
    if ((isSure && !hasGrown) || look === LOOKS_MAX) return faults
    last = faults
  }
}

/** By how much the page is wider than its window; where a font came, or a list grew, at the moment of a look it is looked again. */
async function excessWidth(page: Page): Promise<number> {
  for (let look = 1; ; look++) {
    await atRest(page)
    const excess = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    if (excess <= 0 || look === LOOKS_MAX) return excess
  }
}

/** No movement runs any more, and two frames were painted since. */
function atRest(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const ends = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
    await Promise.allSettled(ends.map(({ finished }) => finished))
    await new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))
  })
}

async function inTallWindow<T>(page: Page, work: () => Promise<T>): Promise<T> {
  const size = page.viewportSize()
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  const isHigher = size !== null && height > size.height
  if (isHigher) await page.setViewportSize({ width: size.width, height })
  try {
    return await work()
  } finally {
    if (isHigher) await page.setViewportSize(size)
  }
}

async function axeFaultsNow(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    type Found = { id: string; nodes: readonly { html: string; failureSummary?: string }[] }
    const { axe } = globalThis as unknown as { axe: { run: (options: object) => Promise<{ violations: Found[] }> } }
    const { violations } = await axe.run({
      resultTypes: ['violations'],
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    })
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join(' | ')}`,
    )
  })
}
