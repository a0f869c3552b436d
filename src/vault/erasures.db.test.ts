import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { copyDatabase, restoreCopy } from '../../test/database-copy.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { dataKey, eraseDataKey, existingDataKey, existingPatientKey, patientKey } from './data-keys.ts'
import { applyErasures, eraseAgain, listErasures, markErased, settleErasures } from './erasures.ts'
import { makeFileProvider } from './file-provider.ts'
import { KeyFault, openKeyFile, type PartyKeys, saveKeyEncryptionKeys } from './key-file.ts'
import { tieKeysToDatabase } from './key-tie.ts'
import { type Keyring, makeKeyring } from './key-wrap.ts'
import { openShares, sharesPath } from './shares.ts'

const ASHA = 'asha.rao@sbx'
const RAVI = 'ravi.k@sbx'
const COPY = '11111111-1111-4111-8111-1111111111aa' as Id<'artefact'>
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const root = mkdtempSync(join(tmpdir(), 'amanat-shares-'))
const closers: (() => void)[] = []
let live: TestDatabase
let restored: TestDatabase

describe('vault/erasures', () => {
  before(async () => {
    ;[live, restored] = await Promise.all([openTestDatabase(), openTestDatabase()])
  })
  after(async () => {
    for (const close of closers) close()
    await Promise.all([live.close(), restored.close()])
    rmSync(root, { recursive: true, force: true })
  })

  /** A party at its start: opens the keys in a folder as the program does. */
  async function open(database: TestDatabase, folder: string): Promise<Machine & { readonly keyWrap: Keyring }> {
    const keys = await openKeyFile(folder, random)
    const shares = openShares(folder, random)
    closers.push(shares.close)
    const provider = makeFileProvider({
      keys: keys.keyEncryptionKeys,
      save: (changed) => saveKeyEncryptionKeys(folder, changed),
      random,
    })
    const keyWrap = makeKeyring({ provider, previous: [], shares, nowMs: () => performance.now() })
    const machine = { ...makeTestMachine(database), keyWrap }
    await tie(machine, keys)
    await eraseAgain(machine)
    return machine
  }

  const tie = (machine: Machine & { readonly keyWrap: Keyring }, keys: PartyKeys) =>
    transact(machine, (tx) => tieKeysToDatabase(tx, keys, machine.keyWrap))

  const place = (patient: string): Place => ({ table: 'document', column: 'sealed', row: 'r-1', patient })

  async function seal(machine: Machine, patient: string, text: string): Promise<Uint8Array> {
    return transact(machine, async (tx) => sealWith(await patientKey(tx, patient), text, place(patient), random))
  }

  async function reads(machine: Machine, patient: string, sealed: Uint8Array): Promise<string | undefined> {
    const key = await transact(machine, (tx) => existingPatientKey(tx, patient))
    const opened = key && openWith(key, sealed, place(patient))
    return opened === undefined || isRefusal(opened) ? undefined : new TextDecoder().decode(opened)
  }

  test('last week’s backup with today’s keys: what was erased stays unreadable, the rest reads', async () => {
    const folder = join(root, 'today')
    const machine = await open(live, folder)
    const asha = await seal(machine, ASHA, 'HbA1c 7.2 %')
    const ravi = await seal(machine, RAVI, 'blood group B+')
    await transact(machine, (tx) => dataKey(tx, RAVI, COPY))
    const lastWeek = await copyDatabase(live.connectionString)
    const keysOfLastWeek = join(root, 'last-week')
    cpSync(folder, keysOfLastWeek, { recursive: true })

    await transact(machine, (tx) => eraseDataKey(tx, ASHA, 'patient'))
    await transact(machine, (tx) => eraseDataKey(tx, RAVI, COPY))
    await settleErasures(machine)
    assert.equal(await reads(machine, ASHA, asha), undefined)

    await restoreCopy(restored.connectionString, lastWeek)
    // With the keys of last week it would open: those copies live for days only.
    const thief = await open(restored, keysOfLastWeek)
    assert.equal(await reads(thief, ASHA, asha), 'HbA1c 7.2 %')
    const today = await open(restored, folder)
    assert.equal(await reads(today, ASHA, asha), undefined)
    assert.equal(await reads(today, RAVI, ravi), 'blood group B+')
    assert.equal(await transact(today, (tx) => existingDataKey(tx, RAVI, COPY)), undefined)
    // She comes back: she gets another key, and the old text stays closed.
    const again = await seal(today, ASHA, 'a new record')
    assert.equal(await reads(today, ASHA, again), 'a new record')
    assert.equal(await reads(today, ASHA, asha), undefined)
    assert.equal(await markErased(today, async () => undefined), 1, 'the copy of Ravi, whose row had come back')
    assert.equal(await markErased(today, async () => undefined), 0)

    const erased = await transact(machine, (tx) => listErasures(tx, new Date(0)))
    assert.equal(erased.length, 2)
    applyErasures(thief.keyWrap.shares, erased)
    assert.equal(
      await reads({ ...thief, keyWrap: thief.keyWrap }, ASHA, asha),
      undefined,
      'an old copy of the keys, told of the erasures',
    )
  })

  test('an old backup of the keys under today’s database: the start destroys again what the database knows to be erased', async () => {
    const folder = join(root, 'today')
    const machine = await open(live, folder)
    const kept = await seal(machine, 'meena@sbx', 'kept')
    const gone = await seal(machine, 'gone@sbx', 'gone')
    const older = join(root, 'older')
    cpSync(folder, older, { recursive: true })
    await transact(machine, (tx) => eraseDataKey(tx, 'gone@sbx', 'patient'))
    const back = await open(live, older)
    assert.equal(back.keyWrap.shares.id, machine.keyWrap.shares.id)
    assert.equal(await reads(back, 'meena@sbx', kept), 'kept')
    assert.equal(await reads(back, 'gone@sbx', gone), undefined)
  })

  test('a transaction that fails erases nothing, and a crash between commit and disk is made good', async () => {
    const folder = join(root, 'today')
    const machine = await open(live, folder)
    const sealed = await seal(machine, 'sita@sbx', 'here')
    const failed = transact(machine, async (tx) => {
      await eraseDataKey(tx, 'sita@sbx', 'patient')
      throw new Error('something else failed')
    })
    await assert.rejects(failed, /something else/)
    assert.equal(await reads(machine, 'sita@sbx', sealed), 'here')

    const [row] = await live.db
      .selectFrom('data_key')
      .select('share')
      .where('bucket', '>=', 0)
      .where('patient', '=', 'sita@sbx')
      .execute()
    assert.ok(row !== undefined && row.share !== null)
    // The program dies after the commit and before it overwrites the share.
    const deaf = { ...machine.keyWrap.shares, destroy: () => undefined, flush: () => undefined }
    await transact({ ...machine, keyWrap: { ...machine.keyWrap, shares: deaf } }, (tx) =>
      eraseDataKey(tx, 'sita@sbx', 'patient'),
    )
    assert.ok(machine.keyWrap.shares.read(row.share))
    const next = await open(live, folder)
    assert.equal(next.keyWrap.shares.read(row.share), undefined)
  })

  test('shares that are missing are a fault that says so, never taken for erased ones', async () => {
    const folder = join(root, 'today')
    const cut = join(root, 'cut')
    cpSync(folder, cut, { recursive: true })
    truncateSync(sharesPath(cut), 64 + 32)
    await assert.rejects(open(live, cut), (e) => e instanceof KeyFault && /has no share/.test(e.message))
    rmSync(sharesPath(cut))
    await assert.rejects(open(live, cut), (e) => e instanceof KeyFault && /shares.bin/.test(e.message))
    await assert.rejects(
      open(live, join(root, 'stranger')),
      (e) => e instanceof KeyFault && /keys.json/.test(e.message),
    )
  })

  test('keys and database stay tied over a rotation, and a database of the first version is tied anew', async () => {
    const folder = join(root, 'today')
    const machine = await open(live, folder)
    await machine.keyWrap.provider.rotate()
    await open(live, folder)
    const keys = await openKeyFile(folder, random)
    const [, first] = keys.keyEncryptionKeys
    assert.ok(first)
    // As the first version wrote it: by the key that wrapped then.
    const older = createHash('sha256').update('amanat/keys/v1').update(first).update(keys.logSeed).digest('base64')
    const set = (value: string) =>
      live.db
        .updateTable('setting')
        .set({ value: JSON.stringify(value) })
        .where('name', '=', 'keys.fingerprint')
        .execute()
    await set(older)
    await open(live, folder)
    await set('another')
    await assert.rejects(open(live, folder), (e) => e instanceof KeyFault && /keys\.json/.test(e.message))
  })
})
