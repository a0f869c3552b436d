import { saveFile } from '../../ui/save-file.ts'
import type { OwnDocument } from './open-page.ts'

const FHIR = 'application/fhir+json'

/** One document, byte for byte as its hospital sealed it. */
export function downloadOne(own: OwnDocument): void {
  saveFile(`${safeName(own.careContextReference)}.fhir.json`, FHIR, [own.text])
}

/** All of them in one FHIR collection; the text of each stands in it as it came. */
export function downloadAll(documents: readonly OwnDocument[], now: Date): void {
  const parts = [
    `{"resourceType":"Bundle","type":"collection","timestamp":${JSON.stringify(now.toISOString())},"entry":[`,
  ]
  for (const [at, { text }] of documents.entries()) parts.push(at === 0 ? '' : ',', '{"resource":', text, '}')
  saveFile(`my-records-${now.toISOString().slice(0, 10)}.fhir.json`, FHIR, [...parts, ']}'])
}

function safeName(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 80) || 'document'
}
