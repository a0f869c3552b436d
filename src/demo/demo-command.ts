import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Network } from '../sandbox/network-file.ts'
import { type PartyStarter, startNetwork } from './network.ts'
import { type SeedReport, seedNetwork } from './seed.ts'

type Options = {
  readonly dataFolder: string
  readonly firstPort: number
  readonly databaseUrl: string | undefined
  readonly starter: PartyStarter
  readonly log: Logger
  readonly now: () => Date
  /** Resolves when the person wants it to stop. */
  readonly until: () => Promise<void>
}

const out = (text: string): void => void process.stdout.write(text)

/** `amanat demo`, what `npm start` runs: the whole sample network on this machine until Ctrl-C. */
export async function demoCommand(options: Options): Promise<number> {
  const startedMs = performance.now()
  const dataFolder = resolve(options.dataFolder)
  // Asked for before anything starts, so that an early Ctrl-C stops cleanly too.
  const stopped = options.until()
  out('Amanat: starting the sample network …\n')
  const running = await startNetwork({ ...options, dataFolder, say: (line) => out(`  ${line}\n`) })
  try {
    const died = running.died.then((fault) => ({ fault }))
    const seeded = await Promise.race([
      seedNetwork({ dataFolder, network: running.network, now: options.now(), progress: showProgress }),
      stopped,
      died,
    ])
    if (seeded !== undefined && 'fault' in seeded) throw seeded.fault
    if (seeded !== undefined) {
      out(sayNetwork(running.network, seeded, dataFolder, (performance.now() - startedMs) / 1000))
      const end = await Promise.race([stopped, died])
      if (end !== undefined) throw end.fault
    }
    out('\nStopping …')
    return 0
  } finally {
    await running.stop()
    out(' stopped. The data stays; npm start finds it again.\n')
  }
}

/** One line that is written over on a terminal; elsewhere only the end of it. */
function showProgress(done: number, all: number): void {
  if (process.stdout.isTTY) out(`\r  Filling it with people and records: ${done} of ${all}${done === all ? '\n' : ''}`)
  else if (done === all) out(`  Filled it with people and records: ${all} requests.\n`)
}

function sayNetwork(network: Network, seeded: SeedReport, dataFolder: string, seconds: number): string {
  const lines = network.parties.map((party) => `  ${party.url}   ${party.what.padEnd(16)} ${party.name} (${party.id})`)
  const first = network.parties[0]?.url ?? ''
  return `
${lines.join('\n')}

  ${seeded.patients} patients with ${seeded.records} records, ${seeded.staff} people of the staff. Ready after ${seconds.toFixed(1)} s. Data: ${dataFolder}

  Look     ${first.replace('127.0.0.1', 'localhost')}/
  Watch    ${first.replace('127.0.0.1', 'localhost')}/sandbox
  Try      npm run story              the main job, step by step, in another terminal
           npx amanat sandbox --help  join with software of your own
           npx amanat log verify ${first}/log
  Log      ${join(dataFolder, 'network.log')}
  Stop     Ctrl-C
`
}
