import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Where the parties of a running sample network are, and the tokens to steer them: `network.json` in the data folder, 0600. */
const networkFile = z.object({
  firstPort: z.number().int(),
  parties: z.array(
    z.object({
      key: z.string(),
      role: z.enum(['exchange', 'facility']),
      id: z.string(),
      name: z.string(),
      what: z.string(),
      url: z.string(),
      operatorToken: z.string(),
      /** Its client id at the exchange: so its messages are known there. */
      clientId: z.string().optional(),
    }),
  ),
})

export type Network = z.output<typeof networkFile>
export type NetworkParty = Network['parties'][number]

export class NetworkFault extends Error {
  override readonly name = 'NetworkFault'
}

/** Written when all parties are up, read by the commands beside the network. */
export function writeNetworkFile(dataFolder: string, network: Network): void {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  const path = join(dataFolder, 'network.json')
  writeFileSync(`${path}.new`, `${JSON.stringify(network, null, 2)}\n`, { mode: 0o600 })
  chmodSync(`${path}.new`, 0o600)
  renameSync(`${path}.new`, path)
}

/** The network of this data folder. Says what to do when there is none. */
export function readNetworkFile(dataFolder: string, firstPort: number | undefined): Network {
  const path = join(dataFolder, 'network.json')
  if (!existsSync(path))
    throw new NetworkFault(
      `no network was ever started in ${dataFolder}. Start one with "npm start", or name its folder with AMANAT_DATA.`,
    )
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new NetworkFault(
      `${path} cannot be read (${error instanceof Error ? error.message : 'unreadable'}). Stop the network and start it again: it writes the file anew.`,
    )
  }
  const parsed = networkFile.safeParse(value)
  if (!parsed.success)
    throw new NetworkFault(`${path} is damaged. Stop the network and start it again: it writes the file anew.`)
  if (firstPort !== undefined && parsed.data.firstPort !== firstPort) {
    throw new NetworkFault(
      `the network in ${dataFolder} is on port ${parsed.data.firstPort}, but AMANAT_PORT says ${firstPort}. Set AMANAT_PORT=${parsed.data.firstPort}, or start the network anew.`,
    )
  }
  return parsed.data
}

/** The one party of that key. */
export function partyOf(network: Network, key: string): NetworkParty {
  const party = network.parties.find((one) => one.key === key)
  if (party === undefined)
    throw new NetworkFault(
      `the network has no party called ${key}; it has ${network.parties.map((one) => one.key).join(', ')}`,
    )
  return party
}
