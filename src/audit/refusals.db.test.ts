import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import pino from 'pino'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from '../../test/machine.ts'
import type { Machine } from '../db/tx.ts'
import type { RefusedCall } from '../http/meters.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { formatSyslog } from './export/syslog.ts'
import { openBody } from './record.ts'
import { makeRefusals } from './refusals.ts'

let database: TestDatabase
let clock: TestClock
let machine: Machine
const lines: Record<string, unknown>[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
describe('audit/refusals', () => {
  before(async () => {
    database = await openTestDatabase()
    clock = makeTestClock()
    machine = makeTestMachine(database, { clock })
  })
  after(() => database.close())
  beforeEach(async () => {
    lines.length = 0
    await database.pool.query('delete from audit_event')
  })

  const stranger = { trace: 'trace-1', source: '203.0.113.7', caller: undefined } as const
  const call = (code: RefusedCall['code'], more: Partial<RefusedCall> = {}): RefusedCall => ({
    code,
    route: 'GET /v1/jobs',
    ...stranger,
    ...more,
  })
  /** What the log has, by type. */
  async function recorded() {
    const { rows } = await database.pool.query('select id, type, at, body, actor_kind from audit_event order by type')
    return rows.map((row) => ({
      ...row,
      event: openBody(row.id, row.body, undefined)?.event as unknown as { counts: unknown },
    }))
  }

  test('each refused caller is a line that says where and who, as far as it is known, and no patient', () => {
    const { note } = makeRefusals(machine, log)
    note(call('auth/invalid-token'))
    const staff = {
      kind: 'staff',
      id: 'a-nurse' as Id<'staff'>,
      name: 'Meera',
      role: 'nurse',
      session: 's' as never,
    } as const
    note(call('auth/forbidden', { caller: staff }))
    note(call('auth/forbidden', { caller: { kind: 'patient', patient: 'asha.rao@sbx' as AbhaAddress } }))
    assert.deepEqual(
      lines.map(({ msg, code, source, caller, trace }) => [msg, code, source, caller, trace]),
      [
        ['access refused', 'auth/invalid-token', '203.0.113.7', undefined, 'trace-1'],
        ['access refused', 'auth/forbidden', undefined, 'staff:a-nurse', 'trace-1'],
        ['access refused', 'auth/forbidden', undefined, 'patient', 'trace-1'],
      ],
    )
    assert.doesNotMatch(JSON.stringify(lines), /asha|Meera/)
  })

  test('a flood writes so many lines a minute and one entry of our log, with all of them counted', async () => {
    const { note, chore } = makeRefusals(machine, log)
    for (let i = 0; i < 5_000; i++) note(call('auth/invalid-token'))
    for (let i = 0; i < 300; i++) note(call('request/too-many'))
    assert.equal(lines.length, LIMITS.refusalsWrittenPerMinuteMax)
    await chore.run()
    assert.deepEqual(
      (await recorded()).map(({ type, event }) => [type, event.counts]),
      [
        ['door.access-refused', [{ code: 'auth/invalid-token', count: 5_000 }]],
        ['door.input-refused', [{ code: 'request/too-many', count: 300 }]],
      ],
    )
    clock.advance(60_000)
    note(call('auth/invalid-token'))
    const [more, next] = lines.slice(-2)
    assert.equal(more?.['count'], 5_000 - LIMITS.refusalsWrittenPerMinuteMax)
    assert.equal(next?.['msg'], 'access refused')
  })

  test('a SIEM hears of it as a failure; without refusals nothing is recorded, and each is recorded once', async () => {
    const { note, chore } = makeRefusals(machine, log)
    await chore.run()
    assert.deepEqual(await recorded(), [])
    note(call('auth/scope-needed'))
    note(call('request/not-found'))
    note(call('consent/unknown-artefact'))
    note(call('auth/no-session'))
    note(call('auth/step-up-needed'))
    await chore.run()
    await chore.run()
    const [only, ...others] = await recorded()
    assert.deepEqual([only?.event.counts, others], [[{ code: 'auth/scope-needed', count: 1 }], []])
    assert.ok(only)
    const text = formatSyslog(
      { id: only.id, type: only.type, at: only.at, leaf: 7, actorKind: only.actor_kind },
      'hospital.example/log',
    )
    assert.match(text, /^<108>1 .* door\.access-refused \[amanat@32473 .*outcome="failure"/)
  })

  test('what could not be recorded is recorded the next time; what came meanwhile is not lost', async () => {
    let isBroken = true
    const broken: Machine = {
      ...machine,
      random: (bytes) => {
        if (isBroken) throw new Error('broken machine')
        return machine.random(bytes)
      },
    }
    const { note, chore } = makeRefusals(broken, log)
    note(call('auth/forbidden'))
    await assert.rejects(chore.run())
    note(call('auth/forbidden'))
    isBroken = false
    await chore.run()
    assert.deepEqual(
      (await recorded()).map(({ event }) => event.counts),
      [[{ code: 'auth/forbidden', count: 2 }]],
    )
  })
})
