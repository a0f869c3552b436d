import { useInfiniteQuery } from '@tanstack/react-query'
import { call, type Problem } from '../../ui/api.ts'
import type { TodayVisit } from '../patients/model.ts'

const PATH = '/v1/desk/today'

type TodayPage = {
  readonly visits: readonly TodayVisit[]
  /** Where the next page begins, when there is one. */
  readonly next?: string
}

/** Today's visits, then stays: as many pages as were asked for so far. */
export function useToday(isSeen: boolean) {
  return useInfiniteQuery<TodayPage, Problem>({
    queryKey: [PATH],
    queryFn: ({ pageParam, signal }) => {
      const after = typeof pageParam === 'string' ? `?after=${pageParam}` : ''
      return call<TodayPage>(`${PATH}${after}`, { signal })
    },
    initialPageParam: undefined,
    getNextPageParam: ({ next }) => next,
    enabled: isSeen,
  })
}
