import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { OidcWorld } from '../oidc-world.ts'
import { addStaff, codeOfStaff } from '../staff.ts'
import { waitFor } from '../wait.ts'
import { saidAtDesk } from './desk-words.ts'
import { JOURNEY_SCREENS, type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

const OURS = 'IN2710000011'

describe('ways back in, and single sign-on, at the desk', () => {
  let world: WebWorld
  let provider: OidcWorld
  before(async () => {
    provider = await OidcWorld.start({ redirectUris: [] })
    const oidc = { ...provider.settings, secondFactor: { amr: ['otp'] } }
    world = await WebWorld.start({ facilities: [OURS], signIn: { oidc } })
    provider.sendBackTo([`${world.originOf(OURS)}/desk/sso`])
  })
  after(async () => {
    await world.stop()
    await provider.stop()
  })

  const button = ({ page }: Visitor, name: string) => page.getByRole('button', { name, exact: true })
  const heading = ({ page }: Visitor, name: string) => page.getByRole('heading', { name, exact: true })
  /** The provider is elsewhere, as it should be: going there is no fault. */
  const forgive = (one: Visitor): void => {
    const others = one.faults.filter((fault) => !fault.startsWith(`a request to ${provider.issuer}`))
    one.faults.splice(0, one.faults.length, ...others)
  }
  type Person = Awaited<ReturnType<typeof addStaff>>
  const passwordOf = async (one: Visitor, { login, password }: Person): Promise<void> => {
    await one.page.locator('input[name=username]').fill(login)
    await one.page.locator('input[name=password]').fill(password)
    await one.page.locator('button[type=submit]').click()
  }
  const prove = async (one: Visitor, { login }: Person): Promise<void> => {
    const field = one.page.locator('dialog input[name=code]')
    // In a sandbox nobody has the phone of an invented person: her code is filled in, and then typed over.
    await waitFor('the code of an invented person', async () => /^\d{6}$/.test(await field.inputValue()))
    await field.fill(await codeOfStaff(world.network, OURS, login))
    await one.page.locator('dialog button[type=submit]').click()
  }

  type Words = (key: string, values?: Record<string, string>) => string
  /** A nurse of her own for each journey, signed in, at her account. */
  async function atAccount(name: string, language: JourneyLanguage, size: Size) {
    const t: Words = (key, values) => saidAtDesk(language, key, values)
    const nurse = await addStaff(world.network, OURS, 'nurse', `${name}.${language}.${size}`)
    const one = await world.visitor(OURS, { language, size })
    await one.open('/desk')
    await passwordOf(one, nurse)
    await heading(one, t('staff.code-title')).waitFor()
    await one.page.locator('input[name=code]').fill(await codeOfStaff(world.network, OURS, nurse.login))
    await one.page.locator('button[type=submit]').click()
    await one.page.locator('nav').waitFor()
    await one.open('/desk/account')
    return { t, nurse, one }
  }

  const recovery = (language: JourneyLanguage, size: Size) =>
    test(`recovery codes are made, and stand in for a lost phone, in ${language} on a ${size}`, async () => {
      const { t, nurse, one } = await atAccount('paper', language, size)
      await button(one, t('account.recovery-make')).click()
      await prove(one, nurse)
      await heading(one, t('account.recovery-new')).waitFor()
      const codes = await one.page.locator('ol code').allInnerTexts()
      assert.equal(new Set(codes).size, 10)
      await one.assertSound()
      await one.picture(`desk-recovery-codes-${language}-${size}`)
      await button(one, t('account.recovery-kept')).click()
      await button(one, t('staff.sign-out')).click()

      await passwordOf(one, nurse)
      await button(one, t('account.use-recovery')).click()
      await heading(one, t('account.recovery-title')).waitFor()
      await one.page.locator('input[name=recovery]').fill('AAAA-BBBB-CCCC')
      await one.page.locator('button[type=submit]').click()
      await one.page.getByText(t('account.wrong-recovery')).waitFor()
      await one.assertSound()
      await one.picture(`desk-recovery-code-${language}-${size}`)
      await one.page.locator('input[name=recovery]').fill((codes[0] ?? '').toLowerCase())
      await one.page.locator('button[type=submit]').click()
      await one.page.locator('nav').waitFor()
      await one.open('/desk/account')
      await one.page.getByText(t('account.how-password-recovery')).first().waitFor()
      await one.page.getByText(t('account.recovery-used-text')).waitFor()
      // A new phone: proved by another code from the paper.
      await button(one, t('account.authenticator-new')).click()
      await one.page
        .locator('dialog')
        .getByRole('button', { name: t('account.use-recovery') })
        .click()
      await one.page.locator('dialog input[name=recovery]').fill(codes[1] ?? '')
      await one.page.locator('dialog button[type=submit]').click()
      await one.page.locator('img[width="208"]').waitFor()
      await one.assertSound()
      await one.picture(`desk-new-phone-${language}-${size}`, true)
      await one.close()
    })

  const sso = (language: JourneyLanguage, size: Size) =>
    test(`single sign-on is linked and lets in, and nobody else, in ${language} on a ${size}`, async () => {
      const { t, nurse, one } = await atAccount('single', language, size)
      provider.person = { sub: nurse.id, preferred_username: nurse.login, amr: ['pwd', 'otp'] }
      await button(one, t('account.sso-link')).click()
      await prove(one, nurse)
      const [linked, trouble] = [button(one, t('account.sso-unlink')), one.page.getByRole('alert')]
      await linked.or(trouble).first().waitFor()
      // What went wrong is said, in place of waiting for what cannot come.
      assert.deepEqual(await trouble.allInnerTexts(), [], one.page.url())
      forgive(one)
      await one.assertSound()
      await one.picture(`desk-my-account-${language}-${size}`, true)
      await button(one, t('staff.sign-out')).click()

      await button(one, t('account.sso-with', { name: 'Tarangini login' })).waitFor()
      await one.assertSound()
      await one.picture(`desk-sso-${language}-${size}`)
      await button(one, t('account.sso-with', { name: 'Tarangini login' })).click()
      await one.page.locator('nav').waitFor()
      forgive(one)
      await one.open('/desk/account')
      await one.page.getByText(t('account.how-sso'), { exact: true }).first().waitFor()
      await one.assertSound()
      await button(one, t('staff.sign-out')).click()
      await button(one, t('account.sso-with', { name: 'Tarangini login' })).waitFor()

      provider.person = { sub: 'a stranger', preferred_username: nurse.login, amr: ['otp'] }
      await one.context.clearCookies()
      await button(one, t('account.sso-with', { name: 'Tarangini login' })).click()
      await one.page.getByText(t('account.sso-not-linked')).waitFor()
      forgive(one)
      await one.assertSound()
      await one.picture(`desk-sso-not-linked-${language}-${size}`)
      await one.close()
    })

  // Where minutes matter, each journey is walked once; together they meet both languages and both sizes.
  const [first, ...rest] = JOURNEY_SCREENS
  assert.ok(first && rest[0])
  const walksAll = JOURNEY_SCREENS.length > 2
  for (const [language, size] of walksAll ? JOURNEY_SCREENS : [first]) void recovery(language, size)
  for (const [language, size] of walksAll ? JOURNEY_SCREENS : rest) void sso(language, size)
})
