import fs from 'node:fs'
import path from 'node:path'

const ROOT = path.join(import.meta.dirname, '..')

export type Found = { readonly name: string; readonly file: string; readonly value: unknown }

/** Every exported constant of the rooms whose name fits, by file: what the generated pages are made from. */
export async function findExports(names: RegExp): Promise<readonly Found[]> {
  const files = fs
    .globSync('src/*/*.ts', { cwd: ROOT })
    .filter((file) => !file.endsWith('.test.ts'))
    .toSorted()
  const found: Found[] = []
  for (const file of files) {
    const constants = [...fs.readFileSync(path.join(ROOT, file), 'utf8').matchAll(/^export const (\w+)/gm)].map(
      (match) => match[1] ?? '',
    )
    const wanted = constants.filter((name) => names.test(name))
    if (wanted.length === 0) continue
    const loaded = (await import(path.join(ROOT, file))) as Record<string, unknown>
    for (const name of wanted) found.push({ name, file, value: loaded[name] })
  }
  return found
}
