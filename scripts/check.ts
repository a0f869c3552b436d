/** `npm run check`: types, lint, format, and that every generated file is up to date. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { generateFiles } from './generate.ts'

const ROOT = path.join(import.meta.dirname, '..')
const bin = (name: string): string => path.join(ROOT, 'node_modules', '.bin', name)

function run(what: string, command: string, args: readonly string[]): boolean {
  const startedMs = performance.now()
  const { status } = spawnSync(bin(command), args, { cwd: ROOT, stdio: 'inherit' })
  console.log(
    `${status === 0 ? 'ok    ' : 'FAILED'} ${what} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`,
  )
  return status === 0
}

async function generatedFilesAreCurrent(): Promise<boolean> {
  const stale: string[] = []
  for (const [file, content] of await generateFiles()) {
    const full = path.join(ROOT, file)
    if (!fs.existsSync(full) || fs.readFileSync(full, 'utf8') !== content) stale.push(file)
  }
  console.log(
    stale.length === 0
      ? 'ok     generated files'
      : `FAILED generated files are out of date: ${stale.join(', ')}. Run npm run generate and commit what it writes.`,
  )
  return stale.length === 0
}

const results = [
  run('types', 'tsc', ['-p', '.']),
  run('types of the web apps', 'tsc', ['-p', 'web']),
  run('lint', 'oxlint', ['--type-aware', '--deny-warnings', 'src', 'web', 'test', 'scripts', 'bench']),
  run('format', 'biome', ['check', '--error-on-warnings', '.']),
  await generatedFilesAreCurrent(),
]
process.exitCode = results.every(Boolean) ? 0 : 1
