import pino from 'pino'
import { Registry } from 'prom-client'
import { abdmRules } from '../src/abdm/rules.ts'
import { withTie } from '../src/db/tie.ts'
import { type Machine, transact } from '../src/db/tx.ts'
import { type DeskRouteNeeds, deskRoutes } from '../src/desk/routes.ts'
import { makeServer, nativeRules } from '../src/http/server.ts'
import type { StaffCaller } from '../src/kernel/caller.ts'
import { type FacilityId, type Id, makeId, toBucket } from '../src/kernel/id.ts'
import { must, refuse } from '../src/kernel/refusal.ts'
import type { StaffRole } from '../src/kernel/staff-role.ts'
import type { StepUpAct } from '../src/kernel/step-up-act.ts'
import { mayDo } from '../src/people/rules.ts'
import { staffProvingOf } from '../src/people/staff-proofs.ts'
import { findStepUp, openStepUp, proveStepUp, spendStepUp } from '../src/people/step-up-commands.ts'

export type DeskReply = { readonly status: number; readonly json: never; readonly text: string; readonly type: string }
export type DeskBench = {
  /** Calls the desk as somebody of the staff. */
  readonly call: (staff: StaffCaller, method: 'GET' | 'POST', url: string, body?: object) => Promise<DeskReply>
  readonly close: () => Promise<void>
}

/** The routes of the desk over a test machine; the test says who is signed in. */
export function openDesk(machine: Machine, needs: DeskRouteNeeds): DeskBench {
  let signedIn: StaffCaller | undefined
  const nobody = async () => refuse('request/not-found')
  const app = makeServer({
    machine,
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    routes: deskRoutes(needs),
    dialects: { native: nativeRules, abdm: abdmRules({}) },
    authenticate: {
      none: async () => ({ kind: 'anonymous' }),
      bridge: nobody,
      patient: nobody,
      exchange: nobody,
      operator: async () => ({ kind: 'operator', name: 'hospital software' }),
      console: nobody,
      partner: nobody,
      staff: async () => signedIn ?? refuse('auth/no-session'),
    },
    mayDo,
    stepUp: { find: findStepUp, spend: spendStepUp },
    ready: async () => [],
  })
  return {
    call: async (staff, method, url, body) => {
      signedIn = staff
      const answer = await app.inject({ method, url, ...(body === undefined ? {} : { payload: body }) })
      const type = String(answer.headers['content-type'] ?? '')
      return {
        status: answer.statusCode,
        text: answer.body,
        type,
        json: (type.startsWith('application/') ? JSON.parse(answer.body) : undefined) as never,
      }
    },
    close: () => app.close(),
  }
}

/** The id of a proof anew that this person has given. */
export async function provedAtDesk(
  machine: Machine,
  facility: FacilityId,
  staff: StaffCaller,
  wanted: { readonly act: StepUpAct; readonly subject: string },
): Promise<string> {
  return transact(machine, async (tx) => {
    const by = staffProvingOf(facility, staff)
    const { id } = must(await openStepUp(tx, by, refuse('request/not-found'), wanted))
    const fault = await proveStepUp(tx, by, id, () => true)
    if (fault) throw new Error(fault.code)
    return id
  })
}

/** Somebody of the staff who can sign in. */
export async function addStaff(
  machine: Machine,
  role: StaffRole,
  name: string,
  registration?: string,
): Promise<StaffCaller> {
  return transact(machine, async (tx) => {
    const id = makeId<'staff'>(tx.now, tx.random, toBucket(0))
    await tx.db
      .insertInto('staff')
      .values(
        withTie('staff', {
          id,
          login: `${role}-${id.slice(-12)}`,
          name,
          role,
          registration: registration ?? null,
          status: 'active',
          password_hash: null,
          code_key: null,
          sealed_code_secret: null,
          code_step_used: 0,
          added_at: tx.now,
          changed_at: tx.now,
        }),
      )
      .execute()
    const confirmed = {
      status: 'confirmed',
      asked_by: null,
      asked_at: tx.now,
      confirmed_by: null,
      confirmed_at: tx.now,
    }
    await tx.db
      .insertInto('staff_confirmation')
      .values(withTie('staff_confirmation', { staff: id, ...confirmed }))
      .execute()
    const session = makeId<'web-session'>(tx.now, tx.random, toBucket(0))
    return {
      kind: 'staff',
      id: id as Id<'staff'>,
      name,
      role,
      session,
      ...(registration === undefined ? {} : { registration }),
    }
  })
}

/** Types and bodies of recorded events about nobody: what the log keeps in plain. */
export async function plainEvents(machine: Machine, type: string): Promise<readonly string[]> {
  const rows = await machine.db
    .selectFrom('audit_event')
    .select('body')
    .where('bucket', '>=', 0)
    .where('type', '=', type)
    .orderBy('at')
    .execute()
  return rows.map(({ body }) => body.toString('utf8'))
}
