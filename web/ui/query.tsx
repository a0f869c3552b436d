import { QueryClient, QueryClientProvider, type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { actingFor, call, Problem } from './api.ts'

/** Refusals are answers: only a broken line or an overloaded server is worth another try. */
const mayTryAgain = (failures: number, error: Error): boolean =>
  failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 502)

const client = new QueryClient({
  defaultOptions: {
    queries: { retry: mayTryAgain, staleTime: 5_000, refetchOnWindowFocus: true, networkMode: 'always' },
  },
})

export function QueryProvider(props: { readonly children: ReactNode }): ReactNode {
  return <QueryClientProvider client={client}>{props.children}</QueryClientProvider>
}

/** Reads `path` and keeps it fresh: live updates invalidate it. `path` undefined = not yet. */
export function useCall<T>(path: string | undefined): UseQueryResult<T, Problem> {
  return useQuery<T, Problem>({
    queryKey: [actingFor() ?? '', path],
    queryFn: ({ signal }) => call<T>(path ?? '', { signal }),
    enabled: path !== undefined,
  })
}
