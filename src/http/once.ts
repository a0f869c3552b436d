import { createHash } from 'node:crypto'
import type { Tx } from '../db/tx.ts'
import { sealedJson } from '../db/veil.ts'
import type { Caller } from '../kernel/caller.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { Answer } from './route.ts'

/** The name under which request ids of a caller are remembered. */
export function callerName(caller: Caller): string {
  switch (caller.kind) {
    case 'anonymous':
      return 'anonymous'
    case 'bridge':
      return `bridge:${caller.clientId}`
    case 'partner':
      return `partner:${caller.clientId}`
    case 'patient':
      return `patient:${caller.patient}`
    case 'exchange':
      return `exchange:${caller.id}`
    case 'operator':
      return `operator:${caller.name}`
    case 'staff':
      return `staff:${caller.id}`
  }
}

/**
 * Gives `work` its effect once per (caller, request id): a repetition gets the first answer again. The same id with another
 * body is refused. The row is written first, so two at the same time wait for one another. A refusal is not remembered.
 */
export async function once(
  tx: Tx,
  key: { readonly caller: Caller; readonly requestId: string; readonly route: string; readonly body: Uint8Array },
  work: () => Promise<Answer | Refusal>,
): Promise<Answer | Refusal> {
  // A patient's address as a whole value: the connection keeps it out of the database.
  const caller = key.caller.kind === 'patient' ? key.caller.patient : callerName(key.caller)
  const bodyHash = createHash('sha256').update(key.route).update('\n').update(key.body).digest()
  const mine = await tx.db
    .insertInto('seen_request')
    .values({ caller, request_id: key.requestId, body_hash: bodyHash, status: 0, answer: null, at: tx.now })
    .onConflict((c) => c.columns(['caller', 'request_id']).doNothing())
    .executeTakeFirst()
  const row = tx.db.selectFrom('seen_request').where('caller', '=', caller).where('request_id', '=', key.requestId)
  if (mine.numInsertedOrUpdatedRows === 0n) {
    const first = await row.selectAll().executeTakeFirst()
    if (!first?.body_hash.equals(bodyHash)) return refuse('request/reused-id')
    return first.answer === null ? { status: first.status } : { status: first.status, body: first.answer }
  }
  const result = await work()
  if (isRefusal(result)) {
    await tx.db
      .deleteFrom('seen_request')
      .where('caller', '=', caller)
      .where('request_id', '=', key.requestId)
      .execute()
    return result
  }
  await tx.db
    .updateTable('seen_request')
    .set({ status: result.status, answer: result.body === undefined ? null : sealedJson(result.body) })
    .where('caller', '=', caller)
    .where('request_id', '=', key.requestId)
    .execute()
  return result
}
