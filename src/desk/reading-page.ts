import { countFitting, type ListPlace, newestFirst } from '../kernel/list-place.ts'

/** Something that could be opened: where it stands in the list, and how large it is. */
export type Closed = ListPlace & { readonly bytes: number }

export type PickedPage<Own, Received> = {
  readonly own: readonly Own[]
  readonly received: readonly Received[]
  /** The last one of this page, when there is more below it. */
  readonly more?: ListPlace
}

/**
 * Picks the next page out of our own records and those of others, both newest first: the newest, as many as fit; one document that is
 * larger than all allowed stands alone.
 */
export function pickPage<Own extends Closed, Received extends Closed>(
  own: readonly Own[],
  received: readonly Received[],
  fits: { readonly documents: number; readonly bytes: number },
): PickedPage<Own, Received> {
  const all = [...own, ...received].sort(newestFirst)
  const documents = countFitting(all, fits)
  const last = all[documents - 1]
  const isTaken = (one: Closed): boolean => last !== undefined && newestFirst(one, last) <= 0
  return {
    own: own.filter(isTaken),
    received: received.filter(isTaken),
    ...(last === undefined || documents === all.length ? {} : { more: { date: last.date, id: last.id } }),
  }
}
