import pg from 'pg'
import { migrationStatus } from '../db/migrate.ts'
import type { Outbound } from '../http/outbound.ts'
import { askWitnesses } from './commands.ts'
import { countChecks, evidenceOf, type PartyInBackup } from './drill.ts'
import { type Evidence, writeEvidence } from './evidence.ts'
import { type Check, checkParty } from './party-checks.ts'
import { adoptAsEmbedded, type RestoreOrder, restoreCluster, tidyRestored } from './restore.ts'
import { endRestore } from './restore-mark.ts'
import { markRestored } from './store.ts'

const EMBEDDED_USER = 'amanat'

export type RestoreForUseOrder = Omit<RestoreOrder, 'throwaway'> & {
  readonly parties: readonly PartyInBackup[]
  readonly outbound: Outbound
  readonly who: string
  readonly program: string
  /** Of the embedded server's user from now on. */
  readonly password: string
}

/**
 * Restores for real: into an empty folder, checked like in a drill, and marked, so that the parties in it answer nobody before their
 * operator has confirmed them. The server is stopped at the end; evidence lies beside it.
 * @throws RecoveryFault as {@link restoreCluster}
 */
export async function restoreForUse(
  order: RestoreForUseOrder,
): Promise<{ readonly evidence: Evidence; readonly sha256: string }> {
  const startedAt = order.now()
  const restored = await restoreCluster({ ...order, throwaway: false })
  const checking = performance.now()
  const checks = countChecks(restored)
  try {
    for (const party of order.parties) {
      const url = restored.server.url(party.database)
      await markRestored(url, {
        backup: restored.manifest.id,
        restoredAt: startedAt.toISOString(),
        reachedAt: restored.reachedAt?.toISOString() ?? null,
        differences: restored.differences.filter(({ database }) => database === party.database).length,
      })
      checks.push(...(await checkAsIs(order, party, url)))
    }
    if (restored.manifest.user === EMBEDDED_USER) await adoptAsEmbedded(order.into, restored.server, order.password)
  } finally {
    await restored.server.stop()
  }
  tidyRestored(order.into)
  const evidence = evidenceOf('restore', { ...order, startedAt }, restored, checks, performance.now() - checking)
  const written = writeEvidence(order.into, 'restore', evidence)
  endRestore(order.into)
  return { evidence, ...written }
}

/** A database of an older schema is left as it is: it may be restored for the older program. */
async function checkAsIs(order: RestoreForUseOrder, party: PartyInBackup, url: string): Promise<readonly Check[]> {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  try {
    const { pending } = await migrationStatus(pool)
    if (pending.length > 0)
      return [
        {
          database: party.database,
          check: 'party',
          detail: `not looked at: its schema is older than this program (${pending.length} migrations); a drill looks at it too`,
        },
      ]
  } finally {
    await pool.end()
  }
  const copy = await party.open(url)
  const live = await party.openLive()
  try {
    return await checkParty(party.database, copy, live, await askWitnesses(copy.log, order.outbound))
  } finally {
    await copy.close()
    await live?.close()
  }
}
