import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'
import { REPLAYS_OF } from './app-replay.ts'
import { exportChores } from './audit/export/jobs.ts'
import { logChores, sendTextThrough } from './audit/jobs.ts'
import type { OwnLog, OwnWitness } from './audit/log.ts'
import { makeRefusals, type Refusals } from './audit/refusals.ts'
import { replayChores } from './audit/replay-jobs.ts'
import { logRoutes, witnessRoutes } from './audit/routes.ts'
import { readLogState } from './audit/state.ts'
import { timestampChores } from './audit/timestamp/jobs.ts'
import { timestampRoutes } from './audit/timestamp/routes.ts'
import { ALARM_KINDS, countAlarms, listAlarms } from './audit/watch/alarm.ts'
import { SIGHTING_JOB, sightingHandler, watchChores } from './audit/watch/jobs.ts'
import { watchRoutes } from './audit/watch/routes.ts'
import type { TamperedEvent } from './audit/watch/tampered.ts'
import type { PartyConfig } from './config.ts'
import { makeCosigner } from './crypto/cosignature.ts'
import { makeSigner } from './crypto/signed-note.ts'
import type { Machine } from './db/tx.ts'
import type { Outbound } from './http/outbound.ts'
import type { Route } from './http/route.ts'
import type { Chore } from './jobs/schedule.ts'
import type { JobHandler } from './jobs/worker.ts'
import { LIMITS } from './kernel/limits.ts'
import { auditEventRoutes } from './native/balp/routes.ts'
import type { PartyKeys } from './vault/key-file.ts'

/** The log of a party, what it does for those of others, and how it is watched. */
export type LogParts = {
  readonly ownLog: OwnLog
  readonly ownWitness: OwnWitness
  readonly routes: readonly Route[]
  /** For the door: who was refused. */
  readonly onRefused: Refusals['note']
  readonly chores: readonly Chore[]
  readonly handlers: readonly (readonly [string, JobHandler])[]
  /** Open alarms, in words. */
  readonly alarms: () => Promise<readonly string[]>
}

/** Puts the log of a party together from its settings and keys. */
export function logParts(
  party: Pick<PartyConfig, 'log' | 'id' | 'name' | 'publicUrl' | 'role'>,
  keys: Pick<PartyKeys, 'logSeed' | 'witnessSeed'>,
  ground: {
    readonly machine: Machine
    readonly outbound: Outbound
    readonly log: Logger
    /** The name in the settings, or that of its successor after a restore that lost entries. */
    readonly logName: string
  },
): LogParts {
  const { machine, outbound, log: logger } = ground
  const settings = party.log
  const ownLog: OwnLog = {
    signer: makeSigner(ground.logName, keys.logSeed),
    witnesses: settings.witnesses,
    ...(settings.policy === undefined ? {} : { policy: settings.policy }),
  }
  const ownWitness: OwnWitness = {
    cosigner: makeCosigner(`${settings.origin}/witness`, keys.witnessSeed),
    logs: settings.witnessFor,
  }
  const refusals = makeRefusals(machine, logger)
  const watching = { machine, log: ownLog, outbound, logger }
  machine.changes.listen('party', (type) => {
    if (type === TAMPERED)
      logger.error('a row was added or changed in the database, not by this program: GET /v1/alarms')
  })
  return {
    ownLog,
    ownWitness,
    routes: [
      ...logRoutes(ownLog),
      ...witnessRoutes(ownWitness),
      ...timestampRoutes,
      ...watchRoutes(ownLog),
      ...auditEventRoutes({ party, ownLog }),
    ],
    onRefused: refusals.note,
    chores: [
      refusals.chore,
      ...exportChores(settings.exports, { machine, origin: settings.origin, fetching: fetch, logger }),
      ...logChores({ machine, log: ownLog, send: sendTextThrough(outbound), logger }),
      ...replayChores(machine, REPLAYS_OF[party.role], logger),
      ...timestampChores(settings.timestamps, { machine, outbound, logger }),
      ...watchChores(watching),
    ],
    handlers: [[SIGHTING_JOB, sightingHandler(watching)]],
    alarms: () => alarmsInWords(machine),
  }
}

/** Open alarms for who asks `/health/ready`: the gravest, and how many there are beside them. */
export async function alarmsInWords(machine: Machine): Promise<readonly string[]> {
  const shown = await listAlarms(machine.db, { open: true, limit: LIMITS.pageSizeMax })
  const all = (await countAlarms(machine.db)).reduce((sum, { count }) => sum + count, 0)
  const words = shown.map(({ kind, detail }) => `${kind}: ${detail}`)
  return all > shown.length ? [...words, `${all - shown.length} more: amanat_log_alarms counts them by kind`] : words
}

const TAMPERED: TamperedEvent['type'] = 'credential.tampered'

/** What Prometheus is told of the log. */
export function addLogMetrics(registry: Registry, machine: Machine): void {
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [registry] })
  const waiting = gauge('amanat_log_waiting', 'Recorded events that are not in a checkpoint yet')
  const faults = gauge('amanat_log_witness_faults', 'Witnesses that refuse to cosign our log')
  const rowFaults = gauge('amanat_log_row_faults', 'Recorded events whose stored row differs from the log, or is gone')
  new Gauge({
    name: 'amanat_log_alarms',
    help: 'Alarms of logs of the network, of rows that somebody changed in the database and of what is overdue, that nobody acknowledged, by kind',
    labelNames: ['kind', 'own'],
    registers: [registry],
    async collect() {
      const open = await countAlarms(machine.db)
      for (const kind of ALARM_KINDS)
        for (const own of [true, false])
          this.set({ kind, own: String(own) }, open.find((one) => one.kind === kind && one.own === own)?.count ?? 0)
    },
  })
  new Gauge({
    name: 'amanat_log_entries',
    help: 'Entries in the newest checkpoint',
    registers: [registry],
    async collect() {
      const state = await readLogState(machine.db)
      this.set(state.size)
      waiting.set(state.waiting)
      rowFaults.set(state.rowFaults)
      faults.set(state.witnesses.filter(({ fault }) => fault !== null).length)
    },
  })
}
