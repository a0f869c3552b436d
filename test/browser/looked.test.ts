import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { announce, record } from '../../src/audit/record.ts'
import { verifyReceipt } from '../../src/audit/verify.ts'
import { transact } from '../../src/db/tx.ts'
import type { AbhaAddress, FacilityId, Id } from '../../src/kernel/id.ts'
import { isRefusal, must } from '../../src/kernel/refusal.ts'
import type { AccessReported, PageReported } from '../../src/native/native.ts'
import { looksOf } from '../../src/rights/look-commands.ts'
import { confirmWithholding, liftWithholding, proposeWithholding } from '../../src/rights/withholding-commands.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { ASHA } from '../people.ts'
import { waitFor } from '../wait.ts'
import { CENTRE, HOSPITAL, SharingWorld, say } from './sharing-world.ts'
import { JOURNEY_SCREENS, type Visitor } from './web-world.ts'

describe('who looked', () => {
  let sharing: SharingWorld
  before(async () => {
    sharing = await SharingWorld.start()
  })
  after(() => sharing.stop())

  test('before anybody looked, the page says what will appear', async () => {
    const visitor = await sharing.open('/me/looked', 'en', 'phone')
    await visitor.page.getByText(say('en', 'looked.empty-title')).waitFor()
    await visitor.assertSound()
    await visitor.close()
    await sharing.share(sharing.centre, HOSPITAL)
    await sharing.centre.view(ASHA.abhaAddress)
    await lookOf('BTG')
    await openedPageTwice()
    await waitFor('three looks', async () => {
      const { body } = await sharing.asha.call('/v1/me/looks')
      return listAt({ body }, 'body').length >= 3 && JSON.stringify(body).includes('Dr. Farida Khan')
    })
    await witnessed()
  })

  /** Whatever stands in the exchange's log by now was seen by two witnesses: before that a proof says that it waits. */
  async function witnessed(): Promise<void> {
    const { db } = sharing.world.network.exchange.running.machine
    await waitFor(
      'two witnesses of everything',
      async () => {
        if ((await db.selectFrom('log_queue').select('seq').execute()).length > 0) return false
        const note = await (await fetch(`${sharing.world.network.exchange.url}/log/checkpoint`)).text()
        return note.split('\n').filter((line) => line.startsWith('— ')).length >= 3
      },
      30_000,
    )
  }

  /** A look as a facility of somebody else reports it: ours would not let anybody look for another reason than the consent's. */
  async function lookOf(purpose: string): Promise<void> {
    const { machine } = sharing.world.network.exchange.running
    const artefact = textAt((await sharing.asha.call('/v1/me/sharing')).body, 'items.0.id')
    await transact(machine, async (tx) =>
      announce(
        tx,
        await record(tx, {
          type: 'access.reported',
          actor: {
            kind: 'facility',
            id: CENTRE as FacilityId,
            person: { name: 'Sister Mary Paul', role: 'emergency nurse' },
          },
          patient: ASHA.abhaAddress,
          subject: artefact as Id<'artefact'>,
          facility: CENTRE,
          facilityName: CENTRE,
          at: tx.now.toISOString(),
          purpose,
          what: [{ hiType: 'OPConsultation', careContextReference: 'visit-1' }],
        } satisfies AccessReported),
      ),
    )
  }

  /** The front desk of a place found her by name, twice, on one day of hers: at midnight in India, too. */
  async function openedPageTwice(): Promise<void> {
    const { machine } = sharing.world.network.exchange.running
    await transact(machine, async (tx) => {
      for (const _time of [1, 2])
        await announce(
          tx,
          await record(tx, {
            type: 'access.page-reported',
            actor: { kind: 'facility', id: HOSPITAL as FacilityId, person: { name: 'Sunil Rao', role: 'front-desk' } },
            patient: ASHA.abhaAddress,
            facility: HOSPITAL,
            facilityName: HOSPITAL,
            at: tx.now.toISOString(),
          } satisfies PageReported),
        )
    })
  }

  const firstCheck = ({ page }: Visitor, language: 'en' | 'ur') =>
    page.getByRole('button', { name: say(language, 'looked.check'), exact: true }).first()
  const lines = ({ page }: Visitor, state: string) => page.locator(`[data-proof="${state}"]`)

  for (const [language, size] of JOURNEY_SCREENS)
    test(`looks with their proof, in ${language} on a ${size}`, async () => {
      const visitor = await sharing.open('/me/looked', language, size)
      const { page } = visitor
      await page.getByText('Dr. Farida Khan').first().waitFor()
      await page.getByText(say(language, 'looked.unusual.emergency')).first().waitFor()
      await page.getByText(say(language, 'looked.openings-text')).waitFor()
      assert.equal(await page.getByText('Sunil Rao').first().isVisible(), false, 'closed, so that it buries no look')
      const openings = page.locator('details').last()
      await openings.locator('summary').focus()
      await page.keyboard.press('Enter')
      assert.equal(await openings.getByText('Sunil Rao').count(), 2)
      await openings.getByText('Sunil Rao').first().waitFor()
      await visitor.assertSound()
      await visitor.picture(`looked-${language}-${size}`, true)
      await openings.locator('summary').click()
      await witnessed()
      await firstCheck(visitor, language).focus()
      await page.keyboard.press('Enter')
      await lines(visitor, 'holds').nth(2).waitFor()
      await visitor.assertSound()
      await visitor.picture(`looked-proof-${language}-${size}`)
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: say(language, 'proof.save'), exact: true }).click(),
      ])
      const saved = fs.readFileSync(await file.path(), 'utf8')
      assert.ok(!isRefusal(verifyReceipt(saved, {})), 'the saved receipt holds for amanat log verify')
      await page.keyboard.press('Escape')
      // A second look: the device compares with what it remembers.
      await witnessed()
      await firstCheck(visitor, language).click()
      await lines(visitor, 'holds').nth(2).waitFor()
      await page.getByText(/\d+/).first().waitFor()
      assert.equal(await page.getByText(say(language, 'proof.log-first')).count(), 0)
      await visitor.close()
    })

  test('a forged receipt turns red with a plain sentence; the device remembers nothing of it', async () => {
    const visitor = await sharing.open('/me/looked', 'en', 'phone')
    const { page } = visitor
    await page.route('**/v1/me/receipts/*', async (route) => {
      const answer = await route.fetch()
      const forged = (await answer.text()).replaceAll(/Farida|Mary/g, 'Nobody')
      await route.fulfill({ response: answer, body: forged })
    })
    await firstCheck(visitor, 'en').click()
    await lines(visitor, 'fails').first().waitFor()
    await page.getByText(say('en', 'proof.fails.receipt-forged')).first().waitFor()
    assert.equal(await lines(visitor, 'holds').count(), 0)
    assert.equal(await page.evaluate(() => localStorage.getItem('amanat.log')), null)
    await visitor.assertSound()
    await visitor.picture('looked-forged-en-phone')
    await visitor.close()
  })

  test('another key of the log, and a log put back, are alarms for a device that remembers', async () => {
    const visitor = await sharing.open('/me/looked', 'en', 'phone')
    const { page } = visitor
    const old = await (await fetch(`${sharing.world.network.exchange.url}/log/checkpoint`)).text()
    await lookOf('CAREMGT')
    await waitFor('the log to grow', async () => {
      const now = await (await fetch(`${sharing.world.network.exchange.url}/log/checkpoint`)).text()
      return Number(now.split('\n')[1]) > Number(old.split('\n')[1])
    })
    await firstCheck(visitor, 'en').click()
    await lines(visitor, 'holds').nth(1).waitFor()
    await page.keyboard.press('Escape')
    await page.route('**/log/checkpoint', (route) => route.fulfill({ body: old }))
    await firstCheck(visitor, 'en').click()
    await page.getByText(say('en', 'proof.fails.log-changed')).waitFor()
    await page.keyboard.press('Escape')
    await page.unroute('**/log/checkpoint')
    const other = await (await fetch(`${sharing.world.network.party(CENTRE).url}/log/vkey`)).text()
    await page.route('**/log/vkey', (route) => route.fulfill({ body: other }))
    await firstCheck(visitor, 'en').click()
    await page.getByText(say('en', 'proof.fails.log-key-changed')).first().waitFor()
    await visitor.assertSound()
    await visitor.close()
  })

  test('an entry that is not in a checkpoint yet waits, and then holds', async () => {
    const visitor = await sharing.open('/me/looked', 'en', 'phone')
    const { page } = visitor
    let isEarly = true
    await page.route('**/v1/me/receipts/*', (route) =>
      isEarly
        ? route.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: JSON.stringify({ type: 'urn:amanat:problem:log/not-sequenced', title: 'not yet' }),
          })
        : route.continue(),
    )
    visitor.page.removeAllListeners('response')
    await firstCheck(visitor, 'en').click()
    await page.getByText(say('en', 'proof.waiting')).waitFor()
    isEarly = false
    await lines(visitor, 'holds').nth(1).waitFor()
    await visitor.close()
  })

  test('ask about this: a number and a date, then the answer arrives while the page is open', async () => {
    const visitor = await sharing.open('/me/looked', 'en', 'phone')
    const { page } = visitor
    await page
      .getByRole('button', { name: say('en', 'looked.ask'), exact: true })
      .first()
      .focus()
    await page.keyboard.press('Enter')
    const sheet = page.getByRole('dialog')
    const send = sheet.getByRole('button', { name: say('en', 'looked.ask-send'), exact: true })
    await send.click()
    await sheet.getByText(say('en', 'looked.ask-empty')).waitFor()
    await sheet.getByRole('textbox').fill('Why did you look?\nI was not there.')
    await visitor.assertSound()
    await send.press('Enter')
    await sheet.getByText(/Q-[0-9A-Z]{4}-[0-9A-Z]{4}/).waitFor()
    await visitor.assertSound()
    await page.keyboard.press('Escape')
    const questions = await waitFor('the centre to have it', async () => {
      const list = listAt((await sharing.world.network.operator(CENTRE, '/v1/questions')).body, 'questions')
      return list.length > 0 && list
    })
    await page.getByText(say('en', 'looked.question.delivered'), { exact: true }).waitFor()
    const [first] = questions
    assert.equal(at(first, 'text'), 'Why did you look?\nI was not there.')
    const path = `/v1/questions/${ASHA.abhaAddress}/${textAt(first, 'id')}/answer`
    const answer = { text: 'To prepare your visit.', by: 'A. Bose' }
    assert.equal((await sharing.world.network.operator(CENTRE, path, answer)).status, 200)
    await page.getByText('To prepare your visit.').waitFor()
    await page.getByText('A. Bose').waitFor()
    await visitor.assertSound()
    await visitor.close()
  })

  test('what the law forbids to tell is counted, not shown; told when the order is lifted', async () => {
    const { machine } = sharing.world.network.exchange.running
    const patient = ASHA.abhaAddress as AbhaAddress
    const actor = { kind: 'operator', id: 'test' } as const
    const order = await transact(machine, async (tx) => {
      const [newest] = await looksOf(tx, patient, { limit: 1 })
      const event = newest?.id as Id<'event'>
      const papers = { authority: 'Police, Pune', number: '118/2026', dated: '2026-11-20', law: 'r.23(2)' }
      const until = new Date(tx.now.getTime() + 86_400_000)
      const entered = { patient, event, order: papers, until, by: 'S. Kulkarni', actor }
      const made = must(await proposeWithholding(tx, entered))
      return must(await confirmWithholding(tx, { id: made.id, by: 'R. Deshpande', actor }))
    })
    for (const [language, size] of JOURNEY_SCREENS) {
      const visitor = await sharing.open('/me/looked', language, size)
      const [title = ''] = say(language, 'looked.withheld-title').split('{')
      await visitor.page.getByText(title).waitFor()
      await visitor.assertSound()
      await visitor.picture(`looked-withheld-${language}-${size}`)
      await visitor.close()
    }
    must(await transact(machine, (tx) => liftWithholding(tx, { id: order.id, by: 'S. Kulkarni', actor })))
    const visitor = await sharing.open('/me/looked', 'en', 'phone')
    await visitor.page.getByText('Dr. Farida Khan').first().waitFor()
    assert.equal(await visitor.page.getByText('Not shown for now').count(), 0)
    await visitor.close()
  })
})
