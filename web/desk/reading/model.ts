import type { OpenReading, ReadingDoor } from '../../../src/desk/reading.ts'
import type { ShownDocument } from '../../../src/fhir/show.ts'
import type { Source } from '../../../src/fhir/trends.ts'
import type { PurposeCode } from '../../../src/policy/purpose.ts'
import type { Wire } from '../wire.ts'

export type Door = Wire<ReadingDoor>
export type Way = Door['ways'][number]
export type ReadingPage = Wire<OpenReading>
export type Place = NonNullable<ReadingPage['more']>
/** What is open on the screen: the first page, and those that were opened below it. */
export type Opened = Omit<ReadingPage, 'more'> & {
  /** Everything was on the first page. */
  readonly isWhole: boolean
  /** How far down everything of some kinds is open, by these kinds; the empty key stands for all. */
  readonly reach: Readonly<Record<string, Place | 'end'>>
}
export type Entry = Opened['entries'][number]

/** Where a document came from, for timeline, charts and overview. */
export type Origin = { readonly id: string; readonly entry: Entry }

export const purposeKey = (purpose: string) => `purpose.${purpose as PurposeCode}` as const

/** Documents as the renderer takes them; one that cannot be shown keeps its kind and date. */
export function sourcesOf(entries: readonly Entry[]): readonly Source<Origin>[] {
  return entries.map((entry) => {
    const { id, hiType, date, received } = entry
    const place = received === undefined ? undefined : (received.hip.name ?? received.hip.id)
    const empty: ShownDocument = { title: '', authors: [], writers: [], isSubset: false, sections: [], others: [] }
    const document = { date, hiType, ...(place === undefined ? {} : { place }), ...(entry.document ?? empty) }
    return { document, origin: { id, entry } }
  })
}

/** Whole years between a birth date and a day. */
export function ageOn(birthDate: string, now: Date): number {
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number)
  const had = now.getMonth() + 1 > month || (now.getMonth() + 1 === month && now.getDate() >= day)
  return now.getFullYear() - year - (had ? 0 : 1)
}
