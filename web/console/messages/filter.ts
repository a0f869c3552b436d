import { chainOf, chainsOfPatient } from '../chain.ts'
import type { FlowMessage } from '../flow.ts'
import { outcomeOf } from '../outcome.ts'

/** What of all messages one wants to see. */
export type Filter = {
  /** Of the path, in any case. */
  readonly text: string
  /** All chains in which this patient is named; empty = everybody. */
  readonly patient: string
  readonly troubleOnly: boolean
  /** All that belongs with this message. */
  readonly follow?: string
}

export const NO_FILTER: Filter = { text: '', patient: '', troubleOnly: false }

export function chosenMessages(messages: readonly FlowMessage[], filter: Filter): readonly FlowMessage[] {
  const { text, patient, troubleOnly, follow } = filter
  const followed =
    follow === undefined
      ? undefined
      : chainOf(
          messages,
          messages.filter(({ id }) => id === follow),
        )
  const ofPatient = patient === '' ? undefined : chainsOfPatient(messages, patient)
  const wanted = text.trim().toLowerCase()
  return messages.filter(
    (message) =>
      (followed?.has(message.id) ?? true) &&
      (ofPatient?.has(message.id) ?? true) &&
      (!troubleOnly || outcomeOf(message).isTrouble) &&
      (wanted === '' || message.path.toLowerCase().includes(wanted) || message.ids.some((id) => id.startsWith(wanted))),
  )
}
