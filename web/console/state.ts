import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type CallOptions, call, type Problem } from '../ui/api.ts'

export const FAULT_KINDS = ['down', 'slow', 'error', 'garbage', 'damage'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export type Fault = {
  readonly id: string
  readonly kind: FaultKind
  readonly path?: string
  readonly times?: number
  readonly until: string
  readonly struck: number
}
export type Job = {
  readonly id: string
  readonly seq: number
  readonly kind: string
  /** Of a message that waits to be sent. */
  readonly path: string | null
  readonly status: string
  readonly attempts: number
  readonly runAt: string
  readonly lastError: string | null
}
export type TextMessage = {
  readonly id: string
  readonly mobile: string
  readonly text: string
  readonly sentAt: string
}
export type PartyState = {
  readonly id: string
  /** Missing when the party does not answer its operator. */
  readonly state?: {
    readonly faults: readonly Fault[]
    readonly jobs: readonly Job[]
    readonly texts: readonly TextMessage[]
  }
}
type State = { readonly parties: readonly PartyState[] }

const PATH = '/v1/console/state'
export const EVERY_MS = 2_500

/** How each party is broken, the first that waits to leave it, its text messages: asked every few seconds while the page shows. */
export function useConsoleState(): UseQueryResult<State, Problem> {
  return useQuery<State, Problem>({
    queryKey: ['', PATH],
    queryFn: ({ signal }) => call<State>(PATH, { signal }),
    refetchInterval: EVERY_MS,
  })
}

export const faultsOf = (state: State | undefined, party: string): readonly Fault[] =>
  state?.parties.find(({ id }) => id === party)?.state?.faults ?? []

/** Does something at a party, then looks at everything again. */
export function useAct<T = unknown>() {
  const client = useQueryClient()
  return useMutation<T, Problem, { readonly path: string; readonly options?: CallOptions }>({
    mutationFn: ({ path, options }) => call<T>(path, { method: 'POST', ...options }),
    onSettled: () => client.invalidateQueries(),
  })
}
