import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** Noto Sans and its sisters (SIL Open Font License), one file for each script and weight: a page takes only what it shows. */
const FONT_FILES = [
  ['noto-sans', 'noto-sans-latin-400-normal.woff2'],
  ['noto-sans', 'noto-sans-latin-600-normal.woff2'],
  ['noto-sans-mono', 'noto-sans-mono-latin-400-normal.woff2'],
  ['noto-sans-devanagari', 'noto-sans-devanagari-devanagari-400-normal.woff2'],
  ['noto-sans-devanagari', 'noto-sans-devanagari-devanagari-600-normal.woff2'],
  ['noto-nastaliq-urdu', 'noto-nastaliq-urdu-arabic-400-normal.woff2'],
  ['noto-nastaliq-urdu', 'noto-nastaliq-urdu-arabic-600-normal.woff2'],
] as const

const require = createRequire(import.meta.url)
const loaded = new Map<string, Promise<Uint8Array>>()

/** The bytes of a font file of ours; undefined for any other name. */
export async function readFont(name: string): Promise<Uint8Array | undefined> {
  const known = FONT_FILES.find(([, file]) => file === name)
  if (known === undefined) return undefined
  const [family, file] = known
  const bytes = loaded.get(file) ?? readFile(require.resolve(`@fontsource/${family}/files/${file}`))
  loaded.set(file, bytes)
  return bytes
}
