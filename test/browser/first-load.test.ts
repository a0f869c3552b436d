import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { measureFirstLoad } from './first-load.ts'
import { WebWorld } from './web-world.ts'

/** Issue's own budget: what a phone must fetch before the first page of the patient app works, without fonts. */
const SCRIPT_BYTES_MAX = 200 * 1024
const SIGN_IN_FIELD = 'main input'

let world: WebWorld
describe('browser/first-load', () => {
  before(async () => {
    world = await WebWorld.start()
  })
  after(() => world.stop())

  test('the first load of the patient app stays small, whatever the language', async () => {
    for (const language of ['en', 'ur'] as const) {
      const visitor = await world.visitor('sbx', { language })
      const load = await measureFirstLoad(visitor, '/me', SIGN_IN_FIELD)
      assert.ok(load.scriptBytes > 50_000, `${load.scriptBytes} bytes of script: the count is wrong`)
      assert.ok(load.scriptBytes <= SCRIPT_BYTES_MAX, `${load.scriptBytes} bytes of script in ${language}`)
      assert.ok(load.layoutShift < 0.1, `the page jumps: ${load.layoutShift}`)
      await visitor.close()
    }
  })

  test('the app opens without a line once it was opened, and says that there is none', async () => {
    const visitor = await world.visitor('sbx', { serviceWorkers: 'allow' })
    await visitor.open('/me')
    await visitor.page.evaluate(async () => {
      await navigator.serviceWorker.ready
    })
    // The worker takes the page over and keeps its files; the second visit is served by it.
    await visitor.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    await visitor.open('/me')
    await visitor.context.setOffline(true)
    await visitor.goto('/me')
    await visitor.page.getByText('You are offline').waitFor()
    await visitor.close()
  })

  test('a page whose file does not come says so, and opens when it is asked for again', async () => {
    const visitor = await world.visitor('sbx')
    const { page } = visitor
    const file = '**/assets/sign-in-page-*.js'
    await page.route(file, (route) => route.abort())
    await visitor.goto('/me')
    await page.getByText('The line broke').waitFor()
    await page.unroute(file)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator(SIGN_IN_FIELD).waitFor()
    await visitor.close()
  })
})
