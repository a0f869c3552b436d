import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { makeCosigner } from '../crypto/cosignature.ts'
import { formatVkey, makeSigner } from '../crypto/signed-note.ts'
import { CallFault, callParty } from '../sandbox/client.ts'
import { type Network, type NetworkParty, partyOf, writeNetworkFile } from '../sandbox/network-file.ts'
import { openDatabases } from './databases.ts'
import { DEMO_PARTIES, type DemoParty } from './parties.ts'

/** What the network needs of the roof (`app.ts`): rooms do not import it. */
export type PartyStarter = {
  readonly logKeys: (keysFolder: string) => Promise<{ readonly logSeed: Uint8Array; readonly witnessSeed: Uint8Array }>
  readonly start: (
    settings: Record<string, unknown>,
    where: string,
    databaseUrl: string,
    log: Logger,
  ) => Promise<{ readonly stop: () => Promise<void> }>
  readonly randomToken: () => string
  /** Builds the web apps when they are older than their sources. */
  readonly buildWeb: (say: (line: string) => void) => Promise<void>
}

export type DemoNetwork = {
  readonly network: Network
  /** Settles when the database server ends by itself: nothing works then. */
  readonly died: Promise<Error>
  readonly stop: () => Promise<void>
}

/** What is kept of a party between starts. */
const kept = z.object({
  operatorToken: z.string(),
  clientId: z.string().optional(),
  clientSecret: z.string().optional(),
  /** Where the exchange calls it back. */
  url: z.string().optional(),
})
type Kept = z.output<typeof kept>

type Options = {
  readonly dataFolder: string
  readonly firstPort: number
  readonly databaseUrl: string | undefined
  readonly say: (line: string) => void
  readonly log: Logger
  readonly starter: PartyStarter
  readonly now: () => Date
}

const registered = z.object({ clientId: z.string(), clientSecret: z.string() })

/** Starts every party of the sample network in this process: own database, own keys, own port, real HTTP between them. */
export async function startNetwork(options: Options): Promise<DemoNetwork> {
  mkdirSync(options.dataFolder, { recursive: true, mode: 0o700 })
  const [databases] = await Promise.all([
    openDatabases(options.dataFolder, options.databaseUrl, options.say),
    options.starter.buildWeb(options.say),
  ])
  const running: { readonly stop: () => Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    // Facilities first: the exchange still answers what they have under way.
    for (const party of running.toReversed()) await party.stop()
    await databases.stop()
  }
  try {
    const identities = await Promise.all(DEMO_PARTIES.map((party) => identify(options, party)))
    for (const party of DEMO_PARTIES.filter(({ role }) => role === 'facility'))
      mkdirSync(documentsFolder(options.dataFolder, party.key), { recursive: true, mode: 0o700 })
    const network: Network = {
      firstPort: options.firstPort,
      parties: DEMO_PARTIES.map((party, i) => describe(options, party, i)),
    }
    for (const [i, party] of DEMO_PARTIES.entries()) {
      if (party.role === 'facility') await registerBridge(options, network, party)
      const settings = settingsOf(options, network, party, i, identities)
      running.push(
        await options.starter.start(
          settings,
          `the sample network's ${party.key}`,
          await databases.urlOf(party.key),
          options.log.child({ party: party.key }),
        ),
      )
    }
    const known = { ...network, parties: DEMO_PARTIES.map((party, i) => describe(options, party, i)) }
    writeNetworkFile(options.dataFolder, known)
    return { network: known, died: databases.died, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The settings of every party of a sample network that has run before, for commands beside it: backups, restores. */
export async function networkSettings(
  place: Place,
): Promise<readonly { readonly key: string; readonly settings: Record<string, unknown> }[]> {
  const identities = await Promise.all(DEMO_PARTIES.map((party) => identify(place, party)))
  const network: Network = {
    firstPort: place.firstPort,
    parties: DEMO_PARTIES.map((party, i) => describe(place, party, i)),
  }
  return DEMO_PARTIES.map((party, i) => ({
    key: party.key,
    settings: settingsOf(place, network, party, i, identities),
  }))
}

/** Where a facility of the sample network picks up FHIR documents made by others. */
export function documentsFolder(dataFolder: string, key: string): string {
  return join(dataFolder, key, 'documents')
}

/** Where `amanat fhir import` puts a newer package of profiles. */
export function profilesFolder(dataFolder: string): string {
  return join(dataFolder, 'profiles')
}

/** What says where a party of the sample network is, running or not. */
type Place = Pick<Options, 'dataFolder' | 'firstPort' | 'starter'>

const folderOf = (options: Place, party: DemoParty): string => join(options.dataFolder, party.key)
const originOf = (party: DemoParty): string => `${party.key}.amanat.example/log`

function readKept(options: Place, party: DemoParty): Kept {
  const path = join(folderOf(options, party), 'party.json')
  if (existsSync(path)) return kept.parse(JSON.parse(readFileSync(path, 'utf8')))
  const fresh = { operatorToken: options.starter.randomToken() }
  saveKept(options, party, fresh)
  return fresh
}

function saveKept(options: Place, party: DemoParty, values: Kept): void {
  mkdirSync(folderOf(options, party), { recursive: true, mode: 0o700 })
  writeFileSync(join(folderOf(options, party), 'party.json'), `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600 })
}

type Identity = {
  readonly party: DemoParty
  readonly logVkey: string
  readonly witnessVkey: string
  readonly witnessName: string
}

async function identify(options: Place, party: DemoParty): Promise<Identity> {
  const { logSeed, witnessSeed } = await options.starter.logKeys(folderOf(options, party))
  const cosigner = makeCosigner(`${originOf(party)}/witness`, witnessSeed)
  return {
    party,
    logVkey: formatVkey(makeSigner(originOf(party), logSeed).key),
    witnessVkey: formatVkey(cosigner.key),
    witnessName: `${originOf(party)}/witness`,
  }
}

function describe(options: Place, party: DemoParty, index: number): NetworkParty {
  const { key, role, id, name, what } = party
  const { operatorToken, clientId } = readKept(options, party)
  return {
    key,
    role,
    id,
    name,
    what,
    url: `http://127.0.0.1:${options.firstPort + index}`,
    operatorToken,
    ...(clientId === undefined ? {} : { clientId }),
  }
}

/** Each log is witnessed by the next two parties round the table, so no party can roll its log back unseen. */
function settingsOf(
  options: Place,
  network: Network,
  party: DemoParty,
  index: number,
  identities: readonly Identity[],
): Record<string, unknown> {
  const around = (step: number): Identity =>
    identities[(index + step + identities.length) % identities.length] as Identity
  const urlOf = (identity: Identity): string => partyOf(network, identity.party.key).url
  const own = partyOf(network, party.key)
  const exchange = partyOf(network, 'exchange')
  const values = readKept(options, party)
  return {
    role: party.role,
    id: party.id,
    name: party.name,
    listen: { host: '127.0.0.1', port: options.firstPort + index },
    publicUrl: own.url,
    database: { embeddedFolder: join(options.dataFolder, 'postgres'), name: party.key },
    keysFolder: folderOf(options, party),
    log: {
      origin: originOf(party),
      witnesses: [around(1), around(2)].map((witness) => ({
        name: witness.witnessName,
        vkey: witness.witnessVkey,
        url: `${urlOf(witness)}/witness`,
      })),
      witnessFor: [around(-1), around(-2)].map((log) => ({ origin: originOf(log.party), vkey: log.logVkey })),
      // A receipt is final when both have cosigned; whose log one witnesses, that one watches too.
      policy: [
        ...[around(0), around(-1), around(-2)].map((log) => `log ${log.logVkey} ${urlOf(log)}/log`),
        ...[around(1), around(2)].map(
          (each) => `witness ${each.witnessName} ${each.witnessVkey} ${urlOf(each)}/witness`,
        ),
        `group both all ${around(1).witnessName} ${around(2).witnessName}`,
        'quorum both',
      ],
    },
    operatorToken: values.operatorToken,
    allowPrivateNetworks: true,
    ...(existsSync(profilesFolder(options.dataFolder)) ? { profilesFolder: profilesFolder(options.dataFolder) } : {}),
    textMessages: { kind: 'sandbox' },
    sandbox: true,
    ...(party.role === 'exchange'
      ? { sandboxParties: network.parties.map(({ id, url, operatorToken }) => ({ id, url, operatorToken })) }
      : {
          exchange: {
            baseUrl: `${exchange.url}/api/hiecm`,
            nativeUrl: exchange.url,
            cmId: exchange.id,
            clientId: values.clientId,
            clientSecret: values.clientSecret,
          },
          records: { folder: documentsFolder(options.dataFolder, party.key) },
        }),
  }
}

/** Registers a facility at the exchange once; its client id and secret are kept. One that stands at another port now says so. */
export async function registerBridge(
  place: Place & Pick<Options, 'now'>,
  network: Network,
  party: DemoParty,
): Promise<void> {
  const values = readKept(place, party)
  const exchange = partyOf(network, 'exchange')
  const { url } = partyOf(network, party.key)
  const known = registered.safeParse(values)
  if (known.success) {
    if (values.url === url) return
    if (await moveBridge(exchange, known.data, url, place.now)) saveKept(place, party, { ...values, url })
    return
  }
  const { id, name, services: roles, facilityTypes } = party
  const body = { id, name, url, roles, facilityTypes }
  const { clientId, clientSecret } = registered.parse(await callParty(exchange, '/v1/bridges', { body }))
  saveKept(place, party, { ...values, clientId, clientSecret, url })
}

/**
 * As a bridge itself: an operator who registered it anew would let in again whom somebody shut out. False when it is shut out: then it says
 * so again at the next start.
 */
async function moveBridge(
  exchange: NetworkParty,
  own: z.output<typeof registered>,
  url: string,
  now: Options['now'],
): Promise<boolean> {
  const call = (path: string, method: 'POST' | 'PATCH', body: object, token?: string): Promise<unknown> => {
    const headers = {
      'REQUEST-ID': randomUUID(),
      TIMESTAMP: now().toISOString(),
      'X-CM-ID': exchange.id,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    return callParty(exchange, `/api/hiecm/gateway/v3${path}`, { method, body, headers, anonymous: true })
  }
  try {
    const session = await call('/sessions', 'POST', { ...own, grantType: 'client_credentials' })
    await call('/bridge/url', 'PATCH', { url }, z.object({ accessToken: z.string() }).parse(session).accessToken)
  } catch (error) {
    // Who was shut out is not called back at all.
    if (!(error instanceof CallFault) || (error.status !== 401 && error.status !== 403)) throw error
    return false
  }
  return true
}
