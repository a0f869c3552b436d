import { after, before, beforeEach } from 'node:test'
import { sql } from 'kysely'
import { type Machine, type Tx, transact } from '../src/db/tx.ts'
import { parseFacilityId } from '../src/kernel/id.ts'
import { isRefusal, must } from '../src/kernel/refusal.ts'
import type { StaffRole } from '../src/kernel/staff-role.ts'
import { codeOfSecret } from '../src/people/authenticator.ts'
import { makePasswordGate } from '../src/people/password-gate.ts'
import type { OpenedSession } from '../src/people/session-commands.ts'
import { inviteStaff } from '../src/people/staff-commands.ts'
import { joinAndSignIn, shareInvitationSecret } from '../src/people/staff-invitation.ts'
import { readStaffSession } from '../src/people/staff-session.ts'
import type { DeskNeeds } from '../src/people/staff-sign-in.ts'
import { openTestDatabase, type TestDatabase } from './database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from './machine.ts'

const FACILITY = parseFacilityId('IN2710000011')
if (FACILITY === undefined) throw new Error('not a facility')
export const DESK = { facility: FACILITY, origin: 'https://desk.example.org', password: 'seven mangoes on the roof' }
const ACTOR = { kind: 'operator', id: 'test' } as const

/** The staff of a facility on a database of its own, for the tests of one `describe`: each begins with a new clock and nobody slowed down. */
export function useStaffAccounts() {
  const world = {} as { database: TestDatabase; clock: TestClock; machine: Machine; needs: DeskNeeds }
  let count = 0
  before(async () => void (world.database = await openTestDatabase()))
  after(() => world.database.close())
  beforeEach(() => {
    world.clock = makeTestClock()
    world.machine = makeTestMachine(world.database, { clock: world.clock })
    world.needs = {
      indexKey: new Uint8Array(32).fill(7),
      facility: { id: DESK.facility, name: 'Tarangini Hospital' },
      web: { party: DESK.facility, origins: [DESK.origin] },
      gate: makePasswordGate(),
    }
  })
  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(world.machine, work)
  async function invite(role: StaffRole = 'doctor') {
    count += 1
    return must(
      await inTx((tx) => inviteStaff(tx, { login: `person${count}`, name: 'Meera Nair', role, actor: ACTOR })),
    )
  }
  const session = ({ cookie }: OpenedSession, method = 'GET', headers: Record<string, string> = {}) =>
    inTx((tx) =>
      readStaffSession(tx, world.needs.web, { method, headers: { cookie: cookie.split(';')[0] ?? '', ...headers } }),
    )
  return {
    get database() {
      return world.database
    },
    get machine() {
      return world.machine
    },
    get clock() {
      return world.clock
    },
    get needs() {
      return world.needs
    },
    inTx,
    codeOf: (value: unknown): string => (isRefusal(value) ? value.code : 'ok'),
    invite,
    session,
    /** Somebody who came by an invitation and is signed in; a minute later. */
    joined: async (role?: StaffRole) => {
      const { staff, code } = await invite(role)
      const { text: secret } = must(await inTx((tx) => shareInvitationSecret(tx, world.needs, code)))
      const given = { invitation: code, password: DESK.password, code: codeOfSecret(secret, world.clock.now()) }
      const opened = must(await inTx((tx) => joinAndSignIn(tx, world.needs, { ...given, userAgent: undefined })))
      world.clock.advance(60_000)
      return { staff, secret, opened }
    },
    /** Types of all events. */
    events: async (): Promise<readonly string[]> => {
      const { rows } = await sql<{ type: string }>`/* all buckets: a test */ select type from audit_event`.execute(
        world.database.db,
      )
      return rows.map(({ type }) => type)
    },
  }
}
