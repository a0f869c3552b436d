/** What can be wrong with the database that we were given, told to a person: print `message`, no stack needed. */
export type DatabaseFaultCode =
  | 'unreachable'
  | 'server_too_old'
  | 'migration_misnamed'
  | 'migration_changed'
  | 'migration_failed'
  | 'migration_irreversible'
  | 'database_newer'
  | 'role_unusable'

/** A fault of the database around us, with one or two sentences: what happened and what to do. */
export class DatabaseFault extends Error {
  readonly code: DatabaseFaultCode

  constructor(code: DatabaseFaultCode, message: string, options?: { cause: unknown }) {
    super(message, options)
    this.name = 'DatabaseFault'
    this.code = code
  }
}
