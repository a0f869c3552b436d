import type { Tx } from '../db/tx.ts'
import type { Caller } from '../kernel/caller.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Route } from './route.ts'

/** Finds out which operator does a grave act: `operators/commands.ts`. `code` is what `X-Operator-Code` holds. */
export type OperatorProof = (
  tx: Tx,
  caller: Caller,
  given: { readonly code: string | undefined; readonly act: string },
) => Promise<Caller | Refusal>

/**
 * Who calls, as far as the route asks: on a grave route, the operator who proved by a fresh code that it is she. It comes before a
 * remembered answer, too: a repetition needs another code. A server without a check lets nobody into such a route.
 */
export async function provedOperator(
  check: OperatorProof | undefined,
  { grave, method, path }: Pick<Route, 'grave' | 'method' | 'path'>,
  call: { readonly tx: Tx; readonly caller: Caller; readonly headers: Readonly<Record<string, string | undefined>> },
): Promise<Caller | Refusal> {
  if (grave === undefined) return call.caller
  if (check === undefined || call.caller.kind !== 'operator') return refuse('operator/proof-needed')
  return check(call.tx, call.caller, { code: call.headers['x-operator-code'], act: `${method} ${path}` })
}
