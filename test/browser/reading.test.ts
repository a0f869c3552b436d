import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { StaffCaller } from '../../src/kernel/caller.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { partyName } from '../network.ts'
import { waitFor } from '../wait.ts'
import { letStaffIn } from './desk-door.ts'
import { fillReadingWorld, HOSPITAL, LAB, type ReadingWorld } from './reading-world.ts'
import { JOURNEY_SCREENS, type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

const OLDER_WORDS = {
  en: {
    partly: /The newest 40 of \d+ records are open/,
    older: 'Open older records',
    open: /80 of \d+ records are open/,
  },
  ur: {
    partly: /سب سے نئے .*(40|۴۰).* ریکارڈ کھلے ہیں/,
    older: 'پرانے ریکارڈ کھولیں',
    open: /میں سے .*(80|۸۰).* ریکارڈ کھلے ہیں/,
  },
} as const

describe('reading at the desk', () => {
  let world: WebWorld
  let people: ReadingWorld
  before(async () => {
    world = await WebWorld.start({ facilities: [HOSPITAL, LAB] })
    people = await fillReadingWorld(world.network)
  })
  after(() => world.stop())

  async function visit(staff: StaffCaller, language: JourneyLanguage, size: Size): Promise<Visitor> {
    const one = await world.visitor(HOSPITAL, { language, size })
    await letStaffIn(world, HOSPITAL, staff, one)
    await one.open(`/desk/patients/${people.mrn}/read`)
    return one
  }

  const views = async () => {
    const { db } = world.network.party(HOSPITAL).running.machine
    const rows = await db
      .selectFrom('audit_event')
      .select('type')
      .where('bucket', '>=', 0)
      .where('type', 'in', ['records.viewed', 'hiu.record-viewed', 'records.view-denied'])
      .execute()
    return (type: string) => rows.filter((row) => row.type === type).length
  }

  for (const [language, size] of JOURNEY_SCREENS)
    test(`a doctor reads own and received records, in ${language} on a ${size}`, async () => {
      const one = await visit(people.doctor, language, size)
      const { page } = one
      const counted = await views()
      await page.locator('input[type=radio]:checked').waitFor()
      assert.equal(await page.locator('input[type=radio]:checked').count(), 1, 'the usual purpose is chosen')
      await one.assertSound()
      await one.picture(`reading-door-${language}-${size}`)

      // By keyboard alone: the button is reached and pressed.
      await page.locator('input[type=radio]:checked').focus()
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.locator('details[open]').first().waitFor()
      const now = await views()
      assert.equal(now('records.viewed'), counted('records.viewed') + 1)
      assert.ok(now('hiu.record-viewed') > counted('hiu.record-viewed'), 'each received document is a look')
      const text = await page.locator('main').innerText()
      for (const expected of [
        'HbA1c',
        'Type 2 diabetes',
        'Metformin',
        partyName('Facility', LAB),
        'Sunrise Nursing Home',
      ])
        assert.ok(text.includes(expected), `${expected} is nowhere`)
      await one.assertSound()
      await one.picture(`reading-${language}-${size}`)

      const button = page.getByRole('button', { name: /HbA1c/ }).first()
      await button.focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').getByRole('img').waitFor()
      await one.assertSound()
      await one.picture(`reading-course-${language}-${size}`)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await one.close()
    })

  test('what is withheld or missing stands there with its reason', async () => {
    const one = await visit(people.doctor, 'en', 'desktop')
    await one.page.getByRole('button', { name: 'Open the records' }).click()
    const missing = one.page.getByRole('region', { name: 'What is missing or withheld' })
    await missing.waitFor()
    const text = await missing.innerText()
    assert.match(text, /1 document from .*Sunrise Nursing Home.* did not pass our checks/)
    assert.match(text, /The patient has not decided yet about what Dr\. Farida Khan asked/)
    assert.doesNotMatch(await one.page.locator('main').innerText(), /Bina Das/)
    await one.close()
  })

  test('each document says its source and how long it may be kept; the filter finds', async () => {
    const one = await visit(people.doctor, 'en', 'desktop')
    const { page } = one
    await page.getByRole('button', { name: 'Open the records' }).click()
    await page.getByRole('searchbox').fill('hba1c')
    await page.getByRole('button', { name: /Test reports/ }).click()
    const first = page.locator('ol details').first()
    if (!(await first.evaluate((element) => (element as HTMLDetailsElement).open)))
      await first.locator('summary').click()
    await first.getByText(/We may keep this until/).waitFor()
    assert.match(await first.innerText(), new RegExp(`From ${partyName('Facility', LAB)}, received on`))
    await page.getByRole('searchbox').fill('nothing of the kind')
    await page.getByText('No record fits').waitFor()
    await one.assertSound()
    await page.getByRole('button', { name: 'Show all records' }).click()
    await page.emulateMedia({ media: 'print' })
    const width = await page.evaluate(() => document.querySelector('main')?.getBoundingClientRect().width ?? 0)
    assert.ok(width > 1_000, `on paper the records take ${width} of 1280 px`)
    await one.close()
  })

  test('a nurse who does not attend is told why it is closed, and nothing opens', async () => {
    const one = await visit(people.nurse, 'en', 'phone')
    await one.page.getByText('These records are closed to you now').waitFor()
    assert.equal(await one.page.getByRole('button', { name: 'Open the records' }).count(), 0)
    await one.page.getByRole('button', { name: /glass/ }).waitFor()
    await one.assertSound()
    await one.picture('reading-closed-en-phone')
    await one.close()
  })

  test('a laboratory reads its own kind of record, and is told of the rest without its content', async () => {
    const one = await visit(people.lab, 'en', 'desktop')
    const { page } = one
    await page.getByRole('button', { name: 'Open the records' }).click()
    await page.locator('ol details').first().waitFor()
    const text = await page.locator('main').innerText()
    assert.match(text, /for other roles than yours/)
    assert.match(text, /Kidney function/)
    for (const hidden of ['Metformin', 'At a glance', 'Doctor visit']) assert.ok(!text.includes(hidden), hidden)
    await one.assertSound()
    await one.close()
  })

  test('where there are many records the newest are open, and says so; older ones open by keyboard, a page at a time', async () => {
    await people.writeOld(2 * LIMITS.readingDocumentsMax - 10)
    for (const [language, size] of JOURNEY_SCREENS) {
      const one = await visit(people.doctor, language, size)
      const { page } = one
      await page.locator('form button[type=submit]').click()
      const words = OLDER_WORDS[language]
      await page.getByText(words.partly).waitFor()
      const older = page.getByRole('button', { name: words.older })
      const counted = await views()
      await older.focus()
      await page.keyboard.press('Enter')
      await page.getByText(words.open).last().waitFor()
      await waitFor('the focus: the next page is one key away', () =>
        older.evaluate((button) => document.activeElement === button),
      )
      const opened = (await views())('records.viewed') - counted('records.viewed')
      assert.equal(opened, 1, 'the second page is a view of its own')
      await one.assertSound()
      await one.picture(`reading-many-${language}-${size}`)
      await one.close()
    }
  })
})
