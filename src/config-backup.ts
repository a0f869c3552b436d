import { resolve } from 'node:path'
import { z } from 'zod'

/** Settings of backups (docs/operate/recovery.md). Without them nothing is backed up by itself. */
export const backupConfig = z
  .object({
    /** Where backups go: best another machine's disk, mounted here. */
    folder: z.string().min(1, 'write the folder of the backups'),
    everyHours: z.number().int().min(1).max(168).default(24),
    /** Any moment of the last so many days can be restored. */
    keepDays: z.number().int().min(1).max(3_650).default(7),
    /** The most that a loss of the machine may cost, in seconds of work. */
    lossSecondsMax: z.number().int().min(1).max(3_600).default(10),
    /** Folder of the programs of PostgreSQL, for a server of another version than 18. */
    postgresBin: z.string().min(1).optional(),
    /** Drills by the party itself: needs the recovery key at hand, which is better kept elsewhere and drilled from there. */
    drill: z
      .object({ recoveryKey: z.string().min(1), everyDays: z.number().int().min(1).max(366).default(30) })
      .strict()
      .optional(),
  })
  .strict()

export type BackupConfig = z.output<typeof backupConfig>

/** Folders are meant from where the settings file lies. */
export function withBackupFolders(backup: BackupConfig, base: string): BackupConfig {
  const { drill, folder } = backup
  return {
    ...backup,
    folder: resolve(base, folder),
    ...(drill === undefined ? {} : { drill: { ...drill, recoveryKey: resolve(base, drill.recoveryKey) } }),
  }
}
