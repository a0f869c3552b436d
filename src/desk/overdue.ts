import { Gauge, type Registry } from 'prom-client'
import { endOverdue, raiseAlarm } from '../audit/watch/alarm.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { overdueEmergencies } from '../incidents/commands.ts'
import type { Chore } from '../jobs/schedule.ts'
import { LIMITS } from '../kernel/limits.ts'
import { overdueQuestions } from '../rights/commands.ts'
import { overdueIds } from './joining-store.ts'

/** What the people of a facility owe a patient by a date. */
const OWED = {
  'emergency-review': {
    says: 'The review of an emergency access is overdue.',
    find: (tx: Tx) => overdueEmergencies(tx, 'review', LIMITS.overdueMax),
  },
  'emergency-letter': {
    says: 'The letter to a patient about an emergency access is overdue.',
    find: (tx: Tx) => overdueEmergencies(tx, 'letter', LIMITS.overdueMax),
  },
  'joining-review': {
    says: 'The review of somebody who joined a treatment by herself is overdue.',
    find: (tx: Tx) => overdueIds(tx, LIMITS.overdueMax),
  },
  question: {
    says: 'The answer to a question of a patient is overdue.',
    find: (tx: Tx) => overdueQuestions(tx, LIMITS.overdueMax),
  },
} as const
const KINDS = Object.keys(OWED) as (keyof typeof OWED)[]

/** Raises an alarm for each thing that is overdue, once, and ends those of what was done meanwhile. Names nobody. */
export async function watchOverdue(tx: Tx, origin: string): Promise<number> {
  const marks: string[] = []
  for (const kind of KINDS)
    for (const id of await OWED[kind].find(tx)) {
      const mark = `${kind}:${id}`
      marks.push(mark)
      await raiseAlarm(tx, { origin, own: true, kind: 'overdue', mark, detail: `${OWED[kind].says} ${id}` })
    }
  await endOverdue(tx, origin, marks)
  return marks.length
}

/** Watches what is overdue, for who watches alarms. */
export function overdueChore(machine: Machine, origin: string): Chore {
  return {
    name: 'desk: watch what is overdue',
    everyMs: 600_000,
    run: async () => void (await transact(machine, (tx) => watchOverdue(tx, origin))),
  }
}

/** What Prometheus is told of what is overdue. */
export function addOverdueMetrics(registry: Registry, machine: Machine): void {
  new Gauge({
    name: 'amanat_overdue',
    help: `What is owed to patients by a date and not done, by kind; at most ${LIMITS.overdueMax} of each are counted`,
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const counts = await transact(machine, (tx) => Promise.all(KINDS.map((kind) => OWED[kind].find(tx))))
      for (const [at, kind] of KINDS.entries()) this.set({ kind }, counts[at]?.length ?? 0)
    },
  })
}
