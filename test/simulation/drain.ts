import { missingCosignatures } from './witnesses.ts'
import { PARTIES, type PartyId, type World, witnessesOf } from './world.ts'

/** How a quiet network works things off: no fault, no delay. Calls `step` before each thing, so that a run can count and check. */
export type Step = (what: string) => Promise<void> | void

const TURNS_MAX = 4_000
const HOUR_MS = 3_600_000

/** Runs jobs and carries messages until nothing is due any more at this time. */
export async function workOff(world: World, step: Step = () => undefined): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const [letter] = world.post.letters
    if (letter !== undefined) {
      await step(`carry ${letter.from} ${letter.path}`)
      if (letter.arrival === undefined) await world.tasks.start('deliver', async () => world.post.deliver(letter))
      await world.post.answer(letter)
      continue
    }
    const party = world.parties.find((one) => one.claimed.length > 0 || one.mayHaveJobs)
    if (party === undefined) return
    const [job] = party.claimed
    if (job === undefined) await party.claim(8)
    else {
      await step(`job ${party.id} ${job.kind} ${(job.payload as { readonly path?: string }).path ?? ''}`)
      await world.tasks.start(job.kind, () => party.run(job))
    }
  }
  throw new Error('the network does not come to rest')
}

/** When the next job of any party is due; undefined when none waits. */
export async function nextDue(world: World): Promise<number | undefined> {
  const due: number[] = []
  for (const { id, skewMs } of world.parties) {
    const [row] = await world.rows(id as PartyId).rows<{ at: Date | null }>(
      `select min(greatest(run_at, coalesce(claimed_until, run_at))) as at from job waiting where status = 'waiting' and not exists
          (select 1 from job earlier where earlier.lane = waiting.lane and earlier.status = 'waiting' and earlier.seq < waiting.seq)`,
    )
    if (row?.at) due.push(row.at.getTime() - skewMs)
  }
  return due.length === 0 ? undefined : Math.min(...due)
}

/** Works off everything that is due within the hour, and lets the log be signed. */
export async function settle(world: World, step?: Step): Promise<void> {
  const end = world.time.ms + HOUR_MS
  for (;;) {
    await workOff(world, step)
    const due = await nextDue(world)
    if (due === undefined || due > end) break
    world.time.ms = Math.max(world.time.ms + 1, due + 1)
    for (const party of world.parties) party.mayHaveJobs = true
  }
  for (const party of world.parties) await runChores(world, party.id as PartyId, ['log sequencer'], step)
}

/** Lets a party do these chores now. */
export async function runChores(world: World, id: PartyId, names: readonly string[], step?: Step): Promise<void> {
  for (const chore of world.party(id).chores.filter(({ name }) => names.includes(name))) {
    await step?.(`chore ${id} ${chore.name}`)
    await world.tasks.start(chore.name, () => world.party(id).doChore(chore))
  }
}

/** So often a party asks its witnesses, and so often it may have to until all of a quiet network have cosigned. */
const WITNESS_EVERY_MS = 2_000
const WITNESS_LOOKS_MAX = 3

/** Lets every log be signed, and asks its witnesses. */
export async function beWitnessed(world: World, step?: Step): Promise<void> {
  for (const id of PARTIES) await runChores(world, id, ['log sequencer'], step)
  for (let look = 0; look < WITNESS_LOOKS_MAX; look++) {
    for (const id of PARTIES) {
      const missing = await missingCosignatures(world, id)
      await runChores(world, id, missing.map(witnessChore), step)
    }
    await workOff(world, step)
    world.time.advance(WITNESS_EVERY_MS)
  }
}

/** The chore by which a party asks a witness. */
export const witnessChore = (witness: string): string => `log witness ${witness}`

/** What a party does by itself for its log. */
export const logChores = (id: PartyId): readonly string[] => ['log sequencer', ...witnessesOf(id).map(witnessChore)]
