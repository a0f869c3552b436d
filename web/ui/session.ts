import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { call, Problem, setCsrf, whenSessionEnds } from './api.ts'

export type SessionAnswer = { readonly csrf: string; readonly expiresAt: string }

const KEY = ['session'] as const

/**
 * The session of this browser; `undefined` while asking, `null` when nobody is signed in. `onRead` hears each answer before the pages do.
 */
export function useSession<Session extends SessionAnswer>(
  onRead?: (session: Session | null) => void,
): {
  readonly session: Session | null | undefined
  readonly error: Problem | null
  /** Asks again: after signing in or out, or when a call was refused for want of a session. */
  readonly renew: () => Promise<void>
} {
  const client = useQueryClient()
  const { data, error } = useQuery<Session | null, Problem>({
    queryKey: KEY,
    queryFn: async () => {
      const session = await readSession<Session>()
      onRead?.(session)
      return session
    },
    staleTime: 60_000,
  })
  return {
    session: data,
    error,
    renew: async () => {
      await client.resetQueries({ queryKey: KEY })
    },
  }
}

/** Mounted once, at the top of an app: whatever call hears that the session has ended, the app shows its door. */
export function useSessionEnd(): void {
  const client = useQueryClient()
  useEffect(
    () =>
      whenSessionEnds(() => {
        setCsrf(undefined)
        client.setQueryData(KEY, null)
      }),
    [client],
  )
}

async function readSession<Session extends SessionAnswer>(): Promise<Session | null> {
  try {
    const session = await call<Session>('/v1/session')
    setCsrf(session.csrf)
    return session
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      setCsrf(undefined)
      return null
    }
    throw error
  }
}
