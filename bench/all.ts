// All benches, one after the other, on one PostgreSQL server: npm run bench. With names, only those: npm run bench -- gate queue
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import { join } from 'node:path'
import { startBenchServer } from './server.ts'

const BENCHES = [
  'sealing',
  'gate',
  'fhir',
  'log',
  'queue',
  'consent',
  'record',
  'witnessed',
  'overload',
  'transfer',
  'simulation',
  'at-rest',
  'web',
  'soak',
] as const
/** A bench that hangs is ended, so that the whole run ends by itself. */
const BENCH_MS_MAX = 150_000

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !BENCHES.some((bench) => bench === name))
if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`)

const cpus = os.cpus()
const loads = os.loadavg().map((value) => value.toFixed(1))
console.log(
  `${cpus.length} × ${cpus[0]?.model ?? 'unknown processor'}, Node ${process.version}, load before ${loads.join(' ')}`,
)
console.log('Every line: what, its ratio to a baseline measured in the same run, then the figures. Read the ratios.\n')

const stopServer = await startBenchServer()
const startedMs = performance.now()
let failed = 0
for (const name of BENCHES.filter((bench) => asked.length === 0 || asked.includes(bench))) {
  const benchMs = performance.now()
  console.log(`── ${name}`)
  const file = join(import.meta.dirname, `${name}.ts`)
  const child = spawn(process.execPath, ['--expose-gc', file], { stdio: 'inherit', timeout: BENCH_MS_MAX })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) failed++
  const seconds = ((performance.now() - benchMs) / 1000).toFixed(1)
  console.log(code === 0 ? `   ${seconds} s\n` : `   FAILED after ${seconds} s\n`)
}
await stopServer()
console.log(
  `${((performance.now() - startedMs) / 1000).toFixed(0)} s in all, load after ${os.loadavg()[0]?.toFixed(1) ?? '?'}`,
)
process.exitCode = failed === 0 ? 0 : 1
