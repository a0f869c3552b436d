// How fast the log takes entries into its tree, against PostgreSQL taking the same bytes into a plain table; and how long a proof takes.
// Run: node bench/log.ts
import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { entryBytes } from '../src/audit/entry.ts'
import { receiptFor } from '../src/audit/receipts.ts'
import { record } from '../src/audit/record.ts'
import { sequenceNow } from '../src/audit/sequencer.ts'
import { hashesFromTiles, latestCheckpoint } from '../src/audit/store.ts'
import { inclusionRanges } from '../src/crypto/merkle.ts'
import { makeSigner } from '../src/crypto/signed-note.ts'
import { transact } from '../src/db/tx.ts'
import { makeId, toBucket } from '../src/kernel/id.ts'
import { must } from '../src/kernel/refusal.ts'
import { openTestDatabase } from '../test/database.ts'
import { makeTestMachine } from '../test/machine.ts'

const ENTRIES = 40_000
const PROOFS = 300
const RECORDS = 2_000

const database = await openTestDatabase()
const machine = makeTestMachine(database)
const signer = makeSigner('bench.example/log', randomBytes(32))
const events = Array.from({ length: ENTRIES }, () => makeId<'event'>(new Date(), machine.random, toBucket(1)))
const commitments = events.map(() => randomBytes(32))

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

await sql`create table plain (place bigint primary key, event uuid not null, entry bytea not null)`.execute(machine.db)
const plain = await seconds(async () => {
  for (let at = 0; at < ENTRIES; at += 4_096) {
    const entries = commitments.slice(at, at + 4_096).map((c) => Buffer.from(entryBytes(c)))
    await sql`insert into plain select ${at}::bigint + place, event, entry
      from unnest(${events.slice(at, at + 4_096)}::uuid[], ${entries}::bytea[]) with ordinality as t (event, entry, place)`.execute(
      machine.db,
    )
  }
})
await sql`insert into log_queue (event, commitment) select * from unnest(${events}::uuid[], ${commitments}::bytea[])`.execute(
  machine.db,
)
const sequenced = await seconds(() => sequenceNow(machine, signer))
console.log(
  `sequence   ${Math.round(ENTRIES / sequenced)} entries/s (goal 10000); plain inserts ${Math.round(ENTRIES / plain)}/s: ratio ${(plain / sequenced).toFixed(2)}`,
)

const size = (await latestCheckpoint(machine.db))?.size ?? 0
const times: number[] = []
for (let i = 0; i < PROOFS; i++) {
  const index = Math.floor((i * size) / PROOFS)
  times.push(1000 * (await seconds(() => hashesFromTiles(machine.db, inclusionRanges(index, size), size))))
}
const select =
  1000 *
  ((await seconds(async () => {
    for (let i = 0; i < PROOFS; i++) await sql`select 1`.execute(machine.db)
  })) /
    PROOFS)
times.sort((a, b) => a - b)
const [p50, p99] = [0.5, 0.99].map((p) => times[Math.floor(p * PROOFS)] ?? 0)
console.log(
  `proof      p50 ${p50?.toFixed(2)} ms, p99 ${p99?.toFixed(2)} ms (goal 2) of ${size} entries; select 1 ${select.toFixed(2)} ms: ratio ${((p50 ?? 0) / select).toFixed(1)}`,
)

const actor = { kind: 'system', id: 'bench' } as const
let last = makeId<'event'>(new Date(), machine.random, toBucket(1))
const recorded = await seconds(() =>
  transact(machine, async (tx) => {
    for (let i = 0; i < RECORDS; i++)
      last = (await record(tx, { type: 'bench.done', actor, patient: `p${i % 50}@sbx` })).id
  }),
)
await sequenceNow(machine, signer)
const receipt = await seconds(() =>
  transact(machine, async (tx) =>
    must(await receiptFor(tx, { signer, witnesses: [] }, last, `p${(RECORDS - 1) % 50}@sbx`)),
  ),
)
console.log(
  `record     ${((1000 * recorded) / RECORDS).toFixed(2)} ms each; a receipt ${(1000 * receipt).toFixed(1)} ms`,
)
await database.close()
