import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { formatVkey } from '../../crypto/signed-note.ts'
import type { Random } from '../../db/tx.ts'
import { addLog } from './known-logs.ts'
import { serveWitness } from './server.ts'
import { WitnessFault } from './state-file.ts'
import { openWitness } from './witness.ts'

const config = z
  .object({
    /** Name of the witness's key, for ever: host and path without scheme (C2SP signed-note key name). */
    name: z.string().regex(/^[^\s+]{3,200}$/, 'write a name without blanks or +, such as witness.university.example'),
    listen: z
      .object({
        host: z.string().min(1).default('127.0.0.1'),
        port: z.number().int().min(0).max(65_535, 'write a port from 0 to 65535'),
      })
      .strict(),
    /** Its key, its list of logs, and what it saw of them. */
    folder: z.string().min(1, 'write the folder of the witness'),
  })
  .strict()

export type WitnessNeeds = {
  readonly now: () => Date
  readonly random: Random
  readonly print: (line: string) => void
  /** Ends the command. */
  readonly until: () => Promise<unknown>
}

/** `amanat witness --config FILE [--add-log VKEY]`: cosigns checkpoints of other parties' logs until it is stopped. */
export async function witnessCommand(
  file: string,
  options: { readonly addLog?: readonly string[] },
  needs: WitnessNeeds,
): Promise<number> {
  const { name, listen, folder } = readConfig(file)
  if (options.addLog !== undefined) {
    for (const vkey of options.addLog) addLog(folder, vkey)
    needs.print(`Added ${options.addLog.length} to ${folder}/logs.txt; a witness that runs reads it at the next call.`)
    return 0
  }
  const witness = await openWitness(folder, name, needs)
  const server = await serveWitness(
    { witness, now: needs.now, fault: (error) => needs.print(`fault: ${String(error)}`) },
    listen,
  ).catch(async (error: unknown) => {
    await witness.close()
    throw new WitnessFault(
      `The witness cannot listen on ${listen.host}:${listen.port}: ${error instanceof Error ? error.message : 'unknown'}.`,
    )
  })
  needs.print(`witness ${formatVkey(witness.cosigner.key)}`)
  needs.print(`listens on http://${listen.host}:${server.port}, cosigns ${witness.logs()} logs of ${folder}/logs.txt`)
  await needs.until()
  await server.close()
  await witness.close()
  return 0
}

function readConfig(file: string): z.output<typeof config> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new WitnessFault(
      `the settings file ${file} cannot be read: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
  const parsed = config.safeParse(value)
  if (parsed.success) return { ...parsed.data, folder: resolve(dirname(resolve(file)), parsed.data.folder) }
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(the whole)'}: ${issue.message}`)
  throw new WitnessFault(`${file} has settings that cannot be used:\n${lines.join('\n')}`)
}
