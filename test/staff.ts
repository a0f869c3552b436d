import assert from 'node:assert/strict'
import { STAFF_ROLES, type StaffRole } from '../src/kernel/staff-role.ts'
import { codeOfSecret } from '../src/people/authenticator.ts'
import { listAt, textAt } from './json-path.ts'
import { callJson, type TestNetwork } from './network.ts'

export type StaffLogin = {
  readonly id: string
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  readonly password: string
}
/** What a browser of hers sends with each call. */
export type StaffHeaders = { readonly cookie: string; readonly origin: string; readonly 'X-CSRF': string }

const NAMES: Readonly<Record<StaffRole, string>> = {
  'front-desk': 'Sunita Pawar',
  doctor: 'Dr. Meera Nair',
  nurse: 'Anjali Thomas',
  lab: 'Imran Qureshi',
  pharmacy: 'Lata Joshi',
  billing: 'Harish Shetty',
  'records-officer': 'Kavita Deshmukh',
  dpo: 'Farida Engineer',
  administrator: 'Prakash Kulkarni',
}

/** An invented person of the staff of a facility of the network; known already, the same one. */
export async function addStaff(
  network: TestNetwork,
  facility: string,
  role: StaffRole,
  login = `test.${role}`,
): Promise<StaffLogin> {
  const name = NAMES[role]
  const { status, body } = await network.operator(facility, '/v1/sandbox/staff', { login, name, role })
  assert.equal(status, 200, JSON.stringify(body))
  const listed = await network.operator(facility, `/v1/staff?search=${encodeURIComponent(login)}`)
  const everybody = listAt(listed.body, 'staff')
  const found = everybody.find((one) => textAt(one, 'login') === login)
  return { id: textAt(found, 'id'), login, name, role, password: textAt(body, 'password') }
}

/** A code that is good now: the last one used is forgotten, so that no test waits for the next half minute. */
export async function codeOfStaff(network: TestNetwork, facility: string, login: string): Promise<string> {
  const { running } = network.party(facility)
  await running.machine.db.updateTable('staff').set({ code_step_used: 0 }).where('login', '=', login).execute()
  const shown = listAt({ body: (await network.operator(facility, '/v1/sandbox/staff')).body }, 'body')
  return textAt(
    shown.find((one) => textAt(one, 'login') === login),
    'code',
  )
}

/** A code that an authenticator app with this secret shows neither now nor a minute before or after. */
export function wrongCodeOf(secret: string): string {
  const near = [-60, -30, 0, 30, 60].map((seconds) => codeOfSecret(secret, new Date(Date.now() + seconds * 1_000)))
  return near.includes('000000') ? '111111' : '000000'
}

/** Signs a person of the staff in, by password and code. */
export async function signInStaff(
  network: TestNetwork,
  facility: string,
  { login, password }: Pick<StaffLogin, 'login' | 'password'>,
): Promise<StaffHeaders> {
  const { url } = network.party(facility)
  const begun = await callJson(`${url}/v1/desk/sign-in`, {}, { login, password })
  assert.equal(begun.status, 200, JSON.stringify(begun.body))
  const code = await codeOfStaff(network, facility, login)
  const signedIn = await callJson(`${url}/v1/desk/sign-in/code`, {}, { ticket: textAt(begun.body, 'ticket'), code })
  assert.equal(signedIn.status, 200, JSON.stringify(signedIn.body))
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
  return { cookie, origin: new URL(url).origin, 'X-CSRF': textAt(signedIn.body, 'csrf') }
}

/** Fewer than a party lets sign in at once (`LIMITS.passwordsAtOnceMax`). */
const AT_ONCE = 3

/** Somebody of each role, signed in. */
export async function everyRole(
  network: TestNetwork,
  facility: string,
): Promise<readonly { readonly role: StaffRole; readonly headers: StaffHeaders }[]> {
  const all: { role: StaffRole; headers: StaffHeaders }[] = []
  for (let from = 0; from < STAFF_ROLES.length; from += AT_ONCE)
    all.push(
      ...(await Promise.all(
        STAFF_ROLES.slice(from, from + AT_ONCE).map(async (role) => ({
          role,
          headers: await signInStaff(network, facility, await addStaff(network, facility, role)),
        })),
      )),
    )
  return all
}
