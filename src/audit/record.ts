import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import { hmacSha256 } from '../crypto/native-mac.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type Id, makeId, toBucket } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { keepPatientKey, patientKey, patientKeyOfTx } from '../vault/data-keys.ts'
import { forgetKeyRow, guessPatientKey } from '../vault/known-keys.ts'
import { type Committed, committedBytes, SALT_BYTES } from './entry.ts'
import { insertEvent, insertEventUnderKey, type NewEvent } from './store.ts'

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
export type Recorded<Event extends AuditEvent> = {
  readonly event: Event
  readonly id: Id<'event'>
  readonly [proof]: true
}

/**
 * Writes `event` into the log, in `tx`: about a patient under that patient's key, about nobody in plain. The sequencer turns it into a
 * leaf after the commit. Throws for what JSON cannot say.
 */
export async function record<Event extends AuditEvent>(tx: Tx, event: Event): Promise<Recorded<Event>> {
  const { patient } = event
  const bucket = patient === undefined ? toBucket(tx.random(1)[0] ?? 0) : bucketOf(patient)
  const id = makeId<'event'>(tx.now, tx.random, bucket)
  const salt = tx.random(SALT_BYTES)
  const committed = committedBytes({ id, at: tx.now.toISOString(), event })
  const stored = Buffer.concat([salt, committed])
  const row = { bucket, id, at: tx.now, type: event.type, actorKind: event.actor.kind }
  // The same as `commitmentOf`, which also runs in browsers.
  const commitment = hmacSha256(salt, committed)
  if (patient === undefined) await insertEvent(tx, { ...row, patientTag: null, body: stored, commitment })
  else
    await insertSealed(tx, patient, (key) => ({
      ...row,
      patientTag: patientTag(key, patient),
      body: sealWith(key, stored, placeOfBody(id, patient), tx.random),
      commitment,
    }))
  tx.afterCommit(() => tx.changes.publish({ type: event.type, ...(patient === undefined ? {} : { patient }) }))
  return { event, id } as Recorded<Event>
}

/** Stores what is sealed under the patient's key: with the key that is known if the database agrees, or it is asked first. */
async function insertSealed(tx: Tx, patient: string, seal: (key: Uint8Array) => NewEvent): Promise<void> {
  const kept = patientKeyOfTx(tx, patient)
  const guess = kept === undefined ? await guessPatientKey(tx, patient) : undefined
  if (guess !== undefined) {
    if (await insertEventUnderKey(tx, seal(guess.key), patient, guess.wrapped)) {
      keepPatientKey(tx, patient, guess.key)
      return
    }
    forgetKeyRow(tx, patient)
  }
  await insertEvent(tx, seal(kept ?? (await patientKey(tx, patient))))
}

/** Lets the other rooms react to a recorded event, in the same transaction, in the order they were registered. */
export async function announce<Event extends AuditEvent>(tx: Tx, recorded: Recorded<Event>): Promise<void> {
  for (const react of tx.reactions.get(recorded.event.type) ?? []) await react(tx, recorded.event as never)
}

/** How rows about one patient find each other: nobody without the patient's key can compute it. */
export function patientTag(key: Uint8Array, patient: string): Uint8Array {
  return hmacSha256(key, `audit_event.patient_tag\n${patient}`)
}

/** A stored event, opened. */
export type OpenedEvent = Committed & {
  readonly event: AuditEvent
  readonly salt: Uint8Array
  readonly committed: Uint8Array
}

/** Opens the body of an event row; `sealed` is absent for events about nobody. Undefined when the body was changed. */
export function openBody(
  id: string,
  body: Uint8Array,
  sealed?: { readonly key: Uint8Array; readonly patient: string },
): OpenedEvent | undefined {
  const stored = sealed === undefined ? body : openWith(sealed.key, body, placeOfBody(id, sealed.patient))
  if (isRefusal(stored) || stored.length <= SALT_BYTES) return undefined
  const salt = new Uint8Array(stored.subarray(0, SALT_BYTES))
  const committed = new Uint8Array(stored.subarray(SALT_BYTES))
  const parsed = parseCommitted(committed)
  return parsed === undefined || parsed.id !== id ? undefined : { ...parsed, salt, committed }
}

function parseCommitted(committed: Uint8Array): (Committed & { readonly event: AuditEvent }) | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(committed)) as Committed & { event: AuditEvent }
  } catch {
    // A plain row that was changed; the caller reports it.
    return undefined
  }
}

function placeOfBody(id: string, patient: string): Place {
  return { table: 'audit_event', column: 'body', row: id, patient }
}
