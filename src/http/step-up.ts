import type { Tx } from '../db/tx.ts'
import type { Caller } from '../kernel/caller.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { StepUpAct } from '../kernel/step-up-act.ts'
import type { Answer, Call, Route } from './route.ts'

type Wanted = { readonly id: string; readonly act: StepUpAct; readonly subject: string }
/** Looks for a fresh proof of who calls, and spends it: `people/step-up-commands.ts`. */
export type StepUpCheck = {
  readonly find: (tx: Tx, caller: Caller, wanted: Wanted) => Promise<Refusal | undefined>
  readonly spend: (tx: Tx, caller: Caller, wanted: Wanted) => Promise<Refusal | undefined>
}

/**
 * Handles a call; where its route asks for a proof anew, it is not entered without one, and what it did spends the proof, in the same
 * transaction. A server without a check lets nobody into such a route.
 */
export async function handleProved(
  check: StepUpCheck | undefined,
  route: Route,
  call: Call<never, never>,
): Promise<Answer | Refusal> {
  if (route.stepUp === undefined) return route.handle(call)
  if (check === undefined) return refuse('auth/step-up-needed')
  const { act, subject } = route.stepUp
  const body: unknown = call.body
  const inBody = typeof body === 'object' && body !== null && 'stepUp' in body ? body.stepUp : undefined
  const given = inBody ?? call.headers['x-step-up']
  const wanted = { id: typeof given === 'string' ? given : '', act, subject: subject(call) }
  const unproved = await check.find(call.tx, call.caller, wanted)
  if (unproved) return unproved
  const answer = await route.handle(call)
  return isRefusal(answer) ? answer : ((await check.spend(call.tx, call.caller, wanted)) ?? answer)
}
