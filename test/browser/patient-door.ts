import fs from 'node:fs'
import path from 'node:path'
import { transact } from '../../src/db/tx.ts'
import type { AbhaAddress } from '../../src/kernel/id.ts'
import { openPatientSession } from '../../src/people/sign-in-commands.ts'
import { waitFor } from '../wait.ts'
import type { Visitor, WebWorld } from './web-world.ts'

const WORDS = path.join(import.meta.dirname, '..', '..', 'web', 'patient', 'words')

/** What the patient app says under a key in a language, as the page shows it without values. */
export function said(language: string, key: string): string {
  const file = path.join(WORDS, language, `${key.split('.')[0]}.json`)
  const words = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, string>) : {}
  return words[key] ?? key
}

/** The code in the newest text message to a mobile that comes after `before`. */
export async function newCode(world: WebWorld, mobile: string, before: string | undefined): Promise<string> {
  const text = await waitFor(`a text message to ${mobile}`, async () => {
    const newest = await newestOf(world, mobile)
    return newest !== before && newest !== undefined && /\b\d{6}\b/.test(newest) ? newest : undefined
  })
  return /\b\d{6}\b/.exec(text)?.[0] ?? ''
}

/** The newest text message with a code to a mobile, if there is one: that somebody asks is told by text messages, too. */
export async function newestOf(world: WebWorld, mobile: string): Promise<string | undefined> {
  const { body } = await world.network.operator('sbx', `/v1/sandbox/text-messages?mobile=${mobile}`)
  return (body as readonly { readonly text: string }[]).find(({ text }) => /\b\d{6}\b/.test(text))?.text
}

/**
 * Signs in at the door that the visitor stands before, by a code; `offer` is the key of the answer where the device can keep a passkey. Ends on
 * the page that was opened.
 */
export async function signInPatient(
  world: WebWorld,
  { page }: Pick<Visitor, 'page'>,
  person: { readonly abhaAddress: string; readonly mobile: string },
  options: { readonly language?: string; readonly offer?: string } = {},
): Promise<void> {
  const before = await newestOf(world, person.mobile)
  await page.locator('input[name=username]').fill(person.abhaAddress)
  await page.locator('button[type=submit]').click()
  await page.locator('input[name=code]').fill(await newCode(world, person.mobile, before))
  await page.locator('button[type=submit]').click()
  await page.locator('nav a[href="/me/choices"]').waitFor()
  if (options.offer !== undefined)
    await page.getByRole('button', { name: said(options.language ?? 'en', options.offer) }).click()
}

/** Signs a patient in without the door: for journeys that begin behind it. */
export async function letPatientIn(world: WebWorld, abhaAddress: string, { context }: Visitor): Promise<void> {
  const { machine } = world.network.exchange.running
  const origin = world.originOf('sbx')
  const web = { party: 'sbx', origins: [origin] }
  const input = { person: abhaAddress as AbhaAddress, how: 'otp', userAgent: undefined } as const
  const { cookie } = await transact(machine, (tx) => openPatientSession(tx, web, input))
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
  await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }])
}
