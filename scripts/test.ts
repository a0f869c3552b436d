/**
 * `npm test [-- patterns]`: all tests, or the named files, on one throwaway PostgreSQL server. The database of each test file is a clone
 * of a template that is migrated once. The browser's journeys run in a process of their own beside all others. Faults, attacks and the
 * simulation, which never wait, come last of these, and in CI, where they are long, when the browser has ended.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import path from 'node:path'
import { ensureWeb } from '../src/http/web-build.ts'
import { startTestServer } from '../test/database.ts'

/** Each in a process of its own: a browser mostly waits, and gives up when a third process takes its time. */
const BROWSER = /^test\/browser\//
/** Never wait, and want the machine for themselves. */
const AFTERWARDS = [/^test\/journeys\/kill/, /^test\/faults\//, /^test\/security\//, /^test\/simulation\//]

async function main(patterns: readonly string[]): Promise<number> {
  await ensureWeb((line) => console.log(line))
  const server = await startTestServer()
  try {
    if (patterns.length > 0) return await runTests(server.url, patterns, 'inherit')
    const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts']).toSorted()
    const like = (...forms: readonly RegExp[]): readonly string[] =>
      files.filter((file) => forms.some((form) => form.test(file)))
    const apart = new Set(like(BROWSER, ...AFTERWARDS))
    const others = files.filter((file) => !apart.has(file))
    const browser = runTests(server.url, like(BROWSER), 'at the end')
    const codes = [await runTests(server.url, others, 'inherit')]
    if (process.env['CI'] === 'true') await browser
    codes.push(await runTests(server.url, like(...AFTERWARDS), 'inherit'), await browser)
    return Math.max(...codes)
  } finally {
    await server.stop()
  }
}

/** Runs test files in one process; what it says is shown as it comes, or in one piece when it has ended. */
async function runTests(url: string, files: readonly string[], output: 'inherit' | 'at the end'): Promise<number> {
  const runner = [
    '--import',
    path.join(import.meta.dirname, '..', 'test', 'property-seed.ts'),
    '--test',
    '--test-isolation=none',
    '--test-reporter=spec',
  ]
  const child = spawn(process.execPath, [...runner, ...files], {
    stdio: output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, AMANAT_TEST_POSTGRES: url, NODE_ENV: 'test' },
  })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => said.push(part))
  // Ctrl-C reaches the child from the terminal; we stay to stop the server. SIGTERM reaches only us.
  const onInterrupt = () => {}
  const onTerminate = () => child.kill('SIGTERM')
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate)
  const [code] = (await once(child, 'close')) as [number | null]
  process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
  process.stdout.write(Buffer.concat(said))
  return code ?? 130
}

process.exitCode = await main(process.argv.slice(2))
