import type { Actor, Caller } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

/** The patient who calls, or for whom a guardian calls. */
export function patientOf(caller: Caller): AbhaAddress | Refusal {
  return caller.kind === 'patient' ? caller.patient : refuse('auth/forbidden')
}

/** As whom the log names what this patient does, with the guardian who did it in her place. */
export function actorOf(caller: Caller): Actor | Refusal {
  if (caller.kind !== 'patient') return refuse('auth/forbidden')
  const { patient, guardian } = caller
  return { kind: 'patient', id: patient, ...(guardian === undefined ? {} : { guardian }) }
}
