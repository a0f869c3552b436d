import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pino } from 'pino'
import { record } from '../../src/audit/record.ts'
import { sequenceNow } from '../../src/audit/sequencer.ts'
import { makeSigner } from '../../src/crypto/signed-note.ts'
import { connect } from '../../src/db/connect.ts'
import { transact } from '../../src/db/tx.ts'
import { baseIds } from '../../src/recovery/backup-folder.ts'
import { type Drilled, drill, type PartyInBackup } from '../../src/recovery/drill.ts'
import { keepBackups } from '../../src/recovery/keeper.ts'
import { readRecoveryKey } from '../../src/recovery/recovery-keys.ts'
import { readLastRun } from '../../src/recovery/store.ts'
import { TEST_VEIL } from '../database.ts'
import { openRecoveryBench, type RecoveryBench } from '../recovery-bench.ts'
import { waitFor } from '../wait.ts'

const PATIENCE_MS = 90_000
const SEED = new Uint8Array(32).fill(5)
const signer = makeSigner('hospital.example/log', SEED)
const actor = { kind: 'operator', id: 'test' } as const

describe('the keeper of backups, on a server that works meanwhile', () => {
  let bench: RecoveryBench
  before(async () => {
    bench = await openRecoveryBench()
    await work('before')
  })
  after(() => bench.close())

  async function work(subject: string): Promise<void> {
    await transact(bench.machine, (tx) =>
      record(tx, { type: 'record.viewed', actor, patient: 'asha.rao@sbx', subject }),
    )
    await sequenceNow(bench.machine, signer)
  }

  /** The party of the bench, whose copy is opened with its keys of today; `seen` hears how many events a copy has. */
  function party(seen: number[]): PartyInBackup {
    const own = { log: { signer, witnesses: [] }, logSeed: SEED, replays: [] }
    return {
      database: 'hospital',
      open: async (connectionString) => {
        const copy = await connect({ connectionString, veil: TEST_VEIL, onError: () => {} })
        const { rows } = await copy.pool.query<{ count: number }>('select count(*)::int as count from audit_event')
        seen.push(rows[0]?.count ?? 0)
        return { ...own, machine: { ...bench.machine, db: copy.db }, close: copy.close }
      },
      openLive: async () => ({ ...own, machine: bench.machine, close: async () => {} }),
    }
  }

  function run(seen: number[], to: Date | undefined): Promise<Drilled> {
    return drill({
      folder: bench.backups,
      recovery: readRecoveryKey(path.join(bench.folder, 'safe', 'recovery-data.json'), 'data'),
      to,
      postgresBin: undefined,
      say: () => {},
      parties: [party(seen)],
      outbound: { call: async () => ({ kind: 'failed', reason: 'no witness', tookMs: 1 }), close: async () => {} },
      workFolder: path.join(bench.folder, 'drills'),
      evidenceFolder: path.join(bench.folder, 'evidence'),
      who: 'test',
      program: 'test',
      now: () => new Date(),
    })
  }

  test('takes a first backup, carries the WAL away and drills, by itself; ends when it is told to', async () => {
    const drills: Drilled[] = []
    const keeper = keepBackups({
      target: bench.target,
      databases: [{ name: 'hospital', url: bench.url }],
      machine: bench.machine,
      program: 'test',
      everyHours: 24,
      keepDays: 7,
      lossSecondsMax: 1,
      drill: undefined,
      log: pino({ level: 'silent' }),
    })
    try {
      await waitFor('a first backup', async () => baseIds(bench.backups).length === 1, PATIENCE_MS)
      await waitFor(
        'it to be noted',
        async () => (await readLastRun(bench.machine.db, 'backup.taken')) !== undefined,
        PATIENCE_MS,
      )
    } finally {
      await keeper.stop()
    }
    const again = keepBackups({
      target: bench.target,
      databases: [{ name: 'hospital', url: bench.url }],
      machine: bench.machine,
      program: 'test',
      everyHours: 24,
      keepDays: 7,
      lossSecondsMax: 1,
      drill: { everyDays: 30, run: async () => void drills.push(await run([], undefined)) },
      log: pino({ level: 'silent' }),
    })
    try {
      await waitFor(
        'a drill to be noted in the log',
        async () => (await readLastRun(bench.machine.db, 'recovery.drilled')) !== undefined,
        PATIENCE_MS,
      )
    } finally {
      await again.stop()
    }
    assert.equal(baseIds(bench.backups).length, 1, 'a backup of today is enough')
    assert.equal(drills.length, 1)
    assert.equal(drills[0]?.evidence.kind, 'drill')
    assert.equal((await readLastRun(bench.machine.db, 'recovery.drilled'))?.passed, drills[0]?.evidence.passed)
  })

  test('a drill to a moment brings back what there was then, and throws its copy away', async () => {
    await work('then')
    const { rows } = await bench.query('select count(*)::int as count from audit_event')
    const then = await bench.archive()
    await work('after')
    await bench.archive()
    const seen: number[] = []
    const { evidence, path: written } = await run(seen, then)
    assert.deepEqual(seen, [rows[0].count])
    assert.equal(evidence.askedFor, then.toISOString())
    assert.ok(Date.parse(evidence.reachedAt ?? '') <= then.getTime())
    assert.ok(fs.existsSync(written))
    assert.deepEqual(fs.readdirSync(path.join(bench.folder, 'drills')), [])
  })
})
