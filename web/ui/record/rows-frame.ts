import type { Series } from '../../../src/fhir/trends.ts'

/** What the rows of one document have in common. */
export type RowsFrame<Origin> = {
  readonly caption: string
  readonly date: string | undefined
  readonly history?: readonly Series<Origin>[]
  readonly onCourse?: (series: Series<Origin>) => void
}
