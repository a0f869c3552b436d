import type { Narrative } from 'fhir/r4.js'

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** `text` safe inside XHTML, without the control characters that XML 1.0 §2.2 forbids. */
export function escapeXhtml(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c)
}

/** A narrative of one sentence made from the parts that are there; parts are escaped here, and only here. */
export function sentence(...parts: readonly (string | undefined)[]): Narrative {
  const words = parts.filter((part) => part !== undefined && part !== '').join(' ')
  return {
    status: 'generated',
    div: `<div xmlns="http://www.w3.org/1999/xhtml">${escapeXhtml(words)}.</div>`,
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `12 Jan 2026` for a FHIR date or dateTime, as written: no time zone arithmetic. */
export function showDate(moment: string): string {
  const [year, month, day] = moment.slice(0, 10).split('-')
  const name = MONTHS[Number(month) - 1]
  return day && name ? `${Number(day)} ${name} ${year}` : moment
}
