/**
 * `npm test [-- patterns]`: all tests, or the named files, on one throwaway PostgreSQL server. The database of each test file is a clone
 * of a template that is migrated once. The browser's journeys run in a process of their own beside all others. Faults, attacks and the
 * simulation, which never wait, come last of these, and in CI, where they are long, when the browser has ended. What failed is told once
 * more at the very end: that is the part of a long output that is read, and kept.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ensureWeb } from '../src/http/web-build.ts'
import { startTestServer } from '../test/database.ts'

/** Each in a process of its own: a browser mostly waits, and gives up when a third process takes its time. */
const BROWSER = /^test\/browser\//
/** Never wait, and want the machine for themselves. */
const AFTERWARDS = [/^test\/journeys\/kill/, /^test\/faults\//, /^test\/security\//, /^test\/simulation\//]

/** What every process of tests gets. */
interface Ground {
  /** Of the PostgreSQL server. */
  readonly url: string
  /** A folder: each process writes a file about its failed tests. */
  readonly failures: string
}

/** Somebody wants us to end: what has not begun does not begin. */
let isStopped = false

async function main(patterns: readonly string[]): Promise<number> {
  await ensureWeb((line) => console.log(line))
  const server = await startTestServer()
  const ground: Ground = { url: server.url, failures: mkdtempSync(path.join(tmpdir(), 'amanat-failed-tests-')) }
  try {
    if (patterns.length > 0) return await runTests(ground, 'named', patterns, 'inherit')
    const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts']).toSorted()
    const like = (...forms: readonly RegExp[]): readonly string[] =>
      files.filter((file) => forms.some((form) => form.test(file)))
    const apart = new Set(like(BROWSER, ...AFTERWARDS))
    const others = files.filter((file) => !apart.has(file))
    const browser = runTests(ground, 'browser', like(BROWSER), 'at the end')
    const codes = [await runTests(ground, 'others', others, 'inherit')]
    if (process.env['CI'] === 'true') await browser
    codes.push(await runTests(ground, 'afterwards', like(...AFTERWARDS), 'inherit'), await browser)
    tellFailures(ground.failures)
    return Math.max(...codes)
  } finally {
    rmSync(ground.failures, { recursive: true })
    await server.stop()
  }
}

function tellFailures(folder: string): void {
  for (const file of readdirSync(folder)) process.stdout.write(readFileSync(path.join(folder, file), 'utf8'))
}

/** Runs test files in one process; what it says is shown as it comes, or in one piece when it has ended. */
async function runTests(
  ground: Ground,
  name: string,
  files: readonly string[],
  output: 'inherit' | 'at the end',
): Promise<number> {
  if (isStopped) return 130
  const runner = [
    '--import',
    path.join(import.meta.dirname, '..', 'test', 'property-seed.ts'),
    '--test',
    '--test-isolation=none',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${path.join(import.meta.dirname, 'failed-tests.ts')}`,
    `--test-reporter-destination=${path.join(ground.failures, `${name}.txt`)}`,
  ]
  const child = spawn(process.execPath, [...runner, ...files], {
    stdio: output === 'inherit' ? ['inherit', 'inherit', 'pipe'] : ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      AMANAT_TEST_POSTGRES: ground.url,
      AMANAT_TEST_PORTS: String(process.pid * 2 + (name === 'browser' ? 1 : 0)),
      NODE_ENV: 'test',
    },
  })
  const said: Buffer[] = []
  const complaints: Buffer[] = []
  child.stdout?.on('data', (part: Buffer) => said.push(part))
  child.stderr?.on('data', (part: Buffer) => complaints.push(part))
  if (output === 'inherit') child.stderr?.pipe(process.stderr)
  // Ctrl-C reaches the child from the terminal; we stay to stop the server. SIGTERM reaches only us.
  const onInterrupt = () => {
    isStopped = true
  }
  const onTerminate = () => {
    isStopped = true
    child.kill('SIGTERM')
  }
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate)
  const [code] = (await once(child, 'close')) as [number | null]
  process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
  process.stdout.write(Buffer.concat(said))
  if (code !== 0) {
    const last = Buffer.concat(complaints).toString('utf8').slice(-4000)
    const line = `\nThe tests "${name}" ended with ${code === null ? 'a signal' : `code ${String(code)}`}.\n${last}`
    appendFileSync(path.join(ground.failures, `${name}.txt`), line)
  }
  return code ?? 130
}

process.exitCode = await main(process.argv.slice(2))
