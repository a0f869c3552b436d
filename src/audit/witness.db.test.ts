import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { formatCheckpoint, parseSignedCheckpoint } from '../crypto/checkpoint.ts'
import { makeCosigner } from '../crypto/cosignature.ts'
import { consistencyRanges, leafHash, rootOf } from '../crypto/merkle.ts'
import { formatNote, formatVkey, makeSigner, type Signer, signNote } from '../crypto/signed-note.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { askWitness, logChores, type SendText, witnessChore } from './jobs.ts'
import { type OwnLog, type OwnWitness, verifierOfConfigured, type Witness } from './log.ts'
import { receiptFor } from './receipts.ts'
import { record } from './record.ts'
import { sequenceNow } from './sequencer.ts'
import { serveCheckpoint } from './serve.ts'
import { readLogState } from './state.ts'
import { countCosignatures, verifyReceipt } from './verify.ts'
import { addCheckpoint, serveWitnessed } from './witness.ts'
import { readWitnesses } from './witness-store.ts'

const ORIGIN = 'hospital-a.example/log'
const signer = makeSigner(ORIGIN, new Uint8Array(32).fill(1))
const other = makeSigner('third.example/log', new Uint8Array(32).fill(4))
const cosigner = makeCosigner('exchange.example/witness', new Uint8Array(32).fill(2))
const own: OwnWitness = {
  cosigner,
  logs: [signer, other].map(({ key }) => ({ origin: key.name, vkey: formatVkey(key) })),
}
const witness: Witness = { name: 'exchange', vkey: formatVkey(cosigner.key), url: 'http://exchange.example/witness' }
const log: OwnLog = { signer, witnesses: [witness] }

const clock = makeTestClock()
let logDatabase: TestDatabase
let witnessDatabase: TestDatabase
let ours: Machine
let theirs: Machine
describe('audit/witness', () => {
  before(async () => {
    logDatabase = await openTestDatabase()
    witnessDatabase = await openTestDatabase()
    ours = makeTestMachine(logDatabase, { clock })
    theirs = makeTestMachine(witnessDatabase, { clock })
  })
  after(async () => {
    await logDatabase.close()
    await witnessDatabase.close()
  })

  const post = async (body: string): Promise<{ status: number; body: string; type: string | undefined }> => {
    const answer = await transact(theirs, (tx) => addCheckpoint(tx, own, Buffer.from(body)))
    return { status: answer.status, body: String(answer.body), type: answer.headers?.['content-type'] }
  }
  const send: SendText = async (url, body) => {
    assert.equal(url, 'http://exchange.example/witness/add-checkpoint')
    return post(body)
  }
  const grow = async (count: number): Promise<Id<'event'> | undefined> => {
    let last: Id<'event'> | undefined
    await transact(ours, async (tx) => {
      for (let i = 0; i < count; i++) {
        last = (await record(tx, { type: 'test.done', actor: { kind: 'system', id: 'test' } })).id
      }
    })
    await sequenceNow(ours, signer)
    return last
  }

  /** A log that lives in memory only, with whatever tree and signature a test wants. */
  const leaves = (count: number, salt = ''): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`${salt}${i}`)))
  const request = (
    old: number,
    size: number,
    by: Signer = other,
    tree = leaves(size),
    proof?: readonly Uint8Array[],
  ): string => {
    const text = formatCheckpoint({ origin: by.key.name, size, root: rootOf(tree) })
    const ranges = old <= size ? consistencyRanges(old, size) : []
    const hashes = proof ?? ranges.map(({ start, end }) => rootOf(tree.slice(start, end)))
    const lines = hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')
    return `old ${old}\n${lines}\n${formatNote({ text, signatures: [signNote(text, by)] })}`
  }

  test('each answer of the witness protocol', async () => {
    const hash = createHash('sha256').update(other.key.name).digest('hex')
    const monitor = (): Promise<{ status: number }> => transact(theirs, (tx) => serveWitnessed(tx, own, hash))
    assert.equal((await monitor()).status, 404)
    const unknown = makeSigner('nobody.example/log', new Uint8Array(32).fill(5))
    const forger = makeSigner(other.key.name, new Uint8Array(32).fill(6))
    assert.equal((await post(request(0, 3, unknown))).status, 404)
    assert.equal((await post(request(0, 3, forger))).status, 403)
    assert.equal((await post(request(5, 3))).status, 400)
    const bad = [
      '',
      'old 0\n',
      `old x\n\n${request(0, 1).slice(7)}`,
      request(0, 3).replace('old 0', 'new 0'),
      'old 0\n\nnonsense\n',
    ]
    for (const body of [
      ...bad,
      request(
        0,
        3,
        other,
        leaves(3),
        Array.from({ length: 64 }, () => leaves(1)[0] ?? Buffer.of()),
      ),
    ]) {
      assert.equal((await post(body)).status, 400, body.slice(0, 40))
    }
    assert.equal((await post(request(0, 3, other, leaves(3), leaves(1)))).status, 422, 'proof at old 0')
    assert.equal((await monitor()).status, 404, 'refusals store nothing')

    const first = await post(request(0, 3))
    assert.equal(first.status, 200)
    assert.match(first.body, /^— exchange\.example\/witness \S+\n$/)
    const { body: seen } = await transact(theirs, (tx) => serveWitnessed(tx, own, hash))
    assert.deepEqual(
      countCosignatures(must(parseSignedCheckpoint(String(seen))), [verifierOfConfigured(witness.vkey)]),
      [cosigner.key.name],
    )
    assert.equal((await transact(theirs, (tx) => serveWitnessed(tx, own, hash.toUpperCase()))).status, 404)

    assert.deepEqual(await post(request(0, 5)), { status: 409, body: '3\n', type: 'text/x.tlog.size' })
    assert.equal((await post(request(3, 3))).status, 200, 'the same again is cosigned again')
    assert.equal((await post(request(3, 3, other, leaves(3, 'fork')))).status, 422, 'same size, other root')
    assert.equal((await post(request(3, 7, other, leaves(7, 'fork')))).status, 422, 'fork')
    assert.equal((await post(request(3, 7, other, leaves(7), []))).status, 422, 'no proof')
    assert.equal((await post(request(3, 7))).status, 200)
    assert.equal((await post(request(3, 5))).status, 409, 'an older, stalled request does not roll back')
  })

  test('no request with one character changed is cosigned, and none breaks the witness', async () => {
    const good = request(7, 30)
    const where = fc.nat({ max: good.length - 1 })
    const what = fc.constantFrom('A', '0', '1', '\n', ' ', '—', '=', '\u0000', '\ud800', '+')
    await fc.assert(
      fc.asyncProperty(where, what, async (at, char) => {
        fc.pre(good[at] !== char)
        const { status } = await post(good.slice(0, at) + char + good.slice(at + 1))
        assert.ok([400, 403, 404, 409, 422].includes(status), `${status} at ${at}`)
      }),
      { numRuns: 300 },
    )
    const row = await theirs.db
      .selectFrom('witnessed_log')
      .select('size')
      .where('origin', '=', other.key.name)
      .executeTakeFirst()
    assert.equal(row?.size, 7)
  })

  test('of many requests at once one wins each step, and the size never goes back', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => post(request(7, 8 + i))))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.equal(answers.filter(({ status }) => status === 409).length, 11)
    const won = answers.findIndex(({ status }) => status === 200)
    const row = await theirs.db
      .selectFrom('witnessed_log')
      .select('size')
      .where('origin', '=', other.key.name)
      .executeTakeFirst()
    assert.equal(row?.size, 8 + won)
  })

  test('our log is cosigned as it grows, and checkpoint and receipt carry it', async () => {
    assert.deepEqual(await askWitness(ours, witness, send), { outcome: 'nothing-new' })
    await grow(3)
    assert.deepEqual(await askWitness(ours, witness, send), { outcome: 'cosigned', size: 3 })
    assert.deepEqual(await askWitness(ours, witness, send), { outcome: 'nothing-new' })
    const id = await grow(300)
    assert.deepEqual(await askWitness(ours, witness, send), { outcome: 'cosigned', size: 303 })
    const served = must(parseSignedCheckpoint(String((await serveCheckpoint(ours.db)).body)))
    assert.deepEqual(countCosignatures(served, [verifierOfConfigured(witness.vkey)]), [cosigner.key.name])
    const receipt = must(await transact(ours, (tx) => receiptFor(tx, log, id as Id<'event'>)))
    assert.deepEqual(must(verifyReceipt(JSON.stringify(receipt), {})).cosignedBy, [cosigner.key.name])
    assert.deepEqual(await readWitnesses(ours.db), [
      { name: 'exchange', size: 303, fault: null, changedAt: clock.now() },
    ])
  })

  test('a call that failed and was not applied, and one that failed yet was applied, both end cosigned', async () => {
    await grow(2)
    const down: SendText = async () => {
      throw new Error('connection refused')
    }
    const failed = await askWitness(ours, witness, down)
    assert.ok(failed.outcome === 'failed' && failed.why.includes('connection refused'))
    const lost: SendText = async (url, body) => {
      await send(url, body)
      throw new Error('no answer in time')
    }
    assert.equal((await askWitness(ours, witness, lost)).outcome, 'failed')
    assert.match((await readWitnesses(ours.db))[0]?.fault ?? '', /no answer in time/)
    await grow(1)
    assert.deepEqual(await askWitness(ours, witness, send), { outcome: 'cosigned', size: 306 })
    assert.equal((await readWitnesses(ours.db))[0]?.fault, null)
  })

  test('rubbish from a witness is not kept', async () => {
    await grow(1)
    const stranger = makeCosigner(cosigner.key.name, new Uint8Array(32).fill(8))
    const answers = [
      { status: 500, body: 'oops' },
      { status: 409, body: 'many' },
      { status: 200, body: '' },
      { status: 200, body: '— exchange.example/witness AAAA\n' },
      { status: 200, body: formatNote({ text: '', signatures: [stranger.cosign('x\n', 5)] }).slice(1) },
    ]
    for (const answer of answers) {
      assert.equal((await askWitness(ours, witness, async () => answer)).outcome, 'failed', JSON.stringify(answer))
    }
    const kept = await ours.db.selectFrom('log_cosignature').select('size').where('size', '=', 307).execute()
    assert.deepEqual(kept, [])
    assert.equal((await askWitness(ours, witness, send)).outcome, 'cosigned')
  })

  test('a witness that is away, asked every two seconds, is one line for the operator, and one when it is back', async () => {
    await grow(1)
    const said: string[] = []
    const hear = (_: object, line: string) => void said.push(line)
    const logger = { warn: hear, error: hear, info: hear } as unknown as Logger
    let status = 503
    const away: SendText = async (url, body) => (status === 200 ? send(url, body) : { status, body: '' })
    const chore = witnessChore({ machine: ours, log, send: away, logger }, witness)
    for (const next of [503, 503, 404, 404, 200, 200]) {
      status = next
      await chore.run()
    }
    assert.deepEqual(said, ['log: exchange answered 503', 'log: exchange answered 404', 'log: cosigned again'])
  })

  const TABLES = ['log_cosignature', 'log_checkpoint', 'log_leaf', 'log_tile', 'log_bundle', 'log_witness', 'log_queue']
  const copyTables = async (): Promise<void> => {
    for (const table of TABLES)
      await sql`create table ${sql.table(`old_${table}`)} as table ${sql.table(table)}`.execute(ours.db)
  }
  const restoreTables = async (): Promise<void> => {
    for (const table of TABLES) await sql`delete from ${sql.table(table)}`.execute(ours.db)
    for (const table of TABLES.toReversed()) {
      await sql`insert into ${sql.table(table)} overriding system value table ${sql.table(`old_${table}`)}`.execute(
        ours.db,
      )
    }
  }

  test('a database rolled back to an older copy is found by the witness, before and after it grows again', async () => {
    await copyTables()
    await grow(10)
    assert.equal((await askWitness(ours, witness, send)).outcome, 'cosigned')
    await restoreTables()
    await grow(1)
    const rolledBack = await askWitness(ours, witness, send)
    assert.ok(rolledBack.outcome === 'alarm' && rolledBack.why.includes('rolled back'), JSON.stringify(rolledBack))
    assert.match((await readWitnesses(ours.db))[0]?.fault ?? '', /rolled back/)
    await grow(20)
    const forked = await askWitness(ours, witness, send)
    assert.ok(forked.outcome === 'alarm' && forked.why.includes('another tree'), JSON.stringify(forked))
    const isCosigned = await ours.db.selectFrom('log_cosignature').select('size').where('size', '>', 308).execute()
    assert.deepEqual(isCosigned, [])
  })

  test('the chores sequence and ask, and tell the operator of faults and alarms', async () => {
    const told: string[] = []
    const tell = (level: string) => (_: unknown, text: string) => void told.push(`${level} ${text}`)
    const logger = { error: tell('error'), warn: tell('warn') } as unknown as Logger
    let status = 500
    const chores = logChores({ machine: ours, log, send: async () => ({ status, body: '' }), logger })
    assert.deepEqual(
      chores.map(({ name }) => name),
      ['log sequencer', 'log witness exchange', 'log rows check'],
    )
    const before = (await readLogState(ours.db)).size
    await transact(ours, (tx) => record(tx, { type: 'test.done', actor: { kind: 'system', id: 'test' } }))
    assert.equal((await readLogState(ours.db)).waiting, 1)
    for (const { run } of chores) await run()
    assert.equal((await readLogState(ours.db)).size, before + 1)
    assert.equal((await readLogState(ours.db)).waiting, 0)
    for (const { run } of chores) await run()
    status = 422
    for (const { run } of chores) await run()
    assert.match(told.join('; '), /^warn log: exchange answered 500; error log: exchange saw another tree/)
  })

  test('a witness of another key name than configured is no witness', async () => {
    const receipt = await transact(ours, async (tx) => {
      const row = await tx.db
        .selectFrom('log_leaf')
        .select('event')
        .where('leaf_index', '=', 0)
        .executeTakeFirstOrThrow()
      return receiptFor(tx, log, row.event as Id<'event'>)
    })
    assert.ok(!isRefusal(receipt))
    const stranger = formatVkey(makeCosigner('x.example/w', new Uint8Array(32).fill(8)).key)
    assert.deepEqual(must(verifyReceipt(JSON.stringify(receipt), { witnesses: [stranger] })).cosignedBy, [])
  })
})
