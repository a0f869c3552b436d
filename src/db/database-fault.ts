import { messageOf } from './embedded-fault.ts'

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

/** The server does not answer, has no such database, or does not let us in. */
export function unreachable(cause: unknown): DatabaseFault {
  return new DatabaseFault(
    'unreachable',
    `The database cannot be used: ${messageOf(cause)}. Check its address (DATABASE_URL, or database.url in the settings), and that the server runs and lets this user in.`,
    { cause },
  )
}
