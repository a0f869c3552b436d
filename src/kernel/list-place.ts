/** A place in a list by date, newest first: of the last one that was given out. Stable when newer ones come. */
export type ListPlace = { readonly date: Date; readonly id: string }

/** Order of such a list: newest first, and where dates are equal the greater id first, as PostgreSQL orders `(date, id)` descending. */
export function newestFirst(a: ListPlace, b: ListPlace): number {
  return b.date.getTime() - a.date.getTime() || (a.id === b.id ? 0 : a.id < b.id ? 1 : -1)
}

/** How many of a list, from its start, fit into one answer: one that is larger than all allowed stands alone. */
export function countFitting(
  all: readonly { readonly bytes: number }[],
  fits: { readonly documents: number; readonly bytes: number },
): number {
  let [documents, bytes] = [0, 0]
  for (const one of all) {
    if (documents === fits.documents || (documents > 0 && bytes + one.bytes > fits.bytes)) break
    documents++
    bytes += one.bytes
  }
  return documents
}

/** A place as one word of an address: `2026-01-31T10:00:00.000Z_` and the id, a UUID. */
function placeWord({ date, id }: ListPlace): string {
  return `${date.toISOString()}_${id}`
}

/** Reads what `placeWord` wrote; undefined when it is none. */
export function parsePlace(text: string): ListPlace | undefined {
  const [, moment, id] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? []
  const date = new Date(moment ?? Number.NaN)
  return id === undefined || Number.isNaN(date.getTime()) ? undefined : { date, id }
}

/** The first `taken` of a list of which more may have been found, and the word of the place to go on below, when there is more. */
export function firstOf<One>(
  found: readonly One[],
  taken: number,
  placeOf: (one: One) => ListPlace,
): { readonly items: readonly One[]; readonly next?: string } {
  return firstWith(found, taken, (one) => placeWord(placeOf(one)))
}

/** As `firstOf`, where the list has words of its own for its places. */
export function firstWith<One>(
  found: readonly One[],
  taken: number,
  wordOf: (one: One) => string,
): { readonly items: readonly One[]; readonly next?: string } {
  const items = found.slice(0, taken)
  const last = items.at(-1)
  return { items, ...(last === undefined || found.length === items.length ? {} : { next: wordOf(last) }) }
}

/**
 * A place in a list of two parts, each by date: what still needs somebody, then what is settled. It says where the last one stood when it
 * was given out, so that nothing is passed over when that one is settled meanwhile.
 */
export type PlaceInParts<Name extends string> = {
  readonly isSettled: boolean
  readonly date: Date
  readonly id: Name
}

/** Such a place as one word of an address: `open_2026-01-31T10:00:00.000Z_` and the id, or `settled_…`. */
export function wordInParts({ isSettled, date, id }: PlaceInParts<string>): string {
  return `${isSettled ? 'settled' : 'open'}_${date.toISOString()}_${id}`
}

/** Reads what `wordInParts` wrote, of ids that `parseName` knows; undefined when it is none. */
export function parsePlaceInParts<Name extends string>(
  text: string,
  parseName: (text: string) => Name | undefined,
): PlaceInParts<Name> | undefined {
  const [, part, moment, name = ''] = /^(open|settled)_(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_(.+)$/.exec(text) ?? []
  const date = new Date(moment ?? Number.NaN)
  const id = parseName(name)
  return id === undefined || Number.isNaN(date.getTime()) ? undefined : { isSettled: part === 'settled', date, id }
}
