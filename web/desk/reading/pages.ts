import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { Opened, Place, ReadingPage } from './model.ts'

/** Which kinds were asked for, as a key; none = all. */
const keyOf = (kinds: readonly HiType[]): string => [...kinds].sort().join(' ')

/** The first page, as it is open. */
export function openedBy(page: ReadingPage): Opened {
  return {
    ...page,
    isWhole: page.more === undefined,
    reach: { '': page.more ?? 'end' },
  }
}

/** What is open, with one more page of these kinds; a document that comes again is not shown twice. */
export function withPage(opened: Opened, kinds: readonly HiType[], page: ReadingPage): Opened {
  const known = new Set(opened.entries.map(({ id }) => id))
  return {
    ...opened,
    there: page.there,
    entries: [...opened.entries, ...page.entries.filter(({ id }) => !known.has(id))],
    withheld: [...opened.withheld, ...page.withheld],
    reach: { ...opened.reach, [keyOf(kinds)]: page.more ?? 'end' },
  }
}

/** Where the next page of these kinds begins, when there are older ones which are not open. */
export function nextOf(opened: Opened, kinds: readonly HiType[]): Place | undefined {
  const place = opened.reach[keyOf(kinds)] ?? opened.reach['']
  const { open, there } = countsOf(opened, kinds)
  return place === undefined || place === 'end' || open >= there ? undefined : place
}

/** How many documents of these kinds are open, and how many could be. */
export function countsOf({ entries, there }: Opened, kinds: readonly HiType[]): { open: number; there: number } {
  const isWanted = ({ hiType }: { readonly hiType: HiType }): boolean => kinds.length === 0 || kinds.includes(hiType)
  return {
    open: entries.filter(isWanted).length,
    there: there.filter(isWanted).reduce((sum, { documents }) => sum + documents, 0),
  }
}
