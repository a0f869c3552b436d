// What building, checking and cutting a document costs, for each record type, against parsing and writing the same bytes as JSON.
// Run: node bench/fhir.ts
import { randomUUID } from 'node:crypto'
import type { Bundle } from 'fhir/r4.js'
import { compare, ms, say } from './measure.ts'

const RUNS = 80
const megabytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(0)} MB`
const resident = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().rss
}

const before = resident()
const startedAt = performance.now()
// Loaded here, so that the profiles' own memory and time are counted.
const { buildDocument } = await import('../src/fhir/build/document.ts')
const { SAMPLE_INPUTS } = await import('../src/fhir/build/sample-inputs.ts')
const { narrow } = await import('../src/fhir/narrow.ts')
const { validateDocument } = await import('../src/fhir/validate.ts')
const context = { bundleId: randomUUID(), now: new Date(), makeUuid: randomUUID }
const all = SAMPLE_INPUTS.map((input) => buildDocument(input, context))
for (const document of all) validateDocument(document, 'strict')
console.log(
  `code and profiles loaded, all types checked once: ${ms(performance.now() - startedAt)}, ${megabytes(resident() - before)} more resident (goal 60 MB)`,
)

for (const [i, input] of SAMPLE_INPUTS.entries()) {
  const document = all[i]
  if (document === undefined) throw new Error('no document')
  const text = JSON.stringify(document)
  const wide = { hiTypes: [input.hiType], from: new Date('2000-01-01'), to: new Date('2100-01-01') }
  const fields = {
    ...wide,
    allowedFields: ['Patient', 'Practitioner', 'Organization', 'Encounter', 'Condition', 'Observation'],
  }
  const [build = 0, strict = 0, tolerant = 0, whole = 0, cut = 0, json = 0] = compare(RUNS, [
    () => buildDocument(input, context),
    () => validateDocument(document, 'strict'),
    () => validateDocument(document, 'tolerant'),
    () => narrow(document, wide),
    () => narrow(document, fields),
    () => JSON.stringify(JSON.parse(text) as Bundle),
  ])
  const kind = `${input.hiType}${'report' in input ? ` (${input.report.kind})` : ''}`
  const size = `${(text.length / 1000).toFixed(1)} KB`
  say(
    kind,
    strict / json,
    'JSON there and back',
    `${size.padStart(8)}  strict ${ms(strict)}, tolerant ${ms(tolerant)}, build ${ms(build)}, narrow ${ms(whole)} (whole), ${ms(cut)} (by field)`,
  )
}
