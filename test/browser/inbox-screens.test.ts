import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { button, InboxWorld, link } from './inbox-world.ts'
import { JOURNEY_SCREENS } from './web-world.ts'

let world: InboxWorld
describe('browser/inbox-screens', () => {
  before(async () => {
    world = await InboxWorld.start()
  })
  after(() => world.stop())

  test('choices: a standing approval step by step, a subscription, rights and how to complain', async () => {
    await world.askSubscription()
    const visitor = await world.visitor()
    const { page } = visitor
    await visitor.open('/me/choices')
    await visitor.assertSound()
    await visitor.picture('patient-choices')
    await link(page, /Allowed without asking me/).click()
    await page.getByText('You are always asked').waitFor()
    await link(page, 'Allow somebody beforehand').click()
    await page.getByText('Nobody has asked you yet').waitFor()
    await visitor.assertSound()
    await world.ask()
    await page.reload()
    await button(page, 'Continue').click()
    await page.getByText('Choose at least one.').waitFor()
    for (const answer of [/Vanashree/, 'Care and treatment', 'Prescriptions', /From everywhere/, /One year/]) {
      await page.getByLabel(answer).check()
      await visitor.assertSound()
      await button(page, 'Continue').click()
    }
    await page.getByRole('heading', { name: 'Is this right?' }).waitFor()
    await visitor.assertSound()
    await button(page, 'Allow beforehand').click()
    await world.prove(visitor)
    await page.getByText(/From now on the requests of .*Vanashree/).waitFor()
    await visitor.assertSound()
    const request = await world.ask({ hiTypes: ['Prescription'] })
    assert.equal(await world.statusOf(request), 'GRANTED')
    await button(page, 'Ask me again each time').click()
    await page.getByText('From now on you are asked each time.').waitFor()
    await visitor.open('/me/choices/subscriptions')
    await button(page, 'Allow').click()
    await world.prove(visitor)
    await page.getByText('is told when you have new records').waitFor()
    await visitor.assertSound()
    for (const at of ['rights', 'complain']) {
      await visitor.open(`/me/choices/${at}`)
      await page.getByRole('heading', { name: 'Who answers your questions here' }).waitFor()
      await visitor.assertSound()
    }
    await visitor.close()
  })

  for (const [language, size] of JOURNEY_SCREENS)
    test(`every screen is sound in ${language} on a ${size}`, async () => {
      const waiting = await world.ask()
      const visitor = await world.visitor({ language, size })
      const { page } = visitor
      const other = await world.ask({
        hiTypes: ['Prescription'],
        requester: { name: 'Dr. Nikhil Sagar', identifier: { value: 'KA-21-1788', type: 'REGNO' } },
      })
      const insurer = await world.askInsurer()
      await visitor.open('/me')
      // Who asks stands there once, with all that they ask, and each request is a link to a decision of its own.
      const clinic = page.getByRole('region', { name: /Vanashree/ })
      const asks = (request: string) => clinic.locator(`a[href$="/requests/${request}"]`)
      await clinic.getByText('KA-21-1788').waitFor()
      assert.equal(await clinic.count(), 1)
      assert.equal(await clinic.getByRole('heading').count(), 1)
      assert.deepEqual([await asks(waiting).count(), await asks(other).count(), await asks(insurer).count()], [1, 1, 0])
      assert.match((await asks(other).textContent()) ?? '', /Vanashree/)
      await visitor.assertSound()
      await world.denyElsewhere(other)
      await asks(other).waitFor({ state: 'detached' })
      assert.equal(await asks(waiting).count(), 1)
      assert.equal(await world.statusOf(waiting), 'REQUESTED', 'one decision is of one request')
      await world.denyElsewhere(insurer)
      await visitor.open(`/me/requests/${waiting}`)
      for (const row of await page.locator('details').all()) {
        await row.locator('summary').first().click()
        // At its end the page has nothing behind the verbs that stay in reach.
        await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight))
        await visitor.assertSound()
      }
      await visitor.picture(`patient-request-${language}-${size}`)
      await visitor.open(`/me/requests/${waiting}?step=notice`)
      await page.locator('h2').nth(5).waitFor()
      await visitor.assertSound()
      await visitor.picture(`patient-notice-${language}-${size}`)
      await world.denyElsewhere(waiting)
      await page.locator('h1').waitFor()
      await visitor.assertSound()
      for (const at of ['', '/policies', '/policies/new', '/subscriptions', '/rights', '/complain']) {
        await visitor.open(`/me/choices${at}`)
        await visitor.assertSound()
      }
      await visitor.close()
    })
})
