import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { transact } from '../../src/db/tx.ts'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import type { FacilityId } from '../../src/kernel/id.ts'
import { must } from '../../src/kernel/refusal.ts'
import { enrolOperator } from '../../src/operators/commands.ts'
import { allBridges, saveServices } from '../../src/partners/commands.ts'
import { codeOfSecret } from '../../src/people/authenticator.ts'
import english from '../../web/console/words/en/common.json' with { type: 'json' }
import urdu from '../../web/console/words/ur/common.json' with { type: 'json' }
import shared from '../../web/ui/words/en/common.json' with { type: 'json' }
import { ConsolePage } from '../console-page.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA } from '../people.ts'
import { wrongCodeOf } from '../staff.ts'
import { waitFor } from '../wait.ts'
import { newCode, newestOf } from './patient-door.ts'
import { JOURNEY_SCREENS, type Size, type Visitor, WebWorld } from './web-world.ts'

const HOSPITAL = 'IN2710000011'
const CLINIC = 'IN2910000022'
const NAMES = { [HOSPITAL]: 'City Hospital', [CLINIC]: 'Lakeview Clinic' }
const WORDS = { en: english, ur: urdu } as const
const PLACES = ['', 'parties', 'waiting', 'passwords', 'people', 'bridges'] as const
const ON_INIT = 'consent/request/on-init'

describe('the sandbox console', () => {
  let world: WebWorld
  let steer: ConsolePage
  let clinic: FacilityDesk
  let asha: PatientApp

  before(async () => {
    world = await WebWorld.start({ facilities: [HOSPITAL, CLINIC], names: NAMES })
    const { network } = world
    await network.enrol(ASHA)
    steer = await ConsolePage.open(network)
    const hospital = new FacilityDesk(network, HOSPITAL)
    clinic = new FacilityDesk(network, CLINIC)
    asha = await PatientApp.open(network, ASHA.abhaAddress)
    await hospital.addPatient('MRN-1', ASHA)
    await hospital.addDocument('MRN-1', 'visit-1', sampleDocument('OPConsultation'))
    await hospital.link('MRN-1', 1)
    const { own, request } = await ask()
    await asha.grant(request, HOSPITAL)
    await clinic.transferred(own)
    await asha.call('/api/hiecm/user-initiated-linking/v3/patient/care-context/discover', {
      hip: { id: HOSPITAL },
      unverifiedIdentifiers: [],
    })
  })
  after(() => world.stop())
  afterEach(() => steer.mend())

  const ask = () => clinic.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'] })

  /** Newest message on a path: an arrow of the diagram, or a row of the list. */
  const newest = (visitor: Visitor, size: Size, path: string) => {
    const rows = visitor.page.locator('main ol > li > button').filter({ hasText: path })
    return size === 'desktop' ? rows.last() : rows.first()
  }

  for (const [language, size] of JOURNEY_SCREENS) {
    test(`every page is sound: ${size}, ${language}`, async () => {
      const visitor = await world.visitor('sbx', { size, language })
      for (const place of PLACES) {
        await visitor.open(`/sandbox/${place}`)
        for (const colorScheme of ['light', 'dark'] as const) {
          await visitor.page.emulateMedia({ colorScheme })
          await visitor.assertSound()
          if (colorScheme === 'dark' && place === '' && size === 'desktop' && language === 'en')
            await visitor.picture('console-dark-en-desktop')
          // One language for each size, or the manual would be full of them.
          if (colorScheme === 'light' && (size === 'desktop') === (language === 'en'))
            await visitor.picture(`console-${place || 'messages'}-${language}-${size}`)
        }
      }
      await visitor.close()
    })

    test(`a message opens with both sides and can be sent again: ${size}, ${language}`, async () => {
      const words = WORDS[language]
      const visitor = await world.visitor('sbx', { size, language })
      await visitor.open('/sandbox/')
      await newest(visitor, size, 'consent/request/init').click()
      const detail = visitor.page.locator(size === 'desktop' ? 'aside' : 'dialog')
      await detail.getByText('REQUEST-ID', { exact: true }).waitFor()
      const sides = detail.getByRole('textbox', { name: words['console.body'], exact: true })
      await sides.nth(1).waitFor()
      assert.match(await sides.first().inputValue(), /"purpose"/)
      await visitor.picture(`console-message-${language}-${size}`)
      await visitor.assertSound()
      await detail.getByRole('button', { name: words['console.send-same'] }).click()
      const answer = words['console.sent-same'].split('{status}')[1] ?? ''
      await detail.getByText(answer).waitFor()
      await visitor.assertSound()
      await visitor.close()
    })
  }

  test('a page whose script does not come says so, other places still open, and trying again brings it', async () => {
    const visitor = await world.visitor('sbx', { size: 'desktop' })
    const { page } = visitor
    const scripts = '**/web/assets/people-page-*.js'
    await page.route(scripts, (route) => route.abort())
    await visitor.open('/sandbox/')
    const people = page.getByRole('link', { name: english['console.people'] })
    const again = page.getByRole('button', { name: shared['common.again'] })
    await people.click()
    await page.getByText(shared['common.line-broke']).waitFor()
    await page.getByRole('link', { name: english['console.bridges'] }).click()
    await page.getByRole('heading', { name: english['console.bridges'], level: 1 }).waitFor()
    assert.equal(await again.count(), 0)
    await people.click()
    await again.waitFor()
    await page.unroute(scripts)
    await again.click()
    await page.getByRole('heading', { name: english['console.people'], level: 1 }).waitFor()
    // The browser writes of the broken line to its console; nothing else may stand there.
    for (const fault of visitor.faults.splice(0)) assert.match(fault, /dynamically imported module/)
    await visitor.assertSound()
    await visitor.close()
  })

  test('break a partner and see the tries, hurry them, mend, and it arrives: by keyboard', async () => {
    const visitor = await world.visitor('sbx', { size: 'desktop' })
    const { page } = visitor
    await visitor.open('/sandbox/parties')
    const party = page.getByRole('region', { name: NAMES[CLINIC] })
    await party.locator('summary').focus()
    await page.keyboard.press('Enter')
    await party.getByLabel(english['console.which-path']).focus()
    await page.keyboard.type('/on-init')
    await page.keyboard.press('Enter')
    await party.getByText(english['console.party-broken']).waitFor()
    await page.getByText('1 party is broken on purpose').waitFor()
    await visitor.picture('console-broken-en-desktop')
    await visitor.assertSound()

    const asking = ask()
    await page.getByRole('link', { name: english['console.messages'] }).focus()
    await page.keyboard.press('Enter')
    const vain = newest(visitor, 'desktop', ON_INIT).filter({ hasText: english['console.no-answer'] })
    await vain.waitFor()
    await page.getByRole('link', { name: english['console.waiting'] }).focus()
    await page.keyboard.press('Enter')
    const atExchange = page.getByRole('region', { name: 'Test exchange' })
    const hurry = atExchange.getByRole('button', { name: english['console.try-now'] })
    await hurry.waitFor()
    await visitor.assertSound()
    await visitor.picture('console-waits-en-desktop')
    await hurry.focus()
    await page.keyboard.press('Enter')

    await page.getByRole('button', { name: english['console.mend-all'] }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('1 party is broken on purpose').waitFor({ state: 'detached' })
    await asking
    await page.getByRole('link', { name: english['console.messages'] }).click()
    const arrived = newest(visitor, 'desktop', ON_INIT).filter({ hasText: english['console.arrived'] })
    await arrived.waitFor()
    await visitor.picture('console-tries-en-desktop')
    await arrived.focus()
    await page.keyboard.press('Enter')
    await page.getByText(english['console.tries']).waitFor()
    await page.keyboard.press('Escape')
    await page.getByText(english['console.tries']).waitFor({ state: 'detached' })
    await visitor.assertSound()
    await visitor.close()
  })

  test('the arrow keys walk the diagram; a filter leaves what belongs together; it can be held still', async () => {
    const visitor = await world.visitor('sbx', { size: 'desktop' })
    const { page } = visitor
    await visitor.open('/sandbox/')
    await newest(visitor, 'desktop', ON_INIT).waitFor()
    const rows = page.locator('main ol > li > button')
    const count = await rows.count()
    assert.equal(await page.locator('main ol > li > button[tabindex="0"]').count(), 1, 'one stop for the Tab key')
    // Messages that come meanwhile are added at the end: from the beginning a row stays where it is.
    const focused = () => rows.evaluateAll((all) => all.findIndex((row) => row === document.activeElement))
    await rows.last().focus()
    const from = await focused()
    assert.ok(from >= count - 1)
    await page.keyboard.press('ArrowUp')
    assert.equal(await focused(), from - 1)
    await page.keyboard.press('Home')
    assert.equal(await focused(), 0)
    await newest(visitor, 'desktop', ON_INIT).click()
    await page.getByRole('button', { name: english['console.follow'] }).click()
    await page.getByText(english['console.following']).waitFor()
    const followed = await rows.count()
    assert.ok(followed > 1 && followed < count, `${followed} of ${count}`)
    await page.getByRole('button', { name: english['console.show-all'] }).click()
    await page.getByLabel(english['console.patient'], { exact: true }).selectOption(ASHA.abhaAddress)
    assert.ok((await rows.count()) > 1)
    await page.getByLabel(english['console.patient'], { exact: true }).selectOption('')
    await page.getByRole('button', { name: english['console.hold'] }).click()
    await page.getByText(/^Held\./).waitFor()
    const held = await rows.count()
    await ask()
    await page.getByText(/Held\. [1-9]\d* new message/).waitFor()
    assert.equal(await rows.count(), held)
    await page.getByRole('button', { name: english['console.go-on'] }).click()
    await page.waitForFunction((before) => document.querySelectorAll('main ol > li > button').length > before, held)
    await visitor.assertSound()
    await visitor.close()
  })

  test('a one-time password stands big and can be copied, a moment after it was sent', async () => {
    const visitor = await world.visitor('sbx', { size: 'phone', permissions: ['clipboard-read', 'clipboard-write'] })
    const { page } = visitor
    await visitor.open('/sandbox/passwords')
    const { url } = world.network.exchange
    const before = await newestOf(world, ASHA.mobile)
    const asked = await fetch(`${url}/v1/sign-in`, {
      method: 'POST',
      headers: { origin: url, 'content-type': 'application/json' },
      body: JSON.stringify({ abhaAddress: ASHA.abhaAddress }),
    })
    assert.equal(asked.status, 202, await asked.text())
    const code = await newCode(world, ASHA.mobile, before)
    const newest = page.locator('main ol > li').filter({ hasText: code }).first()
    await newest.getByRole('button', { name: 'Copy' }).click()
    await waitFor('the code to be copied', () =>
      page.evaluate(async (it) => (await navigator.clipboard.readText()) === it, code),
    )
    await visitor.assertSound()
    await visitor.picture('console-password-en-phone')
    await visitor.close()
  })

  test('software joins with a secret that is shown once, and is shut out', async () => {
    const visitor = await world.visitor('sbx', { size: 'phone' })
    const { page } = visitor
    await visitor.open('/sandbox/bridges')
    await page.locator('summary').click()
    await page.getByLabel(english['console.facility-id']).fill('IN0000000001')
    await page.getByLabel(english['console.bridge-name']).fill('My clinic')
    await page.getByLabel(english['console.callback-url']).fill('http://127.0.0.1:5000')
    await page.getByRole('button', { name: english['console.add-bridge'] }).click()
    await page.getByText(english['console.secret-once']).waitFor()
    await visitor.assertSound()
    // What it names itself waits for somebody to confirm it.
    await transact(world.network.exchange.running.machine, async (tx) => {
      const clientId = (await allBridges(tx)).find(({ name }) => name === 'My clinic')?.clientId ?? ''
      const id = 'IN0000000002' as FacilityId
      const services = [{ id, name: 'My ward', roles: ['hip' as const], isActive: true }]
      must(await saveServices(tx, { clientId, services, actor: { kind: 'system', id: clientId }, ownWord: 'trial' }))
    })
    await page.reload()
    await page.getByRole('button', { name: 'Confirm My ward' }).waitFor()
    await visitor.assertSound()
    await visitor.picture('console-unconfirmed-en-phone')
    await page.getByRole('button', { name: 'Confirm My ward' }).click()
    await page.getByText(english['console.unconfirmed']).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Shut out My clinic' }).click()
    await page.getByRole('dialog').getByRole('button', { name: english['console.revoke'], exact: true }).click()
    await page.getByText(/^Shut out since \d/).waitFor()
    await visitor.open('/sandbox/')
    await page.reload()
    await visitor.settle()
    assert.equal(await page.getByText(english['console.secret-once']).count(), 0)
    await visitor.assertSound()
    await visitor.close()
  })

  for (const [language, size] of JOURNEY_SCREENS) {
    test(`where operators are enrolled it asks which one does it: ${size}, ${language}`, async () => {
      const words = WORDS[language]
      const name = `asha.${language}.${size}`
      const { secret } = await transact(world.network.exchange.running.machine, async (tx) => {
        const actor = { kind: 'operator', id: 'test' } as const
        return must(await enrolOperator(tx, { name, again: false, party: 'Test exchange', actor }))
      })
      const visitor = await world.visitor('sbx', { size, language })
      const { page } = visitor
      await visitor.open('/sandbox/bridges')
      await page.locator('summary').click()
      await page.getByLabel(words['console.facility-id']).fill(`IN000000001${language === 'en' ? 1 : 2}`)
      await page.getByLabel(words['console.bridge-name']).fill('My clinic')
      await page.getByLabel(words['console.callback-url']).fill('http://127.0.0.1:5000')
      await page.getByRole('button', { name: words['console.add-bridge'] }).click()
      const sheet = page.getByRole('dialog', { name: words['console.operator-title'] })
      const prove = async (code: string): Promise<void> => {
        await sheet.getByLabel(words['console.operator-name']).fill(name)
        await sheet.getByLabel(words['console.operator-code']).fill(code)
        await sheet.getByRole('button', { name: words['console.operator-go'] }).click()
      }
      await prove(wrongCodeOf(secret))
      await sheet.getByText(words['console.operator-wrong']).waitFor()
      await visitor.assertSound()
      await prove(codeOfSecret(secret, new Date()))
      await page.getByText(words['console.secret-once']).waitFor()
      await sheet.waitFor({ state: 'detached' })
      await visitor.assertSound()
      await visitor.close()
    })
  }
})
