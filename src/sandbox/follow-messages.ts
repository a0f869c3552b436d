import type { z } from 'zod'
import { callParty } from './client.ts'
import { deliveryLog } from './messages.ts'
import { type NetworkParty, readNetworkFile } from './network-file.ts'

type Written = z.output<typeof deliveryLog>[number] & { readonly party: NetworkParty }

type Options = {
  readonly dataFolder: string
  readonly firstPort: number | undefined
  readonly follow?: boolean
  readonly json?: boolean
  readonly until: () => Promise<void>
}

const FOLLOW_EVERY_MS = 500
/** Two messages may be written down at once and be seen in the other order: each turn looks back a little. */
const LOOK_BACK = 40

/**
 * Shows every message between parties. A message of two parties of ours is shown once, as its sender wrote it down; what came
 * from outside is shown as it was received.
 */
export async function followMessages(options: Options): Promise<number> {
  const { parties } = readNetworkFile(options.dataFolder, options.firstPort)
  const reader = makeReader(parties)
  const turn = async (isLast: boolean): Promise<void> => {
    for (const message of await reader(isLast))
      process.stdout.write(
        `${options.json ? JSON.stringify({ ...message, party: message.party.key }) : sayMessage(message, parties)}\n`,
      )
  }
  await turn(!options.follow)
  if (!options.follow) return 0
  let over = false
  const end = options.until().then(() => (over = true))
  while (!over) {
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, FOLLOW_EVERY_MS))])
    await turn(over)
  }
  return 0
}

/** Reads what is new at all parties, in order of time. A push names no caller: it waits a turn for its sender's own entry. */
function makeReader(parties: readonly NetworkParty[]): (isLast: boolean) => Promise<readonly Written[]> {
  const ours = new Set(parties.flatMap((party) => [party.id, party.clientId ?? party.id]))
  const newest = new Map<string, number>()
  const seen = new Set<string>()
  const sentPaths = new Set<string>()
  let unsure: readonly Written[] = []
  return async (isLast) => {
    const fresh: Written[] = []
    for (const party of parties) {
      const last = newest.get(party.key)
      const query = last === undefined ? '' : `?limit=1000&after=${Math.max(0, last - LOOK_BACK)}`
      for (const message of deliveryLog.parse(await callParty(party, `/v1/messages${query}`))) {
        newest.set(party.key, Math.max(newest.get(party.key) ?? 0, message.seq))
        if (seen.has(message.id)) continue
        seen.add(message.id)
        fresh.push({ ...message, party })
        if (message.direction === 'out') sentPaths.add(message.path)
      }
    }
    const known = fresh.filter(
      (message) => message.direction === 'out' || (!ours.has(message.peer) && message.peer !== 'anonymous'),
    )
    const anonymous = fresh.filter((message) => message.direction === 'in' && message.peer === 'anonymous')
    const settled = [...unsure, ...(isLast ? anonymous : [])].filter(({ path }) => !sentPaths.has(path))
    unsure = anonymous
    return [...known, ...settled].toSorted((a, b) => (a.at < b.at ? -1 : 1))
  }
}

function sayMessage(message: Written, parties: readonly NetworkParty[]): string {
  const peer = parties.find((party) => party.id === message.peer || party.key === message.peer)?.key ?? message.peer
  const way = message.direction === 'out' ? `${message.party.key} → ${peer}` : `${peer} → ${message.party.key}`
  const result = message.error ?? String(message.status ?? '')
  const again = message.attempt !== undefined && message.attempt > 1 ? `  try ${message.attempt}` : ''
  const body = message.body === undefined ? '' : `\n    ${JSON.stringify(message.body)}`
  return `${message.at.slice(11, 23)}  ${way.padEnd(28)} ${message.method} ${message.path}  ${result}  ${message.tookMs} ms${again}${body}`
}
