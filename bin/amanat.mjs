#!/usr/bin/env node
// The command `amanat`: the program is TypeScript for Node 24, `run.mjs` finds a Node that can run it.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './run.mjs'

await run(join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'main.ts'), process.argv.slice(2))
