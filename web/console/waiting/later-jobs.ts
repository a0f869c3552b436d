import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { call, type Problem } from '../../ui/api.ts'
import { EVERY_MS, type Job } from '../state.ts'

/** What waits behind the first jobs of a party, which its state shows: as many pages as were asked for, asked as often as the state. */
export function useLaterJobs(party: string, first: readonly Job[]) {
  const [from, setFrom] = useState<number>()
  const last = first.at(-1)?.seq ?? 0
  const path = `/v1/console/parties/${party}/jobs`
  const asked = useInfiniteQuery<readonly Job[], Problem>({
    queryKey: ['pages', path, from],
    queryFn: ({ pageParam, signal }) => call<readonly Job[]>(`${path}?after=${String(pageParam)}`, { signal }),
    initialPageParam: from,
    getNextPageParam: (page) => (page.length < LIMITS.pageSizeMax ? undefined : page.at(-1)?.seq),
    enabled: from !== undefined,
    refetchInterval: EVERY_MS,
  })
  const isMore = first.length === LIMITS.pageSizeMax
  return {
    // Jobs only ever leave: what the state shows by now reaches further than when the first of these pages was asked for.
    jobs: isMore ? (asked.data?.pages.flat() ?? []).filter(({ seq }) => seq > last) : [],
    pages: {
      error: asked.error,
      hasNextPage: isMore && (asked.data === undefined || asked.hasNextPage),
      isFetchingNextPage: asked.isFetchingNextPage || asked.isLoading,
      isFetchNextPageError: asked.isFetchNextPageError || asked.isLoadingError,
      fetchNextPage: () =>
        from === undefined ? setFrom(last) : asked.data === undefined ? asked.refetch() : asked.fetchNextPage(),
    },
  }
}
