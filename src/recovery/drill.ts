import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { transact } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import { archiveCheck, type Confirmed, confirmedAt } from './archive-check.ts'
import { askWitnesses, noteRun } from './commands.ts'
import { type Evidence, writeEvidence } from './evidence.ts'
import { type Check, checkParty, type OpenParty } from './party-checks.ts'
import { type Restored, type RestoreOrder, restoreCluster } from './restore.ts'

/** A party whose database is in the backup. */
export type PartyInBackup = {
  readonly database: string
  /** Opens a copy of its database with its keys of today. A copy is brought to the newest schema first. */
  readonly open: (databaseUrl: string) => Promise<OpenParty>
  /** Opens the running one's; undefined when its server is not reached. */
  readonly openLive: () => Promise<OpenParty | undefined>
}

export type DrillOrder = Omit<RestoreOrder, 'into' | 'again' | 'throwaway'> & {
  readonly parties: readonly PartyInBackup[]
  readonly outbound: Outbound
  /** A folder for the copy: it is made, and thrown away at the end. */
  readonly workFolder: string
  readonly evidenceFolder: string
  readonly who: string
  readonly program: string
}

export type Drilled = { readonly evidence: Evidence; readonly sha256: string; readonly path: string }

/**
 * Restores beside the running system, checks the copy, writes evidence, and records its hash in the log of every party that is reached.
 * The copy is thrown away.
 * @throws RecoveryFault when there is no copy to check at all
 */
export async function drill(order: DrillOrder): Promise<Drilled> {
  const startedAt = order.now()
  const name = `drill-${startedAt.toISOString().replace(/[-:]|\.\d+/g, '')}`
  const into = join(order.workFolder, name)
  try {
    const confirmed = await askServer(order.parties)
    const restored = await restoreCluster({ ...order, into, again: false, throwaway: true })
    const checking = performance.now()
    const checks = [...(await checkAll(order, restored)), archiveCheck(restored, confirmed)]
    const evidence = evidenceOf('drill', { ...order, startedAt }, restored, checks, performance.now() - checking)
    mkdirSync(order.evidenceFolder, { recursive: true, mode: 0o700 })
    const written = writeEvidence(order.evidenceFolder, name, evidence)
    await noteDrill(order, evidence, written.sha256)
    return { evidence, ...written }
  } finally {
    rmSync(into, { recursive: true, force: true })
  }
}

async function askServer(parties: readonly PartyInBackup[]): Promise<Confirmed | undefined> {
  for (const party of parties) {
    const live = await party.openLive()
    if (live === undefined) continue
    try {
      return await confirmedAt(live)
    } finally {
      await live.close()
    }
  }
  return undefined
}

/** The checks of every restored party, and the counts of the whole. */
async function checkAll(order: DrillOrder, restored: Restored): Promise<readonly Check[]> {
  const found: Check[] = countChecks(restored)
  try {
    for (const party of order.parties)
      found.push(...(await checkOne(order, party, restored.server.url(party.database))))
  } finally {
    await restored.server.stop()
  }
  return found
}

async function checkOne(order: DrillOrder, party: PartyInBackup, url: string): Promise<readonly Check[]> {
  const copy = await party.open(url)
  const live = await party.openLive()
  try {
    return await checkParty(party.database, copy, live, await askWitnesses(copy.log, order.outbound))
  } finally {
    await copy.close()
    await live?.close()
  }
}

/** How the tables of each database came out at the moment at which the backup counted them. */
export function countChecks({ census, differences }: Restored): Check[] {
  return census.databases.map(({ name, counts }) => {
    const own = differences.filter(({ database }) => database === name)
    const rows = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const detail =
      own.length === 0
        ? `${rows} rows in ${Object.keys(counts).length} tables, as the backup counted them`
        : own.map(({ what, backup, restored }) => `${what}: ${backup} in the backup, ${restored} restored`).join('; ')
    return { database: name, check: 'tables: every count', passed: own.length === 0, detail }
  })
}

async function noteDrill(order: DrillOrder, { passed, backup }: Evidence, sha256: string): Promise<void> {
  for (const party of order.parties) {
    const live = await party.openLive()
    if (live === undefined) continue
    try {
      await transact(live.machine, (tx) =>
        noteRun(tx, { type: 'recovery.drilled', backup: backup.id, passed, evidence: sha256 }),
      )
    } finally {
      await live.close()
    }
  }
}

type Occasion = {
  readonly startedAt: Date
  readonly to: Date | undefined
  readonly who: string
  readonly program: string
  readonly now: () => Date
}

/** Puts together what was measured. */
export function evidenceOf(
  kind: Evidence['kind'],
  occasion: Occasion,
  restored: Restored,
  checks: readonly Check[],
  checkedMs: number,
): Evidence {
  const { manifest, timesMs, coveredUntil, reachedAt } = restored
  const sum = (size: 'bytes' | 'plainBytes'): number => manifest.files.reduce((all, file) => all + file[size], 0)
  const seconds = {
    unpack: timesMs.unpacked / 1000,
    count: timesMs.counted / 1000,
    replay: timesMs.replayed / 1000,
    check: checkedMs / 1000,
  }
  return {
    format: 'amanat-restore-evidence/1',
    kind,
    who: occasion.who,
    program: occasion.program,
    startedAt: occasion.startedAt.toISOString(),
    endedAt: occasion.now().toISOString(),
    backup: {
      id: manifest.id,
      at: manifest.at,
      sealedBytes: sum('bytes'),
      plainBytes: sum('plainBytes'),
      postgresql: manifest.serverVersion,
    },
    askedFor: occasion.to?.toISOString() ?? null,
    reachedAt: reachedAt?.toISOString() ?? null,
    coveredUntil: coveredUntil?.toISOString() ?? null,
    lossSeconds:
      coveredUntil === undefined ? null : Math.max(0, (occasion.startedAt.getTime() - coveredUntil.getTime()) / 1000),
    recoverySeconds: seconds.unpack + seconds.count + seconds.replay + seconds.check,
    seconds,
    checks,
    passed: checks.every(({ passed }) => passed !== false),
  }
}
