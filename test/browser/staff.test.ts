import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { transact } from '../../src/db/tx.ts'
import type { FacilityId, Id } from '../../src/kernel/id.ts'
import { must } from '../../src/kernel/refusal.ts'
import { tieAll } from '../../src/keys/tie-existing.ts'
import { codeOfSecret } from '../../src/people/authenticator.ts'
import { inviteStaff } from '../../src/people/staff-commands.ts'
import { codeForSandbox } from '../../src/people/staff-sign-in.ts'
import { listAt, textAt } from '../json-path.ts'
import { addStaff, codeOfStaff, wrongCodeOf } from '../staff.ts'
import { letStaffIn } from './desk-door.ts'
import { saidAtDesk } from './desk-words.ts'
import { JOURNEY_SCREENS, type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

const OURS = 'IN2710000011'
const PASSWORD = 'seven mangoes on the roof'

describe('staff at the desk', () => {
  let world: WebWorld
  let count = 0
  before(async () => {
    world = await WebWorld.start({ facilities: [OURS] })
  })
  after(() => world.stop())

  /** The path of a fresh invitation. */
  async function invite(
    role: string,
  ): Promise<{ readonly path: string; readonly login: string; readonly name: string }> {
    count += 1
    const login = `invited.${count}`
    const name = 'Prakash Kulkarni'
    const { status, body } = await world.network.operator(OURS, '/v1/staff', { login, name, role })
    assert.equal(status, 201, JSON.stringify(body))
    return { path: new URL(textAt(body, 'link')).pathname, login, name }
  }
  const button = ({ page }: Visitor, name: string) => page.getByRole('button', { name, exact: true })
  const heading = ({ page }: Visitor, name: string) => page.getByRole('heading', { name, exact: true })
  /** A computer with fingerprint, in software (WebAuthn virtual authenticator of the DevTools protocol). */
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
  /** A code is good once; a test does not wait for the next half minute. */
  const forgetCode = (login: string) =>
    world.network
      .party(OURS)
      .running.machine.db.updateTable('staff')
      .set({ code_step_used: 0 })
      .where('login', '=', login)
      .execute()

  /** Joins as the invited person, by password and app; answers the app's secret. */
  async function join(one: Visitor, language: JourneyLanguage, path: string): Promise<string> {
    const t = (key: string, values?: Record<string, string>) => saidAtDesk(language, key, values)
    await one.open(path)
    await heading(one, t('staff.join-check')).waitFor()
    await one.assertSound()
    await button(one, t('staff.join-yes')).click()
    await heading(one, t('staff.join-how')).waitFor()
    await one.assertSound()
    await button(one, t('staff.join-by-password')).click()
    await heading(one, t('staff.join-password-title')).waitFor()
    await one.page.locator('input[name=new-password]').fill('prakash kulkarni')
    await one.page.locator('button[type=submit]').click()
    await one.page.getByText(t('staff.password-own-name')).waitFor()
    await one.assertSound()
    await one.page.locator('input[name=new-password]').fill('Sunshine-2026')
    await one.page.locator('button[type=submit]').click()
    await one.page.getByText(t('staff.password-known')).waitFor()
    await one.assertSound()
    await one.page.locator('input[name=new-password]').fill(PASSWORD)
    await one.page.locator('button[type=submit]').click()
    await heading(one, t('staff.join-app-title')).waitFor()
    const key = await one.page.locator('code').innerText()
    const secret = key.replaceAll(/\s/g, '')
    await one.page.locator('input[name=code]').fill(wrongCodeOf(secret))
    await one.page.locator('button[type=submit]').click()
    await one.page.getByText(t('staff.wrong-code')).waitFor()
    await one.assertSound()
    await one.page.locator('input[name=code]').fill(codeOfSecret(secret, new Date()))
    await one.page.locator('button[type=submit]').click()
    await one.page.locator('nav').waitFor()
    return secret
  }

  for (const [language, size] of JOURNEY_SCREENS)
    test(`an invited administrator joins, adds a passkey and invites, in ${language} on a ${size}`, async () => {
      const t = (key: string, values?: Record<string, string>) => saidAtDesk(language, key, values)
      const { path, login, name } = await invite('administrator')
      const one = await world.visitor(OURS, { language, size })
      await withAuthenticator(one)
      const secret = await join(one, language, path)
      await one.open('/desk/account')
      await heading(one, t('staff.account')).waitFor()
      await one.assertSound()
      await button(one, t('staff.passkey-add')).click()
      await heading(one, t('staff.prove-title')).waitFor()
      await one.assertSound()
      await forgetCode(login)
      await one.page.locator('dialog input[name=code]').fill(codeOfSecret(secret, new Date()))
      await one.page.locator('dialog button[type=submit]').click()
      await one.page.getByText(t('staff.passkey-added')).waitFor()
      await one.assertSound()
      await one.picture(`desk-account-${language}-${size}`, true)
      await button(one, t('staff.sign-out')).click()

      await button(one, t('staff.with-passkey')).click()
      await one.page.locator('nav').waitFor()
      await one.open('/desk/staff')
      await one.page.getByRole('cell', { name: login }).waitFor()
      await one.assertSound()
      await one.picture(`desk-staff-${language}-${size}`)
      await button(one, t('staff.invite')).click()
      await one.page.locator('dialog button[type=submit]').click()
      await one.page.getByText(t('staff.name-missing')).waitFor()
      await one.page.getByLabel(t('staff.name'), { exact: true }).fill('Meera Nair')
      await one.page.locator('dialog').getByLabel(t('staff.login'), { exact: true }).fill(`meera.${login}`)
      await one.page.getByLabel(t('staff.role'), { exact: true }).selectOption('doctor')
      await one.assertSound()
      await one.page.locator('dialog button[type=submit]').click()
      await button(one, t('staff.prove-with-passkey')).click()
      const link = await one.page.locator('dialog code').innerText()
      assert.match(link, /\/desk\/join\/[\w-]{32}$/)
      await one.assertSound()
      await one.picture(`desk-invited-${language}-${size}`)
      await button(one, t('staff.done')).click()
      await one.page.getByRole('cell', { name: 'Meera Nair' }).first().waitFor()
      // One's own account, if it is the last of its kind, stays.
      await keepOneAdministrator(login)
      await button(one, t('staff.change-person', { name })).last().click()
      await button(one, t('staff.suspend')).click()
      await one.assertSound()
      await button(one, t('staff.suspend-now')).click()
      await button(one, t('staff.prove-with-passkey')).click()
      await one.page.getByText(t('staff.last-administrator')).waitFor()
      await one.assertSound()
      await one.close()
    })

  for (const [language, size] of JOURNEY_SCREENS)
    test(`a doctor whom an administrator invited opens nothing until the officer confirms her, in ${language} on a ${size}`, async () => {
      const t = (key: string, values?: Record<string, string>) => saidAtDesk(language, key, values)
      const { machine } = world.network.party(OURS).running
      const name = 'Prakash Kulkarni'
      const login = `ghosh.${language}.${size}`
      const administrator = await addStaff(world.network, OURS, 'administrator')
      const officer = await addStaff(world.network, OURS, 'dpo')
      const person = { name: administrator.name, role: 'administrator', staff: administrator.id as Id<'staff'> }
      const actor = { kind: 'facility', id: OURS as FacilityId, person } as const
      const made = await transact(machine, (tx) => inviteStaff(tx, { login, name, role: 'doctor', actor }))
      const doctor = await world.visitor(OURS, { language, size })
      await join(doctor, language, `/desk/join/${must(made).code}`)
      await doctor.open('/desk')
      await heading(doctor, t('staff.unconfirmed')).waitFor()
      await doctor.page.getByText(officer.name).waitFor()
      await doctor.assertSound()
      await doctor.picture(`desk-unconfirmed-${language}-${size}`)

      const office = await world.visitor(OURS, { language, size })
      const caller = { ...officer, kind: 'staff', id: officer.id as Id<'staff'>, session: officer.id as never } as const
      await letStaffIn(world, OURS, caller, office)
      await office.open('/desk/staff')
      await heading(office, t('staff.confirm-title')).waitFor()
      await office.assertSound()
      await office.picture(`desk-confirm-${language}-${size}`)
      await button(office, t('staff.confirm-person', { name })).click()
      await office.assertSound()
      await button(office, t('staff.confirm-now')).click()
      await office.page.locator('input[name=code]').waitFor()
      await office.page.locator('input[name=code]').fill(await codeOfStaff(world.network, OURS, officer.login))
      await office.page.keyboard.press('Enter')
      await heading(office, t('staff.confirm-title')).waitFor({ state: 'detached' })
      await office.close()
      await doctor.open('/desk/patients')
      await doctor.page.locator('input[type=search]').first().waitFor()
      await doctor.close()
    })

  /** Everybody else of that work is a nurse from now on. */
  async function keepOneAdministrator(login: string): Promise<void> {
    // At once: a page that asks between would meet rows that nobody tied.
    const { db } = world.network.party(OURS).running.machine
    await db.transaction().execute(async (trx) => {
      const nurse = { role: 'nurse', name: 'Anjali Thomas', tie: '' }
      await trx.updateTable('staff').set(nurse).where('login', '<>', login).execute()
      await tieAll(trx)
    })
  }

  for (const [language, size] of JOURNEY_SCREENS)
    test(`signing in by password and code as an invented person, in ${language} on a ${size}`, async () => {
      const t = (key: string, values?: Record<string, string>) => saidAtDesk(language, key, values)
      const doctor = await addStaff(world.network, OURS, 'doctor', `doctor.${language}.${size}`)
      const one = await world.visitor(OURS, { language, size })
      await one.open('/desk')
      await heading(one, t('staff.sample-title')).waitFor()
      await one.assertSound()
      await one.picture(`desk-sign-in-${language}-${size}`)
      await one.page.locator('button[type=submit]').click()
      await one.page.getByText(t('staff.login-missing')).waitFor()
      await one.page.locator('input[name=username]').fill('nobody.here')
      await one.page.locator('input[name=password]').fill('not the password')
      await one.page.locator('button[type=submit]').click()
      await one.page.getByText(t('staff.bad-credentials')).waitFor()
      await one.assertSound()
      await codeOfStaff(world.network, OURS, doctor.login)
      await one.page.getByRole('button', { name: doctor.name }).last().click()
      await one.page.locator('button[type=submit]').click()
      await heading(one, t('staff.code-title')).waitFor()
      await one.page.waitForFunction(
        () => document.querySelector<HTMLInputElement>('input[name=code]')?.value.length === 6,
      )
      await one.assertSound()
      await one.picture(`desk-code-${language}-${size}`)
      await one.page.locator('button[type=submit]').click()
      await one.page.locator('nav').waitFor()
      assert.equal(await one.page.locator('nav a[href="/desk/staff"]').count(), 0)
      assert.equal(await one.page.locator('nav a[href="/desk/patients"]').count(), 1)
      await one.close()
    })

  test('by keyboard alone', async () => {
    const nurse = await addStaff(world.network, OURS, 'nurse', 'nurse.keyboard')
    const one = await world.visitor(OURS, { size: 'desktop' })
    await one.open('/desk')
    const reach = async (selector: string): Promise<void> => {
      for (let tabs = 0; tabs < 60; tabs++) {
        await one.page.keyboard.press('Tab')
        if (await one.page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return
      }
      assert.fail(`the keyboard does not reach ${selector}`)
    }
    await reach('input[name=username]')
    await one.page.keyboard.type(nurse.login)
    await reach('input[name=password]')
    await one.page.keyboard.type(nurse.password)
    await one.page.keyboard.press('Enter')
    await heading(one, saidAtDesk('en', 'staff.code-title')).waitFor()
    await reach('input[name=code]')
    await one.page.keyboard.type(await codeOfStaff(world.network, OURS, nurse.login))
    await one.page.keyboard.press('Enter')
    await one.page.locator('nav a[href="/desk/patients"]').waitFor()
    await reach('a[href="/desk/account"]')
    await one.page.keyboard.press('Enter')
    await heading(one, saidAtDesk('en', 'staff.account')).waitFor()
    await reach('h1 ~ button, header button[type=button]')
    await one.assertSound()
    await one.close()
  })

  test('who is suspended while at work finds herself at the door, and the door says why', async () => {
    const t = (key: string) => saidAtDesk('en', key)
    const lab = await addStaff(world.network, OURS, 'lab', 'lab.suspended')
    const one = await world.visitor(OURS, { size: 'desktop' })
    const signIn = async (): Promise<void> => {
      await one.page.locator('input[name=username]').fill(lab.login)
      await one.page.locator('input[name=password]').fill(lab.password)
      await one.page.locator('button[type=submit]').click()
    }
    await one.open('/desk')
    await signIn()
    await heading(one, t('staff.code-title')).waitFor()
    await one.page.locator('input[name=code]').fill(await codeOfStaff(world.network, OURS, lab.login))
    await one.page.locator('button[type=submit]').click()
    await one.page.locator('nav').waitFor()
    const { machine } = world.network.party(OURS).running
    await machine.db.transaction().execute(async (trx) => {
      const suspended = { status: 'suspended', tie: '' }
      await trx.updateTable('staff').set(suspended).where('login', '=', lab.login).execute()
      await tieAll(trx)
    })
    await one.page.getByText(t('staff.signed-out'), { exact: true }).waitFor()
    await one.assertSound()
    await signIn()
    await heading(one, t('staff.code-title')).waitFor()
    // Who proves both, and only then, hears it.
    await forgetCode(lab.login)
    const shown = await transact(machine, (tx) => codeForSandbox(tx, lab.login))
    await one.page.locator('input[name=code]').fill(shown?.code ?? '')
    await one.page.locator('button[type=submit]').click()
    await one.page.getByText(t('staff.suspended')).waitFor()
    await one.assertSound()
    await one.close()
  })

  test('an invitation that was used says what to do, and a passkey is enough to join', async () => {
    const t = (key: string) => saidAtDesk('en', key)
    const { path, login } = await invite('dpo')
    const one = await world.visitor(OURS, { size: 'desktop' })
    await withAuthenticator(one)
    await one.open(path)
    await button(one, t('staff.join-yes')).click()
    await button(one, t('staff.join-by-passkey')).click()
    await one.page.locator('nav').waitFor()
    await one.open('/desk/account')
    await one.page.getByRole('heading', { name: t('staff.passkeys'), exact: true }).waitFor()
    assert.equal(await heading(one, t('staff.change-password')).count(), 0)
    await button(one, t('staff.passkey-remove')).click()
    await button(one, t('staff.passkey-remove-now')).click()
    await one.page.getByText(t('staff.passkey-last')).waitFor()
    await one.close()
    const staff = listAt((await world.network.operator(OURS, `/v1/staff?search=${login}`)).body, 'staff')
    assert.equal(
      textAt(
        staff.find((each) => textAt(each, 'login') === login),
        'status',
      ),
      'active',
    )

    const other = await world.visitor(OURS, { size: 'phone' as Size })
    await other.open(path)
    await heading(other, t('staff.join-over')).waitFor()
    await other.assertSound()
    await other.close()
  })
})
