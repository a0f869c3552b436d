import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Logger } from 'pino'
import type { Tables } from '../../db/tables.generated.ts'
import { type Machine, type Tx, transact } from '../../db/tx.ts'
import { retryDelayMs } from '../../jobs/queue.ts'
import type { Chore } from '../../jobs/schedule.ts'
import { bucketOfId } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { findLeaves } from '../store.ts'
import type { ExportedEvent } from './exported.ts'
import { formatOtlp, NotTaken, sendOtlp } from './otlp.ts'
import { formatSyslog, frame, sendSyslog } from './syslog.ts'

const EXPORT_EVERY_MS = 2_000

/** A system that watches what happens here. */
export type ExportTarget =
  | {
      readonly kind: 'syslog'
      readonly host: string
      readonly port: number
      readonly tls: boolean
      readonly ca?: string | undefined
    }
  | { readonly kind: 'otlp'; readonly url: string; readonly authorization?: string | undefined }

export type ExportNeeds = {
  readonly machine: Machine
  /** The name of our log. */
  readonly origin: string
  readonly fetching: typeof fetch
  readonly logger: Logger
}

/** Copies the log to each system, in order, each entry at least once. */
export function exportChores(targets: readonly ExportTarget[], needs: ExportNeeds): readonly Chore[] {
  return targets.map((target) => ({
    name: `export to ${nameOf(target)}`,
    everyMs: EXPORT_EVERY_MS,
    run: async () => {
      const fault = await exportTo(target, needs)
      if (fault !== undefined) needs.logger.warn({ target: nameOf(target) }, `log export: ${fault}`)
    },
  }))
}

/**
 * Sends everything that is new, batch by batch; the place up to which it was taken is kept after each. Answers why it stopped, if not at
 * the end: the same batch is sent again after a pause that grows.
 */
export async function exportTo(target: ExportTarget, needs: ExportNeeds): Promise<string | undefined> {
  const { machine, origin } = needs
  const name = nameOf(target)
  for (;;) {
    const state = await readState(machine.db, name)
    if (state !== undefined && state.tryAt > machine.now()) return undefined
    const next = state?.nextLeaf ?? 0
    const events = await readEvents(machine.db, next, next + LIMITS.logExportBatch)
    if (events.length === 0) return undefined
    try {
      await send(target, events, needs)
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error)
      const attempts = (state?.attempts ?? 0) + 1
      const pauseMs = Math.max(
        retryDelayMs(attempts, machine.random),
        error instanceof NotTaken ? error.retryAfterMs : 0,
      )
      const capped = Math.min(pauseMs, LIMITS.logExportPauseMsMax)
      const tryAt = new Date(machine.now().getTime() + capped)
      await transact(machine, (tx) => saveState(tx, name, { nextLeaf: next, attempts, fault, tryAt }))
      return `${origin}: ${fault}`
    }
    const nextLeaf = (events.at(-1)?.leaf ?? next) + 1
    const tryAt = machine.now()
    await transact(machine, (tx) => saveState(tx, name, { nextLeaf, attempts: 0, fault: null, tryAt }))
  }
}

async function send(target: ExportTarget, events: readonly ExportedEvent[], needs: ExportNeeds): Promise<void> {
  const { origin, machine, fetching } = needs
  if (target.kind === 'syslog') {
    const { ca, ...to } = target
    const bytes = frame(events.map((event) => formatSyslog(event, origin)))
    return sendSyslog(bytes, { ...to, ...(ca === undefined ? {} : { ca }) }, LIMITS.callTimeoutMs)
  }
  const { url, authorization } = target
  const to = { url, ...(authorization === undefined ? {} : { authorization }) }
  return sendOtlp(formatOtlp(events, origin, machine.now()), to, fetching, LIMITS.callTimeoutMs)
}

/** How a system is known in our table; secrets in its address stay out of it. */
function nameOf(target: ExportTarget): string {
  if (target.kind === 'syslog') return `syslog ${target.host}:${target.port}`
  const { host, pathname, search } = new URL(target.url)
  const rest = search === '' ? '' : ` ${createHash('sha256').update(search).digest('hex').slice(0, 8)}`
  return `otlp ${host}${pathname}${rest}`
}

type State = {
  readonly nextLeaf: number
  readonly attempts: number
  readonly fault: string | null
  readonly tryAt: Date
}

async function readState(db: Kysely<Tables>, target: string): Promise<State | undefined> {
  const row = await db.selectFrom('log_export').selectAll().where('target', '=', target).executeTakeFirst()
  return row && { nextLeaf: row.next_leaf, attempts: row.attempts, fault: row.fault, tryAt: row.try_at }
}

async function saveState(tx: Tx, target: string, { nextLeaf, attempts, fault, tryAt }: State): Promise<void> {
  const row = { next_leaf: nextLeaf, attempts, fault, try_at: tryAt }
  await tx.db
    .insertInto('log_export')
    .values({ target, ...row })
    .onConflict((c) => c.column('target').doUpdateSet(row))
    .execute()
}

/** Events of a stretch of leaves, in order. One whose row is gone is told as such: the gap itself is news. */
async function readEvents(db: Kysely<Tables>, start: number, end: number): Promise<readonly ExportedEvent[]> {
  const leaves = await findLeaves(db, start, end)
  if (leaves.length === 0) return []
  const ids = leaves.map(({ event }) => event)
  const buckets = ids.map(bucketOfId)
  const { rows } = await sql<{ id: string; type: string; at: Date; actor_kind: string }>`
    select e.id, e.type, e.at, e.actor_kind from unnest(${buckets}::smallint[], ${ids}::uuid[]) as wanted (bucket, id)
    join audit_event e on e.bucket = wanted.bucket and e.id = wanted.id`.execute(db)
  const byId = new Map(rows.map((row) => [row.id, row]))
  return leaves.map(({ index, event }) => {
    const row = byId.get(event)
    return row === undefined
      ? { id: event, type: 'log.row-lost', at: new Date(0), leaf: index, actorKind: 'unknown' }
      : { id: event, type: row.type, at: row.at, leaf: index, actorKind: row.actor_kind }
  })
}
