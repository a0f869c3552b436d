import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { type OwnLog, verifierOfConfigured, vkeyOf } from '../audit/log.ts'
import { record } from '../audit/record.ts'
import { sizeOfLog } from '../audit/state.ts'
import { continueUnderNewName, rootAt } from '../audit/successor.ts'
import { checkSigned, countCosignatures } from '../audit/verify.ts'
import { encodeBase64 } from '../crypto/base64.ts'
import { ed25519Verifier, makeSigner } from '../crypto/signed-note.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { RecoveryEvent, RestoredNote } from './recovery.ts'
import { RecoveryFault } from './recovery-fault.ts'
import { readRestoredNote, removeRestoredNote, saveLastRun } from './store.ts'

const OPERATOR = { kind: 'operator', id: 'recovery' } as const
const TIMEOUT_MS = 10_000

/** Notes a completed backup, or a drill, in the log of a party. */
export async function noteRun(
  tx: Tx,
  run:
    | { readonly type: 'backup.taken'; readonly backup: string; readonly bytes: number }
    | {
        readonly type: 'recovery.drilled'
        readonly backup: string
        readonly passed: boolean
        readonly evidence: string
      },
): Promise<void> {
  const event: RecoveryEvent = { ...run, actor: OPERATOR }
  await saveLastRun(tx, await record(tx, event))
}

/** What a restored database says of itself until its operator confirms it; undefined in ordinary life. */
export async function noteOfRestore(db: Machine['db']): Promise<RestoredNote | undefined> {
  return readRestoredNote(db)
}

/** The farthest checkpoint of a log that a witness cosigned. */
export type Seen = { readonly witness: string; readonly size: number; readonly root: Uint8Array }
export type WitnessViews = { readonly seen: readonly Seen[]; readonly silent: readonly string[] }

/** Asks every witness of a log how far it saw it. An answer that log and witness did not both sign does not count. */
export async function askWitnesses(log: OwnLog, outbound: Outbound): Promise<WitnessViews> {
  const hash = bytesToHex(sha256(utf8ToBytes(log.signer.key.name)))
  const seen: Seen[] = []
  const silent: string[] = []
  for (const witness of log.witnesses) {
    const url = `${witness.url}/${hash}/checkpoint`
    const outcome = await outbound.call({ method: 'GET', url, headers: {}, timeoutMs: TIMEOUT_MS })
    const text = outcome.kind === 'answered' && outcome.status === 200 ? outcome.body.toString('utf8') : undefined
    const signed = text === undefined ? undefined : checkSigned(text, ed25519Verifier(log.signer.key))
    const names =
      signed === undefined || isRefusal(signed) ? [] : countCosignatures(signed, [verifierOfConfigured(witness.vkey)])
    if (signed === undefined || isRefusal(signed) || isRefusal(names) || names.length === 0) silent.push(witness.name)
    else seen.push({ witness: witness.name, size: signed.checkpoint.size, root: signed.checkpoint.root })
  }
  return { seen, silent }
}

export type Confirmed = {
  readonly lost: number
  readonly logName: string
  readonly vkey: string
  readonly silent: readonly string[]
}

export type ConfirmOrder = {
  readonly machine: Machine
  readonly log: OwnLog
  readonly logSeed: Uint8Array
  readonly outbound: Outbound
  /** How many entries the operator accepts as lost: exactly as many as there are. */
  readonly acceptLost: number
  /** No witness answers, and the operator goes on all the same: what is lost stays unknown. */
  readonly acceptUnasked: boolean
  /** The operator looked at tables that differ from the backup's counts. */
  readonly acceptDifferences: boolean
}

/**
 * Lets a restored party go to work: asks the witnesses what they saw. Where they saw no more than we have, and the same, the log goes on.
 * Where they saw more, entries are lost: the operator must accept exactly so many, and the log goes on under a new name.
 * @throws RecoveryFault `not_restored`, `log_differs`
 */
export async function confirmRestored(order: ConfirmOrder): Promise<Confirmed> {
  const { machine, log } = order
  const note = await readRestoredNote(machine.db)
  if (note === undefined)
    throw new RecoveryFault('not_restored', 'This database was not restored, or was confirmed already.')
  if (note.differences > 0 && !order.acceptDifferences)
    throw new RecoveryFault(
      'not_restored',
      `The restore found ${note.differences} differences from the counts of the backup. Look at them (restore.json), and confirm with --accept-differences.`,
    )
  const { seen, silent } = await askWitnesses(log, order.outbound)
  if (seen.length === 0 && log.witnesses.length > 0 && !order.acceptUnasked)
    throw new RecoveryFault(
      'log_differs',
      `No witness of the log answers (${silent.join(', ')}), so nobody can say what is lost. Try again when one does; if none ever will: --without-witnesses.`,
    )
  const own = await sizeOfLog(machine.db)
  for (const { witness, size, root } of seen) {
    if (size > 0 && size <= own && !Buffer.from(await rootAt(machine.db, size)).equals(Buffer.from(root)))
      throw new RecoveryFault(
        'log_differs',
        `${witness} saw another tree of ${size} entries than this database has: it is not a copy of this party's database, or it was changed.`,
      )
  }
  const farthest = seen.toSorted((a, b) => b.size - a.size)[0]
  const lost = farthest === undefined ? 0 : Math.max(0, farthest.size - own)
  if (lost !== order.acceptLost)
    throw new RecoveryFault(
      'log_differs',
      lost === 0
        ? 'Nothing is lost; leave --accept-lost out.'
        : `${farthest?.witness} saw ${farthest?.size} entries of the log; ${own} were restored: ${lost} are lost. Restore to a later moment if you can. To go on without them: --accept-lost ${lost}. The log then goes on under a new name.`,
    )
  return transact(machine, async (tx) => {
    const next = lost === 0 || farthest === undefined ? log : await newName(tx, order, own, farthest, lost)
    const event = {
      type: 'recovery.confirmed',
      actor: OPERATOR,
      backup: note.backup,
      reachedAt: note.reachedAt ?? note.restoredAt,
      lost,
      asked: seen.length,
    } as const satisfies RecoveryEvent
    await removeRestoredNote(tx, await record<RecoveryEvent>(tx, event))
    return { lost, logName: next.signer.key.name, vkey: vkeyOf(next), silent }
  })
}

async function newName(
  tx: Tx,
  { log, logSeed }: ConfirmOrder,
  restoredSize: number,
  farthest: Seen,
  lost: number,
): Promise<OwnLog> {
  const configured = log.signer.key.name.replace(/\/r\d{14}$/, '')
  const suffix = `r${tx.now.toISOString().replace(/[-:T]|\.\d+Z$/g, '')}`
  const next = { ...log, signer: makeSigner(`${configured}/${suffix}`, logSeed) }
  await continueUnderNewName(tx, next.signer, suffix)
  const event = {
    type: 'log.restored',
    actor: OPERATOR,
    predecessor: log.signer.key.name,
    restoredSize,
    seenSize: farthest.size,
    seenRoot: encodeBase64(farthest.root),
    lost,
  } as const satisfies RecoveryEvent
  await record<RecoveryEvent>(tx, event)
  return next
}
