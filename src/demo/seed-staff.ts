import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { CallFault, callParty } from '../sandbox/client.ts'
import { type Network, type NetworkParty, partyOf } from '../sandbox/network-file.ts'
import type { Holder } from './people/person.ts'
import { SAMPLE_STAFF, type SampleStaffSeed } from './people/staff.ts'

const sample = z.object({ login: z.string(), name: z.string(), role: z.string(), password: z.string() })

/**
 * Gives every facility of the network its staff, over its own HTTP interface; those that are there already stay as they are. Writes who
 * may be signed in as into `staff.json` of the data folder (0600).
 */
export async function seedStaff(dataFolder: string, network: Network): Promise<number> {
  const seeds = Object.entries(SAMPLE_STAFF) as [Holder, readonly SampleStaffSeed[]][]
  const everybody: Record<string, readonly z.output<typeof sample>[]> = Object.fromEntries(
    await Promise.all(seeds.map(async ([key, people]) => [key, await seedFacility(partyOf(network, key), people)])),
  )
  const path = join(dataFolder, 'staff.json')
  writeFileSync(path, `${JSON.stringify(everybody, null, 2)}\n`, { mode: 0o600 })
  chmodSync(path, 0o600)
  return Object.values(everybody).flat().length
}

async function seedFacility(
  party: NetworkParty,
  people: readonly SampleStaffSeed[],
): Promise<readonly z.output<typeof sample>[]> {
  const before = await listSamples(party)
  const known = new Set(before.map(({ login }) => login))
  const missing = people.filter(({ login }) => !known.has(login))
  if (missing.length === 0) return before
  await Promise.all(missing.map((person) => addSample(party, person)))
  return listSamples(party)
}

async function listSamples(party: NetworkParty): Promise<readonly z.output<typeof sample>[]> {
  return z.array(sample).parse(await callParty(party, '/v1/sandbox/staff'))
}

/** Who tried things out may have suspended a sample person, or set her up anew: then she stays so. */
async function addSample(party: NetworkParty, person: SampleStaffSeed): Promise<void> {
  try {
    await callParty(party, '/v1/sandbox/staff', { body: person })
  } catch (error) {
    if (!(error instanceof CallFault && error.status === 409)) throw error
  }
}
