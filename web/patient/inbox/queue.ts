import { useSyncExternalStore } from 'react'
import { BROKEN_LINE, call, Problem } from '../../ui/api.ts'
import type { AllowItem, Choice } from './choice.ts'

/**
 * Decisions that wait for the line, on this device. A denial is sent as soon as there is a line; what was on its way when the line broke is
 * sent again with the same key, so that it has its effect once. An allowance that has no proof yet waits for its person.
 */
export type Queued = {
  /** Idempotency key: names one act of one person. */
  readonly key: string
  /** For whom it is decided; others on this device neither see nor send it. */
  readonly person: string
  readonly request: string
  readonly asker: string
  readonly at: string
  /** It was on its way when the line broke: it may have arrived. */
  readonly isPerhapsSent: boolean
} & (
  | { readonly verb: 'deny'; readonly body: { readonly reason: string } }
  | {
      readonly verb: 'allow'
      readonly body: { readonly notice: string; readonly stepUp: string; readonly consents: readonly AllowItem[] }
    }
  /** Chosen without a line: notice, proof and sending come when it is back. */
  | { readonly verb: 'choose'; readonly choice: Choice }
)

const DATABASE = 'amanat-decisions'
const STORE = 'waiting'

function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1)
    const failed = (error: DOMException | null): void =>
      reject(error ?? new Error('the device does not keep what was decided'))
    opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE, { keyPath: 'request' })
    opening.onerror = () => failed(opening.error)
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode)
      const asked = work(transaction.objectStore(STORE))
      transaction.oncomplete = () => {
        opening.result.close()
        resolve(asked.result)
      }
      transaction.onerror = () => failed(transaction.error)
      transaction.onabort = () => failed(transaction.error)
    }
  })
}

let seen: readonly Queued[] = []
const listeners = new Set<() => void>()

async function refresh(): Promise<void> {
  seen = await inStore<Queued[]>('readonly', (store) => store.getAll() as IDBRequest<Queued[]>)
  for (const changed of listeners) changed()
}

/** Keeps a decision; a second one about the same request takes the place of the first. */
export async function keepDecision(decision: Queued): Promise<void> {
  await inStore('readwrite', (store) => store.put(decision))
  await refresh()
}

export async function dropDecision(request: string): Promise<void> {
  await inStore('readwrite', (store) => store.delete(request))
  await refresh()
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed)
  if (listeners.size === 1) void refresh().catch(() => undefined)
  return () => void listeners.delete(changed)
}

/** What waits on this device, for whomever. */
export function useAllQueued(): readonly Queued[] {
  return useSyncExternalStore(subscribe, () => seen)
}

/** What waits on this device for this person. */
export function useQueued(person: string | undefined): readonly Queued[] {
  return useAllQueued().filter((each) => each.person === person)
}

/** A decision that the server did not take: what the person is told of it. */
export type Returned = { readonly queued: Queued; readonly problem: Problem }

/**
 * Sends what can be sent, oldest first. Stops at a broken line; a refusal ends the waiting, since another try would not be taken either.
 * Returns what was refused, and how many were sent.
 */
export async function sendQueued(
  person: string,
): Promise<{ readonly sent: number; readonly returned: readonly Returned[] }> {
  await refresh()
  const returned: Returned[] = []
  let sent = 0
  for (const queued of seen.filter((each) => each.person === person && each.verb !== 'choose')) {
    try {
      await sendDecision(queued)
      sent += 1
    } catch (error) {
      if (!(error instanceof Problem) || mayComeThroughLater(error)) break
      returned.push({ queued, problem: error })
    }
    await dropDecision(queued.request)
  }
  return { sent, returned }
}

/** The line broke, the server is down, or nobody is signed in: the decision stays. */
export function mayComeThroughLater({ code, status }: Problem): boolean {
  return code === BROKEN_LINE || status >= 500 || status === 429 || status === 401
}

async function sendDecision(queued: Queued): Promise<void> {
  if (queued.verb === 'choose') return
  await call(`/v1/me/requests/${queued.request}/${queued.verb}`, { body: queued.body, key: queued.key })
}
