#!/usr/bin/env node
// Plain JavaScript for any Node from 18 on: finds a Node that can run the program itself, which is TypeScript for Node 24.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NODE_MAJOR_MIN = 24
const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'main.ts')

/** The Node that npm installed with this project for this platform, wherever npm put it; undefined when it did not. */
function findOwnNode() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  try {
    const require = createRequire(import.meta.url)
    const program = process.platform === 'win32' ? 'node.exe' : 'node'
    const file = join(dirname(require.resolve(`${name}/package.json`)), 'bin', program)
    return existsSync(file) ? file : undefined
  } catch {
    return undefined
  }
}

/** Runs the program on another Node and ends as it ends. */
function runOn(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends Ctrl-C to the child itself, as it is in the same process group: passing it on would stop it twice. A signal that
  // is sent to this process alone (a service manager, kill) must be passed on.
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY === true)
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      if (!(name === 'SIGINT' && hasTerminal)) child.kill(name)
    })
  }
  child.on('error', (error) => {
    process.stderr.write(`Amanat could not start ${node}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

const ownNode = findOwnNode()
if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  process.argv[1] = main
  await import(pathToFileURL(main).href)
} else if (ownNode !== undefined) {
  runOn(ownNode)
} else {
  process.stderr.write(
    `Amanat needs Node ${NODE_MAJOR_MIN}; this is ${process.version}, and the Node that the project brings is not installed. ` +
      'Run "npm ci" in the project (with optional dependencies), or install Node 24.\n',
  )
  process.exit(1)
}
