import { Gauge, type Registry } from 'prom-client'
import type { Machine } from '../db/tx.ts'
import { readLastRun } from './store.ts'

/** Ages of the newest backup and drill. A party that never had one says -1, so that an alarm can tell it from a fresh one. */
export function addRecoveryMetrics(registry: Registry, machine: Machine): void {
  const gauges = [
    [
      'backup.taken',
      'amanat_backup_age_seconds',
      'Seconds since the newest backup of this party was completed; -1 = never',
    ],
    [
      'recovery.drilled',
      'amanat_drill_age_seconds',
      'Seconds since a backup was last restored and checked; -1 = never',
    ],
  ] as const
  for (const [type, name, help] of gauges) {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const last = await readLastRun(machine.db, type)
        this.set(last === undefined ? -1 : (machine.now().getTime() - last.at.getTime()) / 1000)
      },
    })
  }
  new Gauge({
    name: 'amanat_drill_failed',
    help: '1 when the last drill found a fault',
    registers: [registry],
    async collect() {
      this.set((await readLastRun(machine.db, 'recovery.drilled'))?.passed === false ? 1 : 0)
    },
  })
}
