import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useSyncExternalStore } from 'react'
import { useOnline } from '../../ui/online.ts'
import { usePerson } from '../person.ts'
import { type Returned, sendQueued, useQueued } from './queue.ts'

const AGAIN_MS = 15_000

let returned: readonly Returned[] = []
const listeners = new Set<() => void>()

function setReturned(next: readonly Returned[]): void {
  returned = next
  for (const changed of listeners) changed()
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed)
  return () => void listeners.delete(changed)
}

/** Decisions that were not taken when the line came back; `forget` when the person has read it. */
export function useReturned(): { readonly returned: readonly Returned[]; readonly forget: (request: string) => void } {
  const all = useSyncExternalStore(subscribe, () => returned)
  return {
    returned: all,
    forget: (request) => setReturned(returned.filter(({ queued }) => queued.request !== request)),
  }
}

let isSending = false

/** Sends what waits as soon as there is a line, wherever in the app the person is. Shows nothing. */
export function SendQueued(): ReactNode {
  const person = usePerson()
  const isOnline = useOnline()
  const count = useQueued(person).filter(({ verb }) => verb !== 'choose').length
  const client = useQueryClient()
  useEffect(() => {
    if (person === undefined || !isOnline || count === 0) return
    const send = async (): Promise<void> => {
      // A broken line is found out by trying: only one try at a time.
      if (isSending) return
      isSending = true
      try {
        const outcome = await sendQueued(person)
        if (outcome.returned.length > 0) setReturned([...returned, ...outcome.returned])
        if (outcome.sent + outcome.returned.length > 0) await client.invalidateQueries()
      } finally {
        isSending = false
      }
    }
    void send()
    const again = window.setInterval(() => void send(), AGAIN_MS)
    return () => window.clearInterval(again)
  }, [person, isOnline, count, client])
  return null
}
