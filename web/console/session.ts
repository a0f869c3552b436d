import { useQuery, useQueryClient } from '@tanstack/react-query'
import { call, type Problem, setCsrf } from '../ui/api.ts'

/** Who stands where in the diagram. `url` is missing for those who are no party: patients' apps, and strangers. */
export type Lane = {
  readonly id: string
  readonly name: string
  readonly kind: 'exchange' | 'facility' | 'patients' | 'outside'
  readonly url?: string
  /** A facility that the console may break and mend. */
  readonly isSteered?: boolean
  /** When an operator shut it out. */
  readonly shutOutAt?: string
}

export type ConsoleSession = {
  readonly csrf: string
  readonly exchange: string
  readonly lanes: readonly Lane[]
  /** Parties that the console may break, mend, and let send again. */
  readonly steered: readonly string[]
}

const KEY = ['console-session'] as const

/** The word that this page sends with what it changes, and who is in the network. */
export function useConsoleSession(): {
  readonly session: ConsoleSession | undefined
  readonly error: Problem | null
  readonly renew: () => void
} {
  const client = useQueryClient()
  const { data, error } = useQuery<ConsoleSession, Problem>({
    queryKey: KEY,
    queryFn: async () => {
      const session = await call<ConsoleSession>('/v1/console/session')
      setCsrf(session.csrf)
      return session
    },
    // The exchange makes a new word at each start, and new parties may join.
    refetchInterval: 15_000,
  })
  return { session: data, error, renew: () => void client.resetQueries({ queryKey: KEY }) }
}
