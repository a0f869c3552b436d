import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'

const ROOT = path.join(import.meta.dirname, '..')

/** Stands for `src/main.ts`: tells its Node and arguments, then waits for a signal. */
const MAIN = `
const idle = setInterval(() => {}, 1_000)
let stops = 0
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    stops++
    clearInterval(idle)
    setTimeout(() => console.log(name + ' ' + stops), 50)
    process.exitCode = 3
  })
}
const said: string = JSON.stringify({ version: process.version, args: process.argv.slice(2) })
console.log(said)
if (process.argv[2] === 'exit') process.exit(7)`

function nodeOlderThan24(): string | undefined {
  const folders = ['/usr/bin', '/usr/local/bin', '/opt/node/bin']
  return folders
    .map((folder) => path.join(folder, 'node'))
    .find((file) => {
      const version = fs.existsSync(file) ? String(spawnSync(file, ['--version']).stdout) : ''
      return /^v(18|2[0-3])\./.test(version)
    })
}

describe('bin/amanat.mjs', () => {
  let root: string
  let bin: string
  const oldNode = nodeOlderThan24()
  const skip = oldNode === undefined ? 'no Node older than 24 is installed here' : false
  const nodes: [string, string | undefined][] = [
    ['the Node that the project brings', process.execPath],
    ['an older Node', oldNode],
  ]

  before(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-bin-'))
    bin = path.join(root, 'bin', 'amanat.mjs')
    for (const name of ['bin', 'src']) fs.mkdirSync(path.join(root, name), { recursive: true })
    fs.cpSync(path.join(ROOT, 'bin'), path.join(root, 'bin'), { recursive: true })
    fs.writeFileSync(path.join(root, 'package.json'), '{"type":"module"}')
    fs.writeFileSync(path.join(root, 'src', 'main.ts'), MAIN)
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'))
  })
  after(() => fs.rmSync(root, { recursive: true, force: true }))

  for (const [name, node] of nodes) {
    it(`runs the program on Node 24 with its arguments and exit code: ${name}`, {
      skip: node === undefined && skip,
    }, () => {
      const { stdout, status } = spawnSync(node ?? '', [bin, 'exit', 'two words', '--x=1'], { encoding: 'utf8' })
      const said = JSON.parse(stdout) as { version: string; args: string[] }
      assert.match(said.version, /^v24\./)
      assert.deepEqual(said.args, ['exit', 'two words', '--x=1'])
      assert.equal(status, 7)
    })

    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      it(`stops once, cleanly, on ${signal} to it alone: ${name}`, { skip: node === undefined && skip }, async () => {
        const child = spawn(node ?? '', [bin, 'wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
        let output = ''
        child.stdout.on('data', (chunk: Buffer) => {
          output += chunk.toString()
        })
        const ended = once(child, 'close') as Promise<[number]>
        while (!/\n/.test(output))
          await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail('it said nothing'))])
        child.kill(signal)
        const [code] = await ended
        assert.equal(output.split('\n')[1], `${signal} 1`)
        assert.equal(code, 3)
      })
    }
  }

  it('says what to do where neither Node is there', { skip }, () => {
    const bare = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-bare-'))
    try {
      fs.cpSync(path.join(ROOT, 'bin'), bare, { recursive: true })
      const { stderr, status } = spawnSync(oldNode ?? '', [path.join(bare, 'amanat.mjs')], { encoding: 'utf8' })
      assert.equal(status, 1)
      assert.match(stderr, /needs Node 24.*npm ci/)
    } finally {
      fs.rmSync(bare, { recursive: true })
    }
  })
})
