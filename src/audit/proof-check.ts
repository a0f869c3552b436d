import { canonicalJson } from '../crypto/canonical-json.ts'
import type { SignedCheckpoint } from '../crypto/checkpoint.ts'
import { verifierOf } from '../crypto/cosignature.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { checkSigned, countCosignatures, type LogSource, verifyConsistency, verifyReceipt } from './verify.ts'

export type WitnessKey = { readonly name: string; readonly vkey: string }

/** What a device keeps of a log: its key and its witnesses' keys since it first saw them, and the newest checkpoint that held. */
export type LogMemory = {
  readonly vkey: string
  readonly witnesses: readonly WitnessKey[]
  readonly checkpoint: string
}

/** Why a line does not hold, for a sentence in the reader's language. */
export type ProofFault =
  /** The receipt does not hold: something in it was changed, or it is of another log. */
  | 'receipt-forged'
  /** The receipt holds, but for another event than the one that is shown. */
  | 'receipt-of-another'
  /** The log signs with another key than the one that this device remembers. */
  | 'log-key-changed'
  /** The log is not what it was: forked, changed or cut. */
  | 'log-changed'
  /** A witness has another key than the one that this device remembers, or its signature is wrong. */
  | 'witness-changed'

export type ProofLine =
  | { readonly state: 'holds' }
  /** Nothing is wrong, but there is nothing yet that proves it. */
  | { readonly state: 'waits' }
  | { readonly state: 'fails'; readonly why: ProofFault }

export type ProofCheck = {
  /** This entry is in the log. */
  readonly entry: ProofLine
  /** The log has not been changed since `since` entries, which this device saw first; absent on its first look. */
  readonly log: ProofLine & { readonly since?: number; readonly size?: number }
  /** These parties have witnessed it. */
  readonly witnesses: ProofLine & { readonly by: readonly string[] }
  /** What the device is to remember from now on; absent when anything failed: what failed is never taken for the truth. */
  readonly remember?: LogMemory
}

/** What the reader sees: which event, and its content where that is on the screen. */
export type Shown = { readonly id: string; readonly event?: unknown }

/** What the log says of itself now. */
export type LogNow = { readonly vkey: string; readonly witnesses: readonly WitnessKey[]; readonly source: LogSource }

/**
 * Checks a receipt on the device of the person who reads it, for the event that she sees, against what the device remembers of the
 * log. Keys are trusted when they are seen first; one that changes later is an alarm, not news.
 */
export async function checkProof(
  receipt: string,
  shown: Shown,
  now: LogNow,
  memory: LogMemory | undefined,
): Promise<ProofCheck> {
  const vkey = memory?.vkey ?? now.vkey
  const witnesses = merged(memory?.witnesses ?? [], now.witnesses)
  const trusted = { log: vkey, witnesses: [] }
  const verified = verifyReceipt(receipt, trusted)
  const entry = entryLine(verified, shown, vkey === now.vkey)
  if (isRefusal(verified) || vkey !== now.vkey) {
    const why = vkey === now.vkey ? 'receipt-forged' : 'log-key-changed'
    return { entry, log: { state: 'fails', why }, witnesses: { state: 'fails', why, by: [] } }
  }
  const current = await currentCheckpoint(now, vkey)
  const log = current === undefined ? fails('log-changed') : await logLine(verified.signed, current.signed, now, memory)
  const seen = witnessLine(verified.signed, witnesses)
  const isWell = entry.state === 'holds' && log.state === 'holds' && seen.state !== 'fails' && witnesses !== undefined
  return {
    entry,
    log,
    witnesses: seen,
    ...(isWell && current !== undefined ? { remember: { vkey, witnesses, checkpoint: current.text } } : {}),
  }
}

const fails = (why: ProofFault) => ({ state: 'fails', why }) as const

function entryLine(verified: ReturnType<typeof verifyReceipt>, shown: Shown, isOwnKey: boolean): ProofLine {
  if (!isOwnKey) return fails('log-key-changed')
  if (isRefusal(verified)) return fails('receipt-forged')
  const { id, event } = verified.receipt
  const isSame = id === shown.id && (shown.event === undefined || canonicalJson(event) === canonicalJson(shown.event))
  return isSame ? { state: 'holds' } : fails('receipt-of-another')
}

async function currentCheckpoint(
  { source }: LogNow,
  vkey: string,
): Promise<{ readonly text: string; readonly signed: SignedCheckpoint } | undefined> {
  const verifier = verifierOf(vkey)
  const bytes = await source.read('checkpoint')
  if (isRefusal(verifier) || bytes === undefined) return undefined
  const text = new TextDecoder().decode(bytes)
  const signed = checkSigned(text, verifier)
  return isRefusal(signed) ? undefined : { text, signed }
}

/** The log continues both the checkpoint that this device remembers and the one of the receipt. */
async function logLine(
  ofReceipt: SignedCheckpoint,
  current: SignedCheckpoint,
  { source, vkey }: LogNow,
  memory: LogMemory | undefined,
): Promise<ProofCheck['log']> {
  const { size } = current.checkpoint
  const verifier = verifierOf(vkey)
  const remembered = memory && !isRefusal(verifier) ? checkSigned(memory.checkpoint, verifier) : undefined
  // What this device kept is not of this log: somebody changed it here, or the log began anew under its old name.
  if (isRefusal(remembered)) return fails('log-changed')
  if (remembered !== undefined && remembered.checkpoint.size > size) return fails('log-changed')
  for (const older of [ofReceipt, ...(remembered === undefined ? [] : [remembered])])
    if (isRefusal(await verifyConsistency(older, current, source))) return fails('log-changed')
  return { state: 'holds', size, ...(remembered === undefined ? {} : { since: remembered.checkpoint.size }) }
}

function witnessLine(signed: SignedCheckpoint, witnesses: readonly WitnessKey[] | undefined): ProofCheck['witnesses'] {
  if (witnesses === undefined) return { ...fails('witness-changed'), by: [] }
  const verifiers = witnesses.map(({ vkey }) => verifierOf(vkey))
  const known = verifiers.flatMap((verifier) => (isRefusal(verifier) ? [] : [verifier]))
  const by = known.length < verifiers.length ? undefined : countCosignatures(signed, known)
  if (by === undefined || isRefusal(by)) return { ...fails('witness-changed'), by: [] }
  return { state: by.length > 0 ? 'holds' : 'waits', by }
}

/** Remembered witnesses and new ones; undefined when one that we remember has another key now. */
function merged(remembered: readonly WitnessKey[], now: readonly WitnessKey[]): readonly WitnessKey[] | undefined {
  const changed = remembered.some((old) => now.some(({ name, vkey }) => name === old.name && vkey !== old.vkey))
  if (changed) return undefined
  return [...remembered, ...now.filter(({ name }) => !remembered.some((old) => old.name === name))]
}
