import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { tieAll } from '../../src/keys/tie-existing.ts'
import { newCode, newestOf, said, signInPatient } from './patient-door.ts'
import { ASHA, JOURNEY_SCREENS, type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

const CHILD = {
  ...ASHA,
  abhaAddress: 'tara.rao@sbx',
  abhaNumber: '91000000000003',
  name: 'Tara Rao',
  birthDate: '2019-05-05',
  guardian: ASHA.abhaAddress,
}
const RAVI = {
  ...ASHA,
  abhaAddress: 'ravi.iyer@sbx',
  abhaNumber: '91000000000002',
  name: 'Ravi Iyer',
  birthDate: '1975-06-03',
  mobile: '9000000002',
}

describe('signing in to the patient app', () => {
  let world: WebWorld
  before(async () => {
    world = await WebWorld.start()
    for (const person of [ASHA, CHILD, RAVI]) await world.network.operator('sbx', '/v1/patients', person)
  })
  after(() => world.stop())

  /** The limits of codes are for guessers: a test that signs in often forgets what was asked for. Each begins without a passkey. */
  async function forgetCodes(): Promise<void> {
    const { db } = world.network.exchange.running.machine
    await db.deleteFrom('sign_in_code').execute()
    await sql`delete from passkey /* all buckets: a test begins anew */`.execute(db)
  }

  async function visitor(language: JourneyLanguage, size: Size, at = '/me'): Promise<Visitor> {
    await forgetCodes()
    const one = await world.visitor('sbx', { language, size })
    await one.open(at)
    return one
  }

  const button = ({ page }: Visitor, language: string, key: string) =>
    page.getByRole('button', { name: said(language, key), exact: true })
  const heading = ({ page }: Visitor, language: string, key: string) =>
    page.getByRole('heading', { level: 1, name: said(language, key), exact: true })

  /** A phone with fingerprint, in software (WebAuthn virtual authenticator of the DevTools protocol). */
  async function withAuthenticator({ context, page }: Visitor): Promise<void> {
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
  }

  for (const [language, size] of JOURNEY_SCREENS)
    test(`a code, then a passkey, in ${language} on a ${size}`, async () => {
      const one = await visitor(language, size)
      await withAuthenticator(one)
      await heading(one, language, 'signin.title').waitFor()
      await one.assertSound()
      await one.picture(`sign-in-${language}-${size}`)

      await one.page.locator('button[type=submit]').click()
      await one.page.getByText(said(language, 'signin.address-missing')).waitFor()
      const earlier = await newestOf(world, ASHA.mobile)
      // The end of the address may be left out.
      await one.page.locator('input[name=username]').fill('asha.rao')
      await one.page.locator('button[type=submit]').click()
      await heading(one, language, 'signin.code-title').waitFor()
      const code = await newCode(world, ASHA.mobile, earlier)
      await one.page.locator('input[name=code]').fill(code === '000000' ? '111111' : '000000')
      await one.page.locator('button[type=submit]').click()
      await one.page.getByText(said(language, 'signin.wrong-code')).waitFor()
      await one.assertSound()
      await one.picture(`sign-in-code-${language}-${size}`)
      await one.page.locator('input[name=code]').fill(`${code.slice(0, 3)} ${code.slice(3)}`)
      await one.page.locator('button[type=submit]').click()

      await heading(one, language, 'signin.offer-title').waitFor()
      await one.assertSound()
      await one.picture(`sign-in-offer-${language}-${size}`)
      await button(one, language, 'signin.offer-add').click()
      await heading(one, language, 'signin.offer-title').waitFor({ state: 'detached' })

      await one.open('/me/choices/account')
      await heading(one, language, 'signin.account-title').waitFor()
      await one.page.getByText('Chrome, Linux').first().waitFor()
      await one.assertSound()
      await one.picture(`account-${language}-${size}`, true)
      await button(one, language, 'signin.sign-out').click()

      await heading(one, language, 'signin.title').waitFor()
      await button(one, language, 'signin.with-passkey').click()
      await heading(one, language, 'signin.account-title').waitFor()
      await removePasskeys(one, language)
      await one.close()
    })

  async function removePasskeys(one: Visitor, language: string): Promise<void> {
    await one.page.getByRole('button', { name: said(language, 'signin.passkey-remove') }).click()
    await button(one, language, 'signin.passkey-remove-now').waitFor()
    await one.assertSound()
    await button(one, language, 'signin.passkey-remove-now').click()
    await one.page.getByText(said(language, 'signin.passkeys-none')).waitFor()
  }

  test('by keyboard alone', async () => {
    const one = await visitor('en', 'desktop')
    const earlier = await newestOf(world, ASHA.mobile)
    const reach = async (selector: string): Promise<void> => {
      for (let tabs = 0; tabs < 40; tabs++) {
        await one.page.keyboard.press('Tab')
        if (await one.page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return
      }
      assert.fail(`the keyboard does not reach ${selector}`)
    }
    await reach('input[name=username]')
    await one.page.keyboard.type(ASHA.abhaAddress)
    await one.page.keyboard.press('Enter')
    await heading(one, 'en', 'signin.code-title').waitFor()
    await reach('input[name=code]')
    await one.page.keyboard.type(await newCode(world, ASHA.mobile, earlier))
    await one.page.keyboard.press('Enter')
    await one.page.locator('nav a[href="/me/choices"]').waitFor()
    await reach('nav a[href="/me/choices"]')
    await one.page.keyboard.press('Enter')
    await one.page.waitForURL('**/me/choices')
    await one.close()
  })

  test('a guardian sees on every page for whom she acts, and changes it', async () => {
    const one = await visitor('en', 'phone')
    await signInPatient(world, one, ASHA)
    const bar = one.page.getByRole('region', { name: said('en', 'signin.acting-label') })
    await bar.getByText('You act for yourself').waitFor()
    await bar.getByRole('button').click()
    await one.assertSound()
    await one.picture('acting-choose-en-phone')
    await one.page.getByRole('button', { name: /Tara Rao/ }).click()
    for (const place of ['/me', '/me/sharing', '/me/looked', '/me/records', '/me/choices']) {
      await one.open(place)
      await bar.getByText('You act for Tara Rao').waitFor()
    }
    await one.assertSound()
    await one.picture('acting-for-en-phone')
    const asked = one.page.waitForRequest((request) => request.url().includes('/v1/me/'))
    await one.open('/me')
    assert.equal((await asked).headers()['x-acting-for'], CHILD.abhaAddress)
    await bar.getByRole('button').click()
    await one.page.getByRole('button', { name: new RegExp(said('en', 'signin.acting-myself')) }).click()
    await bar.getByText('You act for yourself').waitFor()
    await one.close()
  })

  test('a session ended from elsewhere: a friendly door, and back to where she was; nobody else sees her things', async () => {
    const one = await visitor('en', 'phone', '/me/choices/account')
    await signInPatient(world, one, RAVI)
    await heading(one, 'en', 'signin.account-title').waitFor()
    const other = await visitor('en', 'desktop', '/me/choices/account')
    await signInPatient(world, other, RAVI)
    await other.page.getByRole('button', { name: /^Sign out ?: / }).click()
    await other.page.getByText(said('en', 'signin.device-signed-out')).waitFor()

    await one.page.getByText(said('en', 'signin.session-ended'), { exact: true }).waitFor()
    assert.equal(await one.page.locator('input[name=username]').inputValue(), RAVI.abhaAddress)
    await one.assertSound()
    await one.picture('session-ended-en-phone')
    await signInPatient(world, one, RAVI)
    await heading(one, 'en', 'signin.account-title').waitFor()
    await other.close()
    await one.close()
  })

  test('what needs a proof asks for it: by a code, by the passkey where there is one', async () => {
    const one = await visitor('en', 'phone', '/me/choices/account')
    await withAuthenticator(one)
    await signInPatient(world, one, RAVI, { offer: 'signin.offer-not' })
    const { db } = world.network.exchange.running.machine
    // Signed in a while ago: that is no proof any more.
    await db.transaction().execute(async (trx) => {
      const earlier = { opened_at: new Date(Date.now() - 600_000), tie: '' }
      await trx.updateTable('web_session').set(earlier).execute()
      await tieAll(trx)
    })
    const earlier = await newestOf(world, RAVI.mobile)
    await button(one, 'en', 'signin.passkey-add').click()
    const sheet = one.page.getByRole('dialog', { name: said('en', 'signin.prove-title') })
    await sheet.getByText(/sent a code to your phone ••••0002/).waitFor()
    await one.assertSound()
    await one.picture('prove-code-en-phone')
    const code = await newCode(world, RAVI.mobile, earlier)
    await sheet.locator('input[name=code]').fill(code)
    await sheet.getByRole('button', { name: said('en', 'signin.confirm') }).click()
    await one.page.getByText(said('en', 'signin.passkey-added')).waitFor()

    await button(one, 'en', 'signin.passkey-add').click()
    await sheet.getByText(said('en', 'signin.prove-passkey-text')).waitFor()
    await one.assertSound()
    await one.picture('prove-passkey-en-phone')
    await sheet.getByRole('button', { name: said('en', 'signin.prove-with-passkey') }).click()
    await one.page.getByText(said('en', 'signin.passkey-here-already')).waitFor()

    await button(one, 'en', 'signin.passkey-add').click()
    await sheet.waitFor()
    await one.page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    await one.close()
  })

  test('large letters and the language stay', async () => {
    const one = await visitor('en', 'phone', '/me/choices/account')
    await signInPatient(world, one, RAVI)
    await one.page.getByLabel(said('en', 'signin.large-type')).check()
    await one.open('/me/choices/account')
    assert.equal(await one.page.evaluate(() => document.documentElement.dataset['large']), '')
    await one.assertSound()
    await one.picture('large-type-en-phone', true)
    await one.close()
  })

  test('at an address without a name there is no talk of passkeys', async () => {
    const one = await visitor('en', 'phone')
    await one.page.goto(`${world.network.exchange.url}/me`)
    await heading(one, 'en', 'signin.title').waitFor()
    assert.equal(await button(one, 'en', 'signin.with-passkey').count(), 0)
    await one.close()
  })

  for (const [language, size] of JOURNEY_SCREENS)
    test(`closing the account: what it means, a proof, and how to come back, in ${language} on a ${size}`, async () => {
      const one = await visitor(language, size, '/me/choices/closing')
      await signInPatient(world, one, RAVI, { language })
      const close = button(one, language, 'choices.closing')
      await close.waitFor()
      await one.assertSound()
      await one.picture(`closing-${language}-${size}`)
      const earlier = await newestOf(world, RAVI.mobile)
      await close.click()
      await one.page.locator('input[name=code]').fill(await newCode(world, RAVI.mobile, earlier))
      await button(one, language, 'signin.confirm').click()
      await heading(one, language, 'choices.closing-done').waitFor()
      await one.assertSound()
      await one.picture(`closed-${language}-${size}`)
      // She is as unknown as a stranger: no code comes.
      const last = await newestOf(world, RAVI.mobile)
      await one.open('/me')
      await one.page.locator('input[name=username]').fill(RAVI.abhaAddress)
      await one.page.locator('button[type=submit]').click()
      await one.page.locator('input[name=code]').waitFor()
      assert.equal(await newestOf(world, RAVI.mobile), last)
      const wish = { wish: 'letter of 22 November' }
      await world.network.operator('sbx', `/v1/patients/${RAVI.abhaAddress}/reopen`, wish)
      await one.close()
    })

  test('who decides for a child reads that the child’s account is closed first', async () => {
    const one = await visitor('en', 'phone', '/me/choices/closing')
    await signInPatient(world, one, ASHA)
    await one.page.getByText('You decide for Tara Rao here.').waitFor()
    assert.equal(await button(one, 'en', 'choices.closing').count(), 0)
    await one.assertSound()
    await one.picture('closing-guardian-en-phone')
    await one.close()
  })
})
