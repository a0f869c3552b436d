import fs from 'node:fs'
import path from 'node:path'

const ROOT = path.join(import.meta.dirname, '..')

export type Found = { readonly folder: string; readonly file: string; readonly value: unknown }

/** Every `export const NAME` of the rooms, by folder in the order of their names: what the generated pages are made from. */
export async function findExports(name: string): Promise<readonly Found[]> {
  const files = fs.globSync('src/*/*.ts', { cwd: ROOT }).filter((file) => !file.endsWith('.test.ts')).toSorted()
  const found: Found[] = []
  for (const file of files) {
    if (!new RegExp(`^export const ${name}\\b`, 'm').test(fs.readFileSync(path.join(ROOT, file), 'utf8'))) continue
    const loaded = (await import(path.join(ROOT, file))) as Record<string, unknown>
    found.push({ folder: file.split('/')[1] ?? '', file, value: loaded[name] })
  }
  return found
}
