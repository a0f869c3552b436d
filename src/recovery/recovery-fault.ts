/** Why a backup, a restore or a drill did not come about. */
export type RecoveryFaultCode =
  | 'keys_missing'
  | 'wrong_key'
  | 'backup_damaged'
  | 'no_backup'
  | 'wal_missing'
  | 'time_not_covered'
  | 'place_not_empty'
  | 'restore_unfinished'
  | 'server_refused'
  | 'server_programs'
  | 'disk_full'
  | 'in_use'
  | 'not_restored'
  | 'log_differs'

/** A fault of backup or restore, told to a person: print `message`, no stack needed. */
export class RecoveryFault extends Error {
  readonly code: RecoveryFaultCode

  constructor(code: RecoveryFaultCode, message: string, options?: { cause: unknown }) {
    super(message, options)
    this.name = 'RecoveryFault'
    this.code = code
  }
}
