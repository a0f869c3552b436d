import type { Narrative } from 'fhir/r4.js'

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Whether XML 1.0 §2.2 lets the character stand in a document. */
function isXmlCharacter(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return code >= 0x20
    ? code < 0xd800 || (code > 0xdfff && code !== 0xfffe && code !== 0xffff)
    : /[\t\n\r]/.test(character)
}

/** `text` safe inside XHTML, without characters that XML forbids. */
export function escapeXhtml(text: string): string {
  const legal = Array.from(text).filter(isXmlCharacter).join('')
  return legal.replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c)
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
