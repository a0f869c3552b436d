// Plain JavaScript for any Node from 18 on: finds a Node that can run a program of this project, which is TypeScript for Node 24.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NODE_MAJOR_MIN = 24

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
function runOn(node, file, args) {
  const child = spawn(node, [file, ...args], { stdio: 'inherit' })
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

/**
 * Runs a TypeScript file of this project with these arguments: in this process when its Node is new enough, else on the Node that npm
 * installed with the project; without either, says what to do.
 */
export async function run(file, args) {
  const ownNode = findOwnNode()
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
    process.argv = [process.argv[0], file, ...args]
    await import(pathToFileURL(file).href)
  } else if (ownNode !== undefined) {
    runOn(ownNode, file, args)
  } else {
    process.stderr.write(
      `Amanat needs Node ${NODE_MAJOR_MIN}; this is ${process.version}, and the Node that the project brings is not installed. ` +
        'Run "npm ci" in the project (with optional dependencies), or install Node 24.\n',
    )
    process.exitCode = 1
  }
}

// node bin/run.mjs scripts/test.ts [arguments]
if (process.argv[1] !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file, ...args] = process.argv
  if (file === undefined) throw new Error('Usage: node bin/run.mjs FILE.ts [arguments]')
  await run(resolve(file), args)
}
