import { type ShownDocument, showDocument } from '../../../src/fhir/show.ts'
import type { Source } from '../../../src/fhir/trends.ts'
import type { OwnDocument } from './open-page.ts'

/** Where a document of the timeline came from. */
export type OwnOrigin = { readonly id: string; readonly own: OwnDocument }

const read = new WeakMap<OwnDocument, ShownDocument | 'formless'>()

/** Each document is read once, however often the list is drawn. */
function shownOf(own: OwnDocument): ShownDocument | undefined {
  const known = read.get(own) ?? showDocument(own.document) ?? 'formless'
  read.set(own, known)
  return known === 'formless' ? undefined : known
}

export function timelineOf(documents: readonly OwnDocument[]): {
  readonly sources: readonly Source<OwnOrigin>[]
  readonly formless: readonly OwnDocument[]
} {
  const sources = documents.flatMap((own) => {
    const document = shownOf(own)
    return document === undefined ? [] : [{ document, origin: { id: own.key, own } }]
  })
  return { sources, formless: documents.filter((own) => shownOf(own) === undefined) }
}
