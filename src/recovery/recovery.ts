import type { AuditEvent } from '../audit/record.ts'

/** What the log records of backups and restores. */
export const EVENTS = {
  'backup.taken': 'a backup of the database was completed',
  'recovery.drilled':
    'a backup was restored beside the running party and checked; the event has the hash of the evidence',
  'recovery.confirmed': 'the operator let a database that was restored from a backup go to work',
  'log.restored': 'the log goes on under a new name, because a restore lost entries that witnesses had seen',
} as const

type Of<Type extends keyof typeof EVENTS, Fields> = AuditEvent & { readonly type: Type } & Fields

export type RecoveryEvent =
  | Of<'backup.taken', { readonly backup: string; readonly bytes: number }>
  | Of<'recovery.drilled', { readonly backup: string; readonly passed: boolean; readonly evidence: string }>
  | Of<
      'recovery.confirmed',
      { readonly backup: string; readonly reachedAt: string; readonly lost: number; readonly asked: number }
    >
  | Of<
      'log.restored',
      {
        readonly predecessor: string
        readonly restoredSize: number
        readonly seenSize: number
        readonly seenRoot: string
        readonly lost: number
      }
    >

/** What a restored database says of itself until its operator confirms it. */
export type RestoredNote = {
  readonly backup: string
  readonly restoredAt: string
  /** The last transaction that is in it. */
  readonly reachedAt: string | null
  /** What differed from the counts of the backup; such a restore is confirmed only by name. */
  readonly differences: number
}

/** What is remembered of the newest backup and the newest drill. */
export type LastRun = { readonly at: Date; readonly passed: boolean }
