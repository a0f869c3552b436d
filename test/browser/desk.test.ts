import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { SAMPLE_INPUTS } from '../../src/fhir/build/sample-inputs.ts'
import type { StaffRole } from '../../src/kernel/staff-role.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { listAt, textAt } from '../json-path.ts'
import { type Person } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { addStaff, type StaffLogin, signInStaff } from '../staff.ts'
import { waitFor } from '../wait.ts'
import { type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

const OURS = 'IN2710000011'
const OTHER = 'IN2910000022'
const WORDS = path.join(import.meta.dirname, '..', '..', 'web')
const GENDERS = { M: 'male', F: 'female', O: 'other' } as const

/** What the desk says under a key, values in their places. */
function said(language: string, key: string, values: Readonly<Record<string, string>> = {}): string {
  for (const file of fs.globSync([`desk/words/${language}/*.json`, `ui/words/${language}/*.json`], { cwd: WORDS })) {
    const words = JSON.parse(fs.readFileSync(path.join(WORDS, file), 'utf8')) as Record<string, string>
    const text = words[key]
    // Values in right-to-left text stand in isolates.
    const value = (name: string): string => (language === 'ur' ? `\u2068${values[name]}\u2069` : (values[name] ?? ''))
    if (text !== undefined) return text.replace(/\{(\w+)\}/g, (_, name: string) => value(name))
  }
  return key
}

const person = (n: number, name: string): Person => ({
  abhaAddress: `${name.toLowerCase().replace(' ', '.')}@sbx`,
  abhaNumber: `9100000000000${n}`,
  name,
  gender: 'F',
  birthDate: '1984-03-12',
  mobile: `900000000${n}`,
})

describe('a day at the desk', () => {
  let world: WebWorld
  const staff = {} as Record<StaffRole, StaffLogin>
  let archivist: StaffLogin
  before(async () => {
    world = await WebWorld.start({ facilities: [OURS, OTHER] })
    for (const role of ['front-desk', 'doctor', 'nurse', 'dpo'] as const)
      staff[role] = await addStaff(world.network, OURS, role)
    archivist = await addStaff(world.network, OTHER, 'records-officer')
  })
  after(() => world.stop())

  /** Somebody of the staff, signed in, at a page of the desk. */
  async function at(
    facility: string,
    who: StaffLogin,
    language: JourneyLanguage,
    size: Size,
    page: string,
  ): Promise<Visitor> {
    const { cookie } = await signInStaff(world.network, facility, who)
    const visitor = await world.visitor(facility, { language, size })
    const [name = '', value = ''] = cookie.split('=')
    await visitor.context.addCookies([
      { name, value, domain: 'localhost', path: '/', httpOnly: true, sameSite: 'Strict' },
    ])
    await visitor.open(`/desk${page}`)
    return visitor
  }

  /** A patient of the other hospital, with a prescription and an invoice that she finds in her app. */
  async function treatedElsewhere(who: Person): Promise<PatientApp> {
    await world.network.enrol(who)
    const other = new FacilityDesk(world.network, OTHER)
    const reference = `OTHER-${who.mobile.slice(-1)}`
    await other.addPatient(reference, who)
    for (const input of SAMPLE_INPUTS.filter(({ hiType }) => hiType === 'Prescription' || hiType === 'Invoice')) {
      const { name, birthDate, gender, abhaAddress } = who
      const patient = { mrn: reference, name, birthDate, gender: GENDERS[gender], abhaAddress }
      await other.call(`/v1/patients/${reference}/records`, { input: { ...input, patient } })
    }
    await other.link(reference, 2)
    return PatientApp.open(world.network, who.abhaAddress)
  }

  /** The patient scans the code of a counter at our hospital. */
  async function share(app: PatientApp, who: Person): Promise<void> {
    const [yearOfBirth, monthOfBirth, dayOfBirth] = who.birthDate.split('-').map(Number)
    const patient = { ...who, yearOfBirth, monthOfBirth, dayOfBirth }
    const body = { intent: 'PROFILE_SHARE', metaData: { hipId: OURS, context: '1' }, profile: { patient } }
    const answer = await app.call('/api/hiecm/patient-share/v3/share', body)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
  }

  const journeys = [
    ['en', 'desktop', person(1, 'Asha Rao')],
    ['ur', 'phone', person(2, 'Zainab Mir')],
  ] as const
  for (const [language, size, patient] of journeys) {
    test(`from the counter to records of others, ${language} on a ${size}`, async () => {
      const say = (key: string, values?: Record<string, string>) => said(language, key, values)
      const app = await treatedElsewhere(patient)
      const front = await at(OURS, staff['front-desk'], language, size, '')
      await front.page.getByText(say('counter.empty'), { exact: true }).waitFor()
      await share(app, patient)
      await front.page.getByRole('button', { name: patient.name }).waitFor()
      await front.assertSound()
      await front.picture(`desk-counter-${language}-${size}`)

      // Registered with one tap, and a visit begins with the doctor who attends.
      await front.page.getByRole('button', { name: say('counter.take') }).click()
      await front.page.getByRole('heading', { level: 1, name: patient.name }).waitFor()
      await front.page.getByRole('button', { name: say('visit.start') }).click()
      await front.page.getByRole('checkbox', { name: staff.doctor.name }).check()
      await front.assertSound()
      await front.page
        .getByRole('dialog')
        .getByRole('button', { name: say('visit.start') })
        .click()
      await front.page.getByRole('button', { name: say('visit.end') }).waitFor()
      await front.assertSound()

      // The doctor finds her on her own list and asks from a template, by keyboard alone.
      const doctor = await at(OURS, staff.doctor, language, size, '')
      await doctor.page.getByRole('link', { name: patient.name }).press('Enter')
      await doctor.page.getByRole('heading', { level: 1, name: patient.name }).waitFor()
      await doctor.assertSound()
      await doctor.page.getByRole('button', { name: say('consents.ask') }).press('Enter')
      const dialog = doctor.page.getByRole('dialog')
      await dialog.getByRole('radio', { name: say('template.first-consultation') }).press('Space')
      await dialog.getByRole('button', { name: say('ask.next') }).press('Enter')
      await dialog.getByText(say('ask.check', { name: patient.name })).waitFor()
      await doctor.assertSound()
      await doctor.picture(`desk-ask-${language}-${size}`)
      await dialog.getByRole('button', { name: say('ask.do', { name: patient.name }) }).press('Enter')
      await doctor.page
        .getByText(say('consents.state-requested', { name: patient.name }))
        .first()
        .waitFor()
      await doctor.assertSound()

      // The patient allows less, in her app: the page of the doctor follows by itself.
      const request = await newestRequest(app)
      await app.grant(request, OTHER, { hiTypes: ['Prescription'] })
      await doctor.page.getByText(say('consents.state-granted-less')).first().waitFor()
      await doctor.page
        .getByText(say('consents.step-data-of_one', { came: number(language, 1), n: number(language, 1) }))
        .waitFor()
      await doctor.assertSound()
      await doctor.picture(`desk-patient-${language}-${size}`, size === 'phone')
      await doctor.page.getByRole('link', { name: say('consents.see') }).click()
      await doctor.page.getByRole('heading', { level: 2, name: say('consents.changes') }).waitFor()
      await doctor.assertSound()
      await doctor.picture(`desk-consent-${language}-${size}`, size === 'phone')

      // The other hospital sees what it gave, and what it did not.
      const giver = await at(OTHER, archivist, language, size, '/provider')
      await giver.page.getByText(patient.name).first().waitFor()
      await giver.page.getByText(say('provider.held-back')).first().click()
      await giver.assertSound()
      await giver.picture(`desk-provider-${language}-${size}`)
      for (const visitor of [front, doctor, giver]) await visitor.close()
    })
  }

  async function newestRequest(app: PatientApp): Promise<string> {
    return waitFor('the request in the app', async () => {
      const { body } = await app.call('/api/hiecm/consent/v3/request?limit=20')
      const requests = listAt(body, 'requests')
      return requests.length > 0 && textAt(requests[0], 'id')
    })
  }

  test('registered by hand with the keyboard, found by name, a visit begun and ended; the code of a counter', async () => {
    const front = await at(OURS, staff['front-desk'], 'en', 'phone', '/patients')
    const { page } = front
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: said('en', 'patients.register') }).press('Enter')
    await dialog.getByRole('button', { name: said('en', 'patients.register-do') }).press('Enter')
    await dialog.getByText(said('en', 'patients.fault-name')).waitFor()
    await dialog.getByLabel(said('en', 'patients.name')).fill('Kamala Devi')
    await dialog.getByLabel(said('en', 'patients.birth-date')).fill('1950-02-28')
    await dialog.getByLabel(said('en', 'patients.mobile')).fill('12')
    await dialog.getByRole('button', { name: said('en', 'patients.register-do') }).press('Enter')
    await dialog.getByText(said('en', 'patients.fault-mobile')).waitFor()
    await front.assertSound()
    await front.picture('desk-register-en-phone')
    await dialog.getByLabel(said('en', 'patients.mobile')).fill('9000000077')
    await dialog.getByRole('button', { name: said('en', 'patients.register-do') }).press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Kamala Devi' }).waitFor()

    await front.open('/desk/patients')
    await page.getByRole('searchbox').fill('ka')
    await page.getByRole('searchbox').press('Enter')
    await page.getByText(said('en', 'patients.too-short')).waitFor()
    await page.getByRole('searchbox').fill('dev kama')
    await page.getByRole('searchbox').press('Enter')
    await page.getByRole('link', { name: 'Kamala Devi' }).press('Enter')
    await page.getByRole('button', { name: said('en', 'visit.start') }).press('Enter')
    await dialog.getByRole('checkbox', { name: said('en', 'visit.unit-name-lab') }).press('Space')
    await dialog.getByRole('button', { name: said('en', 'visit.start') }).press('Enter')
    await page.getByRole('button', { name: said('en', 'visit.end') }).press('Enter')
    await dialog.getByText(said('en', 'visit.end-say', { name: 'Kamala Devi' })).waitFor()
    await front.assertSound()
    await dialog.getByRole('button', { name: said('en', 'visit.end') }).press('Enter')
    await page.getByText(said('en', 'visit.none'), { exact: true }).waitFor()

    await front.open('/desk')
    await page.getByRole('button', { name: said('en', 'counter.code') }).press('Enter')
    const code = dialog.getByRole('img', { name: said('en', 'counter.code-alt', { counter: '1' }) })
    await code.waitFor()
    assert.ok(await code.evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth > 0)))
    await front.assertSound()
    await front.picture('desk-code-sheet-en-phone')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await front.close()
  })

  test('every screen is sound in both languages and sizes', async () => {
    const PAGES: readonly (readonly [StaffRole, readonly string[]])[] = [
      ['front-desk', ['', '/patients', '/consents']],
      ['doctor', ['', '/patients', '/consents', '/consents/live', '/consents/ended']],
      ['dpo', ['', '/provider', '/provider/consents', '/provider/erasures', '/consents']],
    ]
    // The other two of the four are walked above.
    for (const [language, size] of [
      ['en', 'phone'],
      ['ur', 'desktop'],
    ] as const)
      for (const [role, pages] of PAGES) {
        const visitor = await at(OURS, staff[role], language, size, '')
        for (const page of pages) {
          await visitor.open(`/desk${page}`)
          await visitor.page.waitForFunction(() => document.querySelector('[class*=waiting]') === null)
          await visitor.assertSound()
        }
        await visitor.close()
      }
  })
})

const number = (language: string, value: number): string => new Intl.NumberFormat(`${language}-IN`).format(value)
