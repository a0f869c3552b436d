import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { parseAst } from 'vite'

export type Node = Readonly<Record<string, unknown>> & { readonly type: string }

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** Every node of the syntax tree of a TypeScript text, parents first. */
export function nodesOf(code: string): readonly Node[] {
  const found: Node[] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk)
    if (typeof value !== 'object' || value === null) return
    if (isNode(value)) found.push(value)
    for (const inner of Object.values(value)) walk(inner)
  }
  walk(parseAst(stripTypeScriptTypes(code)))
  return found
}

/** The program without its tests. */
export function programFiles(): readonly { readonly file: string; readonly code: string }[] {
  return globSync('src/**/*.ts')
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => ({ file, code: readFileSync(file, 'utf8') }))
}
