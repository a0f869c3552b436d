import { type Cosigner, verifierOf } from '../crypto/cosignature.ts'
import type { LogPolicy } from '../crypto/log-policy.ts'
import { formatVkey, type Signer, type Verifier } from '../crypto/signed-note.ts'
import { must } from '../kernel/refusal.ts'

/** Somebody who sees our checkpoints and remembers them, so that a rolled-back or forked log is noticed. */
export type Witness = {
  /** For people and for our tables; the key's own name is in `vkey`. */
  readonly name: string
  readonly vkey: string
  /** Prefix of its witness API: `<url>/add-checkpoint`. */
  readonly url: string
}

/** This party's own log: the key's name is the log's origin. */
export type OwnLog = {
  readonly signer: Signer
  readonly witnesses: readonly Witness[]
  /** Which logs are our network's, and how many witnesses make a checkpoint final; without it every receipt is final. */
  readonly policy?: LogPolicy
}

/** A log that we witness for another party. */
export type WitnessedLog = { readonly origin: string; readonly vkey: string }

/** This party as a witness of others. */
export type OwnWitness = { readonly cosigner: Cosigner; readonly logs: readonly WitnessedLog[] }

/** The verifier key to which verifiers of this log are pointed. */
export function vkeyOf(log: OwnLog): string {
  return formatVkey(log.signer.key)
}

/** The verifier of a configured key. Throws when it is malformed: the configuration was checked at the start. */
export function verifierOfConfigured(vkey: string): Verifier {
  return must(verifierOf(vkey))
}
