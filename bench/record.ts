// What a decision costs with all that belongs to it: the gate's answer, its record in the log, and a message to send, in one transaction;
// against the three SQL statements alone, with the same bytes, on the same server.
// Run: node bench/record.ts
import pg from 'pg'
import { record } from '../src/audit/record.ts'
import { makeRandom } from '../src/crypto/native-random.ts'
import { type Machine, transact } from '../src/db/tx.ts'
import { sealedJson } from '../src/db/veil.ts'
import type { HiType } from '../src/fhir/hi-type.ts'
import { enqueue } from '../src/jobs/queue.ts'
import { bucketOf } from '../src/kernel/bucket.ts'
import { type FacilityId, makeId, toBucket } from '../src/kernel/id.ts'
import { decide } from '../src/policy/decide.ts'
import type { ConsentFact } from '../src/policy/gate.ts'
import { openTestDatabase, TEST_VEIL } from '../test/database.ts'
import { makeTestMachine } from '../test/machine.ts'
import { cpu, latency, load, perSecond, type Rate, say } from './measure.ts'
import { openConnection, startBenchServer } from './server.ts'

const TURNS = 600
const ROUNDS = 4
const PATIENTS = 50
const CLIENTS = 16

const stopServer = await startBenchServer()
const database = await openTestDatabase()
const connection = await openConnection(database.connectionString)
const machine: Machine = {
  ...makeTestMachine(database),
  db: connection.db,
  now: () => new Date(),
  random: makeRandom(),
}
const bare = new pg.Pool({ connectionString: database.connectionString, max: CLIENTS })

const HIU = 'IN2910000022' as FacilityId
const actor = { kind: 'facility', id: HIU } as const
const period = { from: new Date('2026-01-01'), to: new Date('2026-11-01') }
const parties = { recipient: 'IN2910000022', holder: 'IN2710000011', purpose: 'CAREMGT' } as const
const TYPES: readonly HiType[] = ['Prescription']
const payload = { path: '/api/v3/hip/health-information/request', body: { text: 'x'.repeat(500) } }

function ask(patient: string): object {
  const question = {
    ...parties,
    patient,
    types: TYPES,
    period,
    actor,
    channel: 'abdm',
    mode: 'request',
  } as const
  const fact: ConsentFact = {
    ...parties,
    id: 'c1',
    readable: true,
    status: 'GRANTED',
    patient,
    types: TYPES,
    period,
    eraseAt: new Date('2030-01-01'),
    frequency: { unit: 'HOUR', value: 1, repeats: 1 },
    usedAt: [],
    acknowledged: true,
  }
  const facts = { recipient: 'active', holder: 'active', consents: [fact], refusals: [] } as const
  const decision = decide({ ...question, now: new Date() }, facts)
  if (decision.outcome !== 'allow') throw new Error('the gate should let this pass')
  return { outcome: decision.outcome, rules: decision.explain.map(({ rule }) => rule), version: decision.policyVersion }
}

const whole = (turn: number): Promise<unknown> =>
  transact(machine, async (tx) => {
    const patient = `p${turn % PATIENTS}@sbx`
    const decision = ask(patient)
    await record(tx, { type: 'transfer.requested', actor, patient, subject: 'c1', decision } as never)
    await enqueue(tx, { kind: 'bench', payload, lane: `lane-${turn % PATIENTS}` })
  })

const sealed = machine.random(420)
const tag = machine.random(32)
const commitment = machine.random(32)
/** As many bytes as ours: what it holds is sealed. */
const JOB = TEST_VEIL.cover(sealedJson(payload))

/** Two statements for the record and one for the message, prepared by the server, each a round trip; nothing is computed. */
async function threeStatements(turn: number): Promise<void> {
  const client = await bare.connect()
  try {
    const bucket = bucketOf(`p${turn % PATIENTS}@sbx`)
    const id = makeId<'event'>(new Date(), machine.random, bucket)
    await client.query('begin')
    await client.query({
      name: 'event',
      text: 'insert into audit_event (bucket, id, at, type, actor_kind, patient_tag, body) values ($1, $2, $3, $4, $5, $6, $7)',
      values: [bucket, id, new Date(), 'transfer.requested', 'facility', tag, sealed],
    })
    await client.query({
      name: 'queue',
      text: 'insert into log_queue (event, commitment) values ($1, $2)',
      values: [id, commitment],
    })
    await client.query({
      name: 'job',
      text: "insert into job (id, kind, lane, payload, status, run_at, created_at) values ($1, 'bench', $2, $3, 'waiting', $4, $4)",
      values: [makeId<'job'>(new Date(), machine.random, toBucket(0)), `bare-${turn % PATIENTS}`, JOB, new Date()],
    })
    await client.query('commit')
  } finally {
    client.release()
  }
}

const sum = (rates: readonly Rate[], of: (rate: Rate) => number): number =>
  rates.reduce((all, rate) => all + of(rate), 0) / rates.length
for (const clients of [1, 4, CLIENTS]) {
  await load(200, clients, whole)
  await load(200, clients, threeStatements)
  const ours: Rate[] = []
  const theirs: Rate[] = []
  // In turns, so that a busy machine slows both.
  for (let round = 0; round < ROUNDS; round++) {
    theirs.push(await load((TURNS / ROUNDS) * (clients === 1 ? 1 : 4), clients, threeStatements))
    ours.push(await load((TURNS / ROUNDS) * (clients === 1 ? 1 : 4), clients, whole))
  }
  const ratios = ours.map((rate, i) => rate.perSecond / (theirs[i]?.perSecond ?? Number.NaN)).toSorted((a, b) => a - b)
  const [own, base] = [ours[ROUNDS - 1], theirs[ROUNDS - 1]]
  if (own === undefined || base === undefined) throw new Error('no rounds')
  say(
    `decide + record + send, ${clients} at once`,
    ratios[Math.floor((ratios.length - 1) / 2)] ?? Number.NaN,
    'three bare statements',
    `${perSecond({ ...own, perSecond: sum(ours, (r) => r.perSecond) })} ${latency(own)}, ${cpu(own)}; bare ${perSecond({ ...base, perSecond: sum(theirs, (r) => r.perSecond) })} ${latency(base)}, ${cpu(base)} (goal 0.60)`,
  )
}
await bare.end()
await connection.close()
await database.close()
await stopServer()
