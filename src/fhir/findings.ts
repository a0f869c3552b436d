/** Findings kept of one document: beyond this the rest is cut and one `limit` finding says so. */
export const FINDINGS_MAX = 200

const VALUE_CHARS_MAX = 80

/** One thing that a document does not do as its profile says. */
export type Finding = {
  readonly severity: 'error' | 'warning'
  /** Where: `Bundle.entry[2].resource.code.coding[0].system`. */
  readonly path: string
  /** Stable id of the rule: `cardinality`, `fixed`, `slice-closed`, `reference-dangling`, `binding`, `invariant:obs-6`. */
  readonly rule: string
  /** What was found there, shortened to 80 characters. May be health data: show it, never log it. */
  readonly value?: string
  /** What is wrong and what would be right; never repeats the value. */
  readonly message: string
}

/** Shows a found value in at most 80 characters; undefined when there is none. */
export function shorten(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const text = typeof value === 'string' ? value.slice(0, VALUE_CHARS_MAX + 1) : show(value)
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX - 1)}…`
}

/** Objects and arrays may be megabytes (attachments): say their shape, never serialise them whole. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length} items]`
  if (typeof value === 'object' && value !== null) return `{${Object.keys(value).sort().slice(0, 8).join(', ')}}`
  return String(value)
}

/** Whether any of the findings is an error. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error')
}
