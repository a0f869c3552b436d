import { cosignatureTime, verifierOf } from '../crypto/cosignature.ts'
import { describeQuorum, judgeCheckpoint, type LogPolicy, parsePolicy } from '../crypto/log-policy.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { Receipt } from './receipt.ts'
import { verifyReceipt } from './verify.ts'

/** What a receipt proves to somebody who has nothing but the receipt, and perhaps a policy of her own. */
export type ReceiptCheck =
  | { readonly state: 'malformed'; readonly why: string }
  /** It was changed, or is of another log than it says: it proves nothing. */
  | { readonly state: 'forged'; readonly why: string }
  | {
      readonly state: 'holds'
      readonly receipt: Receipt
      readonly entry: number
      readonly size: number
      readonly origin: string
      /** Who cosigned, and when each says that it saw the log; newest last. */
      readonly cosigned: readonly { readonly name: string; readonly at: Date }[]
      /** `own`: the keys are those that the receipt itself names. */
      readonly keys: 'own' | 'policy'
      /** By the reader's policy; absent without one. */
      readonly policy?: { readonly satisfied: boolean; readonly quorum: string }
    }

/**
 * Checks a receipt offline. With a policy the keys of log and witnesses are the policy's; without one they are the receipt's own, which
 * proves only that nobody changed it since.
 */
export function checkReceipt(json: string, policyText: string): ReceiptCheck {
  const policy = policyText.trim() === '' ? undefined : parsePolicy(`${policyText.trim()}\n`)
  if (isRefusal(policy)) return { state: 'malformed', why: policy.detail }
  const first = verifyReceipt(json, {})
  if (isRefusal(first))
    return { state: first.code === 'log/receipt-malformed' ? 'malformed' : 'forged', why: first.detail }
  const { receipt, signed, index } = first
  const { origin, size } = signed.checkpoint
  const verdict = policy && judgeCheckpoint(policy, signed, keyFor(policy, receipt))
  if (isRefusal(verdict)) return { state: 'forged', why: verdict.detail }
  const witnesses = policy?.witnesses ?? receipt.witnesses
  return {
    state: 'holds',
    receipt,
    entry: index,
    size,
    origin,
    cosigned: cosignersOf(signed.note.signatures, witnesses, verdict?.cosigned ?? first.cosignedBy),
    keys: policy === undefined || policy.logs.length === 0 ? 'own' : 'policy',
    ...(policy === undefined || verdict === undefined
      ? {}
      : { policy: { satisfied: verdict.satisfied, quorum: describeQuorum(policy) } }),
  }
}

/** A policy without logs leaves the log's key to the receipt. */
function keyFor(policy: LogPolicy, receipt: Receipt): string | undefined {
  return policy.logs.length === 0 ? receipt.log.vkey : undefined
}

function cosignersOf(
  signatures: readonly { readonly name: string; readonly keyId: string; readonly signature: Uint8Array }[],
  witnesses: readonly { readonly name: string; readonly vkey: string }[],
  names: readonly string[],
): readonly { readonly name: string; readonly at: Date }[] {
  return witnesses
    .flatMap(({ name, vkey }) => {
      const verifier = verifierOf(vkey)
      if (isRefusal(verifier) || !(names.includes(name) || names.includes(verifier.name))) return []
      const line = signatures.find((each) => each.name === verifier.name && each.keyId === verifier.keyId)
      const seconds = line && cosignatureTime(line.signature)
      return seconds === undefined ? [] : [{ name, at: new Date(seconds * 1000) }]
    })
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
}
