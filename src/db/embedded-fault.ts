/** Why the embedded PostgreSQL could not be used. The message says what happened and what to do, in one or two sentences. */
export type EmbeddedFaultCode =
  | 'platform_unsupported'
  | 'binaries_incomplete'
  | 'folder_not_directory'
  | 'folder_not_writable'
  | 'folder_not_reachable'
  | 'folder_in_use'
  | 'socket_folder_taken'
  | 'socket_path_too_long'
  | 'cluster_version'
  | 'password_lost'
  | 'disk_full'
  | 'init_failed'
  | 'start_failed'
  | 'server_will_not_stop'
  | 'server_died'

/** A fault of the machine around the embedded PostgreSQL, told to a person: print `message`, no stack needed. */
export class EmbeddedFault extends Error {
  readonly code: EmbeddedFaultCode

  constructor(code: EmbeddedFaultCode, message: string, options?: { cause: unknown }) {
    super(message, options)
    this.name = 'EmbeddedFault'
    this.code = code
  }
}

/** The `code` of a Node system error (`ENOENT`, …), or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
