import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { partyName, type ThirdParty } from '../network.ts'
import { ASHA, heldPatient, heldRecord } from '../people.ts'
import { waitFor } from '../wait.ts'
import { letPatientIn, newCode, newestOf, said } from './patient-door.ts'
import { JOURNEY_SCREENS, type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

const OURS = 'IN2710000011'
const THEIRS = 'IN2710000088'
const SECOND = 'IN2710000012'
const MRN = '22-7225'
const KINDS = ['OPConsultation', 'Prescription', 'DiagnosticReport', 'HealthDocumentRecord'] as const

describe('a patient reads her own records', () => {
  let world: WebWorld
  let hospital: ThirdParty
  let desk: FacilityDesk
  let second: FacilityDesk
  before(async () => {
    world = await WebWorld.start({ facilities: [OURS, SECOND] })
    const { network } = world
    await network.enrol(ASHA)
    hospital = await network.join('wrapper', THEIRS, 'Tarangini Hospital')
    desk = new FacilityDesk(network, OURS)
    await desk.addPatient(MRN, ASHA)
    for (const kind of KINDS) await desk.addDocument(MRN, `${kind}-1`, sampleDocument(kind))
    await desk.link(MRN, KINDS.length)
    const text = JSON.stringify(sampleDocument('DischargeSummary'))
    hospital.hip.records.push(heldRecord('stay-1', 'DischargeSummary', text))
    const token = await hospital.hip.askLinkToken(heldPatient(ASHA))
    await hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'))
    second = new FacilityDesk(network, SECOND)
    await second.addPatient('33-1', ASHA)
  })
  after(() => world.stop())

  async function signedIn(language: JourneyLanguage, size: Size, path: string): Promise<Visitor> {
    const one = await world.visitor('sbx', { language, size, acceptDownloads: true })
    await letPatientIn(world, ASHA.abhaAddress, one)
    await one.open(path)
    return one
  }
  /** All five documents are on the screen, and no hospital is waited for. */
  async function allThere({ page }: Visitor): Promise<void> {
    await page.locator('details summary b').nth(4).waitFor()
    await page.locator('[aria-busy]').waitFor({ state: 'detached' })
  }

  for (const [language, size] of JOURNEY_SCREENS)
    test(`from all her hospitals, opened on her device, in ${language} on a ${size}`, async () => {
      const one = await signedIn(language, size, '/me/records')
      await allThere(one)
      assert.equal(await one.page.locator('ol details').count(), KINDS.length + 1)
      await one.assertSound()
      await one.picture(`records-${language}-${size}`)

      const closed = one.page.locator('ol details:not([open]) > summary')
      while ((await closed.count()) > 0) await closed.first().click()
      await one.page.locator('ol').getByText('Tarangini Hospital').first().waitFor()
      await one.assertSound()
      await one.picture(`records-open-${language}-${size}`, true)

      // Kept nowhere but in the memory of the page.
      const stored = await one.page.evaluate(async () =>
        JSON.stringify([
          Object.entries(localStorage),
          Object.entries(sessionStorage),
          (await indexedDB.databases()).length,
          await Promise.all(
            (await caches.keys()).map(async (key) => (await (await caches.open(key)).keys()).map(({ url }) => url)),
          ),
        ]),
      )
      assert.ok(!stored.includes('resourceType') && !stored.includes('/records/fetch'), stored)
      await one.close()
    })

  test('downloads are the very documents; paper has all of them open and none of the buttons', async () => {
    const one = await signedIn('en', 'desktop', '/me/records')
    await allThere(one)
    await one.page.getByText(said('en', 'records.keep'), { exact: true }).click()
    const before = await newestOf(world, ASHA.mobile)
    const saving = one.page.waitForEvent('download')
    await one.page.getByRole('button', { name: said('en', 'records.download-all') }).click()
    // Her page lies open: who wants a file proves first that it is she.
    await one.page.locator('input[name=code]').fill(await newCode(world, ASHA.mobile, before))
    await one.assertSound()
    await one.page.keyboard.press('Enter')
    const all = await saving
    assert.match(all.suggestedFilename(), /^my-records-\d{4}-\d\d-\d\d\.fhir\.json$/)
    const collection: unknown = JSON.parse(fs.readFileSync(await all.path(), 'utf8'))
    assert.equal(at(collection, 'type'), 'collection')
    const kinds = [...KINDS, 'DischargeSummary'] as const
    const wanted = new Map(kinds.map((kind) => [JSON.stringify(sampleDocument(kind)), kind]))
    const found = listAt(collection, 'entry').map((entry) => wanted.get(JSON.stringify(at(entry, 'resource'))) ?? '')
    const byName = (a: string, b: string): number => a.localeCompare(b)
    assert.deepEqual(found.toSorted(byName), kinds.toSorted(byName))

    const first = one.page.locator('ol details').first()
    if ((await first.getAttribute('open')) === null) await first.locator('summary').click()
    const [single] = await Promise.all([
      one.page.waitForEvent('download'),
      first.getByRole('button', { name: said('en', 'records.download') }).click(),
    ])
    assert.ok(wanted.has(JSON.stringify(JSON.parse(fs.readFileSync(await single.path(), 'utf8')))))

    await one.page.emulateMedia({ media: 'print' })
    assert.equal(await one.page.getByRole('button', { name: said('en', 'records.print') }).isVisible(), false)
    const pdf = await one.page.pdf()
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-')
    await one.close()
  })

  test('going elsewhere and back asks no hospital again; signing out forgets everything', async () => {
    const one = await signedIn('en', 'phone', '/me/records')
    await allThere(one)
    let asked = 0
    one.page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/v1/me/records/fetch')) asked++
    })
    await one.page.locator('nav a[href="/me/looked"]').click()
    await one.page.locator('nav a[href="/me/records"]').click()
    await allThere(one)
    assert.equal(asked, 0)
    await one.context.clearCookies()
    await one.page.locator('nav a[href="/me/choices"]').click()
    await one.page.evaluate(() => window.dispatchEvent(new Event('focus')))
    await one.page.getByRole('button', { name: said('en', 'records.again') }).waitFor({ state: 'detached' })
    await one.open('/me/records')
    await one.page.locator('input[name=username]').waitFor()
    await one.close()
  })

  test('a hospital whose pages were changed, and one that is gone: named, with what to do', async () => {
    hospital.hip.changesCiphertext = true
    const changed = await signedIn('en', 'phone', '/me/records')
    await changed.page.getByText(said('en', 'records.unopened-title_one').replace('{n}', '1')).waitFor()
    await changed.page
      .getByText(said('en', 'records.fault.not-authentic').replace('{name}', 'Tarangini Hospital'))
      .waitFor()
    await changed.assertSound()
    await changed.picture('records-changed-en-phone')
    hospital.hip.changesCiphertext = false
    await changed.close()

    hospital.hip.acknowledges = false
    const { db } = world.network.exchange.running.machine
    // New consents are needed: those of before are acknowledged.
    await revokeOwn(world)
    const slow = await signedIn('en', 'phone', '/me/records')
    await slow.page.getByText(said('en', 'records.waiting-for').replace('{name}', 'Tarangini Hospital')).waitFor()
    await slow.page.getByText(said('en', 'records.long')).waitFor()
    await slow.assertSound()
    await slow.picture('records-waiting-en-phone')
    await db
      .updateTable('own_fetch_holder')
      .set({ status: 'failed', reason_code: 'no-answer' })
      .where('bucket', '>=', 0)
      .where('hip', '=', THEIRS)
      .where('status', '=', 'asking')
      .execute()
    await slow.page.getByText(said('en', 'records.reason.no-answer').replace('{name}', 'Tarangini Hospital')).waitFor()
    await slow.assertSound()
    hospital.hip.acknowledges = true
    await revokeOwn(world)
    await slow.close()
  })

  for (const [language, size] of [
    ['en', 'phone'],
    ['ur', 'desktop'],
  ] as const)
    test(`links a hospital by keyboard alone, in ${language} on a ${size}`, async () => {
      await second.addDocument('33-1', `op-${language}`, sampleDocument('OPConsultation'))
      const one = await signedIn(language, size, '/me/records')
      const { page } = one
      await page.locator('a[href="/me/records/link"]').focus()
      await page.keyboard.press('Enter')
      await page.locator('input[type=search]').waitFor()
      await one.assertSound()
      await one.picture(`records-link-${language}-${size}`)
      await tabTo(one, 'input[type=search]')
      await page.keyboard.type(partyName('Facility', SECOND))
      // The list of what fits comes from the exchange: first it has to be there, and to be one.
      await waitFor('the one hospital that fits', async () => (await page.locator('main li button').count()) === 1)
      await tabTo(one, 'main li button')
      await page.keyboard.press('Enter')
      await page.locator('button[type=submit]').waitFor()
      await one.assertSound()
      await tabTo(one, 'button[type=submit]')
      await page.keyboard.press('Enter')
      await page.locator('input[type=checkbox]').first().waitFor()
      await one.assertSound()
      await tabTo(one, 'input[type=checkbox]')
      await page.keyboard.press('Space')
      assert.equal(await page.locator('input[type=checkbox]').first().isChecked(), false)
      await page.keyboard.press('Space')
      await tabTo(one, 'button[type=submit]')
      const before = await textsOf(world, ASHA.mobile)
      await page.keyboard.press('Enter')
      await page.locator('input[autocomplete=one-time-code]').waitFor()
      await one.assertSound()
      const code = await waitFor('the code of the hospital', async () => {
        const [newest] = (await textsOf(world, ASHA.mobile)).slice(0, 1)
        return (await textsOf(world, ASHA.mobile)).length > before.length && /\b\d{4,8}\b/.exec(newest ?? '')?.[0]
      })
      await tabTo(one, 'input[autocomplete=one-time-code]')
      await page.keyboard.type(code === '111111' ? '222222' : '111111')
      await page.keyboard.press('Enter')
      await page.locator('[aria-invalid=true]').waitFor()
      await one.assertSound()
      await tabTo(one, 'input[autocomplete=one-time-code]')
      await page.keyboard.press('ControlOrMeta+A')
      await page.keyboard.type(code)
      await page.keyboard.press('Enter')
      await page.locator('main a[data-look=primary]').waitFor()
      await one.assertSound()
      await one.picture(`records-linked-${language}-${size}`)
      await one.close()
      await world.network.exchange.running.machine.db
        .deleteFrom('care_context')
        .where('bucket', '>=', 0)
        .where('hip', '=', SECOND)
        .execute()
    })

  for (const [language, size] of [
    ['en', 'phone'],
    ['ur', 'phone'],
    ['en', 'desktop'],
  ] as const)
    test(`shows her profile at a counter and gets a number, in ${language} on a ${size}`, async () => {
      const one = await signedIn(language, size, '/me/share')
      const { page } = one
      await page.locator('main input').waitFor()
      await one.assertSound()
      await page.locator('main input').fill('not a code')
      await page.keyboard.press('Enter')
      await page.locator('[aria-invalid=true]').waitFor()
      await page.locator('main input').fill(`${OURS}/counter-1`)
      await page.keyboard.press('Enter')
      await page.locator('dl').waitFor()
      assert.equal(new URL(page.url()).search, `?hip=${OURS}&counter=counter-1`)
      for (const told of [ASHA.name, ASHA.mobile, ASHA.abhaAddress])
        await page.getByText(told, { exact: true }).waitFor()
      await one.assertSound()
      await one.picture(`share-${language}-${size}`)
      await page.locator('button[data-look=primary]').click()
      await page.locator('main [role=status] p').first().waitFor()
      await one.assertSound()
      await one.picture(`share-number-${language}-${size}`)
      await one.close()
    })

  test('a code of nobody says so', async () => {
    const one = await signedIn('en', 'phone', '/me/share?hip=IN0000000000&counter=1')
    await one.page.getByText(said('en', 'records.share-unknown')).waitFor()
    await one.assertSound()
    await one.close()
  })
})

/** Moves the focus with the Tab key until it is on the first match of a selector. */
async function tabTo({ page }: Visitor, selector: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const isThere = await page.evaluate((wanted) => document.activeElement === document.querySelector(wanted), selector)
    if (isThere) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the Tab key does not reach ${selector}`)
}

async function textsOf(world: WebWorld, mobile: string): Promise<readonly string[]> {
  const { body } = await world.network.operator(SECOND, `/v1/sandbox/text-messages?mobile=${mobile}`)
  return (body as readonly { readonly text: string }[]).map(({ text }) => text)
}

/** Ends the consents of her own app, so that the next look asks for new ones. */
async function revokeOwn(world: WebWorld): Promise<void> {
  const token = await world.network.patientToken(ASHA.abhaAddress)
  const { body } = await world.network.asPatient(token, '/v1/me/sharing')
  const consents = listAt(body, 'items')
    .filter((one) => textAt(one, 'hiu').startsWith('patient-app@') && textAt(one, 'status') === 'GRANTED')
    .map((one) => textAt(one, 'id'))
  const revoked = await world.network.asPatient(token, '/api/hiecm/consent/v3/revoke', { consents })
  assert.equal(revoked.status, 202)
}
