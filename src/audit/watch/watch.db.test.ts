import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../../test/machine.ts'
import { makeCosigner } from '../../crypto/cosignature.ts'
import { policyOfWitnesses } from '../../crypto/log-policy.ts'
import { formatVkey, makeSigner } from '../../crypto/signed-note.ts'
import { type Machine, transact } from '../../db/tx.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { isRefusal, must } from '../../kernel/refusal.ts'
import { askWitness, logChores, type SendText } from '../jobs.ts'
import type { OwnLog, OwnWitness } from '../log.ts'
import { record } from '../record.ts'
import { sequenceNow } from '../sequencer.ts'
import { serveCheckpoint, serveTile } from '../serve.ts'
import type { LogSource } from '../verify.ts'
import { addCheckpoint, serveWitnessed } from '../witness.ts'
import { acknowledgeAlarm, disclosureStop, type LogAlarm, listAlarms } from './alarm.ts'
import { watchSequencer } from './jobs.ts'
import { lookAtLog, type WatchedLog } from './watch-log.ts'

const signer = makeSigner('hospital.example/log', new Uint8Array(32).fill(1))
const vkey = formatVkey(signer.key)
const cosigner = makeCosigner('exchange.example/witness', new Uint8Array(32).fill(2))
const witnessOf: OwnWitness = { cosigner, logs: [{ origin: signer.key.name, vkey }] }
const witness = { name: 'exchange', vkey: formatVkey(cosigner.key), url: 'http://exchange.example/witness' }
const log: OwnLog = { signer, witnesses: [witness], policy: policyOfWitnesses([], [witness]) }

/** Each test begins with a log of its own: on a clone that is fresh. */
const clock = makeTestClock()
const databases: TestDatabase[] = []
const machineOf = async (): Promise<Machine> => {
  const database = await openTestDatabase()
  databases.push(database)
  return makeTestMachine(database, { clock })
}
/** Whoever watches: the exchange, which witnesses too. One database for all tests; logs are told apart by what a test clears. */
let watcher: Machine
describe('audit/watch/watch', () => {
  before(async () => void (watcher = await machineOf()))
  after(async () => {
    for (const database of databases) await database.close()
  })
  const reset = async (): Promise<void> => {
    for (const table of ['seen_log', 'log_alarm', 'witnessed_log'] as const)
      await watcher.db.deleteFrom(table).execute()
  }

  const grow = async (machine: Machine, count: number, type = 'test.done'): Promise<void> => {
    await transact(machine, async (tx) => {
      for (let i = 0; i < count; i++) await record(tx, { type, actor: { kind: 'system', id: 'test' } })
    })
    await sequenceNow(machine, signer)
  }
  const sourceOf = (machine: Machine): LogSource => ({
    name: 'hospital',
    read: async (path) => {
      const answer = path.startsWith('tile/') ? await serveTile(machine.db, path) : await serveCheckpoint(machine.db)
      return answer.status === 200 ? Buffer.from(answer.body as string | Uint8Array) : undefined
    },
  })
  const monitor: LogSource = {
    name: 'exchange',
    read: async (path) => {
      const answer = await transact(watcher, (tx) => serveWitnessed(tx, witnessOf, path.split('/')[0] ?? ''))
      return answer.status === 200 ? Buffer.from(String(answer.body)) : undefined
    },
  }
  const send: SendText = async (_url, body) => {
    const answer = await transact(watcher, (tx) => addCheckpoint(tx, witnessOf, Buffer.from(body)))
    return { status: answer.status, body: String(answer.body) }
  }
  const watched = (machine: Machine, own = false, by: LogSource[] = []): WatchedLog => ({
    origin: signer.key.name,
    vkey,
    own,
    source: sourceOf(machine),
    witnesses: by.map((source) => ({ name: 'exchange', source })),
  })
  const alarmsAt = (machine: Machine): Promise<readonly LogAlarm[]> => listAlarms(machine.db, { open: true, limit: 10 })
  const kindsAt = async (machine: Machine): Promise<readonly string[]> =>
    (await alarmsAt(machine)).map(({ kind }) => kind)
  const countEvents = async (machine: Machine, type: string): Promise<number> => {
    const { rows } =
      await sql`/* all buckets: the test counts */ select id from audit_event where type = ${type}`.execute(machine.db)
    return rows.length
  }

  test('a log that grows raises no alarm', async () => {
    await reset()
    const ours = await machineOf()
    assert.equal((await lookAtLog(watcher, watched(ours))).notes.length, 1, 'nothing there yet')
    for (const count of [3, 300, 1, 600]) {
      await grow(ours, count)
      clock.advance(1_000)
      assert.deepEqual(await lookAtLog(watcher, watched(ours)), { alarms: [], notes: [] })
      assert.equal((await askWitness(ours, witness, send)).outcome, 'cosigned')
      assert.deepEqual(await lookAtLog(ours, watched(ours, true, [monitor])), { alarms: [], notes: [] })
    }
    assert.deepEqual(await kindsAt(watcher), [])
  })

  test('fork: a second holder of the key signs another tree', async () => {
    await reset()
    const ours = await machineOf()
    const forger = await machineOf()
    await grow(ours, 5)
    await lookAtLog(watcher, watched(ours))
    await grow(forger, 7, 'test.forged')
    const look = await lookAtLog(watcher, watched(forger))
    assert.match(look.alarms.join(), /another history/)
    assert.equal((await lookAtLog(watcher, watched(forger))).alarms.length, 0, 'the same observation is the same alarm')
    const [alarm] = await alarmsAt(watcher)
    assert.equal(alarm?.kind, 'fork')
    assert.match(alarm?.evidence?.seen ?? '', /^hospital\.example\/log\n5\n/)
    assert.match(alarm?.evidence?.now ?? '', /^hospital\.example\/log\n7\n/)
    assert.equal(await countEvents(watcher, 'log.alarm-raised'), 1)
    assert.equal(await transact(watcher, disclosureStop), undefined, 'the fork of another log stops nothing here')

    // The owner sees it too: the witness was shown the forged tree.
    assert.equal((await askWitness(forger, witness, send)).outcome, 'cosigned')
    const own = await lookAtLog(ours, watched(ours, true, [monitor]))
    assert.match(own.alarms.join(), /rolled back/)
    await grow(ours, 10)
    assert.match(
      (await lookAtLog(ours, watched(ours, true, [monitor]))).alarms.join(),
      /another history than exchange saw/,
    )
    assert.deepEqual([...(await kindsAt(ours))].toSorted(), ['fork', 'rollback'])
  })

  test('rollback: an older copy of the database; disclosures stop until somebody says why they go on', async () => {
    await reset()
    const ours = await machineOf()
    await grow(ours, 5)
    await askWitness(ours, witness, send)
    // The older copy has the same five entries and not the later ones.
    const restored = await copyOf(ours)
    await grow(ours, 5)
    await askWitness(ours, witness, send)
    await lookAtLog(watcher, watched(ours))
    clock.advance(120_000)

    assert.match((await lookAtLog(watcher, watched(restored))).alarms.join(), /10 entries.*5 now.*rolled back/)
    const chores = logChores({ machine: restored, log, send, logger: quiet })
    for (const { name, run } of chores) if (name.startsWith('log witness')) await run()
    assert.deepEqual(await kindsAt(restored), ['rollback'])
    const stop = await transact(restored, disclosureStop)
    assert.ok(isRefusal(stop))
    assert.equal(stop.code, 'log/in-doubt')

    const [alarm] = await alarmsAt(restored)
    assert.ok(alarm)
    const by = { actor: { kind: 'operator', id: 'operator' }, reason: 'Restored after the fire of Monday.' } as const
    assert.equal(
      must(await transact(restored, (tx) => acknowledgeAlarm(tx, alarm.id, by))).acknowledged?.reason,
      by.reason,
    )
    assert.equal(await transact(restored, disclosureStop), undefined)
    assert.ok(isRefusal(await transact(restored, (tx) => acknowledgeAlarm(tx, alarm.id, by))), 'once')
    assert.equal(await countEvents(restored, 'log.alarm-acknowledged'), 1)
    for (const { name, run } of chores) if (name.startsWith('log witness')) await run()
    assert.deepEqual(await kindsAt(restored), [], 'what was acknowledged is not raised again')
  })

  test('stall: entries that wait and no sequencer; over when it works again', async () => {
    const ours = await machineOf()
    await grow(ours, 1)
    await transact(ours, (tx) => record(tx, { type: 'test.done', actor: { kind: 'system', id: 'test' } }))
    assert.equal(await watchSequencer(ours, log), undefined)
    clock.advance(LIMITS.logWaitMs + 1)
    assert.match((await watchSequencer(ours, log)) ?? '', /stands still/)
    assert.equal(await watchSequencer(ours, log), undefined, 'once')
    assert.deepEqual(await kindsAt(ours), ['stall'])
    assert.equal(await transact(ours, disclosureStop), undefined, 'a stall stops nothing: the entries are safe')
    await sequenceNow(ours, signer)
    await watchSequencer(ours, log)
    assert.deepEqual(await kindsAt(ours), [])
    assert.equal(await countEvents(ours, 'log.alarm-ended'), 1)
  })

  test('stall of another: it answers and does not grow; a log at rest shows that it lives', async () => {
    await reset()
    const ours = await machineOf()
    await grow(ours, 4)
    await lookAtLog(watcher, watched(ours))
    const silent: WatchedLog = {
      ...watched(ours),
      source: { name: 'down', read: () => Promise.reject(new Error('down')) },
    }
    clock.advance(LIMITS.logStallMs - 1_000)
    assert.deepEqual((await lookAtLog(watcher, watched(ours))).alarms, [])
    clock.advance(1_000)
    assert.deepEqual(
      await lookAtLog(watcher, silent),
      { alarms: [], notes: ['down'] },
      'who does not answer is not stalled',
    )
    assert.match((await lookAtLog(watcher, watched(ours))).alarms.join(), /has not grown beyond 4/)
    assert.deepEqual((await lookAtLog(watcher, watched(ours))).alarms, [])

    // Nothing happened there for long: its own watch puts an entry, and all is well.
    await watchSequencer(ours, log)
    assert.equal(await countEvents(ours, 'log.alive'), 1)
    await watchSequencer(ours, log)
    assert.equal(await countEvents(ours, 'log.alive'), 1, 'one that waits is enough')
    await sequenceNow(ours, signer)
    await lookAtLog(watcher, watched(ours))
    assert.deepEqual(await kindsAt(watcher), [])
  })

  const quiet = { error: () => undefined, warn: () => undefined } as unknown as Parameters<
    typeof logChores
  >[0]['logger']

  /** Another database with the log as it stands now: what a restore brings back. */
  async function copyOf(machine: Machine): Promise<Machine> {
    const copy = await machineOf()
    for (const table of ['log_leaf', 'log_tile', 'log_bundle', 'log_checkpoint'] as const) {
      const rows = await machine.db.selectFrom(table).selectAll().execute()
      if (rows.length > 0)
        await copy.db
          .insertInto(table)
          .values(rows as never)
          .execute()
    }
    return { ...copy, keyWrap: machine.keyWrap }
  }
})
