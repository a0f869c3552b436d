import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { at } from '../json-path.ts'
import { waitFor } from '../wait.ts'
import { CENTRE, HOSPITAL, INSURER, NAMES, SharingWorld, say } from './sharing-world.ts'
import { JOURNEY_SCREENS, type JourneyLanguage, type Size, type Visitor } from './web-world.ts'

const named = (id: string): string => NAMES[id] ?? id

describe('my sharing', () => {
  let sharing: SharingWorld
  before(async () => {
    sharing = await SharingWorld.start()
  })
  after(() => sharing.stop())

  const card = ({ page }: Visitor, id: string) => page.getByRole('region', { name: named(id), exact: true })
  const stopButton = (visitor: Visitor, language: JourneyLanguage) =>
    card(visitor, CENTRE).getByRole('button', { name: say(language, 'sharing.stop-with', { name: named(CENTRE) }) })

  test('before anything is shared, the page says what will appear', async () => {
    const visitor = await sharing.open('/me/sharing', 'en', 'phone')
    await visitor.page.getByText(say('en', 'sharing.empty-title')).waitFor()
    await visitor.assertSound()
    await visitor.close()
  })

  for (const [language, size] of JOURNEY_SCREENS)
    test(`the chain, and stopping it in two taps, in ${language} on a ${size}`, async () => {
      await sharing.share(sharing.centre, HOSPITAL)
      await sharing.share(sharing.insurer, CENTRE, ['OPConsultation'])
      const visitor = await sharing.open('/me/sharing', language, size)
      const { page } = visitor
      await card(visitor, CENTRE).waitFor()
      await card(visitor, INSURER).waitFor()
      await visitor.assertSound()
      await visitor.picture(`sharing-${language}-${size}`, true)
      await arrow(visitor, language, size)

      let taps = 0
      await stopButton(visitor, language).click()
      taps++
      const sheet = page.getByRole('dialog')
      await sheet.getByText(say(language, 'sharing.stop-lawful')).waitFor()
      assert.equal(await sheet.getByRole('listitem').count(), 5, 'every consequence is said')
      if (language === 'en') await sheet.getByText('their copy of 2 visits').waitFor()
      await visitor.assertSound()
      await visitor.picture(`sharing-stop-${language}-${size}`)
      await sheet.getByRole('button', { name: say(language, 'sharing.stop'), exact: true }).click()
      taps++
      assert.equal(taps, 2, 'stopping is as easy as allowing, or easier (DPDP s.6(4))')

      // What the parties confirm arrives without a reload.
      await card(visitor, CENTRE).getByText(say(language, 'sharing.step.stopped')).waitFor()
      for (const id of [HOSPITAL, CENTRE])
        await card(visitor, CENTRE)
          .getByText(say(language, 'sharing.step.knows', { name: named(id) }))
          .first()
          .waitFor()
      await card(visitor, CENTRE)
        .getByText(say(language, 'sharing.step.deleted', { name: named(CENTRE) }))
        .waitFor()
      await visitor.assertSound()
      await visitor.picture(`sharing-stopped-${language}-${size}`, true)
      assert.equal((await sharing.centre.records('asha.rao@sbx')).length, 0, 'the copy is gone there')
      await card(visitor, INSURER).getByRole('button').first().waitFor()
      await visitor.close()
      await stopAll()
    })

  /** Opens the arrow from hospital to centre by the keyboard alone; on a phone it is a row of the list. */
  async function arrow(visitor: Visitor, language: JourneyLanguage, size: Size): Promise<void> {
    const { page } = visitor
    const button = page.locator(`[data-edge="${HOSPITAL}>${CENTRE}"]`).first()
    if (size === 'desktop') {
      const state = say(language, 'sharing.edge.shared')
      const label = say(language, 'sharing.arrow', { from: named(HOSPITAL), to: named(CENTRE), state })
      assert.equal(await button.getAttribute('aria-label'), label)
    }
    await button.focus()
    await page.keyboard.press('Enter')
    const sheet = page.getByRole('dialog')
    await sheet.getByText(say(language, 'sharing.transfers')).first().waitFor()
    await visitor.assertSound()
    await sheet
      .getByRole('button', { name: say(language, 'sharing.proof-transfer') })
      .first()
      .click()
    await page.locator('[data-proof="holds"]').nth(1).waitFor()
    await visitor.assertSound()
    for (const rest of [1, 0]) {
      await page.keyboard.press('Escape')
      await sheet.nth(rest).waitFor({ state: 'detached' })
    }
  }

  async function stopAll(): Promise<void> {
    for (const id of [CENTRE, INSURER])
      await sharing.asha.call(`/v1/me/sharing/${id}/stop`, {}, { 'idempotency-key': crypto.randomUUID() })
    await waitFor('all to be stopped', async () => {
      const { body } = await sharing.asha.call('/v1/me/sharing')
      return !JSON.stringify(at(body, 'receivers')).includes('"status":"live"')
    })
  }

  /** For a facility that has asked before: allowed without asking each time. */
  async function allowBeforehand(id: string): Promise<void> {
    const period = { from: '2020-01-01T00:00:00.000Z', to: '2040-01-01T00:00:00.000Z' }
    const source = { hiTypes: ['OPConsultation'], purpose: { code: 'CAREMGT', text: 'Care' }, period }
    const body = { isApplicableForAllHIPs: true, hiu: { id, name: named(id) }, includedSources: [source] }
    const { status } = await sharing.asha.call('/api/hiecm/consent/v3/auto/approve', body)
    assert.equal(status, 202)
  }

  test('a standing approval ends with a stop: the sheet says so, of less than all it is offered, and it is said that it ended', async () => {
    await sharing.share(sharing.centre, HOSPITAL)
    await allowBeforehand(CENTRE)
    for (const [language, size] of JOURNEY_SCREENS) {
      const look = await sharing.open('/me/sharing', language, size)
      await stopButton(look, language).click()
      await look.page.getByRole('dialog').getByText(say(language, 'sharing.stop-standing')).waitFor()
      await look.assertSound()
      await look.close()
    }
    const visitor = await sharing.open('/me/sharing', 'en', 'phone')
    const { page } = visitor
    await card(visitor, CENTRE).getByRole('link').first().click()
    await page.getByRole('button', { name: say('en', 'sharing.stop'), exact: true }).click()
    const sheet = page.getByRole('dialog')
    assert.equal(await sheet.getByRole('checkbox', { name: say('en', 'sharing.stop-standing-also') }).isChecked(), true)
    await visitor.assertSound()
    await sheet.getByRole('button', { name: say('en', 'sharing.stop'), exact: true }).click()
    await sheet.getByRole('status').getByText(say('en', 'sharing.stop-standing')).waitFor()
    await visitor.assertSound()
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    await page.getByText(say('en', 'sharing.step.stopped')).waitFor()
    const { body } = await sharing.asha.call('/v1/me/policies')
    assert.equal(at(body, 'policies.0.enabled'), false)
    await visitor.close()
  })

  test('two devices stop at once: both hear that it is over', async () => {
    await sharing.share(sharing.centre, HOSPITAL)
    const devices = [
      await sharing.open('/me/sharing', 'en', 'phone'),
      await sharing.open('/me/sharing', 'en', 'desktop'),
    ]
    for (const device of devices) await stopButton(device, 'en').click()
    // Neither hears of the other before both have tapped.
    const bothSent = Promise.withResolvers<void>()
    let sent = 0
    for (const { page } of devices)
      await page.route('**/stop', async (route) => {
        sent += 1
        if (sent === devices.length) bothSent.resolve()
        await bothSent.promise
        await route.continue()
      })
    await Promise.all(
      devices.map(({ page }) =>
        page
          .getByRole('dialog')
          .getByRole('button', { name: say('en', 'sharing.stop'), exact: true })
          .click(),
      ),
    )
    for (const device of devices) {
      await card(device, CENTRE).getByText(say('en', 'sharing.step.stopped')).waitFor()
      await device.assertSound()
      await device.close()
    }
  })

  test('what was allowed at one time, and what went, by keyboard alone; a broken line is said and mended', async () => {
    await sharing.share(sharing.centre, HOSPITAL)
    const visitor = await sharing.open('/me/sharing', 'en', 'phone')
    const { page } = visitor
    await card(visitor, CENTRE).getByRole('link').first().focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: named(CENTRE) }).waitFor()
    await visitor.assertSound()
    await page.getByRole('button', { name: say('en', 'sharing.stop'), exact: true }).focus()
    await page.keyboard.press('Enter')
    const sheet = page.getByRole('dialog')
    await page.route('**/stop', (route) => route.abort())
    await sheet.getByRole('button', { name: say('en', 'sharing.stop'), exact: true }).press('Enter')
    await sheet.getByRole('alert').waitFor()
    await page.unroute('**/stop')
    await sheet.getByRole('alert').getByRole('button').press('Enter')
    await page.getByText(say('en', 'sharing.step.stopped')).waitFor()
    await sheet.waitFor({ state: 'detached' })
    await visitor.assertSound()
    await visitor.close()
  })
})
