import { REPLAYS_OF } from '../../src/app-replay.ts'
import { checkEverybody } from '../../src/audit/replay-check.ts'
import { transact } from '../../src/db/tx.ts'
import { listOpenJobs } from '../../src/jobs/queue.ts'
import { STAFF_REPLAYS } from '../../src/people/replay.ts'
import { partyName } from '../network.ts'
import type { Call } from './clients.ts'
import { claimCall, recordNumber, revokeCall } from './commands.ts'
import { beWitnessed, runChores, settle, workOff } from './drain.ts'
import { idText } from './ids.ts'
import { type Model, Violation } from './model.ts'
import { ShutOut } from './shut-out.ts'
import type { Simulation } from './simulation.ts'
import type { Snapshot } from './snapshot.ts'
import { DOCTOR } from './stage.ts'
import { WITNESS } from './witness-party.ts'
import { EXCHANGE, HOSPITALS, PARTIES, type PartyId, type World } from './world.ts'

const HOUR_MS = 3_600_000
/** The longest that anything may take once all is well again: the last retries, the end of short consents, of transfers, of keys. */
const PEACE_MS = 8 * HOUR_MS
const ROUNDS = 4
const HOSPITAL_CHORES = [
  'end emergencies',
  'hip.expire-artefacts',
  'hiu: early notices',
  'hiu: erase at dataEraseAt',
  'hiu: erase what no law keeps any more',
  'hiu: ask for silent transfers',
  'hiu: report overdue transfers',
]

/** Heals everything, lets time pass until all is quiet, and then reckons: the parties must agree, and what was to be erased is gone. */
export async function finish(simulation: Simulation): Promise<void> {
  const { world, model, clients } = simulation
  await heal(world)
  const step = (what: string): void => {
    model.insist()
    const [kind = '', ...rest] = what.split(' ')
    simulation.note(kind, rest.join(' '))
  }
  for (const call of clients.doubtful) {
    step(`again ${call.name}`)
    let came = ''
    await world.tasks.start(call.name, async () => void (came = await clients.make(call)))
    simulation.came(came)
  }
  if (clients.doubtful.length > 0) throw new Violation(`${clients.doubtful[0]?.name} has no answer though all is well`)
  await takeBack(simulation, step)
  const end = world.time.ms + PEACE_MS
  for (let round = 0; round < ROUNDS; round++) {
    await settle(world, step)
    if (round === 0) await endWhatIsClaimed(simulation, step)
    world.time.ms = Math.max(world.time.ms, end - (ROUNDS - 1 - round) * HOUR_MS)
    if ([...model.consents.values()].some((one) => isDue(one, world.time.ms)))
      await runChores(world, EXCHANGE, ['consent-expiry'], step)
    for (const id of HOSPITALS) await runChores(world, id, HOSPITAL_CHORES, step)
    await workOff(world, step)
  }
  await lookOnceMore(simulation, step)
  await beWitnessed(world, step)
  model.endedWithAsker()
  model.insist()
  await reckon(simulation)
}

/** Hours after every emergency its doctor tries to read once more: the laws of {@link Model} say that she may not. */
async function lookOnceMore(
  { world, model, clients, commands }: Simulation,
  step: (what: string) => void,
): Promise<void> {
  for (const { hospital, patient } of model.emergencies.all.values()) {
    const call = commands.emergency.look(hospital, patient, recordNumber(patient))
    step(`again ${call.name}`)
    await world.tasks.start(call.name, async () => void (await clients.make(call)))
  }
}

/** Whoever was shut out takes part again. */
async function takeBack(simulation: Simulation, step: (what: string) => void): Promise<void> {
  const { world, model, clients } = simulation
  const shutOut = new ShutOut(world)
  const { off, ended, shutOut: out } = model.suspensions
  const calls = HOSPITALS.flatMap((hospital) => [
    ...(ended.has(hospital) ? [shutOut.hospital(hospital, 'confirm')] : []),
    ...(off.has(hospital) && !ended.has(hospital) ? [shutOut.service(hospital, true)] : []),
    ...(out.has(hospital) ? [shutOut.software(hospital, 'resume')] : []),
  ])
  for (const call of calls) {
    step(`again ${call.name}`)
    let status = ''
    await world.tasks.start(call.name, async () => void (status = await clients.make(call)))
    simulation.came(status)
  }
  if (off.size > 0 || out.size > 0) throw new Violation('somebody cannot be taken back')
}

const CLAIMED_MS = [2 * HOUR_MS, 30 * 24 * HOUR_MS] as const

/**
 * A law keeps two of the copies that came, one for hours, one for longer than the run; then the patients stop what a claim lies on. So in
 * nearly every run copies are kept beyond their consent, and some are to be erased afterwards.
 */
async function endWhatIsClaimed(simulation: Simulation, step: (what: string) => void): Promise<void> {
  const { world, model, clients } = simulation
  const make = async (call: Call): Promise<void> => {
    step(`then ${call.name}`)
    let status = ''
    await world.tasks.start(call.name, async () => void (status = await clients.make(call)))
    simulation.came(status)
  }
  const living = [...model.consents.values()].filter((one) => one.ended === undefined && !isDue(one, world.time.ms))
  const came = living.filter(({ id }) => model.sent.has(id) && !model.claims.until.has(id))
  for (const [i, forMs] of CLAIMED_MS.entries()) {
    const consent = came[i]
    const until = new Date(world.time.ms + forMs)
    if (consent !== undefined) await make(claimCall(consent, until, idText(world.bytes.bytes(16))))
  }
  for (const consent of living)
    if (model.claims.until.has(consent.id)) await make(revokeCall(consent, idText(world.bytes.bytes(16))))
  await settle(world, step)
}

const isDue = (consent: { ended?: string; allowed: { until: Date } }, nowMs: number): boolean =>
  consent.ended === undefined && consent.allowed.until.getTime() <= nowMs

async function heal(world: World): Promise<void> {
  world.post.heal()
  world.isLucky = () => true
  if (!world.witness.isUp) await world.witness.start()
  world.witness.arm(undefined)
  for (const party of world.parties) {
    party.skewMs = 0
    if (party.isUp) party.database.arm(undefined)
    else {
      await party.bury()
      await party.start()
    }
    // Leases of what a dead process had claimed run out.
    party.mayHaveJobs = true
  }
}

async function reckon(simulation: Simulation): Promise<void> {
  const { clients, logs, witnesses } = simulation
  await clients.insistOnPromises()
  for (const log of logs.values()) {
    await log.follow()
    await log.insistOnAll()
  }
  for (const witness of [WITNESS, EXCHANGE]) await witnesses.look(witness)
  await witnesses.insistOnAll()
  for (const id of PARTIES) await insistOnNoDeadJobs(simulation, id)
  for (const id of PARTIES) await insistOnLog(simulation, id)
  await insistOnAgreement(simulation)
  for (const id of HOSPITALS) await insistOnErasure(simulation, id)
  await insistOnEmergencies(simulation)
}

/** Every emergency has ended, and its patient was told of it by a text message: who, and where. */
async function insistOnEmergencies({ world, model }: Simulation): Promise<void> {
  const opened = [...model.emergencies.all.values()]
  const open = opened.find((one) => one.ended === undefined)
  if (open !== undefined) throw new Violation(`emergency ${open.id} at ${open.hospital} did not end`)
  const { db } = world.party(EXCHANGE).built.machine
  const texts = (await db.selectFrom('text_message').select('words').execute()).map(({ words }) => words)
  for (const { hospital } of opened) {
    const told = texts.filter((text) => text.includes(DOCTOR) && text.includes(partyName('Hospital', hospital))).length
    const all = opened.filter((one) => one.hospital === hospital).length
    if (told < all) throw new Violation(`${all} emergencies at ${hospital}, and patients were told of ${told}`)
  }
}

/** Every row stands as the log says: what went wrong on the way changed neither without the other. The stage hires people by hand. */
async function insistOnLog({ world }: Simulation, id: PartyId): Promise<void> {
  const { built, config } = world.party(id)
  const replays = REPLAYS_OF[config.role].filter((kind) => !STAFF_REPLAYS.includes(kind))
  const [first] = (await checkEverybody(built.machine, replays)).found
  if (first !== undefined) throw new Violation(`${id}: ${first.detail}`)
}

async function insistOnNoDeadJobs({ world, model }: Simulation, id: PartyId): Promise<void> {
  const open = await transact(world.party(id).built.machine, (tx) => listOpenJobs(tx, { limit: 100 }))
  const refused = new Set([
    ...(await pagesRefusedInTime(world, model, id)),
    ...(await refusedToTheShutOut(world, model, id)),
  ])
  const stuck = open.find((job) => (job.status === 'dead' ? !refused.has(job.id) : job.runAt <= world.time.now()))
  if (stuck !== undefined)
    throw new Violation(`${id}: a job ${stuck.kind} ${stuck.path ?? ''} is ${stuck.status}: ${stuck.lastError}`)
}

/** Pages that a requester did not take because it knew before the provider that their consent was over: they have failed, and that is told. */
async function pagesRefusedInTime(world: World, model: Model, id: PartyId): Promise<ReadonlySet<string>> {
  const { db } = world.party(id).built.machine
  const dead = db.selectFrom('job').select(['id', 'last_error', 'payload']).where('status', '=', 'dead')
  const pushes = await dead.where('kind', '=', 'hip.push').execute()
  const isInTime = ({ last_error, payload }: (typeof pushes)[number]): boolean =>
    last_error === 'The requester answered 403.' &&
    model.consents.get((payload as { consentId: string }).consentId)?.ended !== undefined
  return new Set(pushes.filter(isInTime).map((one) => one.id))
}

/** What was said in vain while somebody was shut out, and does not have to last: it was refused, and whoever asked was told. */
async function refusedToTheShutOut(world: World, model: Model, id: PartyId): Promise<readonly string[]> {
  const { db } = world.party(id).built.machine
  const dead = await db.selectFrom('job').select(['id', 'payload']).where('status', '=', 'dead').execute()
  return dead.flatMap(({ id: job, payload }) => {
    const { to, lasting } = payload as { readonly to?: { readonly facility?: string }; readonly lasting?: true }
    const other = id === EXCHANGE ? to?.facility : id
    return other !== undefined && lasting === undefined && model.suspensions.ever.has(other) ? [job] : []
  })
}

type Row = { readonly id: string; readonly status: string }

async function insistOnAgreement({ world, model }: Simulation): Promise<void> {
  const statuses = async (id: PartyId, text: string): Promise<ReadonlyMap<string, string>> =>
    new Map((await world.rows(id).rows<Row>(text)).map((row) => [row.id, row.status]))
  const requests = await statuses(EXCHANGE, 'select id, status from consent_request')
  const artefacts = await statuses(EXCHANGE, 'select id, status from consent_artefact')
  for (const hospital of HOSPITALS) {
    const asked = await statuses(hospital, 'select id, status from hiu_consent')
    const used = await statuses(hospital, 'select id, status from hiu_artefact')
    const shared = await statuses(hospital, 'select consent_id as id, status from hip_artefact')
    for (const one of model.asked.filter((each) => each.asker === hospital)) {
      const there = requests.get(one.request ?? '')
      const here = asked.get(one.own)
      // Refused because it came too late, or was wrong by the exchange's clock: both know nothing of it.
      if (there === undefined && here === 'failed') continue
      // A facility whose clock was ahead may have ended it as expired before it heard of the revocation.
      if (there === 'REVOKED' && here === 'expired') continue
      if (there === undefined || here !== there.toLowerCase())
        throw new Violation(`consent request ${one.own} is ${here} at ${hospital} and ${there} at the exchange`)
    }
    for (const consent of model.consents.values()) {
      const { id, allowed, asked: request } = consent
      const there = artefacts.get(id)
      const wanted = consent.ended ?? 'GRANTED'
      if (there !== wanted) throw new Violation(`consent ${id} is ${there} at the exchange, not ${wanted}`)
      if (wanted === 'GRANTED' && allowed.until <= world.time.now()) throw new Violation(`consent ${id} did not expire`)
      if (
        request.asker === hospital &&
        used.get(id) !== wanted.toLowerCase() &&
        !(consent.ended && ['revoked', 'expired'].includes(used.get(id) ?? ''))
      )
        throw new Violation(`consent ${id} is ${wanted}, and ${used.get(id)} at its user ${hospital}`)
      // A provider whose clock was ahead may have ended it as expired before it heard of the revocation.
      if (allowed.hip === hospital && shared.get(id) !== wanted && !(consent.ended && shared.get(id) === 'EXPIRED'))
        throw new Violation(`consent ${id} is ${wanted}, and ${shared.get(id)} at its provider ${hospital}`)
    }
  }
}

/** What a law keeps is there, with its key. */
async function insistOnKept(rows: Snapshot, hospital: PartyId, kept: readonly string[]): Promise<void> {
  const there = await rows.rows<{ id: string }>(
    `select distinct artefact as id from hiu_document where artefact = any($1::uuid[])
       and exists (select 1 from data_key where scope = artefact::text and wrapped is not null)`,
    [kept],
  )
  const gone = kept.find((id) => !there.some((row) => row.id === id))
  if (gone !== undefined) throw new Violation(`${hospital} should keep the copy under ${gone}, and has it no more`)
}

async function insistOnErasure({ world, model }: Simulation, hospital: PartyId): Promise<void> {
  const now = world.time.now()
  const over = [...model.consents.values()].filter((one) => one.ended !== undefined && one.asked.asker === hospital)
  const ended = over.map(({ id }) => id).filter((id) => !model.claims.isKeptAt(id, now))
  const rows = world.rows(hospital)
  await insistOnKept(
    rows,
    hospital,
    over.map(({ id }) => id).filter((id) => model.claims.isKeptAt(id, now)),
  )
  const [held] = await rows.rows<{ artefact: string }>(
    'select artefact from hiu_document where artefact = any($1::uuid[]) limit 1',
    [ended],
  )
  if (held !== undefined) throw new Violation(`${hospital} still holds documents of ${held.artefact}, which has ended`)
  const [key] = await rows.rows<{ scope: string }>(
    'select scope from data_key where scope = any($1) and wrapped is not null limit 1',
    [ended],
  )
  if (key !== undefined) throw new Violation(`${hospital} still has the key of ${key.scope}, which has ended`)
  const [open] = await rows.rows<{ id: string; status: string }>(
    `select id, status from hiu_request where status in ('asked', 'acknowledged', 'receiving', 'postponed')
     and asked_at < $1 limit 1`,
    [new Date(world.time.ms - HOUR_MS)],
  )
  if (open !== undefined) throw new Violation(`${hospital}: data request ${open.id} is ${open.status} for ever`)
}
