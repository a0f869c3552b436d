import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { waitFor } from '../wait.ts'
import { button, InboxWorld, link } from './inbox-world.ts'
import type { Visitor } from './web-world.ts'

let world: InboxWorld
describe('browser/inbox', () => {
  before(async () => {
    world = await InboxWorld.start()
  })
  after(() => world.stop())

  /** From the request to the receipt. */
  async function allow(visitor: Visitor, verb = 'Allow'): Promise<void> {
    const { page } = visitor
    await button(page, verb).click()
    await page.getByRole('heading', { name: 'Read this before you decide' }).waitFor()
    await button(page, 'I have read this. Allow').click()
    await world.prove(visitor)
    await page.getByRole('region', { name: 'Receipt' }).waitFor()
  }

  test('she allows what was asked: inbox, request, notice, proof, receipt', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page } = visitor
    await visitor.open('/me')
    await visitor.assertSound()
    await visitor.picture('patient-inbox')
    await link(page, /Vanashree Medical Centre/).click()
    await page.getByText('asks to see your health records: doctor visits, prescriptions and test reports').waitFor()
    await page.getByText('Registered facility IN2910000022').waitFor()
    await page.getByText('KA-21-1521').waitFor()
    await visitor.assertSound()
    await visitor.picture('patient-request')
    await allow(visitor)
    await visitor.assertSound()
    await visitor.picture('patient-receipt', true)
    const { status, decided } = await world.decisionOf(request)
    assert.equal(status, 'GRANTED')
    assert.ok(decided?.notice)
    // V-0 of 2015 lies before what they ask for.
    assert.deepEqual(
      decided.consents.map(({ careContexts }) => careContexts),
      [3, 3],
    )
    await page.reload()
    await page.getByRole('region', { name: 'Receipt' }).waitFor()
    await visitor.close()
  })

  test('she allows less: kinds, days, single visits, and until when', async () => {
    const request = await world.ask()
    const visitor = await world.visitor({ size: 'desktop' })
    const { page } = visitor
    await visitor.open(`/me/requests/${request}`)
    await button(page, 'Allow less').click()
    await page.getByRole('checkbox', { name: 'Doctor visits · 2' }).uncheck()
    await visitor.assertSound()
    await page.getByText('From when to when').click()
    await page.getByRole('slider', { name: 'First day' }).waitFor()
    await visitor.assertSound()
    await page.getByLabel('First day').last().fill('2024-03-13')
    await page.getByText('5 records lie between these days.').waitFor()
    await page.getByText('From where').click()
    await page.getByText('Choose single visits and reports').last().click()
    await page.getByRole('checkbox', { name: /Report of 14 March 2024/ }).uncheck()
    await visitor.assertSound()
    await visitor.picture('patient-request-less')
    await page.getByText('How long they may keep it').click()
    await page.getByRole('radio', { name: /One week/ }).check()
    await visitor.assertSound()
    assert.equal(await button(page, 'Allow').count(), 0)
    await allow(visitor, 'Allow what I chose')
    const { decided } = await world.decisionOf(request)
    const consents = (decided?.consents ?? []).toSorted((a, b) => a.hip.id.localeCompare(b.hip.id))
    assert.deepEqual(
      consents.map(({ hip, hiTypes, careContexts }) => [hip.id, hiTypes, careContexts]),
      [
        ['IN2710000011', ['Prescription'], 2],
        ['IN2710000033', ['DiagnosticReport'], 2],
      ],
    )
    for (const { from, until } of consents) {
      assert.equal(from, '2024-03-12T18:30:00.000Z')
      assert.ok(Date.parse(until) < Date.now() + 9 * 86_400_000)
    }
    await visitor.close()
  })

  test('she takes away everything, goes back to what was asked, and does not allow, with a reason', async () => {
    const request = await world.askInsurer()
    const visitor = await world.visitor()
    const { page } = visitor
    await visitor.open(`/me/requests/${request}`)
    await page.getByText('What', { exact: true }).click()
    await page.getByRole('checkbox', { name: 'Bills · 0' }).uncheck()
    await page.getByRole('checkbox', { name: 'Test reports · 3' }).uncheck()
    await page.getByText('You have left nothing over.').waitFor()
    assert.ok(await button(page, 'Allow what I chose').isDisabled())
    await button(page, 'Back to what they ask').click()
    assert.ok(await button(page, 'Allow').isEnabled())
    await page.getByText('What happens if I say no?').click()
    await page.getByText('They may ask you for papers before they pay.').waitFor()
    await button(page, 'Don’t allow').click()
    await page.getByRole('dialog').getByRole('textbox').fill('I do not know\nthem.')
    await visitor.assertSound()
    await page.getByRole('dialog').getByRole('button', { name: 'Don’t allow' }).click()
    await page.getByRole('heading', { name: 'You did not allow this' }).waitFor()
    await visitor.assertSound()
    const { status, decided } = await world.decisionOf(request)
    assert.equal(status, 'DENIED')
    assert.equal(decided?.reason, 'I do not know them.')
    await visitor.close()
  })

  test('a double tap decides once; the back button loses nothing before, and undoes nothing after', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page } = visitor
    await visitor.open('/me')
    await link(page, /Vanashree/)
      .first()
      .click()
    await page.getByText('What', { exact: true }).click()
    await page.getByRole('checkbox', { name: 'Prescriptions · 3' }).uncheck()
    await button(page, 'Allow what I chose').click()
    await page.getByRole('heading', { name: 'Read this before you decide' }).waitFor()
    await page.goBack()
    await page.getByText('2 of 3 kinds').waitFor()
    await page.goForward()
    await page.getByRole('heading', { name: 'Read this before you decide' }).waitFor()
    await page.reload()
    await page.getByText('You share less than they ask: doctor visits and test reports').waitFor()
    let sent = 0
    page.on('request', (call) => (sent += call.url().endsWith('/allow') ? 1 : 0))
    await button(page, 'I have read this. Allow').dblclick()
    await world.prove(visitor)
    await page.getByRole('region', { name: 'Receipt' }).waitFor()
    assert.equal(sent, 1)
    assert.equal(await world.statusOf(request), 'GRANTED')
    await page.goBack()
    await visitor.settle()
    assert.equal(await button(page, 'I have read this. Allow').count(), 0)
    assert.equal(await world.statusOf(request), 'GRANTED')
    await visitor.close()
  })

  test('two devices: the later one is told what the earlier one decided', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page } = visitor
    await visitor.open(`/me/requests/${request}?step=notice`)
    await page.getByRole('heading', { name: 'Read this before you decide' }).waitFor()
    await world.denyElsewhere(request)
    await page.getByText(/This was refused at .*, on another device or by another app/).waitFor()
    await page.getByRole('heading', { name: 'You did not allow this' }).waitFor()
    await visitor.assertSound()
    await visitor.close()
  })

  test('two devices, and the news have not come: what is tapped changes nothing, and says so', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page } = visitor
    await page.route('**/v1/me/live', (route) => route.abort())
    await visitor.open(`/me/requests/${request}`)
    await button(page, 'Don’t allow').click()
    await world.denyElsewhere(request)
    const sheet = page.getByRole('dialog')
    await sheet.getByRole('button', { name: 'Don’t allow' }).click()
    await page.getByText(/This was refused at/).waitFor()
    await visitor.close()
  })

  test('its time ends while she reads: nothing is shared, in a friendly sentence', async () => {
    const visitor = await world.visitor()
    const { page } = visitor
    await visitor.open('/me')
    // A busy machine may be too slow to show it before its time ends: then one with more time is asked.
    const isShown = async (windowMs: number): Promise<boolean> => {
      await visitor.open(`/me/requests/${await world.ask({}, windowMs)}`)
      const allow = button(page, 'Allow').waitFor({ timeout: windowMs })
      return allow.then(
        () => true,
        () => false,
      )
    }
    const isRead = (await isShown(8_000)) || (await isShown(25_000)) || (await isShown(80_000))
    assert.ok(isRead, 'the request is nowhere')
    await page.getByText('The time to decide ended while you were reading.').waitFor({ timeout: 120_000 })
    await page.getByText('Nothing is shared. They can ask again.').waitFor()
    await visitor.assertSound()
    await visitor.close()
  })

  test('a denial without a line waits, is never shown as done, and is sent when the line is back', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page, context } = visitor
    await visitor.open(`/me/requests/${request}`)
    await context.setOffline(true)
    await button(page, 'Don’t allow').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Don’t allow' }).click()
    await page.getByText('Waiting for the line. Not sent yet. Nothing is shared.').waitFor()
    assert.equal(await page.getByText('You did not allow this').count(), 0)
    assert.equal(await world.statusOf(request), 'REQUESTED')
    await visitor.assertSound()
    await context.setOffline(false)
    await waitFor('the denial to arrive', async () => (await world.statusOf(request)) === 'DENIED')
    await page.getByText('Waiting for the line.').waitFor({ state: 'detached' })
    await visitor.close()
  })

  test('opened again without a line, the app shows what waits on this device, and opens by itself when the line is back', async () => {
    const request = await world.ask()
    const visitor = await world.visitor({ serviceWorkers: 'allow' })
    const { page, context } = visitor
    await visitor.open(`/me/requests/${request}`)
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready
    })
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    await context.setOffline(true)
    await button(page, 'Don’t allow').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Don’t allow' }).click()
    await page.getByText('Waiting for the line. Not sent yet.').waitFor()
    await page.reload()
    await page.getByText('The app opens by itself when the line is back.').waitFor()
    await page.getByText('Waiting for the line. Not sent yet. Nothing is shared.').waitFor()
    assert.equal(await world.statusOf(request), 'REQUESTED')
    await context.setOffline(false)
    await page.locator('nav a[href="/me/choices"]').waitFor()
    await waitFor('the denial to arrive', async () => (await world.statusOf(request)) === 'DENIED')
    await visitor.close()
  })

  test('the line breaks while the denial is on its way, though it arrived: sent again, it has its effect once', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page } = visitor
    let lost = 0
    await page.route('**/deny', async (route) => {
      if (lost > 0) return route.continue()
      lost += 1
      await route.fetch()
      return route.abort()
    })
    await visitor.open(`/me/requests/${request}`)
    await button(page, 'Don’t allow').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Don’t allow' }).click()
    await waitFor('the answer to be lost', () => Promise.resolve(lost === 1))
    await page.getByRole('heading', { name: 'Requests' }).waitFor()
    await page.getByText('Waiting for the line.').waitFor({ state: 'detached' })
    assert.equal(await world.statusOf(request), 'DENIED')
    assert.equal(await page.getByText('was not taken').count(), 0)
    await visitor.close()
  })

  test('the line breaks while the allowance is on its way, whether it arrived or not: it has its effect once', async () => {
    for (const arrives of [true, false]) {
      const request = await world.ask()
      const visitor = await world.visitor()
      const { page } = visitor
      let lost = 0
      await page.route('**/allow', async (route) => {
        if (lost > 0) return route.continue()
        lost += 1
        if (arrives) await route.fetch()
        return route.abort()
      })
      await visitor.open(`/me/requests/${request}?step=notice`)
      await button(page, 'I have read this. Allow').click()
      await world.prove(visitor)
      await page.getByRole('heading', { name: 'Requests' }).waitFor()
      await waitFor('the allowance to arrive', async () => (await world.statusOf(request)) === 'GRANTED')
      await page.getByText('Waiting for the line.').waitFor({ state: 'detached' })
      assert.equal(await page.getByText('was not taken').count(), 0)
      await visitor.close()
    }
  })

  test('the request is read aloud where the device has a voice of the language', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page } = visitor
    await visitor.open(`/me/requests/${request}`)
    assert.equal(await button(page, 'Read it to me').count(), 0)
    await page.addInitScript(() => {
      const said: string[] = []
      const voice = { lang: 'en-IN', localService: true, name: 'test', default: true, voiceURI: 'test' }
      const fake = {
        getVoices: () => [voice],
        speak: ({ text }: { text: string }) => said.push(text),
        cancel: () => undefined,
      }
      Object.defineProperty(window, 'speechSynthesis', { value: fake })
      Object.defineProperty(window, 'SpeechSynthesisUtterance', {
        value: class {
          readonly text: string
          constructor(text: string) {
            this.text = text
          }
        },
      })
      Object.defineProperty(window, 'said', { value: said })
    })
    await page.reload()
    await button(page, 'Read it to me').click()
    await button(page, 'Stop reading').waitFor()
    const said = await page.evaluate(() => (window as unknown as { said: string[] }).said.join(' '))
    assert.match(said, /Vanashree .* asks to see your health records/)
    await visitor.close()
  })

  test('an allowance without a line waits for its person: notice and proof come when the line is back', async () => {
    const request = await world.ask()
    const visitor = await world.visitor()
    const { page, context } = visitor
    await visitor.open(`/me/requests/${request}`)
    await page.getByText('What', { exact: true }).click()
    await page.getByRole('checkbox', { name: 'Doctor visits · 2' }).uncheck()
    await context.setOffline(true)
    await button(page, 'Allow what I chose').click()
    await button(page, 'Keep what I chose').click()
    await page.getByText('Waiting for the line. Not sent yet. Nothing is shared.').waitFor()
    await visitor.assertSound()
    assert.equal(await world.statusOf(request), 'REQUESTED')
    await context.setOffline(false)
    await link(page, 'Go on').click()
    await page.getByText('You share less than they ask: prescriptions and test reports').waitFor()
    await button(page, 'I have read this. Allow').click()
    await world.prove(visitor)
    await page.getByRole('region', { name: 'Receipt' }).waitFor()
    const { decided } = await world.decisionOf(request)
    assert.ok(decided?.consents.every(({ hiTypes }) => !hiTypes.includes('OPConsultation')))
    await link(page, 'Requests').first().click()
    await page.getByRole('heading', { name: 'Requests' }).waitFor()
    await page.getByText('Waiting for the line.').waitFor({ state: 'detached' })
    await visitor.close()
  })

  test('by keyboard alone: from the inbox to the receipt, with a handle of the bar moved', async () => {
    const request = await world.ask()
    const visitor = await world.visitor({ size: 'desktop' })
    const { page } = visitor
    await visitor.open('/me')
    await page.getByRole('heading', { name: 'Waiting for you' }).waitFor()
    await tabTo(page, (name) => name.includes('Vanashree') && name.includes('You can decide until'))
    await page.keyboard.press('Enter')
    await page.getByText('From when to when').waitFor()
    await tabTo(page, (name) => name.startsWith('From when to when'))
    await page.keyboard.press('Enter')
    await tabTo(page, (name) => name === 'First day')
    const before = await focusedValue(page)
    for (let i = 0; i < 5; i++) await page.keyboard.press('PageUp')
    await page.keyboard.press('ArrowRight')
    assert.ok(Number(await focusedValue(page)) > Number(before))
    await tabTo(page, (name) => name === 'Allow what I chose')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Read this before you decide' }).waitFor()
    await tabTo(page, (name) => name === 'I have read this. Allow')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('textbox').waitFor()
    await tabTo(page, (name) => name.startsWith('Code'))
    await page.keyboard.type(await world.newestCode())
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Receipt' }).waitFor()
    assert.equal(await world.statusOf(request), 'GRANTED')
    await visitor.close()
  })

  const focusedValue = (page: Page): Promise<string> =>
    page.evaluate(() => (document.activeElement instanceof HTMLInputElement ? document.activeElement.value : ''))

  /** Presses Tab until the focus is on what is named so. */
  async function tabTo(page: Page, isIt: (name: string) => boolean): Promise<void> {
    const names: string[] = []
    for (let i = 0; i < 60; i++) {
      const name = await page.evaluate(() => {
        const here = document.activeElement
        if (!(here instanceof HTMLElement)) return ''
        const label = here instanceof HTMLInputElement ? (here.labels?.[0]?.textContent ?? '') : here.textContent
        return (here.getAttribute('aria-label') ?? label).trim()
      })
      if (isIt(name)) return
      names.push(name)
      await page.keyboard.press('Tab')
    }
    assert.fail(`the keyboard does not reach it; it reached ${names.join(' | ')}`)
  }
})
