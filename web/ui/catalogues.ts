import type { Language } from './languages.ts'
import type { Catalogue } from './lookup.ts'

type Files = Readonly<Record<string, () => Promise<unknown>>>

/** All word files of a language as one catalogue; `files` are what `import.meta.glob` found, by path `…/words/<language>/<area>.json`. */
export async function loadCatalogue(files: Files, language: Language): Promise<Catalogue> {
  const wanted = Object.entries(files).filter(([path]) => path.includes(`/words/${language}/`))
  const parts = await Promise.all(wanted.map(([, load]) => load()))
  return Object.assign({}, ...parts) as Catalogue
}
