import { z } from 'zod'
import { LIMITS } from '../kernel/limits.ts'
import { callParty } from './client.ts'
import { NetworkFault, type NetworkParty, partyOf, readNetworkFile } from './network-file.ts'

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
    /** Where the exchange asks which operator does it: `name:123456`. */
    readonly code?: string
    readonly json?: boolean
  },
): Promise<number> {
  const exchange = { ...exchangeOf(input), ...(input.code === undefined ? {} : { operatorCode: input.code }) }
  const roles = input.roles
    .split(',')
    .map((role) => role.trim())
    .filter(Boolean)
  const answer = credentials.parse(
    await callParty(exchange, '/v1/bridges', {
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

async function tokenOf(exchange: NetworkParty, patient: string): Promise<string> {
  return z.object({ token: z.string() }).parse(await callParty(exchange, '/v1/sandbox/tokens', { body: { patient } }))
    .token
}

/** A patient session. */
export async function patientToken(
  input: Place & { readonly patient: string; readonly json?: boolean },
): Promise<number> {
  const token = await tokenOf(exchangeOf(input), input.patient)
  out(input.json ? JSON.stringify({ token }) : token)
  return 0
}

const jobs = z.array(
  z.object({
    id: z.string(),
    seq: z.number(),
    kind: z.string(),
    status: z.string(),
    attempts: z.number(),
    runAt: z.string(),
    lastError: z.string().nullable(),
  }),
)

/** Waiting jobs and dead letters of every party. */
export async function listJobs(place: Place): Promise<number> {
  const lines: string[] = []
  for (const party of readNetworkFile(place.dataFolder, place.firstPort).parties)
    for (const job of await jobsOf(party)) {
      const when = job.status === 'dead' ? 'dead letter' : `waits until ${job.runAt.slice(11, 19)}`
      const tries = job.attempts === 0 ? '' : `tried ${job.attempts} times: ${job.lastError ?? ''}`
      lines.push(`${party.key.padEnd(12)} ${job.id}  ${job.kind.padEnd(18)} ${when.padEnd(21)} ${tries}`.trimEnd())
    }
  out(
    lines.length === 0
      ? 'Nothing waits, and there are no dead letters.'
      : `${'party'.padEnd(12)} ${'job'.padEnd(36)}  kind`,
  )
  for (const line of lines) out(line)
  return 0
}

async function jobsOf(party: Parameters<typeof callParty>[0]): Promise<z.output<typeof jobs>> {
  const all: z.output<typeof jobs> = []
  for (let isMore = true; isMore; ) {
    const after = all.at(-1)?.seq ?? 0
    const found = jobs.parse(await callParty(party, `/v1/jobs?limit=${LIMITS.pageSizeMax}&after=${after}`))
    all.push(...found)
    isMore = found.length === LIMITS.pageSizeMax
  }
  return all
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

/** Shows what a party answers to its operator, or to a patient, at a path: what the story says is there to see. */
export async function showPath(
  input: Place & { readonly party: string; readonly path: string; readonly patient?: string },
): Promise<number> {
  const network = readNetworkFile(input.dataFolder, input.firstPort)
  const party = partyOf(network, input.party)
  if (!input.path.startsWith('/'))
    throw new NetworkFault(`the path ${input.path} must begin with a slash, such as /v1/artefacts`)
  const headers =
    input.patient === undefined ? {} : { 'x-auth-token': await tokenOf(partyOf(network, 'exchange'), input.patient) }
  const answer = await callParty(party, input.path, { headers, anonymous: input.patient !== undefined })
  out(typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2))
  return 0
}
