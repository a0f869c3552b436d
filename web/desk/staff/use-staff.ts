import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { call, type Problem } from '../../ui/api.ts'
import type { StaffRow } from './model.ts'

const PATH = '/v1/desk/staff'

/** The answer of `GET /v1/desk/staff`. */
type StaffPage = {
  readonly staff: readonly StaffRow[]
  /** Where the next page begins, when there is one. */
  readonly next?: string
  /** Whom the reader may confirm, whatever was looked for. */
  readonly toConfirm: readonly StaffRow[]
  /** How many there are, also beyond those. */
  readonly toConfirmCount: number
}

/** The staff whose name or login has these letters, as many pages as were asked for so far. */
export function useStaff(search: string, limit: number) {
  return useInfiniteQuery<StaffPage, Problem>({
    queryKey: [PATH, search, limit],
    queryFn: ({ pageParam, signal }) => {
      const after = typeof pageParam === 'string' ? { after: pageParam } : {}
      return call<StaffPage>(`${PATH}?${new URLSearchParams({ search, limit: String(limit), ...after }).toString()}`, {
        signal,
      })
    },
    initialPageParam: undefined,
    getNextPageParam: ({ next }) => next,
    // Who was found stays while the next letters are looked for.
    placeholderData: keepPreviousData,
  })
}

const PAGE_MAX = 100

/** All of the staff, page after page: for a choice in which nobody may be left out. */
export function useWholeStaff(): readonly StaffRow[] {
  const { data, hasNextPage, isFetching, fetchNextPage } = useStaff('', PAGE_MAX)
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage()
  }, [hasNextPage, isFetching, fetchNextPage])
  return data?.pages.flatMap(({ staff }) => staff) ?? []
}
