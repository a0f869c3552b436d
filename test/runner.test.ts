import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { waitUntil } from '../src/db/embedded-process.ts'
import { temporaryRoot } from './database.ts'

const ROOT = path.join(import.meta.dirname, '..')

const TESTS = {
  passes: `it('passes', async () => { const d = await openTestDatabase(); await d.pool.query('select from job'); await d.close() })`,
  fails: `it('fails', () => { throw new Error('on purpose') })`,
  waits: `it('waits', async () => { const d = await openTestDatabase(); console.log('waiting'); await new Promise((done) => setTimeout(done, 60_000)) })`,
}

describe('npm test', () => {
  let root: string
  before(() => {
    root = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-runner-'))
    const head = `import { it } from 'node:test'\nimport { openTestDatabase } from ${JSON.stringify(path.join(ROOT, 'test/database.ts'))}\n`
    for (const [name, body] of Object.entries(TESTS))
      fs.writeFileSync(path.join(root, `${name}.test.ts`), `${head}void openTestDatabase\n${body}\n`)
  })
  after(() => fs.rmSync(root, { recursive: true, force: true }))

  const start = (name: keyof typeof TESTS, temporary: string) => {
    const { NODE_TEST_CONTEXT: _, AMANAT_TEST_POSTGRES: __, ...env } = process.env
    const args = [
      path.join(ROOT, 'bin/run.mjs'),
      path.join(ROOT, 'scripts/test.ts'),
      path.join(root, `${name}.test.ts`),
    ]
    // Its own process group, so that the test can do what Ctrl-C in a terminal does: signal all of it.
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...env, TMPDIR: temporary },
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    return { child, ended: once(child, 'close') as Promise<[number | null]>, output: () => output }
  }

  async function untilWaiting({ child, ended, output }: ReturnType<typeof start>): Promise<void> {
    while (!output().includes('waiting'))
      await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail(`it ended: ${output()}`))])
  }

  const temporaryFolder = () => fs.mkdtempSync(path.join(root, 't'))

  it('gives test files a migrated database, ends with the exit code and the closing lines, and leaves nothing behind', async () => {
    for (const [name, code, line] of [
      ['passes', 0, /pass 1\n/],
      ['fails', 1, /fail 1\n/],
    ] as const) {
      const temporary = temporaryFolder()
      const run = start(name, temporary)
      const [ended] = await run.ended
      assert.equal(ended, code, run.output())
      assert.match(run.output(), line)
      assert.deepEqual(fs.readdirSync(temporary), [])
    }
  })

  it('stops its server on Ctrl-C, and when only the runner is told to end', async () => {
    for (const tell of [(pid: number) => process.kill(-pid, 'SIGINT'), (pid: number) => process.kill(pid, 'SIGTERM')]) {
      const temporary = temporaryFolder()
      const run = start('waits', temporary)
      await untilWaiting(run)
      tell(run.child.pid ?? 0)
      const [ended] = await run.ended
      assert.notEqual(ended, 0)
      assert.deepEqual(fs.readdirSync(temporary), [])
    }
  })

  it('ends the server of an earlier run that was killed', async () => {
    const temporary = temporaryFolder()
    const killed = start('waits', temporary)
    await untilWaiting(killed)
    process.kill(-(killed.child.pid ?? 0), 'SIGKILL')
    await killed.ended
    const left = fs.readdirSync(temporary).find((name) => name.startsWith('amanat-test-')) ?? ''
    const postmaster = Number(
      fs.readFileSync(path.join(temporary, left, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0],
    )
    assert.ok(fs.existsSync(`/proc/${postmaster}`))
    const next = start('passes', temporary)
    assert.equal((await next.ended)[0], 0)
    assert.ok(await waitUntil(() => !fs.existsSync(`/proc/${postmaster}`), 30_000))
    assert.equal(fs.existsSync(path.join(temporary, left)), false)
  })
})
