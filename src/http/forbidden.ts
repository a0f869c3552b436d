import type { Caller } from '../kernel/caller.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { StaffAct, StaffRole } from '../kernel/staff-role.ts'
import type { Route } from './route.ts'

type Rules = {
  readonly mayDo: (role: StaffRole, act: StaffAct) => boolean
  readonly covers?: (scopes: readonly string[], scope: string) => boolean
}

/** Why a caller who proved who it is may not do what a route is for. */
export function forbiddenTo(rules: Rules, route: Pick<Route, 'act' | 'scope'>, caller: Caller): Refusal | undefined {
  return checkAct(rules, route, caller) ?? checkScope(rules, route, caller)
}

/** What an account does that nobody has confirmed: seeing and giving accounts, nothing of a patient. */
const WITHOUT_CONFIRMATION: readonly StaffAct[] = ['staff.see', 'staff.change']

/** Each role of the staff has its own work: the desk hides the button, and this is what holds. */
function checkAct(rules: Rules, { act }: Pick<Route, 'act'>, caller: Caller): Refusal | undefined {
  if (act === undefined) return undefined
  if (caller.kind !== 'staff' || !rules.mayDo(caller.role, act))
    return refuse('auth/forbidden', `Your role may not do this: ${act}.`)
  return caller.unconfirmed === true && !WITHOUT_CONFIRMATION.includes(act) ? refuse('staff/unconfirmed') : undefined
}

/** A partner's token opens what it was made for. */
function checkScope(rules: Rules, { scope }: Pick<Route, 'scope'>, caller: Caller): Refusal | undefined {
  if (scope === undefined || (caller.kind === 'partner' && rules.covers?.(caller.scopes, scope) === true))
    return undefined
  return refuse('auth/scope-needed', `The token does not cover ${scope}.`)
}
