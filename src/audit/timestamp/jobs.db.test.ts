import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { pino } from 'pino'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../../test/machine.ts'
import { openTestAuthority } from '../../../test/time-stamp-authority.ts'
import { makeSigner } from '../../crypto/signed-note.ts'
import { type Machine, transact } from '../../db/tx.ts'
import type { CallOutcome, Outbound } from '../../http/outbound.ts'
import { must } from '../../kernel/refusal.ts'
import { record } from '../record.ts'
import { sequenceNow } from '../sequencer.ts'
import { makeStampFile, readStampFile } from './file.ts'
import { timestampChores } from './jobs.ts'
import { findStamp, findStamps } from './store.ts'
import { readRoots } from './token.ts'

const HOUR_MS = 3_600_000
const authority = openTestAuthority()
const skip = authority === undefined ? 'there is no openssl on this machine' : false
// Its clock is that of the machine.
const clock = makeTestClock(new Date())
let database: TestDatabase
let machine: Machine
describe('audit/timestamp/jobs', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
  })
  after(async () => {
    authority?.close()
    await database.close()
  })

  async function grow(): Promise<void> {
    await transact(machine, (tx) => record(tx, { type: 'server.started', actor: { kind: 'system', id: 'test' } }))
    await sequenceNow(machine, makeSigner('hospital-a.example/log', new Uint8Array(32).fill(1)))
  }

  const answered = (body: Buffer, status = 200): CallOutcome => ({
    kind: 'answered',
    status,
    headers: {},
    body,
    tookMs: 1,
  })

  test('the newest checkpoint is stamped each day; what goes wrong is tried again, less and less often', {
    skip,
  }, async () => {
    assert.ok(authority)
    let asked = 0
    let outcome = (request: Uint8Array): CallOutcome => answered(authority.answer(request))
    const outbound: Outbound = {
      call: async ({ bytes }) => {
        asked++
        return outcome(bytes ?? new Uint8Array())
      },
      close: async () => undefined,
    }
    const settings = { url: 'https://tsa.example/', everyHours: 24, ca: authority.ca }
    const [chore] = timestampChores(settings, { machine, outbound, logger: pino({ level: 'silent' }) })
    assert.ok(chore)
    await chore.run()
    assert.equal(asked, 0, 'an empty log has nothing to stamp')

    await grow()
    const stamp = outcome
    const first: { answer?: Buffer } = {}
    const broken: readonly (() => CallOutcome)[] = [
      () => ({ kind: 'failed', reason: 'connection refused', tookMs: 1 }),
      () => answered(Buffer.from('busy'), 503),
      () => answered(Buffer.from('<html>')),
      () => answered(first.answer ?? Buffer.alloc(0)),
    ]
    let waitMs = 60_000
    for (const fault of broken) {
      outcome = (request) => {
        first.answer ??= authority.answer(request)
        return fault()
      }
      await chore.run()
      const askedBefore: number = asked
      clock.advance(waitMs - 1)
      await chore.run()
      assert.equal(asked, askedBefore, 'it waits before it asks again')
      clock.advance(1)
      waitMs *= 2
    }
    assert.deepEqual([asked, await findStamps(database.db, 10)], [4, []])

    clock.set(new Date())
    const [again] = timestampChores(settings, { machine, outbound, logger: pino({ level: 'silent' }) })
    assert.ok(again)
    outcome = stamp
    await again.run()
    await grow()
    await again.run()
    const stamps = await findStamps(database.db, 10)
    assert.deepEqual(
      stamps.map(({ size, authority: by }) => [size, by]),
      [[1, 'CN=Test time-stamps']],
    )
    clock.advance(25 * HOUR_MS)
    await again.run()
    assert.equal((await findStamps(database.db, 10)).length, 1, 'a clock that is a day off is not believed')

    const kept = await findStamp(database.db, 1)
    assert.ok(kept)
    const file = JSON.stringify(makeStampFile(kept.note, kept.token))
    assert.equal(must(readStampFile(file, readRoots(authority.ca))).checkpoint, kept.note)
  })

  test('without the setting nobody is asked', () => {
    const outbound: Outbound = { call: () => assert.fail('nobody is asked'), close: async () => undefined }
    assert.deepEqual(timestampChores(undefined, { machine, outbound, logger: pino({ level: 'silent' }) }), [])
  })
})
