import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'

declare const proof: unique symbol

/** What every event has; each room adds its own fields. Plain JSON values only (dates as ISO text). */
export type AuditEvent = {
  readonly type: string
  readonly actor: Actor
  /** ABHA address of the patient whom it is about; the event is then stored under that patient's key. */
  readonly patient?: string
  /** The id that ties it to others: consent request, artefact, transaction. */
  readonly subject?: string
}

/**
 * Evidence that an event is in the log, in the transaction that made it.
 *
 * Writers of domain tables ask for one, so a change that nobody recorded does not compile.
 */
export type Recorded<Event extends AuditEvent> = { readonly event: Event; readonly id: Id<'event'>; readonly [proof]: true }

/** Writes `event` into the log, in `tx`. The sequencer turns it into a leaf after the commit. */
export async function record<Event extends AuditEvent>(tx: Tx, event: Event): Promise<Recorded<Event>> {
  void tx
  throw new Error(`not yet: ${event.type}`)
}

/** Lets the other rooms react to a recorded event, in the same transaction, in the order they were registered. */
export async function announce<Event extends AuditEvent>(tx: Tx, recorded: Recorded<Event>): Promise<void> {
  for (const react of tx.reactions.get(recorded.event.type) ?? []) await react(tx, recorded.event as never)
}
