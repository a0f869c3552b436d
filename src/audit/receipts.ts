import { encodeBase64 } from '../crypto/base64.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from '../crypto/checkpoint.ts'
import { describeQuorum, isQuorum, judgeCheckpoint, type LogPolicy } from '../crypto/log-policy.ts'
import { inclusionRanges, leafHash, sameBytes } from '../crypto/merkle.ts'
import { formatTlogProof, leadsToCheckpoint } from '../crypto/tlog-proof.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { bucketOfId, type Id } from '../kernel/id.ts'
import { must, type Refusal, refuse } from '../kernel/refusal.ts'
import { existingPatientKey } from '../vault/data-keys.ts'
import { commitmentOf, entryBytes } from './entry.ts'
import { type OwnLog, vkeyOf } from './log.ts'
import type { Receipt, Standing } from './receipt.ts'
import { type AuditEvent, type OpenedEvent, openBody, patientTag } from './record.ts'
import { cosignedNote } from './serve.ts'
import {
  bestCheckpoint,
  type EventFilter,
  type EventRow,
  findEvent,
  findEventsAbout,
  findEventsOfNobody,
  findLeafIndex,
  hashesFromTiles,
  LogDamaged,
} from './store.ts'

/**
 * The receipt of one event: of `patient`'s, or of nobody's when that is absent. Waits for nothing: `log/not-sequenced` until the event has
 * its place in a checkpoint (about a second), `request/not-found` when there is no such event of that patient or it was erased.
 */
export async function receiptFor(tx: Tx, log: OwnLog, id: Id<'event'>, patient?: string): Promise<Receipt | Refusal> {
  const opened = await openEvent(tx, id, patient)
  if (opened === undefined) return refuse('request/not-found')
  const index = await findLeafIndex(tx.db, id)
  const best = index === undefined ? undefined : await bestCheckpoint(tx.db, index, (names) => isEnough(log, names))
  if (index === undefined || best === undefined) return refuse('log/not-sequenced')
  const proof = await hashesFromTiles(tx.db, inclusionRanges(index, best.size), best.size)
  const signed = must(parseSignedCheckpoint(cosignedNote(best)))
  const entry = entryBytes(commitmentOf(opened.salt, opened.committed))
  if (!leadsToCheckpoint({ index, proof, signed }, leafHash(entry))) {
    throw new LogDamaged(`entry ${index} of the tree is not the event ${id}`)
  }
  return {
    amanat: 'receipt/v1',
    id,
    at: opened.at,
    event: opened.event,
    salt: encodeBase64(opened.salt),
    proof: formatTlogProof({ index, proof, signed }),
    log: { origin: log.signer.key.name, vkey: vkeyOf(log) },
    witnesses: log.witnesses.map(({ name, vkey }) => ({ name, vkey })),
    ...(log.policy === undefined ? {} : { standing: standingOf(log.policy, signed, vkeyOf(log)) }),
  }
}

/** Whether witnesses, by the names of our settings, make a quorum of our policy, which may name them otherwise. */
function isEnough({ policy, witnesses }: OwnLog, names: readonly string[]): boolean {
  if (policy === undefined) return names.length > 0
  const keys = witnesses.filter(({ name }) => names.includes(name)).map(({ vkey }) => vkey)
  return isQuorum(
    policy,
    policy.witnesses.filter(({ vkey }) => keys.includes(vkey)).map(({ name }) => name),
  )
}

/** A receipt is final when its checkpoint satisfies the policy; until then it says that it waits. */
function standingOf(policy: LogPolicy, signed: SignedCheckpoint, vkey: string): Standing {
  const verdict = must(judgeCheckpoint({ ...policy, logs: [] }, signed, vkey))
  return {
    state: verdict.satisfied ? 'final' : 'waiting',
    cosigned: verdict.cosigned,
    quorum: describeQuorum(policy),
  }
}

/** Opens one event; undefined when there is none, it is another patient's, its key was erased, or its row was changed. */
export async function openEvent(tx: Tx, id: Id<'event'>, patient?: string): Promise<OpenedEvent | undefined> {
  const row = bucketOfPatientFits(id, patient) ? await findEvent(tx.db, id) : undefined
  if (row === undefined) return undefined
  if (patient === undefined) return row.patientTag === null ? openBody(row.id, row.body) : undefined
  const key = await existingPatientKey(tx, patient)
  return key && openOwn(row, key, patient)
}

function bucketOfPatientFits(id: Id<'event'>, patient: string | undefined): boolean {
  return patient === undefined || bucketOfId(id) === bucketOf(patient)
}

function openOwn(row: EventRow, key: Uint8Array, patient: string): OpenedEvent | undefined {
  if (row.patientTag === null || !sameBytes(row.patientTag, patientTag(key, patient))) return undefined
  return openBody(row.id, row.body, { key, patient })
}

/** An event about a patient, as that patient may read it. `changed`: its row no longer opens; the log proves that something was there. */
export type EventAbout =
  | { readonly id: Id<'event'>; readonly at: string; readonly event: AuditEvent }
  | { readonly id: Id<'event'>; readonly changed: true }

/** Events about a patient, newest first, at most `filter.limit`; none when the patient's key was erased. For "who looked". */
export async function receiptsAbout(tx: Tx, patient: string, filter: EventFilter): Promise<readonly EventAbout[]> {
  const key = await existingPatientKey(tx, patient)
  if (key === undefined) return []
  const rows = await findEventsAbout(tx.db, bucketOf(patient), patientTag(key, patient), filter)
  return rows.map((row): EventAbout => {
    const opened = openOwn(row, key, patient)
    return opened ? { id: row.id, at: opened.at, event: opened.event } : { id: row.id, changed: true }
  })
}

/** Events about nobody, newest first: what the party itself did, and what was done to it. */
export async function receiptsOfNobody(tx: Tx, filter: EventFilter): Promise<readonly EventAbout[]> {
  const rows = await findEventsOfNobody(tx.db, filter)
  return rows.map((row): EventAbout => {
    const opened = openBody(row.id, row.body)
    return opened ? { id: row.id, at: opened.at, event: opened.event } : { id: row.id, changed: true }
  })
}
