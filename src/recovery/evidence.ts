import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from './party-checks.ts'

/** What a drill or a restore leaves for the auditor (DPDP Rules r.6(1)(d): continuity, shown by a restore that was done). */
export type Evidence = {
  readonly format: 'amanat-restore-evidence/1'
  readonly kind: 'drill' | 'restore'
  readonly who: string
  readonly program: string
  readonly startedAt: string
  readonly endedAt: string
  readonly backup: {
    readonly id: string
    readonly at: string
    readonly sealedBytes: number
    readonly plainBytes: number
    readonly postgresql: number
  }
  /** The moment that was asked for; null: as late as the archive goes. */
  readonly askedFor: string | null
  /** The last transaction that came back, and until when the archive was complete. */
  readonly reachedAt: string | null
  readonly coveredUntil: string | null
  /** What a loss of the machine at the start of the drill would have cost, and how long until the checked copy stood there. */
  readonly lossSeconds: number | null
  readonly recoverySeconds: number
  readonly seconds: { readonly unpack: number; readonly count: number; readonly replay: number; readonly check: number }
  readonly checks: readonly Check[]
  readonly passed: boolean
}

/** Writes the evidence as JSON and as a page of text; answers the SHA-256 of the JSON, which the log records. */
export function writeEvidence(
  folder: string,
  name: string,
  evidence: Evidence,
): { readonly sha256: string; readonly path: string } {
  const json = `${JSON.stringify(evidence, null, 2)}\n`
  const path = join(folder, `${name}.json`)
  const sha256 = createHash('sha256').update(json).digest('hex')
  writeFileSync(path, json, { mode: 0o600, flush: true })
  writeFileSync(join(folder, `${name}.txt`), sayEvidence(evidence, sha256), { mode: 0o600 })
  return { sha256, path }
}

/** The page of text. */
export function sayEvidence(evidence: Evidence, sha256: string): string {
  const { backup, checks, seconds } = evidence
  const mark = ({ passed }: Check): string => (passed === undefined ? '  --  ' : passed ? '  ok  ' : 'FAILED')
  const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`
  return `${evidence.kind === 'drill' ? 'Restore drill' : 'Restore'}: ${evidence.passed ? 'passed' : 'FAILED'}

By         ${evidence.who}, Amanat ${evidence.program}
From       ${evidence.startedAt} to ${evidence.endedAt}
Backup     ${backup.id} of ${backup.at}: ${mib(backup.plainBytes)}, sealed ${mib(backup.sealedBytes)}, PostgreSQL ${Math.floor(backup.postgresql / 10_000)}
Asked for  ${evidence.askedFor ?? 'as late as the archive goes'}
Came to    ${evidence.reachedAt ?? 'no transaction after the backup'}; the archive is complete until ${evidence.coveredUntil ?? 'an unknown moment'}
Loss       ${evidence.lossSeconds === null ? 'unknown' : `${evidence.lossSeconds.toFixed(1)} s of work, had the machine died when this began`} (recovery point)
Time       ${evidence.recoverySeconds.toFixed(1)} s until the checked copy stood there (recovery time): unpack ${seconds.unpack.toFixed(1)}, count ${seconds.count.toFixed(1)}, replay ${seconds.replay.toFixed(1)}, check ${seconds.check.toFixed(1)}

${checks.map((check) => `${mark(check)}  ${check.database}  ${check.check}: ${check.detail}`).join('\n')}

SHA-256 of the evidence (JSON), as the log records it: ${sha256}
`
}
