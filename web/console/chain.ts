import type { FlowMessage } from './flow.ts'

type Threaded = Pick<FlowMessage, 'id' | 'ids' | 'patients'>

/**
 * What belongs to the same request, consent or transfer as `first`: messages that share an id with it, those that share one with these,
 * and so on. Ids of messages.
 */
export function chainOf(messages: readonly Threaded[], first: readonly Threaded[]): ReadonlySet<string> {
  const byId = new Map<string, Threaded[]>()
  for (const message of messages) for (const id of message.ids) byId.set(id, [...(byId.get(id) ?? []), message])
  const found = new Map(first.map((message) => [message.id, message]))
  const seen = new Set<string>()
  const queue = [...first]
  for (let message = queue.pop(); message !== undefined; message = queue.pop()) {
    for (const id of message.ids) {
      if (seen.has(id)) continue
      seen.add(id)
      for (const next of byId.get(id) ?? []) {
        if (found.has(next.id)) continue
        found.set(next.id, next)
        queue.push(next)
      }
    }
  }
  return new Set(found.keys())
}

/** All chains in which a patient is named. */
export function chainsOfPatient(messages: readonly Threaded[], patient: string): ReadonlySet<string> {
  return chainOf(
    messages,
    messages.filter(({ patients }) => patients.includes(patient)),
  )
}

/** Patients whom messages name, by address. */
export function patientsIn(messages: readonly Threaded[]): readonly string[] {
  return [...new Set(messages.flatMap(({ patients }) => patients))].toSorted((a, b) => a.localeCompare(b))
}
