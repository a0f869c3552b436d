import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Registry } from 'prom-client'
import { openTestDatabase, type TestDatabase } from '../test/database.ts'
import { makeTestMachine } from '../test/machine.ts'
import { addLogMetrics, alarmsInWords } from './app-log.ts'
import { type AlarmKind, listAlarms, raiseAlarm } from './audit/watch/alarm.ts'
import { type Machine, transact } from './db/tx.ts'
import { LIMITS } from './kernel/limits.ts'

describe('what operators see of alarms', () => {
  let database: TestDatabase
  let machine: Machine
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
  })
  after(() => database.close())

  it('a fork is not hidden by however many newer alarms of another kind', async () => {
    const raise = (kind: AlarmKind, mark: string) =>
      transact(machine, (tx) => raiseAlarm(tx, { origin: 'hospital.example/log', own: true, kind, mark, detail: mark }))
    await raise('fork', 'two histories')
    const late = LIMITS.pageSizeMax + 5
    for (let i = 0; i < late; i++) await raise('overdue', `review ${i}`)
    const registry = new Registry()
    addLogMetrics(registry, machine)
    const metrics = await registry.metrics()
    assert.match(metrics, /amanat_log_alarms\{kind="fork",own="true"\} 1\n/)
    assert.match(metrics, new RegExp(`amanat_log_alarms\\{kind="overdue",own="true"\\} ${late}\\n`))
    assert.match(metrics, /amanat_log_alarms\{kind="tampered",own="false"\} 0\n/)
    assert.equal((await listAlarms(machine.db, { open: true, limit: 1 }))[0]?.kind, 'fork')
    const words = await alarmsInWords(machine)
    assert.equal(words[0], 'fork: two histories')
    assert.equal(words.at(-1), '6 more: amanat_log_alarms counts them by kind')
  })
})
