import { type InfiniteData, type UseInfiniteQueryResult, useInfiniteQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { actingFor, call, type Problem } from './api.ts'
import { Button } from './button.tsx'
import { Trouble } from './trouble.tsx'
import { useAnyWords } from './words.tsx'

/** An answer that is a page of a list. */
type Paged = {
  /** Where the next page begins, when there is one. */
  readonly next?: string
}

/**
 * Reads a list by the page: as many pages as were asked for so far, kept fresh as `useCall` does. `goOn` is the word of the address that
 * takes the `next` of an answer.
 */
export function usePages<Answer extends Paged>(
  path: string,
  goOn: 'after' | 'before',
  words: Readonly<Record<string, string>> = {},
): UseInfiniteQueryResult<InfiniteData<Answer>, Problem> {
  return useInfiniteQuery<Answer, Problem>({
    queryKey: [actingFor() ?? '', 'pages', path, words],
    queryFn: ({ pageParam, signal }) => {
      const place = typeof pageParam === 'string' ? { [goOn]: pageParam } : {}
      const search = new URLSearchParams({ ...words, ...place }).toString()
      return call<Answer>(search === '' ? path : `${path}?${search}`, { signal })
    },
    initialPageParam: undefined,
    getNextPageParam: ({ next }) => next,
  })
}

/** “Show more” below a list, while there is more; when that fails, it says so there. */
export function More(props: {
  readonly pages: Pick<
    UseInfiniteQueryResult<unknown, Problem>,
    'error' | 'hasNextPage' | 'isFetchingNextPage' | 'isFetchNextPageError'
  > & { readonly fetchNextPage: () => unknown }
}): ReactNode {
  const { error, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = props.pages
  const { t } = useAnyWords()
  const [isPressed, setIsPressed] = useState(false)
  const end = useRef<HTMLSpanElement>(null)
  // With the last page the button goes: who pressed it goes on from here, not from the top of the page.
  useEffect(() => {
    if (!hasNextPage && isPressed) end.current?.focus({ preventScroll: true })
  }, [hasNextPage, isPressed])
  const show = (): void => {
    setIsPressed(true)
    void fetchNextPage()
  }
  if (!hasNextPage) return isPressed ? <span className="visually-hidden" ref={end} tabIndex={-1} /> : null
  if (isFetchNextPageError) return <Trouble error={error} onAgain={show} />
  return (
    <div>
      <Button icon="down" isBusy={isFetchingNextPage} onClick={show}>
        {t('common.more')}
      </Button>
    </div>
  )
}
