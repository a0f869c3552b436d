/**
 * `npm test [-- patterns]`: all tests, or the named files, in one process on one throwaway PostgreSQL server. The database of each
 * test file is a clone of a template that is migrated once.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { ensureWeb } from '../src/http/web-build.ts'
import { startTestServer } from '../test/database.ts'

const ALL = ['src/**/*.test.ts', 'test/**/*.test.ts']

async function main(patterns: readonly string[]): Promise<number> {
  await ensureWeb((line) => console.log(line))
  const server = await startTestServer()
  try {
    return await runTests(server.url, patterns.length === 0 ? ALL : patterns)
  } finally {
    await server.stop()
  }
}

async function runTests(url: string, patterns: readonly string[]): Promise<number> {
  const runner = [
    '--import',
    path.join(import.meta.dirname, '..', 'test', 'property-seed.ts'),
    '--test',
    '--test-isolation=none',
    '--test-reporter=spec',
  ]
  const child = spawn(process.execPath, [...runner, ...patterns], {
    stdio: 'inherit',
    env: { ...process.env, AMANAT_TEST_POSTGRES: url, NODE_ENV: 'test' },
  })
  // Ctrl-C reaches the child from the terminal; we stay to stop the server. SIGTERM reaches only us.
  const onInterrupt = () => {}
  const onTerminate = () => child.kill('SIGTERM')
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate)
  const [code] = (await once(child, 'exit')) as [number | null]
  process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
  return code ?? 130
}

process.exitCode = await main(process.argv.slice(2))
