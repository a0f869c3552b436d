import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Id } from '../../src/kernel/id.ts'
import type { StaffRole } from '../../src/kernel/staff-role.ts'
import { listAt, textAt } from '../json-path.ts'
import { ASHA } from '../people.ts'
import { addStaff } from '../staff.ts'
import { waitFor } from '../wait.ts'
import { letStaffIn } from './desk-door.ts'
import { saidAtDesk } from './desk-words.ts'
import { CENTRE, HOSPITAL, SharingWorld } from './sharing-world.ts'
import { JOURNEY_SCREENS, type JourneyLanguage, type Size, type Visitor } from './web-world.ts'

describe('questions of patients at the desk', () => {
  let sharing: SharingWorld
  let count = 0
  before(async () => {
    sharing = await SharingWorld.start()
  })
  after(() => sharing.stop())

  /** Somebody of the centre's staff at a page of the desk. */
  async function atDesk(work: StaffRole, at: string, language: JourneyLanguage, size: Size): Promise<Visitor> {
    const { world } = sharing
    const { id, name, role } = await addStaff(world.network, CENTRE, work)
    const visitor = await world.visitor(CENTRE, { language, size })
    const session = id as Id<'web-session'>
    await letStaffIn(world, CENTRE, { kind: 'staff', id: id as Id<'staff'>, name, role, session }, visitor)
    await visitor.open(at)
    return visitor
  }
  /** Somebody at the centre looks at her records, and she asks about the newest look. */
  async function asks(text: string): Promise<void> {
    const looks = async () => listAt({ body: (await sharing.asha.call('/v1/me/looks')).body }, 'body')
    const before = (await looks()).length
    await sharing.centre.view(ASHA.abhaAddress)
    const all = await waitFor('the look to be reported', async () => {
      const now = await looks()
      return now.length > before && now
    })
    const path = `/v1/me/looks/${textAt(all[0], 'id')}/question`
    assert.equal((await sharing.asha.call(path, { text })).status, 201)
    await waitFor('the centre to have the question', async () =>
      listAt((await sharing.world.network.operator(CENTRE, '/v1/questions')).body, 'questions').some(
        (one) => textAt(one, 'text') === text,
      ),
    )
  }
  const button = ({ page }: Visitor, language: JourneyLanguage, key: string) =>
    page.getByRole('button', { name: saidAtDesk(language, key), exact: true })
  async function reach({ page }: Visitor, selector: string): Promise<void> {
    for (let tabs = 0; tabs < 60; tabs++) {
      await page.keyboard.press('Tab')
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return
    }
    assert.fail(`the keyboard does not reach ${selector}`)
  }

  test('before anybody asked, the page says what will appear', async () => {
    const visitor = await atDesk('dpo', '/desk/questions', 'en', 'phone')
    await visitor.page.getByText(saidAtDesk('en', 'questions.empty'), { exact: true }).waitFor()
    await visitor.assertSound()
    await visitor.close()
    await sharing.share(sharing.centre, HOSPITAL)
  })

  for (const [language, size] of JOURNEY_SCREENS)
    test(`a question comes in, is answered by keyboard, and she reads it; in ${language} on a ${size}`, async () => {
      count += 1
      const [question, answer] = [`Why did you look? (${count})`, `To prepare your visit. (${count})`]
      const visitor = await atDesk('dpo', '/desk', language, size)
      const { page } = visitor
      const t = (key: string, values?: Record<string, string>) => saidAtDesk(language, key, values)
      await page.locator('nav a[href="/desk/questions"]').click()
      await asks(question)
      // It appears while the page is open.
      await page.getByText(question, { exact: true }).waitFor()
      await visitor.assertSound()
      await visitor.picture(`desk-questions-${language}-${size}`)
      await reach(visitor, 'main a[href*="/questions/"]')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: t('questions.look'), exact: true }).waitFor()
      await page.getByText('Dr. Farida Khan', { exact: true }).waitFor()
      await page.getByText(t('purpose.CAREMGT'), { exact: true }).waitFor()
      await visitor.assertSound()
      await visitor.picture(`desk-question-${language}-${size}`)
      await button(visitor, language, 'questions.send').press('Enter')
      await page.getByText(t('questions.answer-missing'), { exact: true }).waitFor()
      await visitor.assertSound()
      await page.locator('textarea[name=answer]').focus()
      await page.keyboard.type(answer)
      await reach(visitor, 'main button[type=submit]')
      await page.keyboard.press('Enter')
      await page.getByText(t('questions.sent'), { exact: true }).waitFor()
      await page.getByText(answer, { exact: true }).waitFor()
      await page.locator('textarea').waitFor({ state: 'detached' })
      await visitor.assertSound()
      await visitor.picture(`desk-question-answered-${language}-${size}`)
      await page.getByRole('link', { name: t('questions.title'), exact: true }).click()
      await page.getByText(t('questions.none-waiting'), { exact: true }).waitFor()
      await visitor.close()
      const asha = await sharing.open('/me/looked', language, size)
      await asha.page.getByText(answer, { exact: true }).waitFor()
      await asha.page.getByText('Farida Engineer').first().waitFor()
      await asha.assertSound()
      await asha.close()
    })

  test('a late one says so; when a colleague was faster, her words stay and she is told', async () => {
    const question = 'Who was it?'
    await asks(question)
    const { machine } = sharing.world.network.party(CENTRE).running
    await machine.db
      .updateTable('received_question')
      .set({ due_at: new Date('2026-01-01T00:00:00Z') })
      .where('status', '=', 'open')
      .execute()
    const visitor = await atDesk('dpo', '/desk/questions', 'en', 'desktop')
    const { page } = visitor
    await page.getByText('Late: the answer was due by 1 January 2026').waitFor()
    await visitor.assertSound()
    await page.getByText(question, { exact: true }).click()
    await page.locator('textarea[name=answer]').fill('Dr. Khan, for your visit.')
    await page.route('**/answer', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/problem+json',
        body: JSON.stringify({ type: 'urn:amanat:problem:rights/answered-already', title: 'answered' }),
      }),
    )
    await button(visitor, 'en', 'questions.send').click()
    await page.getByText(saidAtDesk('en', 'questions.already')).waitFor()
    assert.equal(await page.locator('textarea[name=answer]').inputValue(), 'Dr. Khan, for your visit.')
    await visitor.assertSound()
    await visitor.close()
  })

  test('who answers no questions sees no door to them', async () => {
    const visitor = await atDesk('nurse', '/desk', 'en', 'desktop')
    await visitor.page.locator('nav').waitFor()
    assert.equal(await visitor.page.locator('nav a[href="/desk/questions"]').count(), 0)
    await visitor.close()
  })
})
