import { createHash } from 'node:crypto'
import { transact } from '../../src/db/tx.ts'
import type { Route } from '../../src/http/route.ts'
import type { StaffRole } from '../../src/kernel/staff-role.ts'
import { tieAll } from '../../src/keys/tie-existing.ts'
import { mayDo } from '../../src/people/rules.ts'
import { insertStepUp } from '../../src/people/step-up-store.ts'
import { textAt } from '../json-path.ts'
import { callJson, partyName, type TestNetwork } from '../network.ts'
import type { Seeded } from '../seeded.ts'
import { addStaff, signInStaff } from '../staff.ts'
import { type Headers, partnerProofs } from './partner-proofs.ts'
import { abdmHeaders, HOSPITAL, type World } from './world.ts'

/** What proves, for one call of a route, that somebody calls who may. */
export type Callers = (route: Route, path: string, random: Seeded) => Promise<Headers>

/** Between them they may do everything that staff may do. */
const ROLES = ['doctor', 'pharmacy', 'records-officer', 'dpo', 'administrator'] as const satisfies readonly StaffRole[]
/** A proof anew that the next call finds, whatever it is for. */
export const STEP_UP = '6a1f0c1e-5b1d-4f0a-8a35-0d6f5d0a7c01'

type Person = { readonly role: StaffRole; readonly id: string; readonly session: string; readonly headers: Headers }

/** Callers of every kind at a party; partners' software and bridges speak for `facilities`. */
export async function callersAt(world: World, party: string, facilities: readonly string[]): Promise<Callers> {
  const partner = await partnerProofs(world.network, party, facilities)
  const { proofs } = party === 'sbx' ? world.exchange : world.hospital
  const bridges = party === 'sbx' ? [proofs.bridge ?? {}, await bridgeOf(world.network, facilities.at(-1) ?? '')] : []
  const staff = party === HOSPITAL ? await staffOf(world.network) : []
  return async (route, path, random) => {
    if (route.auth === 'partner') return partner({ method: route.method, path }, random)
    if (route.auth === 'bridge') return random.pick(bridges)
    if (route.auth === 'staff') {
      const fitting = staff.filter(({ role }) => route.act === undefined || mayDo(role, route.act))
      const person = random.pick(fitting.length > 0 ? fitting : staff)
      if (route.stepUp !== undefined) await proveAnew(world.network, person, route, path)
      return { ...person.headers, ...(route.stepUp === undefined ? {} : { 'x-step-up': STEP_UP }) }
    }
    return proofs[route.auth] ?? {}
  }
}

/** The bridge of a facility that is registered: it gets a new secret, as an operator gives it, and logs in. */
async function bridgeOf(network: TestNetwork, facility: string): Promise<Headers> {
  const input = {
    id: facility,
    name: partyName('Facility', facility),
    url: 'http://127.0.0.1:9',
    roles: ['hip', 'hiu'],
  }
  const { body } = await network.operator('sbx', '/v1/bridges', input)
  const login = { clientId: textAt(body, 'clientId'), clientSecret: textAt(body, 'clientSecret') }
  const asked = { ...login, grantType: 'client_credentials' }
  const session = await callJson(`${network.exchange.url}/api/hiecm/gateway/v3/sessions`, abdmHeaders(), asked)
  const authorization = `Bearer ${textAt(session.body, 'accessToken')}`
  return { authorization, 'X-HIP-ID': facility, 'X-HIU-ID': facility }
}

async function staffOf(network: TestNetwork): Promise<readonly Person[]> {
  const { db } = network.party(HOSPITAL).running.machine
  const people: Person[] = []
  for (const role of ROLES) {
    const { id, login, password } = await addStaff(network, HOSPITAL, role, `fuzz.${role}`)
    const headers = await signInStaff(network, HOSPITAL, { login, password })
    const digest = createHash('sha256')
      .update(headers.cookie.slice(headers.cookie.indexOf('=') + 1))
      .digest()
    const row = db.selectFrom('web_session').select('id').where('digest', '=', digest)
    people.push({ role, id, session: (await row.executeTakeFirstOrThrow()).id, headers: { ...headers } })
  }
  return people
}

/** As if this person had just proved anew, for what this call is about. */
async function proveAnew(network: TestNetwork, { id, session }: Person, route: Route, path: string): Promise<void> {
  const subject = subjectOf(route, path, id)
  if (route.stepUp === undefined || subject === undefined) return
  const { act } = route.stepUp
  await transact(network.party(HOSPITAL).running.machine, async (tx) => {
    const expiresAt = new Date(tx.now.getTime() + 300_000)
    const proof = { id: STEP_UP, session, act, subject, expiresAt } as const
    await tx.db.deleteFrom('step_up').where('id', '=', STEP_UP).execute()
    await insertStepUp(tx, proof as never)
    await tx.db.updateTable('step_up').set({ status: 'proved', tie: '' }).where('id', '=', STEP_UP).execute()
    await tieAll(tx.db)
  }).catch((error: unknown) => {
    // Another call of ours is about to be proved at the same time.
    if (!/duplicate key/.test(String(error))) throw error
  })
}

/** What a route's proof must be about, by its address and who calls; of some it stands in the body, which is hostile. */
function subjectOf(route: Route, path: string, staff: string): string | undefined {
  const parts = path.split('?')[0]?.split('/') ?? []
  const names = route.path
    .split('/')
    .flatMap((name, at) => (name.startsWith(':') ? [[name.slice(1), parts[at] ?? '']] : []))
  const caller = { kind: 'staff', id: staff, name: 'x', role: 'doctor', session: staff } as never
  try {
    const subject = route.stepUp?.subject({ caller, params: Object.fromEntries(names), body: { login: 'x' } as never })
    return subject?.isWellFormed() && !subject.includes('\0') ? subject : undefined
  } catch {
    return undefined
  }
}
