import type { Tx } from '../db/tx.ts'
import type { ContextsLinked, ContextUpdated } from './events.ts'
import { publishNews } from './news-commands.ts'

/** New links: subscribers are told (protocol sheet 2.7). For `linking.contexts-linked`. */
async function tellOfLinks(tx: Tx, event: ContextsLinked): Promise<void> {
  await publishNews(tx, { patient: event.patient, hip: event.hip, category: 'LINK', contexts: event.contexts })
}

/** New data in linked contexts: subscribers are told. For `linking.context-updated`. */
async function tellOfData(tx: Tx, event: ContextUpdated): Promise<void> {
  const { patient, hip, patientReference, careContextReference } = event
  const contexts = event.hiTypes.map((hiType) => ({ patientReference, careContextReference, hiType }))
  await publishNews(tx, { patient, hip, category: 'DATA', contexts })
}

/** What this room does when something happened; `app.ts` registers it. */
export const linkingReactions = [
  ['linking.contexts-linked', tellOfLinks],
  ['linking.context-updated', tellOfData],
] as const
