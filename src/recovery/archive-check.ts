import { sql } from 'kysely'
import { formatLsn, type Lsn, parseLsn } from './lsn.ts'
import type { Check, OpenParty } from './party-checks.ts'
import type { Restored } from './restore.ts'
import { SLOT } from './wal-archive.ts'

/** Up to where the archive told the server that it has its WAL on the disk. */
export type Confirmed = { readonly systemId: string; readonly timeline: number; readonly lsn: Lsn }

/** What the running server remembers of the archive; undefined where nothing was archived from it. To be asked before the archive is read. */
export async function confirmedAt({ machine }: OpenParty): Promise<Confirmed | undefined> {
  const { rows } = await sql<{ lsn: string | null; system: string; timeline: number }>`
    select coalesce(confirmed_flush_lsn, restart_lsn)::text as lsn,
      (select system_identifier::text from pg_control_system()) as system,
      (select timeline_id from pg_control_checkpoint()) as timeline
    from pg_replication_slots where slot_name = ${SLOT}`.execute(machine.db)
  const [row] = rows
  if (row === undefined || row.lsn === null) return undefined
  return { systemId: row.system, timeline: row.timeline, lsn: parseLsn(row.lsn) }
}

/**
 * Whether the end of the archive is there. Who can delete files of it can put it back to an older state, signatures and all; the server, to
 * which the archive confirmed what it had, remembers.
 */
export function archiveCheck(
  { archive, manifest }: Pick<Restored, 'archive' | 'manifest'>,
  confirmed: Confirmed | undefined,
): Check {
  const check = 'archive: its end'
  const database = manifest.databases.join(', ')
  const end = formatLsn(archive.end)
  if (archive.missingTo !== undefined)
    return {
      database,
      check,
      passed: false,
      detail: `ends at ${end}; was signed to go to ${formatLsn(archive.missingTo)}`,
    }
  if (confirmed === undefined || confirmed.systemId !== manifest.systemId || confirmed.timeline !== manifest.timeline)
    return { database, check, detail: `ends at ${end}; no running server knows of it` }
  const passed = archive.end >= confirmed.lsn
  const known = `the server was told that it goes to ${formatLsn(confirmed.lsn)}`
  return { database, check, passed, detail: `ends at ${end}; ${known}` }
}
