import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { pino } from 'pino'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { makeSigner } from '../crypto/signed-note.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { eraseDataKey } from '../vault/data-keys.ts'
import { logChores } from './jobs.ts'
import { record } from './record.ts'
import { makeRowWalk } from './row-walk.ts'
import { sequenceNow } from './sequencer.ts'
import { readLogState } from './state.ts'

const PATIENTS = ['asha.rao@sbx', 'ravi.menon@sbx', 'sunita@sbx', 'gone@sbx']
const signer = makeSigner('hospital-a.example/log', new Uint8Array(32).fill(1))
const actor = { kind: 'system', id: 'test' } as const
const plain: Id<'event'>[] = []
const sealed: Id<'event'>[] = []
let database: TestDatabase
let machine: Machine

describe('audit/row-walk', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
    await transact(machine, async (tx) => {
      for (let n = 0; n < 20; n++) plain.push((await record(tx, { type: 'server.started', actor, subject: `${n}` })).id)
      for (const patient of PATIENTS)
        for (let n = 0; n < 3; n++) sealed.push((await record(tx, { type: 'record.viewed', actor, patient })).id)
      await eraseDataKey(tx, 'gone@sbx', 'patient')
    })
    await sequenceNow(machine, signer)
  })
  after(() => database.close())

  const flip = (id: Id<'event'> | undefined): Promise<unknown> =>
    sql`update audit_event set body = set_byte(body, 40, get_byte(body, 40) # 1) where id = ${id} /* all buckets: a thief does not care */`.execute(
      machine.db,
    )
  /** Turns enough to see everything, wherever the walk begins. */
  const goRound = async (walk: ReturnType<typeof makeRowWalk>) => {
    const found = []
    for (let turn = 0; turn < 12; turn++) found.push(...(await walk()))
    return found.map(({ event, what }) => `${event} ${what}`).toSorted()
  }

  test('rows as they were recorded give no alarm, nor do those of a patient whose key is gone', async () => {
    assert.deepEqual(await goRound(makeRowWalk(machine, { leaves: 7, patients: 2 })), [])
    assert.equal((await readLogState(machine.db)).rowFaults, 0)
  })

  test('a changed row, plain or sealed, and one that is gone are found wherever the walk begins, and told once', async () => {
    await flip(plain[3])
    await flip(sealed[4])
    await sql`delete from audit_event where id = ${sealed[8]} /* all buckets: a thief does not care */`.execute(
      machine.db,
    )
    const walk = makeRowWalk(machine, { leaves: 7, patients: 2 })
    const expected = [
      `${plain[3]} row was changed`,
      `${sealed[4]} row was changed`,
      `${sealed[8]} row is gone`,
    ].toSorted()
    assert.deepEqual(await goRound(walk), expected)
    assert.deepEqual(await goRound(walk), [])
    assert.equal((await readLogState(machine.db)).rowFaults, 3)
  })

  test('an event that is hidden under another type, and a leaf that names no event any more, are found', async () => {
    const column = (text: string, id: Id<'event'> | undefined) =>
      sql`update audit_event set type = ${text} where id = ${id} /* all buckets: a thief does not care */`.execute(
        machine.db,
      )
    await column('log.alive', plain[7])
    await column('log.alive', sealed[1])
    await sql`delete from log_leaf where event = ${sealed[6]}`.execute(machine.db)
    const walk = makeRowWalk(machine, { leaves: 7, patients: 2 })
    const found = await goRound(walk)
    assert.deepEqual(
      found.filter((what) => !what.startsWith('00000000')),
      [`${plain[7]} row was changed`, `${sealed[1]} row was changed`].toSorted(),
    )
    assert.equal(found.filter((what) => what.endsWith('leaf names no event')).length, 1)
  })

  test('the chore raises the alarm in the log of the program', async () => {
    await flip(plain[5])
    const lines: string[] = []
    const logger = pino({}, { write: (line: string) => void lines.push(line) })
    const chore = logChores({
      machine,
      log: { signer, witnesses: [] },
      send: () => assert.fail('there is no witness'),
      logger,
    }).find(({ name }) => name === 'log rows check')
    // From wherever it begins to the end, then from the start.
    await chore?.run()
    await chore?.run()
    const said = lines.map((line) => JSON.parse(line) as { level: number; event: string; msg: string })
    assert.deepEqual(
      said.map(({ level, event }) => ({ level, event })),
      [{ level: pino.levels.values['error'], event: plain[5] }],
    )
    assert.match(said[0]?.msg ?? '', /row was changed/)
  })
})
