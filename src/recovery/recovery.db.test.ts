import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openRecoveryBench, type RecoveryBench } from '../../test/recovery-bench.ts'
import { waitFor } from '../../test/wait.ts'
import { latestNote } from '../audit/own-tree.ts'
import { record } from '../audit/record.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { makeCosigner } from '../crypto/cosignature.ts'
import { formatSignature, formatVkey, makeSigner } from '../crypto/signed-note.ts'
import { transact } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import { eraseDataKey } from '../vault/data-keys.ts'
import { archiveCheck, confirmedAt } from './archive-check.ts'
import { baseIds, type Manifest, walFolder, walPieces } from './backup-folder.ts'
import { retain, takeBaseBackup } from './base-backup.ts'
import { askWitnesses, confirmRestored } from './commands.ts'
import { countChecks, evidenceOf } from './drill.ts'
import { writeEvidence } from './evidence.ts'
import { formatLsn } from './lsn.ts'
import { checkParty } from './party-checks.ts'
import type { RecoveryFault } from './recovery-fault.ts'
import { readRecoveryKey, signerOf } from './recovery-keys.ts'
import { markRestored } from './store.ts'
import { walRun } from './wal-archive.ts'

const SEED = new Uint8Array(32).fill(5)
const signer = makeSigner('hospital.example/log', SEED)
const cosigner = makeCosigner('witness.example/w', new Uint8Array(32).fill(6))
const log = {
  signer,
  witnesses: [{ name: 'university', vkey: formatVkey(cosigner.key), url: 'https://witness.example/witness' }],
}
const actor = { kind: 'operator', id: 'test' } as const
const PATIENTS = ['asha.rao@sbx', 'ravi.k@sbx']
/** What a program does that is to be killed half way: so it is not done before a busy machine comes to kill it. */
const REST = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'

let bench: RecoveryBench
let first: Manifest
/** What the witness has cosigned last: what it answers. */
let seen = ''
const outbound: Outbound = {
  call: async () => ({ kind: 'answered', status: 200, headers: {}, body: Buffer.from(seen), tookMs: 1 }),
  close: async () => {},
}

/** Events of two patients become leaves, and the witness sees them. */
async function work(count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    for (const patient of PATIENTS)
      await transact(bench.machine, (tx) => record(tx, { type: 'record.viewed', actor, patient, subject: `view ${i}` }))
  await transact(bench.machine, (tx) => record(tx, { type: 'server.started', actor }))
  await sequenceNow(bench.machine, signer)
  const note = await latestNote(bench.machine.db)
  const text = note.slice(0, note.indexOf('\n\n') + 1)
  seen = note + formatSignature(cosigner.cosign(text, 1_800_000_000))
}

describe('recovery/recovery', () => {
  before(async () => {
    bench = await openRecoveryBench()
    await bench.query('create table load (id bigint generated always as identity primary key, words text)')
    await work(3)
  })
  after(() => bench.close())

  test('a backup under load is counted at one moment, and any moment since comes back exactly', async () => {
    let writing = true
    let written = 0
    const load = (async () => {
      for (; writing; written++)
        await bench.query(`insert into load (words) select 'written while it ran' from pg_sleep(0.002)`)
    })()
    first = await bench.backUp()
    writing = false
    await load
    assert.ok(written > 0)
    await bench.query(`insert into load (words) values ('before')`)
    const between = await clockOf()
    await bench.query(`insert into load (words) values ('after')`)
    await bench.archive()
    const restored = await bench.restore('between', { to: between })
    const copy = await bench.openCopy(restored)
    try {
      assert.deepEqual(restored.differences, [], 'every table as counted, though rows were written all the time')
      const { rows } = await copy.machine.db
        .selectFrom('load' as never)
        .select('words' as never)
        .execute()
        .then((all) => ({ rows: all as { words: string }[] }))
      const words = rows.map((row) => row.words)
      assert.equal(words.length, written + 1)
      assert.ok(words.includes('before') && !words.includes('after'))
      assert.ok(restored.reachedAt !== undefined && restored.reachedAt <= between)
    } finally {
      await copy.close()
      await restored.server.stop()
    }
  })

  /** A moment with a commit on either side, by the server's clock. */
  async function clockOf(): Promise<Date> {
    await bench.query('select pg_sleep(0.01)')
    const { rows } = await bench.query('select clock_timestamp() as at')
    await bench.query('select pg_sleep(0.01)')
    return new Date((rows[0] as { at: Date }).at)
  }

  test('a drill finds a copy in order: log, rows, patients, witness; what was erased since stays unreadable', async () => {
    await transact(bench.machine, (tx) => eraseDataKey(tx, 'ravi.k@sbx', 'patient'))
    const startedAt = new Date()
    const restored = await bench.restore('drill')
    const copy = await bench.openCopy(restored)
    try {
      const party = { log, logSeed: SEED, replays: [], close: async () => {} }
      const views = await askWitnesses(log, outbound)
      const checks = [
        ...countChecks(restored),
        ...(await checkParty(
          'hospital',
          { ...party, machine: copy.machine },
          { ...party, machine: bench.machine },
          views,
        )),
      ]
      assert.deepEqual(
        checks.filter(({ passed }) => passed !== true),
        [],
      )
      const said = (name: string): string => checks.find(({ check }) => check === name)?.detail ?? ''
      assert.match(said('erased: stays unreadable'), /^1 keys were erased since or before; 0 of them/)
      assert.match(said('patients: events open'), /^3 events of 2 patients open/)
      const occasion = { startedAt, to: undefined, who: 'test', program: 'test', now: () => new Date() }
      const evidence = evidenceOf('drill', occasion, restored, checks, 1)
      const { path } = writeEvidence(bench.folder, 'drill', evidence)
      assert.equal(evidence.passed, true)
      assert.match(readFileSync(path.replace('.json', '.txt'), 'utf8'), /Restore drill: passed[\s\S]*recovery point/)
      await copy.machine.db
        .deleteFrom('audit_event')
        .where('type', '=', 'server.started')
        .where('bucket', '>=', 0)
        .execute()
      await bench.query('select 1')
      const again = await checkParty('hospital', { ...party, machine: copy.machine }, undefined, views)
      assert.equal(
        again.find(({ check }) => check === 'events: every row')?.passed,
        false,
        'a row that is gone is found',
      )
    } finally {
      await copy.close()
      await restored.server.stop()
    }
  })

  test('a restored party is confirmed with what witnesses saw; lost entries are told, and the log goes on under a new name', async () => {
    const before = await clockOf()
    await work(2)
    await bench.archive()
    const restored = await bench.restore('lost', { to: before })
    const copy = await bench.openCopy(restored)
    try {
      const order = {
        machine: copy.machine,
        log,
        logSeed: SEED,
        replays: [],
        outbound,
        acceptLost: 0,
        acceptUnasked: false,
        acceptDifferences: false,
      }
      await assert.rejects(confirmRestored(order), { code: 'not_restored' })
      const note = { backup: first.id, restoredAt: before.toISOString(), reachedAt: null, differences: 0 }
      await markRestored(restored.server.url('hospital'), note)
      await assert.rejects(confirmRestored(order), {
        code: 'log_differs',
        message: /12 entries of the log; 7 were restored: 5 are lost.*--accept-lost 5/s,
      })
      const silent: Outbound = { ...outbound, call: async () => ({ kind: 'failed', reason: 'down', tookMs: 1 }) }
      await assert.rejects(confirmRestored({ ...order, outbound: silent }), {
        message: /No witness of the log answers \(university\)/,
      })
      const { lost, logName } = await confirmRestored({ ...order, acceptLost: 5 })
      assert.equal(lost, 5)
      assert.match(logName, /^hospital\.example\/log\/r\d{14}$/)
      await sequenceNow(copy.machine, makeSigner(logName, SEED))
      assert.match(await latestNote(copy.machine.db), /^hospital\.example\/log\/r\d{14}\n9\n/)
      const renamed = {
        machine: copy.machine,
        log: { signer: makeSigner(logName, SEED), witnesses: [] },
        logSeed: SEED,
        replays: [],
        close: async () => {},
      }
      const checks = await checkParty('hospital', renamed, undefined, { seen: [], silent: [] })
      assert.equal(checks.find(({ check }) => check === 'log: tree')?.passed, true)
      assert.equal(checks.find(({ check }) => check === 'events: every row')?.passed, true)
      await assert.rejects(confirmRestored(order), { code: 'not_restored' })
    } finally {
      await copy.close()
      await restored.server.stop()
    }
  })

  test('what cannot be restored is refused by name, before anything is made of it', async () => {
    const backups = join(bench.folder, 'damaged')
    cpSync(bench.backups, backups, { recursive: true })
    const base = join(backups, 'base', first.id)
    const refuses = async (
      code: string,
      message: RegExp,
      changes: Parameters<RecoveryBench['restore']>[1] = {},
    ): Promise<void> => {
      const into = join(bench.folder, 'refused')
      await assert.rejects(bench.restore('refused', { folder: backups, ...changes }), { code, message })
      assert.ok(!existsSync(join(into, 'cluster')))
      rmSync(into, { recursive: true, force: true })
    }
    const keys = readRecoveryKey(join(bench.folder, 'safe', 'recovery-data.json'), 'data')
    await refuses('wrong_key', /was sealed for the recovery key/, {
      recovery: { ...keys, secret: new Uint8Array(32).fill(1) },
    })
    await refuses('time_not_covered', /oldest backup/, { to: new Date(Date.parse(first.censusAt) - 1_000) })
    await refuses('time_not_covered', /complete until/, { to: new Date(Date.now() + 3_600_000) })
    await refuses('no_backup', /no complete backup/, { folder: join(bench.folder, 'nowhere') })
    const tar = readFileSync(join(base, 'base.tar'))
    truncateSync(join(base, 'base.tar'), tar.length - 5_000)
    await refuses('backup_damaged', /base\.tar is damaged: it was cut off after chunk/)
    writeFileSync(join(base, 'base.tar'), tar)
    const manifest = readFileSync(join(base, 'manifest.json'), 'utf8')
    writeFileSync(join(base, 'manifest.json'), manifest.replace(/"timeline": \d+/, '"timeline": 9'))
    await refuses('backup_damaged', /manifest\.json was changed/)
    writeFileSync(join(base, 'manifest.json'), manifest)
    const wal = walFolder(backups, first.systemId, first.timeline)
    const [needed] = walPieces(backups, first.systemId, first.timeline).filter(({ end }) => end > first.start)
    renameSync(join(wal, needed?.name ?? ''), join(wal, 'elsewhere'))
    await refuses('wal_missing', /The WAL after .* is missing/)
    mkdirSync(join(bench.folder, 'full'))
    writeFileSync(join(bench.folder, 'full', 'file'), '')
    await assert.rejects(bench.restore('full'), { code: 'place_not_empty', message: /never writes over/ })
  })

  test('a backup that is killed leaves nothing that counts, and the next one clears up', async () => {
    const before = baseIds(bench.backups)
    const script = join(bench.folder, 'backup.ts')
    const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
    writeFileSync(
      script,
      `import { takeBaseBackup } from ${module('./base-backup.ts')}
     import { readBackupKeys } from ${module('./recovery-keys.ts')}
     import { randomBytes } from 'node:crypto'
     import { existsSync, readdirSync } from 'node:fs'
     const [, , folder, keys, url] = process.argv
     const hasBegun = () => readdirSync(folder + '/base').some((name) => name.startsWith('.') && existsSync(folder + '/base/' + name + '/base.tar'))
     const random = (n) => {
       if (hasBegun()) ${REST}
       return new Uint8Array(randomBytes(n))
     }
     await takeBaseBackup({ folder, keys: readBackupKeys(keys), serverUrl: url, random, now: () => new Date(), databases: [{ name: 'hospital', url }], program: 'test' })`,
    )
    const child = spawn(process.execPath, [script, bench.backups, join(bench.folder, 'keys'), bench.url], {
      stdio: 'ignore',
    })
    const exited = once(child, 'exit')
    const drafts = (): string[] => readdirSync(join(bench.backups, 'base')).filter((name) => name.startsWith('.'))
    const hasBegun = (): boolean => drafts().some((name) => existsSync(join(bench.backups, 'base', name, 'base.tar')))
    await waitFor('a backup that has begun', async () => (hasBegun() ? true : undefined))
    child.kill('SIGKILL')
    await exited
    assert.equal(drafts().length, 1)
    assert.deepEqual(baseIds(bench.backups), before)
    const next = await bench.backUp()
    assert.deepEqual(drafts(), [])
    assert.deepEqual(baseIds(bench.backups), [...before, next.id].toSorted())
    const later = new Date(Date.parse(next.censusAt) + 8 * 86_400_000)
    assert.deepEqual(
      retain(bench.backups, 7 * 86_400_000, later, signerOf(bench.target.keys)),
      before,
      'the newest stays',
    )
    assert.ok(walPieces(bench.backups, next.systemId, next.timeline).every(({ end }) => end > next.start))
  })

  test('an archive whose end was taken away is found: by its signed end, and by what the server was told', async () => {
    const whole = await bench.backUp()
    const signer = signerOf(bench.target.keys)
    const runOf = (folder: string) => walRun(folder, whole.systemId, whole.timeline, whole.start, signer)
    const cut = join(bench.folder, 'cut')
    const older = join(bench.folder, 'older')
    cpSync(bench.backups, older, { recursive: true })
    await bench.archive()
    cpSync(bench.backups, cut, { recursive: true })
    const live = { log, logSeed: SEED, replays: [], machine: bench.machine, close: async () => {} }
    const confirmed = await confirmedAt(live)
    const judge = (folder: string) => {
      const { end, missingTo } = runOf(folder)
      return archiveCheck({ manifest: whole, archive: { end, missingTo } }, confirmed)
    }
    assert.equal(judge(bench.backups).passed, true, judge(bench.backups).detail)
    assert.equal(judge(older).passed, false, 'put back to an older state, with a signature of then')
    assert.match(judge(older).detail, /the server was told that it goes to/)
    const { missingTo: _, ...rest } = runOf(older)
    assert.ok(rest.coveredUntil !== undefined, 'by itself it looks whole')

    const wal = walFolder(cut, whole.systemId, whole.timeline)
    rmSync(join(wal, walPieces(cut, whole.systemId, whole.timeline).at(-1)?.name ?? ''))
    assert.ok((runOf(cut).missingTo ?? 0n) > runOf(cut).end)
    assert.match(judge(cut).detail, /was signed to go to/)
    const order = { folder: cut, to: new Date(whole.censusAt) }
    await assert.rejects(bench.restore('from-cut', order), { code: 'wal_missing', message: /was taken away/ })
    const reached = join(wal, 'reached.json')
    const { signature } = JSON.parse(readFileSync(reached, 'utf8')) as { signature: string }
    const forged = { lsn: formatLsn(runOf(cut).end), at: new Date().toISOString(), signature }
    writeFileSync(reached, JSON.stringify(forged))
    assert.deepEqual([runOf(cut).missingTo, runOf(cut).coveredUntil], [undefined, undefined], 'it promises nothing')
  })

  test('a restore that is killed says what it left, and starts over only when it is told to', async () => {
    const into = join(bench.folder, 'killed')
    const script = join(bench.folder, 'restore.ts')
    const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
    writeFileSync(
      script,
      `import { restoreCluster } from ${module('./restore.ts')}
     import { readRecoveryKey } from ${module('./recovery-keys.ts')}
     import fs from 'node:fs'
     const [, , folder, key, into] = process.argv
     const { renameSync } = fs
     fs.renameSync = (from, to) => {
       if (to === into + '/cluster') ${REST}
       renameSync(from, to)
     }
     await restoreCluster({ folder, recovery: readRecoveryKey(key, 'data'), to: undefined, into, again: false, now: () => new Date(), postgresBin: undefined, throwaway: true, say: () => {} })`,
    )
    const key = join(bench.folder, 'safe', 'recovery-data.json')
    const child = spawn(process.execPath, [script, bench.backups, key, into], { stdio: 'ignore' })
    const exited = once(child, 'exit')
    await waitFor('a restore that has begun', () => existsSync(join(into, 'cluster.new')))
    await assert.rejects(bench.restore('killed', { again: true }), { code: 'in_use', message: /at work .* still/ })
    child.kill('SIGKILL')
    await exited
    assert.ok(existsSync(join(into, 'restore-unfinished.json')), 'written before anything else')
    const newest = baseIds(bench.backups).at(-1) ?? ''
    await assert.rejects(bench.restore('killed'), ({ code, message }: RecoveryFault) => {
      assert.equal(code, 'restore_unfinished')
      for (const said of [newest, bench.backups, into, '--again', 'begun at 20'])
        assert.ok(message.includes(said), `${said} is not in: ${message}`)
      return true
    })
    writeFileSync(join(into, 'letters.txt'), 'mine')
    await assert.rejects(bench.restore('killed', { again: true }), { code: 'place_not_empty', message: /letters\.txt/ })
    rmSync(join(into, 'letters.txt'))
    writeFileSync(join(into, 'restore-unfinished.json'), '{"amanat": "restore-unf')
    await assert.rejects(bench.restore('killed'), { code: 'restore_unfinished', message: /unknown moment/ })
    const restored = await bench.restore('killed', { again: true })
    await restored.server.stop()
    assert.deepEqual(restored.differences, [])
    rmSync(into, { recursive: true, force: true })
  })

  test('a full disk is a sentence, and leaves nothing behind', async (t) => {
    const small = join(bench.folder, 'small')
    mkdirSync(small)
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0)
      return t.skip('may not mount here')
    try {
      const { target, url } = bench
      const order = { ...target, folder: small, databases: [{ name: 'hospital', url }], program: 'test' }
      await assert.rejects(takeBaseBackup(order), { code: 'disk_full', message: /no room left for base\/.*base\.tar/ })
      assert.deepEqual(baseIds(small), [])
      assert.deepEqual(
        readdirSync(join(small, 'base')).filter((name) => name.startsWith('.')),
        [],
      )
    } finally {
      spawnSync('umount', [small])
    }
  })
})
