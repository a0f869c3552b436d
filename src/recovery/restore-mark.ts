import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { stopLeftovers } from '../db/embedded-cluster.ts'
import { isRunning } from '../db/embedded-process.ts'
import { RecoveryFault } from './recovery-fault.ts'

/** Lies in the folder of a restore from its first moment to its last: where it lies, what is there is half a restore. */
const MARK = 'restore-unfinished.json'
/** Everything that a restore writes before it is finished. */
const OWN = [MARK, 'cluster', 'cluster.new', 'password', 'recovery.conf', 'recovery-hba.conf', 'recovery-ident.conf']
const OWN_TOO = ['recovery.log', 'restore.json', 'restore.txt']

const markSchema = z.object({
  amanat: z.literal('restore-unfinished/v1'),
  startedAt: z.iso.datetime(),
  backup: z.string(),
  from: z.string(),
  to: z.iso.datetime().nullable(),
  pid: z.int().positive(),
})
type Mark = z.infer<typeof markSchema>
type Begun = {
  readonly startedAt: Date
  readonly backup: string
  readonly from: string
  readonly to: Date | undefined
}

/**
 * Opens the folder of a restore: an empty one, or with `again` one in which an earlier restore was interrupted, which then starts over.
 * Marks it as unfinished before anything else is in it.
 * @throws RecoveryFault `place_not_empty`, `restore_unfinished`, `in_use`
 */
export async function beginRestore(
  folder: string,
  order: { readonly again: boolean; readonly say: (line: string) => void },
  { startedAt, to, ...more }: Begun,
): Promise<void> {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = fs.readdirSync(folder)
  const earlier = readMark(folder)
  if (earlier !== undefined) await clear(folder, order, earlier, found)
  else if (found.length > 0)
    throw new RecoveryFault(
      'place_not_empty',
      `${folder} is not empty. A restore never writes over what is there: name an empty folder.`,
    )
  const mark: Mark = {
    amanat: 'restore-unfinished/v1',
    startedAt: startedAt.toISOString(),
    ...more,
    to: to?.toISOString() ?? null,
    pid: process.pid,
  }
  fs.writeFileSync(path.join(folder, MARK), `${JSON.stringify(mark, undefined, 2)}\n`, { mode: 0o600, flush: true })
}

/** The restore is whole, or nothing of it is there any more. */
export function endRestore(folder: string): void {
  fs.rmSync(path.join(folder, MARK), { force: true })
}

async function clear(
  folder: string,
  { again, say }: Parameters<typeof beginRestore>[1],
  mark: Mark,
  found: readonly string[],
): Promise<void> {
  const what = `An earlier restore of the backup ${mark.backup} from ${mark.from}, begun at ${mark.startedAt}`
  if (mark.pid !== process.pid && isRunning(mark.pid))
    throw new RecoveryFault('in_use', `${what}, seems to be at work in ${folder} still (process ${mark.pid}).`)
  if (!again)
    throw new RecoveryFault(
      'restore_unfinished',
      `${what}, was not finished. What lies in ${folder} is not whole: start nothing on it. Delete the folder, or give --again to start over in it.`,
    )
  const foreign = found.filter((name) => ![...OWN, ...OWN_TOO].includes(name))
  if (foreign.length > 0)
    throw new RecoveryFault(
      'place_not_empty',
      `${what}, was not finished, but ${folder} also has what no restore writes: ${foreign.join(', ')}. Name an empty folder.`,
    )
  say(`${what}, was not finished: starting over in ${folder}.`)
  const cluster = path.join(folder, 'cluster')
  // A server that it left behind.
  if (fs.existsSync(cluster)) await stopLeftovers(cluster, say)
  // The mark goes last: interrupted here, it still says what this is.
  for (const name of [...OWN.slice(1), ...OWN_TOO]) fs.rmSync(path.join(folder, name), { recursive: true, force: true })
}

/** A mark that cannot be read is a mark, too: it was being written when the machine stopped. */
function readMark(folder: string): Mark | undefined {
  const file = path.join(folder, MARK)
  if (!fs.existsSync(file)) return undefined
  const unread: Mark = {
    amanat: 'restore-unfinished/v1',
    startedAt: fs.statSync(file).mtime.toISOString(),
    backup: 'of an unknown moment',
    from: 'an unknown place',
    to: null,
    pid: process.pid,
  }
  try {
    return markSchema.safeParse(JSON.parse(fs.readFileSync(file, 'utf8'))).data ?? unread
  } catch {
    return unread
  }
}
