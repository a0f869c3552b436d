/**
 * Narratives (`text.div`) are XHTML that a stranger wrote. They are read here into plain text: paragraphs, list items and
 * tables as data. No tag, attribute, link or script of theirs ever reaches a page.
 */

export type NarrativeBlock =
  | { readonly kind: 'paragraph' | 'heading' | 'item'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly NarrativeRow[] }
export type NarrativeRow = { readonly head: boolean; readonly cells: readonly string[] }

const SOURCE_MAX = 200_000
const BLOCKS_MAX = 500
const ROWS_MAX = 500
const CELLS_MAX = 50

/** Elements whose content is not for readers. */
const SILENT = new Set([
  'script',
  'style',
  'head',
  'title',
  'template',
  'noscript',
  'iframe',
  'object',
  'embed',
  'svg',
  'math',
  'select',
  'textarea',
])
const BREAKS = new Set([
  'p',
  'div',
  'br',
  'hr',
  'ul',
  'ol',
  'dl',
  'dt',
  'dd',
  'blockquote',
  'pre',
  'section',
  'article',
  'header',
  'footer',
  'caption',
  'address',
  'body',
  'html',
])
const HEADING = /^h[1-6]$/

type Draft = {
  readonly blocks: NarrativeBlock[]
  words: string
  kind: 'paragraph' | 'heading' | 'item'
  table: { readonly rows: NarrativeRow[]; cells: string[]; head: boolean } | undefined
  silent: string | undefined
}

/** The narrative as data; empty when there is none. Never throws. */
export function readNarrative(div: unknown): readonly NarrativeBlock[] {
  if (typeof div !== 'string') return []
  const source = div.slice(0, SOURCE_MAX)
  const draft: Draft = { blocks: [], words: '', kind: 'paragraph', table: undefined, silent: undefined }
  let at = 0
  while (at < source.length && draft.blocks.length < BLOCKS_MAX) at = step(draft, source, at)
  endTable(draft)
  endBlock(draft)
  return draft.blocks.slice(0, BLOCKS_MAX)
}

/** Takes the text up to the next tag, or one tag, comment or CDATA section. Returns where to go on. */
function step(draft: Draft, source: string, at: number): number {
  if (source[at] !== '<') {
    const next = source.indexOf('<', at)
    const end = next < 0 ? source.length : next
    say(draft, decode(source.slice(at, end)))
    return end
  }
  if (source.startsWith('<!--', at)) return after(source, '-->', at + 4)
  if (source.startsWith('<![CDATA[', at)) {
    const end = after(source, ']]>', at + 9)
    say(draft, source.slice(at + 9, end - 3))
    return end
  }
  if (!/[a-zA-Z/!?]/.test(source[at + 1] ?? '')) {
    say(draft, '<')
    return at + 1
  }
  const end = endOfTag(source, at)
  takeTag(draft, source.slice(at + 1, end - 1))
  return end
}

function after(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from)
  return found < 0 ? source.length : found + mark.length
}

/** A `>` inside a quoted attribute does not end the tag. */
function endOfTag(source: string, at: number): number {
  let quote = ''
  for (let i = at + 1; i < source.length; i++) {
    const c = source[i] ?? ''
    if (quote !== '') quote = c === quote ? '' : quote
    else if (c === '"' || c === "'") quote = c
    else if (c === '>') return i + 1
  }
  return source.length
}

function takeTag(draft: Draft, tag: string): void {
  const [, slash = '', prefixed = ''] = /^(\/?)([a-zA-Z][\w:.-]{0,40})/.exec(tag) ?? []
  const name = (prefixed.split(':').at(-1) ?? '').toLowerCase()
  const closes = slash === '/'
  if (draft.silent !== undefined) {
    if (closes && name === draft.silent) draft.silent = undefined
    return
  }
  if (SILENT.has(name)) {
    if (!closes && !tag.endsWith('/')) draft.silent = name
    return
  }
  if (takeTableTag(draft, name, closes)) return
  if (draft.table !== undefined) return say(draft, ' ')
  if (name === 'li') startBlock(draft, closes ? 'paragraph' : 'item')
  else if (HEADING.test(name)) startBlock(draft, closes ? 'paragraph' : 'heading')
  else if (BREAKS.has(name))
    startBlock(draft, draft.kind === 'item' && !closes && draft.words.trim() === '' ? 'item' : 'paragraph')
}

/** A table inside a table becomes words of its cell. */
function takeTableTag(draft: Draft, name: string, closes: boolean): boolean {
  if (name === 'table') {
    if (closes) endTable(draft)
    else if (draft.table === undefined) {
      endBlock(draft)
      draft.table = { rows: [], cells: [], head: false }
    }
    return true
  }
  const { table } = draft
  if (table === undefined || (name !== 'tr' && name !== 'td' && name !== 'th')) return false
  if (name === 'tr') endRow(draft)
  else {
    endCell(draft)
    if (name === 'th' && !closes) table.head = true
  }
  return true
}

function say(draft: Draft, words: string): void {
  if (draft.silent === undefined) draft.words += words
}

function startBlock(draft: Draft, kind: Draft['kind']): void {
  endBlock(draft)
  draft.kind = kind
}

function endBlock(draft: Draft): void {
  const text = clean(draft.words)
  if (text !== '') draft.blocks.push({ kind: draft.kind, text })
  draft.words = ''
}

function endCell(draft: Draft): void {
  const text = clean(draft.words)
  draft.words = ''
  if (text !== '' && draft.table && draft.table.cells.length < CELLS_MAX) draft.table.cells.push(text)
}

function endRow(draft: Draft): void {
  const { table } = draft
  if (table === undefined) return
  endCell(draft)
  if (table.cells.length > 0 && table.rows.length < ROWS_MAX) table.rows.push({ head: table.head, cells: table.cells })
  table.cells = []
  table.head = false
}

function endTable(draft: Draft): void {
  endRow(draft)
  if (draft.table && draft.table.rows.length > 0) draft.blocks.push({ kind: 'table', rows: draft.table.rows })
  draft.table = undefined
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  deg: '°',
  micro: 'µ',
  plusmn: '±',
  times: '×',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  bull: '•',
  frac12: '½',
  le: '≤',
  ge: '≥',
  rsquo: '’',
  lsquo: '‘',
  ldquo: '“',
  rdquo: '”',
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]\w{1,10}));/g, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? whole) : whole
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16)
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : ''
  })
}

/** One line, without control characters and without marks that turn the direction of what follows. */
function clean(text: string): string {
  return text
    .replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, '')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}
