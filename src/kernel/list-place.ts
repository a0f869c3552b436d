/** A place in a list by date, newest first: of the last one that was given out. Stable when newer ones come. */
export type ListPlace = { readonly date: Date; readonly id: string }

/** Order of such a list: newest first, and where dates are equal the greater id first, as PostgreSQL orders `(date, id)` descending. */
export function newestFirst(a: ListPlace, b: ListPlace): number {
  return b.date.getTime() - a.date.getTime() || (a.id === b.id ? 0 : a.id < b.id ? 1 : -1)
}
