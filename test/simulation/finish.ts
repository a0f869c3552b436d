import { transact } from '../../src/db/tx.ts'
import { listOpenJobs } from '../../src/jobs/queue.ts'
import { runChores, settle, workOff } from './drain.ts'
import { type Model, Violation } from './model.ts'
import type { Simulation } from './simulation.ts'
import { EXCHANGE, HOSPITALS, PARTIES, type PartyId, type World } from './world.ts'

const HOUR_MS = 3_600_000
/** The longest that anything may take once all is well again: the last retries, the end of short consents, of transfers, of keys. */
const PEACE_MS = 8 * HOUR_MS
const ROUNDS = 4
const HOSPITAL_CHORES = [
  'hip.expire-artefacts',
  'hiu: early notices',
  'hiu: erase at dataEraseAt',
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
  const end = world.time.ms + PEACE_MS
  for (let round = 0; round < ROUNDS; round++) {
    await settle(world, step)
    world.time.ms = Math.max(world.time.ms, end - (ROUNDS - 1 - round) * HOUR_MS)
    if ([...model.consents.values()].some((one) => isDue(one, world.time.ms)))
      await runChores(world, EXCHANGE, ['consent-expiry'], step)
    for (const id of HOSPITALS) await runChores(world, id, HOSPITAL_CHORES, step)
    await workOff(world, step)
  }
  for (const id of PARTIES) await runChores(world, id, ['log sequencer'], step)
  model.insist()
  await reckon(simulation)
}

const isDue = (consent: { ended?: string; allowed: { until: Date } }, nowMs: number): boolean =>
  consent.ended === undefined && consent.allowed.until.getTime() <= nowMs

async function heal(world: World): Promise<void> {
  world.post.heal()
  world.isLucky = () => true
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
  const { clients, logs } = simulation
  await clients.insistOnPromises()
  for (const log of logs.values()) {
    await log.follow()
    await log.insistOnAll()
  }
  for (const id of PARTIES) await insistOnNoDeadJobs(simulation, id)
  await insistOnAgreement(simulation)
  for (const id of HOSPITALS) await insistOnErasure(simulation, id)
}

async function insistOnNoDeadJobs({ world, model }: Simulation, id: PartyId): Promise<void> {
  const open = await transact(world.party(id).built.machine, (tx) => listOpenJobs(tx, 100))
  const refused = await pagesRefusedInTime(world, model, id)
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

async function insistOnErasure({ world, model }: Simulation, hospital: PartyId): Promise<void> {
  const ended = [...model.consents.values()].filter((one) => one.ended !== undefined).map(({ id }) => id)
  const rows = world.rows(hospital)
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
