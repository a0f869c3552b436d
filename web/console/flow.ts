import { useQuery } from '@tanstack/react-query'
import { call, type Problem } from '../ui/api.ts'
import type { Lane } from './session.ts'

type Side = { readonly party: string; readonly message: string }

/** One message between two parties, as `GET /v1/console/flow` answers it. */
export type FlowMessage = {
  readonly id: string
  readonly revision: number
  readonly at: string
  readonly from: string
  readonly to: string
  readonly method: string
  readonly path: string
  readonly requestId?: string
  readonly status?: number
  readonly error?: string
  /** What the receiver answered, when the sender heard something else, or nothing. */
  readonly answered?: number
  readonly tookMs: number
  readonly job?: string
  readonly attempt?: number
  readonly replayOf?: string
  readonly sent?: Side
  readonly received?: Side
  readonly ids: readonly string[]
  readonly patients: readonly string[]
}

type Answer = {
  readonly revision: number
  readonly lanes: readonly Lane[]
  readonly messages: readonly FlowMessage[]
}
export type Flow = { readonly lanes: readonly Lane[]; readonly messages: readonly FlowMessage[] }

const KEPT_MAX = 3_000
/** Live updates tell of news at once; this is for when the line of live updates is broken. */
const EVERY_MS = 5_000

const kept = new Map<string, FlowMessage>()
let revision = 0

/** Asks for what changed since it asked last, and puts it where it belongs. */
async function readFlow(signal: AbortSignal): Promise<Flow> {
  let answer = await call<Answer>(`/v1/console/flow?after=${revision}`, { signal })
  if (answer.revision < revision) {
    // The exchange was started anew: what it numbers now has nothing to do with what we know.
    kept.clear()
    answer = await call<Answer>('/v1/console/flow', { signal })
  }
  revision = answer.revision
  for (const message of answer.messages) kept.set(message.id, message)
  const messages = [...kept.values()].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-KEPT_MAX)
  return { lanes: answer.lanes, messages }
}

export function useFlow() {
  return useQuery<Flow, Problem>({
    queryKey: ['console-flow'],
    queryFn: ({ signal }) => readFlow(signal),
    refetchInterval: EVERY_MS,
  })
}
