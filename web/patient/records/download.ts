import type { OwnDocument } from './open-page.ts'

const FHIR = 'application/fhir+json'

/** One document, byte for byte as its hospital sealed it. */
export function downloadOne(own: OwnDocument): void {
  save(`${safeName(own.careContextReference)}.fhir.json`, [own.text])
}

/** All of them in one FHIR collection; the text of each stands in it as it came. */
export function downloadAll(documents: readonly OwnDocument[], now: Date): void {
  const parts = [
    `{"resourceType":"Bundle","type":"collection","timestamp":${JSON.stringify(now.toISOString())},"entry":[`,
  ]
  for (const [at, { text }] of documents.entries()) parts.push(at === 0 ? '' : ',', '{"resource":', text, '}')
  save(`my-records-${now.toISOString().slice(0, 10)}.fhir.json`, [...parts, ']}'])
}

function save(name: string, parts: readonly string[]): void {
  const url = URL.createObjectURL(new Blob([...parts], { type: FHIR }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the bytes when the click returns to it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

function safeName(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 80) || 'document'
}
