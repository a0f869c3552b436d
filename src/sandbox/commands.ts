import { z } from 'zod'
import { callParty } from './client.ts'
import { type NetworkParty, partyOf, readNetworkFile } from './network-file.ts'

/** What `amanat sandbox …` does: asks the running network over HTTP, prints, answers the exit code. */

type Place = { readonly dataFolder: string; readonly firstPort: number | undefined }

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const exchangeOf = (place: Place): NetworkParty =>
  partyOf(readNetworkFile(place.dataFolder, place.firstPort), 'exchange')

const credentials = z.object({ clientId: z.string(), clientSecret: z.string() })

/** Registers a bridge; `{clientId, clientSecret}`. */
export async function addBridge(
  input: Place & {
    readonly id: string
    readonly name: string
    readonly url: string
    readonly roles: string
    readonly json?: boolean
  },
): Promise<number> {
  const exchange = exchangeOf(input)
  const roles = input.roles
    .split(',')
    .map((role) => role.trim())
    .filter(Boolean)
  const answer = credentials.parse(
    await callParty(exchange, '/v1/sandbox/bridges', {
      body: { id: input.id, name: input.name, url: input.url, roles },
    }),
  )
  if (input.json) out(JSON.stringify(answer))
  else {
    out(`client id      ${answer.clientId}`)
    out(`client secret  ${answer.clientSecret}`)
    out(`sessions       POST ${exchange.url}/api/hiecm/gateway/v3/sessions`)
  }
  return 0
}

const patients = z.array(
  z.object({
    abhaAddress: z.string(),
    abhaNumber: z.string().nullable(),
    name: z.string(),
    gender: z.string(),
    birthDate: z.string(),
    mobile: z.string().nullable(),
    careContexts: z.array(
      z.object({ hip: z.string(), patientReference: z.string(), careContextReference: z.string(), hiType: z.string() }),
    ),
  }),
)

/** Lists the people of the network with their linked care contexts. */
export async function listPatients(input: Place & { readonly json: boolean }): Promise<number> {
  const answer = patients.parse(await callParty(exchangeOf(input), '/v1/sandbox/patients'))
  if (input.json) out(JSON.stringify(answer))
  else
    for (const one of answer)
      out(
        `${one.abhaAddress.padEnd(32)} ${one.name.padEnd(26)} ${one.gender}  ${one.birthDate}  ${String(one.careContexts.length).padStart(3)} care contexts`,
      )
  return 0
}

/** A patient session. */
export async function patientToken(
  input: Place & { readonly patient: string; readonly json?: boolean },
): Promise<number> {
  const { token } = z
    .object({ token: z.string() })
    .parse(await callParty(exchangeOf(input), '/v1/sandbox/tokens', { body: { patient: input.patient } }))
  out(input.json ? JSON.stringify({ token }) : token)
  return 0
}

const messages = z.array(
  z.object({
    id: z.string(),
    at: z.string(),
    direction: z.enum(['in', 'out']),
    peer: z.string(),
    method: z.string(),
    path: z.string(),
    requestId: z.string().optional(),
    body: z.unknown().optional(),
    status: z.number().optional(),
    answer: z.string().optional(),
    error: z.string().optional(),
    tookMs: z.number(),
    job: z.string().optional(),
    attempt: z.number().optional(),
  }),
)
type Shown = z.output<typeof messages>[number] & { readonly party: NetworkParty }

const FOLLOW_EVERY_MS = 500

/**
 * Shows every message between parties. A message of two parties of ours is shown once, as its sender wrote it down; what came
 * from outside is shown as it was received.
 */
export async function followMessages(
  input: Place & { readonly follow?: boolean; readonly json?: boolean; readonly until: () => Promise<void> },
): Promise<number> {
  const { parties } = readNetworkFile(input.dataFolder, input.firstPort)
  const ours = new Set(parties.map((party) => party.id))
  const last = new Map<string, string>()
  const turn = async (): Promise<void> => {
    const shown: Shown[] = []
    for (const party of parties) {
      const after = last.get(party.key)
      const fresh = messages.parse(
        await callParty(party, `/v1/messages${after === undefined ? '' : `?after=${after}`}`),
      )
      const newest = fresh.at(-1)
      if (newest) last.set(party.key, newest.id)
      shown.push(
        ...fresh
          .filter(
            (message) => message.direction === 'out' || !(ours.has(message.peer) || isOurBridge(message.peer, parties)),
          )
          .map((message) => ({ ...message, party })),
      )
    }
    for (const message of shown.toSorted((a, b) => (a.at < b.at ? -1 : 1)))
      out(input.json ? JSON.stringify({ ...message, party: message.party.key }) : sayMessage(message, parties))
  }
  await turn()
  if (!input.follow) return 0
  let over = false
  const end = input.until().then(() => (over = true))
  while (!over) {
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, FOLLOW_EVERY_MS))])
    if (!over) await turn()
  }
  return 0
}

/** A facility of ours calls the exchange under its client id; the exchange calls it back as itself. */
function isOurBridge(peer: string, parties: readonly NetworkParty[]): boolean {
  return parties.some((party) => peer === `bridge-${party.id}` || peer === party.id)
}

function sayMessage(message: Shown, parties: readonly NetworkParty[]): string {
  const peer = parties.find((party) => party.id === message.peer || party.key === message.peer)?.key ?? message.peer
  const way = message.direction === 'out' ? `${message.party.key} → ${peer}` : `${peer} → ${message.party.key}`
  const result = message.error ?? String(message.status ?? '')
  const again = message.attempt !== undefined && message.attempt > 1 ? `  try ${message.attempt}` : ''
  const body = message.body === undefined ? '' : `\n    ${JSON.stringify(message.body)}`
  return `${message.at.slice(11, 23)}  ${way.padEnd(28)} ${message.method} ${message.path}  ${result}  ${message.tookMs} ms${again}${body}`
}

const jobs = z.array(
  z.object({
    id: z.string(),
    kind: z.string(),
    status: z.string(),
    attempts: z.number(),
    runAt: z.string(),
    lastError: z.string().nullable(),
  }),
)

/** Waiting jobs and dead letters of every party. */
export async function listJobs(place: Place): Promise<number> {
  let count = 0
  for (const party of readNetworkFile(place.dataFolder, place.firstPort).parties) {
    for (const job of jobs.parse(await callParty(party, '/v1/jobs'))) {
      count++
      out(
        `${party.key.padEnd(12)} ${job.id}  ${job.status.padEnd(7)}  ${job.kind.padEnd(18)} try ${job.attempts}  ${job.lastError ?? ''}`,
      )
    }
  }
  if (count === 0) out('Nothing waits, and there are no dead letters.')
  return 0
}

/** Puts a dead letter back. */
export async function redeliver(input: Place & { readonly party: string; readonly job: string }): Promise<number> {
  await callParty(
    partyOf(readNetworkFile(input.dataFolder, input.firstPort), input.party),
    `/v1/jobs/${encodeURIComponent(input.job)}/redeliver`,
    { method: 'POST', body: {} },
  )
  out('Put back; it leaves at once.')
  return 0
}
