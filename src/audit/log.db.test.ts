import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { parseSignedCheckpoint } from '../crypto/checkpoint.ts'
import { leafHash, rootOf } from '../crypto/merkle.ts'
import { formatVkey, makeSigner } from '../crypto/signed-note.ts'
import { decodeBundle } from '../crypto/tiles.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { eraseDataKey } from '../vault/data-keys.ts'
import { checkRows, checkRowsAbout } from './check-rows.ts'
import { commitmentOf, entryBytes, readEntry } from './entry.ts'
import type { OwnLog } from './log.ts'
import { openEvent, receiptFor, receiptsAbout } from './receipts.ts'
import { type AuditEvent, announce, record } from './record.ts'
import { LogKeyChanged, sequenceBatch, sequenceNow } from './sequencer.ts'
import { serveCheckpoint, serveTile } from './serve.ts'
import { findTile, LogDamaged, latestCheckpoint } from './store.ts'
import { verifyReceipt } from './verify.ts'

const ASHA = 'asha.rao@sbx' as AbhaAddress
const signer = makeSigner('hospital-a.example/log', new Uint8Array(32).fill(1))
const log: OwnLog = { signer, witnesses: [] }
const system = { kind: 'system', id: 'test' } as const

const clock = makeTestClock()
let database: TestDatabase
let machine: Machine
describe('audit/log', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
  })
  after(() => database.close())

  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  const looked = (n: number): AuditEvent => ({
    type: 'record.viewed',
    actor: system,
    patient: ASHA,
    subject: `view ${n}`,
  })
  const started = (n: number): AuditEvent => ({ type: 'server.started', actor: system, subject: `start ${n}` })
  const recordAll = (events: readonly AuditEvent[]): Promise<Id<'event'>[]> => {
    clock.advance(1)
    return inTx(async (tx) => {
      const ids: Id<'event'>[] = []
      for (const event of events) ids.push((await record(tx, event)).id)
      return ids
    })
  }
  const sizeNow = async (): Promise<number> => (await latestCheckpoint(machine.db))?.size ?? 0

  test('an empty log has no checkpoint and sequencing nothing signs nothing', async () => {
    assert.equal((await serveCheckpoint(machine.db)).status, 404)
    assert.equal(await sequenceNow(machine, signer), 0)
    assert.equal(await sizeNow(), 0)
  })

  test('events become leaves in order of arrival, and tiles, entries and root agree', async () => {
    const ids = await recordAll([started(1), looked(1), started(2)])
    const more = await recordAll(Array.from({ length: 300 }, (_, i) => started(10 + i)))
    assert.equal(await sequenceNow(machine, signer), 303)
    const order = await machine.db.selectFrom('log_leaf').select('event').orderBy('leaf_index').execute()
    assert.deepEqual(
      order.map(({ event }) => event),
      [...ids, ...more],
    )
    const entries = [0, 1].map(async (n) =>
      must(decodeBundle((await findTile(machine.db, 'entries', n)) ?? Buffer.of(0))),
    )
    const all = (await Promise.all(entries)).flat()
    const latest = await latestCheckpoint(machine.db)
    assert.deepEqual(rootOf(all.map(leafHash)), new Uint8Array(latest?.root ?? []))
    const opened = await inTx((tx) => openEvent(tx, ids[1] as Id<'event'>, ASHA))
    assert.ok(opened)
    assert.deepEqual(all[1], entryBytes(commitmentOf(opened.salt, opened.committed)))
    assert.equal(readEntry(all[1] ?? Buffer.of())?.length, 32)
    assert.deepEqual(opened.event, looked(1))
  })

  test('growing in many small steps gives the same tree as in one', async () => {
    for (let i = 0; i < 12; i++) {
      await recordAll(Array.from({ length: 1 + ((i * 37) % 90) }, (_, n) => started(1000 * i + n)))
      await sequenceNow(machine, signer)
      const size = await sizeNow()
      const hashes: Uint8Array[] = []
      for (let n = 0; n * 256 < size; n++) {
        hashes.push(...must(decodeBundle((await findTile(machine.db, 'entries', n)) ?? Buffer.of(0))).map(leafHash))
      }
      assert.equal(hashes.length, size)
      assert.deepEqual(rootOf(hashes), new Uint8Array((await latestCheckpoint(machine.db))?.root ?? []))
    }
  })

  test('what is served: exact widths, older widths, nothing beyond the tree', async () => {
    const size = await sizeNow()
    const full = Math.floor(size / 256)
    const last = String(full).padStart(3, '0')
    const checkpoint = await serveCheckpoint(machine.db)
    assert.equal(must(parseSignedCheckpoint(String(checkpoint.body))).checkpoint.size, size)
    assert.match(checkpoint.headers?.['cache-control'] ?? '', /max-age=1$/)
    const tile = await serveTile(machine.db, 'tile/0/000')
    assert.equal((tile.body as Uint8Array).length, 8192)
    assert.match(tile.headers?.['cache-control'] ?? '', /immutable/)
    const part = await serveTile(machine.db, 'tile/0/000.p/7')
    assert.deepEqual(part.body, (tile.body as Uint8Array).slice(0, 224))
    assert.equal(must(decodeBundle((await serveTile(machine.db, 'tile/entries/000.p/7')).body as Uint8Array)).length, 7)
    assert.equal((await serveTile(machine.db, `tile/0/${last}.p/${size % 256}`)).status, 200)
    const absent = [
      `tile/0/${last}.p/${(size % 256) + 1}`,
      `tile/0/${last}`,
      'tile/0/999',
      'tile/5/000.p/1',
      'tile/0/0',
      'tile/../x',
    ]
    for (const path of absent) assert.equal((await serveTile(machine.db, path)).status, 404, path)
  })

  test('an event of a transaction that rolls back is not in the log, and a sequencer that dies changes nothing', async () => {
    const size = await sizeNow()
    const dying = inTx(async (tx) => {
      await record(tx, started(1))
      throw new Error('killed')
    })
    await assert.rejects(dying, /killed/)
    assert.equal(await sequenceNow(machine, signer), 0)
    const [id] = await recordAll([started(2)])
    const half = inTx(async (tx) => {
      assert.equal(await sequenceBatch(tx, signer), 1)
      throw new Error('killed')
    })
    await assert.rejects(half, /killed/)
    assert.equal(await sizeNow(), size)
    const waiting = await inTx((tx) => receiptFor(tx, log, id as Id<'event'>))
    assert.ok(isRefusal(waiting) && waiting.code === 'log/not-sequenced')
    assert.equal(await sequenceNow(machine, signer), 1)
    assert.equal(await sizeNow(), size + 1)
  })

  test('an event that commits after a later one was sequenced is not lost', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    let early: Id<'event'> | undefined
    let begun = (): void => undefined
    const recorded = new Promise<void>((resolve) => (begun = resolve))
    const slow = inTx(async (tx) => {
      early = (await record(tx, started(1))).id
      begun()
      await held
    })
    await recorded
    await recordAll([started(2)])
    assert.equal(await sequenceNow(machine, signer), 1)
    release()
    await slow
    assert.equal(await sequenceNow(machine, signer), 1)
    assert.ok(!isRefusal(await inTx((tx) => receiptFor(tx, log, early as Id<'event'>))))
  })

  test('two sequencers at once append each entry once', async () => {
    const size = await sizeNow()
    await recordAll(Array.from({ length: 40 }, (_, i) => started(i)))
    const [a, b] = await Promise.all([sequenceNow(machine, signer), sequenceNow(machine, signer)])
    assert.equal(a + b, 40)
    assert.equal(await sizeNow(), size + 40)
  })

  test('receipts verify offline; a change anywhere in one does not', async () => {
    const [id, other] = await recordAll([looked(77), started(77)])
    await sequenceNow(machine, signer)
    const receipt = must(await inTx((tx) => receiptFor(tx, log, id as Id<'event'>, ASHA)))
    const json = JSON.stringify(receipt)
    const verified = must(verifyReceipt(json, {}))
    assert.equal(verified.receipt.event.subject, 'view 77')
    assert.ok(
      !isRefusal(
        verifyReceipt(JSON.stringify(must(await inTx((tx) => receiptFor(tx, log, other as Id<'event'>)))), {}),
      ),
    )
    for (const [from, to] of [
      ['view 77', 'view 78'],
      [receipt.at, '2020-01-01T00:00:00.000Z'],
      [id ?? '', other ?? ''],
      ['index ', 'index 1'],
    ] as const) {
      assert.ok(isRefusal(verifyReceipt(json.replace(from, to), {})), from)
    }
    const stranger = makeSigner('hospital-a.example/log', new Uint8Array(32).fill(9))
    const refused = verifyReceipt(json, { log: formatVkey(stranger.key) })
    assert.ok(isRefusal(refused) && refused.code === 'log/note-unverified')
    for (const bad of [
      '',
      '{}',
      'null',
      '[1]',
      json.replace('receipt/v1', 'receipt/v2'),
      json.replace('{', '{"more":1,'),
    ]) {
      const answer = verifyReceipt(bad, {})
      assert.ok(isRefusal(answer) && answer.code === 'log/receipt-malformed', bad.slice(0, 30))
    }
  })

  test('only the patient it is about finds an event, and nobody after the key is gone, while the tree verifies', async () => {
    const [id] = await recordAll([looked(5)])
    const at = machine.now().toISOString()
    await sequenceNow(machine, signer)
    const about = await inTx((tx) => receiptsAbout(tx, ASHA, { types: ['record.viewed'], limit: 2 }))
    assert.deepEqual(about[0], { id, at, event: looked(5) })
    assert.equal(
      (await inTx((tx) => receiptsAbout(tx, ASHA, { limit: 100, before: about[1]?.id ?? (id as Id<'event'>) }))).length,
      1,
    )
    assert.deepEqual(await inTx((tx) => receiptsAbout(tx, 'ravi@sbx', { limit: 9 })), [])
    for (const wrong of [undefined, 'ravi@sbx']) {
      const refused = await inTx((tx) => receiptFor(tx, log, id as Id<'event'>, wrong))
      assert.ok(isRefusal(refused) && refused.code === 'request/not-found')
    }
    const raw = await sql<{ body: Buffer }>`select body from audit_event where bucket = ${bucketOf(ASHA)}`.execute(
      machine.db,
    )
    assert.ok(
      raw.rows.length > 0 && raw.rows.every(({ body }) => !body.includes('asha') && !body.includes('record.viewed')),
    )

    await inTx((tx) => eraseDataKey(tx, ASHA, 'patient'))
    assert.deepEqual(await inTx((tx) => receiptsAbout(tx, ASHA, { limit: 9 })), [])
    const gone = await inTx((tx) => receiptFor(tx, log, id as Id<'event'>, ASHA))
    assert.ok(isRefusal(gone) && gone.code === 'request/not-found')
    const [fresh] = await recordAll([looked(6)])
    await sequenceNow(machine, signer)
    assert.deepEqual(
      (await inTx((tx) => receiptsAbout(tx, ASHA, { limit: 9 }))).map((e) => e.id),
      [fresh],
    )
  })

  test('announce runs the reactions of the type, in order, in the transaction', async () => {
    const heard: string[] = []
    const react = (name: string) => async (_tx: Tx, event: AuditEvent) => void heard.push(`${name} ${event.subject}`)
    const reacting: Machine = { ...machine, reactions: new Map([['server.started', [react('a'), react('b')]]]) }
    await transact(reacting, async (tx) => {
      await announce(tx, await record(tx, started(4)))
      await announce(tx, await record(tx, looked(4)))
    })
    assert.deepEqual(heard, ['a start 4', 'b start 4'])
    await sequenceNow(machine, signer)
  })

  test('a changed or deleted event row is found', async () => {
    const size = await sizeNow()
    const [plain, gone, sealed] = await recordAll([started(1), started(2), looked(9)])
    await sequenceNow(machine, signer)
    const well = await inTx((tx) => checkRows(tx, size, size + 3))
    assert.deepEqual(well, { checked: 2, sealed: 1, faults: [] })
    assert.deepEqual((await inTx((tx) => checkRowsAbout(tx, ASHA))).faults, [])

    const flip = (id: Id<'event'> | undefined): Promise<unknown> =>
      sql`update audit_event set body = set_byte(body, 40, get_byte(body, 40) # 1) where id = ${id} /* all buckets: a thief does not care */`.execute(
        machine.db,
      )
    await flip(plain)
    await flip(sealed)
    await sql`delete from audit_event where id = ${gone} /* all buckets: a thief does not care */`.execute(machine.db)
    const { faults } = await inTx((tx) => checkRows(tx, size, size + 3))
    assert.deepEqual(faults, [
      { index: size, event: plain, what: 'row was changed' },
      { index: size + 1, event: gone, what: 'row is gone' },
    ])
    const about = await inTx((tx) => checkRowsAbout(tx, ASHA))
    assert.deepEqual(about.faults, [{ index: size + 2, event: sealed, what: 'row was changed' }])
    assert.deepEqual((await inTx((tx) => receiptsAbout(tx, ASHA, { limit: 1 })))[0], { id: sealed, changed: true })
  })

  test('another key, or a tree that is not the signed one, is not built upon', async () => {
    await recordAll([started(1)])
    const size = await sizeNow()
    for (const other of [
      makeSigner('other.example/log', new Uint8Array(32).fill(1)),
      makeSigner(signer.key.name, new Uint8Array(32).fill(2)),
    ]) {
      await assert.rejects(sequenceNow(machine, other), LogKeyChanged)
    }
    await sql`update log_tile set hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1) where level = 0 and tile_index = 0`.execute(
      machine.db,
    )
    const [{ hashes } = { hashes: Buffer.of() }] = await machine.db
      .selectFrom('log_tile')
      .select('hashes')
      .where('level', '=', 1)
      .execute()
    await sql`update log_tile set hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1) where level = 1`.execute(
      machine.db,
    )
    await assert.rejects(sequenceNow(machine, signer), LogDamaged)
    assert.equal(await sizeNow(), size)
    await sql`update log_tile set hashes = ${hashes} where level = 1`.execute(machine.db)
    assert.equal(await sequenceNow(machine, signer), 1)
  })
})
