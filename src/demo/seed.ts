import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { callParty } from '../sandbox/client.ts'
import { type Network, partyOf } from '../sandbox/network-file.ts'
import { waitFor } from './narrator.ts'
import { makePopulation } from './people/population.ts'
import { seedDesks } from './seed-desk.ts'
import { seedStaff } from './seed-staff.ts'

/** What is kept of the filling: the day it was made for, so that starting again finds the same people and records. */
const seedFile = z.object({ now: z.iso.datetime(), seed: z.number().int(), done: z.boolean() })

const SEED = 20_261_122
/** Requests under way at once while filling. */
const AT_ONCE = 6

/** What the network was filled with; undefined before its first filling. */
export function readSeed(dataFolder: string): z.output<typeof seedFile> | undefined {
  const path = join(dataFolder, 'sample-people.json')
  return existsSync(path) ? seedFile.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined
}

export type SeedReport = {
  readonly patients: number
  readonly records: number
  readonly staff: number
  readonly isFresh: boolean
}

/**
 * Fills the network over its own HTTP interfaces: patients at the exchange; patients, records and links at the facilities. Every
 * request has an idempotency key of its own, so a filling that was broken off is gone through again without doubling anything.
 */
export async function seedNetwork(options: {
  readonly dataFolder: string
  readonly network: Network
  readonly now: Date
  readonly progress: (done: number, all: number) => void
}): Promise<SeedReport> {
  const path = join(options.dataFolder, 'sample-people.json')
  const state = readSeed(options.dataFolder) ?? { now: options.now.toISOString(), seed: SEED, done: false }
  const save = (done: boolean): void =>
    writeFileSync(path, `${JSON.stringify({ ...state, done }, null, 2)}\n`, { mode: 0o600 })
  const population = makePopulation(new Date(state.now), state.seed)
  const records = population.holdings.reduce((sum, holding) => sum + holding.careContexts.length, 0)
  const staff = await seedStaff(options.dataFolder, options.network)
  const report = { patients: population.patients.length, records, staff, isFresh: !state.done }
  if (state.done) {
    await seedDesks(options.network, population, options.now)
    return report
  }
  save(false)
  const steps = stepsOf(options.network, population)
  let done = 0
  const all = steps.reduce((sum, group) => sum + group.length, 0)
  for (const group of steps) {
    await inParallel(group, async (step) => {
      await step()
      options.progress(++done, all)
    })
  }
  await waitFor(
    `${records} care contexts to be linked`,
    async () => ((await countLinked(options.network)) >= records ? true : undefined),
    LINKED_WITHIN_MS,
  )
  await seedDesks(options.network, population, options.now)
  save(true)
  return report
}

const GENDERS = { M: 'male', F: 'female', O: 'other' } as const

/** Linking goes on by messages between the parties after the last request was answered. */
const LINKED_WITHIN_MS = 120_000
const people = z.array(z.looseObject({ careContexts: z.array(z.unknown()) }))

async function countLinked(network: Network): Promise<number> {
  return people
    .parse(await callParty(partyOf(network, 'exchange'), '/v1/sandbox/patients'))
    .reduce((sum, { careContexts }) => sum + careContexts.length, 0)
}

type Population = ReturnType<typeof makePopulation>
type Step = () => Promise<unknown>

/** Groups of requests; each group needs the one before it. Grown-ups come first: a child needs its guardian. */
function stepsOf(network: Network, { patients, holdings }: Population): readonly (readonly Step[])[] {
  const exchange = partyOf(network, 'exchange')
  const people = new Map(patients.map((patient) => [patient.abhaAddress as string, patient]))
  const post = (party: ReturnType<typeof partyOf>, path: string, body: unknown): Step => {
    const key = createHash('sha256')
      .update(`${party.key}\n${path}\n${JSON.stringify(body)}`)
      .digest('base64url')
    return () => callParty(party, path, { body, headers: { 'idempotency-key': key } })
  }
  const enrol = (wanted: boolean): Step[] =>
    patients
      .filter((patient) => (patient.guardian !== undefined) === wanted)
      .map((patient) => post(exchange, '/v1/patients', patient))
  const reference = (mrn: string): string => encodeURIComponent(mrn)
  return [
    enrol(false),
    enrol(true),
    holdings.map((holding) => {
      const person = people.get(holding.abhaAddress)
      if (person === undefined) throw new Error(`no patient ${holding.abhaAddress}`)
      const { name, gender, birthDate, mobile, abhaNumber, abhaAddress, address } = person
      return post(partyOf(network, holding.holder), '/v1/patients', {
        reference: holding.mrn,
        name,
        gender: GENDERS[gender],
        birthDate,
        mobile,
        abhaNumber,
        abhaAddress,
        address,
      })
    }),
    holdings.flatMap((holding) =>
      holding.careContexts.map(({ careContextReference, document }) =>
        post(partyOf(network, holding.holder), `/v1/patients/${reference(holding.mrn)}/records`, {
          careContextReference,
          input: document,
        }),
      ),
    ),
    holdings.map((holding) =>
      post(partyOf(network, holding.holder), `/v1/patients/${reference(holding.mrn)}/link`, {}),
    ),
  ]
}

async function inParallel(steps: readonly Step[], run: (step: Step) => Promise<void>): Promise<void> {
  const queue = [...steps]
  const lane = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) await run(step)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}
