/** Text that is HTML already; only {@link html} makes it. */
export type Html = { readonly html: string }

type Piece = Html | string | number | readonly Html[]

/** Makes HTML from a template: what is put in is escaped, unless it is HTML itself. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let text = parts[0] ?? ''
  for (const [i, piece] of pieces.entries()) text += textOf(piece) + (parts[i + 1] ?? '')
  return { html: text }
}

export const NOTHING: Html = html``

function textOf(piece: Piece): string {
  if (typeof piece === 'string') return escapeHtml(piece)
  if (typeof piece === 'number') return String(piece)
  return 'html' in piece ? piece.html : piece.map((one) => one.html).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Safe as text and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
