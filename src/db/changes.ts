/** What just changed, told within this process after the commit: no content, only which kind of event, and about whom. */
export type Change = {
  /** Type of the recorded event, `consent.granted`. */
  readonly type: string
  /** ABHA address of the patient whom it is about. */
  readonly patient?: string
}

/** What a listener hears: changes about one patient, or everything that happens at this party. */
export type Topic = `patient:${string}` | 'party'

/**
 * Tells open connections of this process that something changed. It is a hint to look again, never the news itself: it is not
 * stored, and other processes of the same party do not hear it (their readers ask every few seconds instead; docs/operate/live.md).
 */
export type Changes = {
  readonly publish: (change: Change) => void
  /** Hears every change of the topic until the returned function is called. */
  readonly listen: (topic: Topic, hear: (type: string) => void) => () => void
}

export function makeChanges(): Changes {
  const listeners = new Map<Topic, Set<(type: string) => void>>()
  const tell = (topic: Topic, type: string): void => {
    for (const hear of listeners.get(topic) ?? []) hear(type)
  }
  return {
    publish: ({ type, patient }) => {
      if (patient !== undefined) tell(`patient:${patient}`, type)
      tell('party', type)
    },
    listen: (topic, hear) => {
      // Each listener is its own function, so that the same one may listen twice.
      const own = (type: string): void => hear(type)
      const set = listeners.get(topic) ?? new Set()
      listeners.set(topic, set.add(own))
      return () => {
        set.delete(own)
        if (set.size === 0 && listeners.get(topic) === set) listeners.delete(topic)
      }
    },
  }
}
